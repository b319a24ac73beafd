"""RunConfig: everything that decides a training run, as one frozen and validated value.

This is the schema from which the command line (``--set``), the Train page's knobs, the URL and the error
messages are made, so that a new setting is one more field here, and the code that uses its value. What a
field says of itself is in :class:`FieldSpec`; rules between fields stand beside them. (Sections refer to
Kim & Smaragdis, *Bitwise Neural Networks*, 2016, arXiv:1601.06071.)
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bnn_core.datasets.features import FEATURES, USUAL
from bnn_core.errors import InputError

if TYPE_CHECKING:
    Features = str
else:
    Features = Literal[tuple(FEATURES)]


def _field(default: Any, *, within: tuple[float, float] | None = None, **about: Any) -> Any:
    """A field of the schema; ``about`` is what :class:`FieldSpec` takes besides, and refuses if it cannot."""
    least, most = within or (None, None)
    return Field(default, ge=least, le=most, json_schema_extra={"minimum": least, "maximum": most, **about})


def _group(default: BaseModel, *, acts: str) -> Any:
    """A part of the schema; its fields act then, where they do not say otherwise."""
    return Field(default, json_schema_extra={"acts": acts})


_FLIPS: dict[str, Any] = {"within": (0.0, 0.5), "live": True, "section": "noise", "percent": True}
_DROPOUT: dict[str, Any] = {"within": (0.0, 0.8), "step": 0.05, "live": True, "section": "learning"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataConfig(_Frozen):
    """Which digits, and how a picture becomes input bits."""

    features: Features = _field(
        USUAL,
        label="Features",
        help=f"How a pixel becomes input bits: {'; '.join(f.help for f in FEATURES.values())}.",
        equation=f"z_0 = {', or '.join(f.equation for f in FEATURES.values())}",
    )
    input_threshold: int = _field(
        128,
        label="Input threshold",
        help="Grey level from which a pixel counts as ink.",
        equation="z_0 = +1 if pixel >= threshold, else -1",
        unit="grey level",
        within=(1, 255),
    )
    train_digits: int | None = _field(
        None,
        label="Training digits",
        help="How many digits to train on; empty: all but the validation set (the last 10,000). More than"
        " that takes the validation digits in too, for a final network.",
        within=(100, 1_000_000),
    )


class NetworkConfig(_Frozen):
    """The shape of the network."""

    hidden: tuple[int, ...] = _field(
        (256, 256),
        label="Hidden layers",
        help="Units of each hidden layer: one to eight layers of 8 to 4096 units.",
        equation="z_i = sign(a_i)",
        unit="units",
    )
    variant: Literal["strict", "threshold"] = _field(
        "strict",
        label="Variant",
        help="strict: every bias is one bit, as in the paper. threshold: batch-norm in phase 2, folded"
        " into one integer a unit.",
        equation="a_i = b_i + sum_j w_ij z_j, b_i in {-1, +1} or an integer",
        acts="phase 2's start",
    )

    constant_units: int = _field(
        0,
        label="Constant units",
        help="In a strict network: so many units of each hidden layer are always on and carry the integers"
        " of a threshold network, exactly; phase 2 then trains with batch-norm. 0: one-bit biases only.",
        equation="b_i + sum_j w_ij, over constant z_j = +1, in {-c - 1, .., c + 1}",
        unit="units",
        within=(0, 512),
    )

    @property
    def batch_norm(self) -> bool:
        """Whether phase 2 trains with batch-norm."""
        return self.variant == "threshold" or self.constant_units > 0

    def model_post_init(self, _context: Any) -> None:
        if self.constant_units and self.variant != "strict":
            raise InputError(
                f"network.constant_units is {self.constant_units}: allowed is 0 in a {self.variant} network,"
                " whose units have integers of their own."
            )
        if self.constant_units and 2 * self.constant_units > min(self.hidden, default=0):
            raise InputError(
                f"network.constant_units is {self.constant_units}: allowed is at most half of the smallest"
                f" hidden layer, which has {min(self.hidden, default=0)} units."
            )
        if not 1 <= len(self.hidden) <= 8 or any(not 8 <= units <= 4096 for units in self.hidden):
            raise InputError(
                f"network.hidden is {list(self.hidden)}: allowed are 1 to 8 layers of 8 to 4096 units."
            )


class CompressionConfig(_Frozen):
    """Phase 1, weight compression (section 3.1): w = tanh(k w_bar)."""

    gain_start: float = _field(
        1.0,
        label="Gain k at the start",
        help="Compression gain when phase 1 starts.",
        equation="w = tanh(k w_bar)",
        within=(0.25, 64.0),
        scale="doublings",
        acts="start",
    )
    gain_end: float = _field(
        1.0,
        label="Gain k at the end",
        help="Compression gain when phase 1 ends: higher presses more weights to -1 and +1.",
        equation="w = tanh(k w_bar)",
        within=(0.25, 64.0),
        scale="doublings",
        live=True,
        section="compression",
    )
    weight_init: float = _field(
        0.2,
        label="Initial weights",
        help="Half-width of the uniform distribution that the latent weights start from.",
        equation="w_bar ~ U(-init, init)",
        within=(0.001, 1.0),
        acts="start",
    )


class NoiseConfig(_Frozen):
    """Phase 2, noisy back-propagation (section 3.2): the forward pass runs on bits."""

    sparsity: float = _field(
        0.0,
        label="Sparsity λ, share of zeros",
        help="Share of each hidden layer's weights that is switched off, the smallest ones.",
        equation="w = 0 if |w_bar| <= beta, else sign(w_bar)",
        within=(0.0, 0.97),
        live=True,
        refresh="boundaries",
        section="noise",
    )
    sparse_output: bool = _field(
        False,
        label="Sparse output layer",
        help="Whether the sparsity holds for the output layer too.",
        equation="w = 0 if |w_bar| <= beta, else sign(w_bar)",
    )
    pseudo_gradient: Literal["identity", "clipped", "tanh"] = _field(
        "clipped",
        label="Pseudo-gradient",
        help="What stands in for the derivative of sign when the error is sent back.",
        equation="dz/da = 1, or 1 where |a| <= window sqrt(n), or 1 - tanh^2(a / (window sqrt(n)))",
    )
    window: float = _field(
        1.0,
        label="Window of the gradient",
        help="How far from 0 a sum still passes the error back, in units of sqrt(fan-in).",
        equation="|a| <= window sqrt(n)",
        unit="√n",
        within=(0.1, 10.0),
        scale="decades",
        section="noise",
    )
    input_flips: float = _field(
        0.0,
        label="Input bits flipped",
        help="Probability that an input bit is flipped in a training step.",
        equation="z_0 -> -z_0",
        **_FLIPS,
    )
    hidden_flips: float = _field(
        0.0,
        label="Hidden bits flipped",
        help="Probability that a hidden bit is flipped in a training step.",
        equation="z_i -> -z_i",
        **_FLIPS,
    )
    weight_flips: float = _field(
        0.0,
        label="Weight bits flipped",
        help="Probability that a weight bit is flipped in a training step.",
        equation="w_ij -> -w_ij",
        **_FLIPS,
    )


class PhaseConfig(_Frozen):
    """How one phase learns: length, rate, batch, dropout, worst-case inputs."""

    epochs: int = _field(
        6,
        label="Epochs",
        help="Passes over the training digits.",
        within=(0, 2000),
        section="epochs",
    )
    learning_rate: float = _field(
        5e-3,
        label="Rate",
        help="Adam's learning rate after warm-up.",
        equation="w_bar <- w_bar - rate Adam(grad)",
        within=(1e-5, 0.1),
        scale="decades",
        live=True,
        section="learning",
    )
    decay: Literal["cosine", "none"] = _field(
        "cosine",
        label="Decay, phase {phase}",
        help="cosine lets the rate fall to 0 over the phase, so that signs settle; none keeps it.",
        equation="rate (1 + cos(pi t)) / 2",
    )
    batch: int = _field(
        200,
        label="Batch, phase {phase}",
        help="Digits per step; the last step of an epoch takes what is left. Where phase 2 trains with"
        " batch-norm (threshold, or constant units), a step needs two: one digit that is left joins the"
        " step before.",
        unit="digits",
        within=(1, 10_000),
    )
    dropout_input: float = _field(
        0.0,
        label="Input dropout",
        help="Probability that an input is left out in a training step.",
        equation="z_0 -> z_0 m / (1 - p)",
        **_DROPOUT,
    )
    dropout_hidden: float = _field(
        0.0,
        label="Hidden dropout",
        help="Probability that a hidden unit is left out in a training step.",
        equation="z_i -> z_i m / (1 - p)",
        **_DROPOUT,
    )
    nudge: float = _field(
        0.0,
        label="Nudged inputs",
        help="Each step learns half from the digits and half from the same digits with every input that is"
        " ever on moved a little towards more loss: by this share of the way from one value to the other"
        " (Goodfellow et al., 2015).",
        equation="z_0 -> z_0 + nudge (high - low) sign(dL/dz_0)",
        unit="share",
        within=(0.0, 0.5),
        live=True,
    )


class RunConfig(_Frozen):
    """Everything that decides a run: the same config, data, thread count and machine give the same bits.

    Raises:
        InputError: from :meth:`from_dict` and :meth:`updated`, naming the field, what came and what is
            allowed.
    """

    seed: int = _field(
        0, label="Seed", help="Start of every random number of the run.", within=(0, 2**31 - 1)
    )
    data: DataConfig = _group(DataConfig(), acts="start")
    network: NetworkConfig = _group(NetworkConfig(), acts="start")
    compression: CompressionConfig = _group(CompressionConfig(), acts="phase 1")
    noise: NoiseConfig = _group(NoiseConfig(), acts="phase 2")
    phase1: PhaseConfig = _group(PhaseConfig(learning_rate=1e-2), acts="phase 1")
    phase2: PhaseConfig = _group(PhaseConfig(epochs=8), acts="phase 2")

    def model_post_init(self, _context: Any) -> None:
        if self.phase1.epochs + self.phase2.epochs == 0:
            raise InputError("phase1.epochs and phase2.epochs are both 0: at least one epoch is needed.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A configuration from nested plain values (as in ``config.json``); missing fields take defaults."""
        if not isinstance(values, Mapping):
            raise InputError(
                f"The configuration is a {type(values).__name__}: allowed is an object of fields."
            )
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(_sentence(error)) from None

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, ready for JSON."""
        return self.model_dump(mode="json")

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """A copy with dotted fields changed, e.g. ``{"noise.sparsity": 0.3}``.

        Values may be of the field's type or text, as from a command line or a URL: ``"0.3"``,
        ``"256,256"``, ``"none"``.
        """
        values = self.to_dict()
        for path, value in changes.items():
            known = field_spec(path)
            target = values
            *parents, name = path.split(".")
            for parent in parents:
                target = target[parent]
            target[name] = known.parse(value) if isinstance(value, str) else value
        return self.from_dict(values)

    def get(self, path: str) -> Any:
        """The value of one dotted field."""
        field_spec(path)
        return attrgetter(path)(self)


@dataclass(frozen=True)
class FieldSpec:
    """One field of the schema: all that pages, command line, addresses and training know of it.

    Attributes:
        path: dotted name, ``"noise.sparsity"``.
        kind: ``"int"``, ``"float"``, ``"bool"``, ``"choice"`` or ``"layers"``.
        minimum, maximum: inclusive limits of a number, else None.
        optional: whether None is allowed.
        label: its name; those that both phases have may say {phase}.
        step: of an even slider.
        scale: how a slider goes from the least to the most.
        percent: whether a share is shown in per cent.
        section: which of the knobs in sight it is among; "" folds away.
        acts: in which part of a run it is read.
        live: whether it may change while a run is under way...
        refresh: ...and what of the network has to be found anew then.
    """

    path: str
    kind: str
    default: Any
    minimum: float | None
    maximum: float | None
    optional: bool
    choices: tuple[str, ...]
    label: str
    help: str
    equation: str = ""
    unit: str = ""
    step: float = 0.01
    scale: Literal["even", "decades", "doublings"] = "even"
    percent: bool = False
    section: Literal["compression", "noise", "learning", "epochs", ""] = ""
    acts: Literal["start", "phase 1", "phase 2's start", "phase 2", "throughout"] = "throughout"
    live: bool = False
    refresh: Literal["boundaries", ""] = ""

    @property
    def group(self) -> str:
        """The part before the dot; empty for ``seed``."""
        return self.path.rpartition(".")[0]

    @property
    def stops(self) -> tuple[float, ...]:
        """Where a slider that is not even may stand."""
        assert self.minimum is not None
        assert self.maximum is not None
        if self.scale == "doublings":  # and their halves
            found = [float(f"{self.minimum * 2 ** (i / 2):.2g}") for i in range(64)]
        else:
            found = [float(f"{m}e{exponent}") for exponent in range(-6, 4) for m in (1, 1.5, 2, 3, 5, 7)]
        inside = {x for x in found if self.minimum <= x <= self.maximum}
        return tuple(sorted(inside | {self.minimum, self.maximum}))

    @property
    def allowed(self) -> str:
        """What is allowed, in words: ``"0 to 0.97"``."""
        if self.choices:
            return " or ".join(self.choices)
        if self.kind == "bool":
            return "true or false"
        if self.kind == "layers":
            return "1 to 8 layers of 8 to 4096 units, as in 256,256"
        kind = "a whole number from " if self.kind == "int" else ""
        return f"{kind}{self.minimum:g} to {self.maximum:.10g}" + (", or none" if self.optional else "")

    def parse(self, text: str) -> Any:
        """A typed value from text; raises InputError naming the field."""
        text = text.strip()
        try:
            if self.optional and text.lower() in ("none", "null", ""):
                return None
            if self.kind == "int":
                return int(text.replace("_", ""))
            if self.kind == "float":
                return float(text)
            if self.kind == "bool":
                return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
            if self.kind == "layers":
                return [int(part) for part in text.strip("[]()").split(",") if part.strip()]
        except (ValueError, KeyError):
            raise InputError(f"{self.path} is {text!r}: allowed is {self.allowed}.") from None
        return text


def _kind(annotation: Any) -> tuple[str, bool, tuple[str, ...]]:
    """(kind, optional, choices) of a field's annotation."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return "choice", False, tuple(str(a) for a in arguments)
    if type(None) in arguments:
        kind, _, choices = _kind(next(a for a in arguments if a is not type(None)))
        return kind, True, choices
    return {int: "int", float: "float", bool: "bool"}.get(annotation, "layers"), False, ()


def field_specs() -> tuple[FieldSpec, ...]:
    """Every field of the schema in order; phase 1 and phase 2 have their own copies of the shared ones."""
    return _SPECS


def _collect(model: BaseModel, prefix: str = "", group: Mapping[str, Any] = {}) -> Iterator[FieldSpec]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        about: Any = info.json_schema_extra
        if isinstance(value, BaseModel):
            yield from _collect(value, f"{name}.", about)
            continue
        kind, optional, choices = _kind(info.annotation)
        about = {**group, **about, "label": about["label"].format(phase=prefix.rstrip(".")[-1:])}
        yield FieldSpec(
            path=prefix + name, kind=kind, default=value, optional=optional, choices=choices, **about
        )


_SPECS = tuple(_collect(RunConfig()))
_BY_PATH = {spec.path: spec for spec in _SPECS}
LIVE_FIELDS = tuple(spec.path for spec in _SPECS if spec.live)
"""Fields that may change while a run is under way."""


def field_spec(path: str) -> FieldSpec:
    """The field of that dotted name; raises InputError naming the nearest ones if there is none."""
    if path in _BY_PATH:
        return _BY_PATH[path]
    near = difflib.get_close_matches(path, _BY_PATH, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"allowed are {', '.join(_BY_PATH)}."
    raise InputError(f"There is no field {path!r}: {hint}")


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """``["noise.sparsity=0.3"]`` as a dict of text values; raises InputError on anything else."""
    changes: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise InputError(
                f"{assignment!r} is no setting: allowed is FIELD=VALUE, as in noise.sparsity=0.3."
            )
        changes[name.strip()] = value
    return changes


def check_live(path: str, value: Any) -> Any:
    """The value, validated, of a setting to change in mid-run; raises InputError if it is not live."""
    spec = field_spec(path)
    if not spec.live:
        raise InputError(
            f"{path} cannot change while a run is under way: allowed are {', '.join(LIVE_FIELDS)}."
        )
    return RunConfig().updated({path: value}).get(path)


def _sentence(error: ValidationError) -> str:
    """The first complaint of pydantic in our words."""
    first = error.errors()[0]
    if isinstance(own := first.get("ctx", {}).get("error"), InputError):
        return str(own)
    path = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    came = json.dumps(first["input"], default=str)
    came = came if len(came) <= 80 else came[:80] + "…"
    groups = sorted({s.group or s.path for s in _SPECS})
    if path in groups and path not in _BY_PATH:
        return f"{path} is {came}: allowed is an object of fields."
    if path not in _BY_PATH:
        near = difflib.get_close_matches(path, [*_BY_PATH, *groups], n=1)
        hint = f"did you mean {near[0]}?" if near else f"its parts are {', '.join(groups)}."
        return f"The configuration has no part {path!r}: {hint}"
    return f"{path} is {came}: allowed is {_BY_PATH[path].allowed}."


def parse_config(text: str | bytes, source: str) -> RunConfig:
    """A configuration from JSON; ``source`` names the file in errors."""
    try:
        return RunConfig.from_dict(TypeAdapter(dict[str, Any]).validate_json(text))
    except ValidationError:
        raise InputError(f"{source} is not a run's configuration: allowed is a JSON object.") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
