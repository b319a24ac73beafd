"""The text of the Train page: heads, labels, sentences, and what is happening."""

from __future__ import annotations

from bnn_core.datasets.features import FEATURES
from explorer.server.budget import duration
from explorer.shared.numbers import MINUS, grouped

NARROW = "\N{NARROW NO-BREAK SPACE}"

START, RESUME, PAUSE, ONE_EPOCH, STOP = "Start", "Resume", "Pause", "One epoch", "Stop"
ONE_EPOCH_HELP = "Go on to the end of this epoch, and pause there."
STOP_HELP = "End the run here. It is saved, and can be resumed bit for bit."
START_WAITS_HELP = "Another run is under way: this one waits for its turn."
OPEN_IN_WATCH = "Open in Watch"
CANCEL = "Take out of the queue"
REPLAY = "Replay"
REPLAY_HELP = "Play this run back as if it were live."
PLAY, AGAIN = "Play", "Once more"
NEXT_EPOCH_HELP = "Play to the end of this epoch, and hold there."
LEAVE_REPLAY_HELP = "Back to the run as it ended."
PACE = "Pace of the replay"
PACES = {"1": "1×", "4": "4×", "16": "16×", "max": "max"}
MOMENT = "Moment of the run"
BACK_TO_NOW, TO_THE_END = "Back to now", "To the end"
BRANCH = "Branch from here"
NO_BRANCH_HELP = "A branch begins where an epoch ends."
BRANCH_HELP = "Train on from here with other settings, as a run of its own."
START_BRANCH = "Start the branch"
LEAVE_BRANCH = "Back to the run"
PRESET = "Preset"
RUNS = "Run"
NEW_RUN = "New run"
GO_TO_CURRENT = "Show the run under way"

GROUPS = {"compression": "Compression", "noise": "Noise", "learning": "Learning"}
MORE = "Data and network"
EQUATIONS = {"compression": "w = tanh(k w̄)", "noise": "w = sign(w̄), or 0 if |w̄| ≤ β"}
CHOICES = {
    **{name: feature.title for name, feature in FEATURES.items()},
    "strict": "strict, one-bit biases",
    "threshold": "threshold, integer biases",
}
DECAY = {"cosine": "cosine to 0", "none": "rate stays"}
MAY_CHANGE = "may change now"
ACTS_FROM_THERE = "acts from there on"
PAST = "is past"
FIXED = "fixed for this run"
PHASE_1_OVER = "phase 1 is over"
LEFT, LEFT_PAUSED = "left", "left, paused"

REAL = "real network"
NAIVE = "the same network, binarised now"
NAIVE_NOW = "binarised now"
LIVE = "bitwise, now"
LIVE_END = "bitwise"
ERROR_HEAD = {True: "Validation error, %", False: "Training error, %"}
ERROR_NOTE = {True: "", False: "on 5,000 training digits: the run takes the validation digits in too"}
EPOCH_AXIS = "epoch"
BRANCHED_HERE = "branched here"
BRANCHES_HERE = "the branch begins here"
PHASE_HEADS = {1: ("Phase 1", "real weights, compressed"), 2: ("Phase 2", "noisy back-propagation, on bits")}
WEIGHTS = "Weights before they become bits"
WEIGHTS_NOTE = {False: f"as they lie between {MINUS}1 and +1", True: "grey outline: at the end of phase 1"}
FLIPS = "Weights that flipped"
FLIPS_NOTE = {False: "% of each layer since the last epoch", True: "% of each layer: sign, or on and off"}
HAPPENING = "What is happening"
HAPPENED = "What was happening"
NOW = "now"
OTHER_BITS = "this machine computes other bits than that run's snapshot, so it begins close to it"
RUN_STATES = {
    "interrupted": "broken off",
    "waiting": "waits",
    "starting": "under way",
    "running": "under way",
}
"""States of a run in a list, where they are not called as they are."""

# Filled in where they are said.
EXPECTED = "Expect {error} test error in {time}."
REPAIRED = "trained as bits: {before} → {after} in one epoch"
NO_MOMENT = "This run keeps no snapshot {at:.60}, so its newest moment is shown."
NO_RUN = "There is no run {run:.80} here."
TEMPLATES_HEAD = "First-layer weights, units 0 to {last}"
RATE = "rate {rate}"
RUNNING_LOSS = "running loss {loss:.3f}"
PROGRESS_SPOKEN = "Phase {phase}: {done} of {planned} epochs are over"
WAITING = "Waits for its turn ({place}): {title}"
SHIPPED = "{title}, kept with the project"
REPLAYED = "replay of {run}"
BRANCH_READY = "Start leaves the run at {moment}, and trains on with the settings at the left."
STOPPED = "Stopped in phase {phase} after epoch {epoch}. Resume goes on bit for bit, as if nothing had been."
CHANGED_JUST_NOW = "{label} is {value} from here on: the next epoch shows what that does."
NOISY = "{what} flipped at random in training only: the errors are measured without that noise."


def choice(name: str) -> str:
    """An option of a field, with a word on what it means where its name does not say."""
    return CHOICES.get(name, name)


def percent(value: float, digits: int | None = None) -> str:
    """22.5 % or 2.87 %: three figures."""
    places = digits if digits is not None else 2 if value < 9.995 else 1
    return f"{value:.{places}f}{NARROW}%"


def number(value: float) -> str:
    """0.0013, 4, 0.3: at most three figures, a true minus."""
    return f"{value:.3g}".replace("-", MINUS)


def zeros_label(share: float) -> str:
    """half are 0, 30 % are 0."""
    if share <= 0:
        return ""
    if abs(share - 0.5) < 0.005:
        return "half are 0"
    return f"{percent(100 * share, 0)} are 0"


def epoch(number: int) -> str:
    """epoch 6."""
    return f"epoch {number}"


def within(share: float) -> str:
    """6 % of epoch 1: where the first looks are taken."""
    return f"{percent(100 * share, 0)} of epoch 1"


def data_note(
    sizes: list[int], variant: str, seed: int, digits: int | None, validation: int | None
) -> tuple[str, str]:
    """784-512-512-10, strict, seed 0 | 50,000 digits, 10,000 to validate."""
    network = f"{'-'.join(map(str, sizes))}, {variant}, seed {seed}"
    if digits is None:
        return network, ""
    held = f"{grouped(validation)} to validate" if validation else "none to validate"
    return network, f"{grouped(digits)} digits, {held}"


def speed(digits_a_second: float) -> str:
    """8,320 digits a second."""
    return f"{grouped(int(round(digits_a_second, -1 if digits_a_second >= 100 else 0)))} digits a second"


def changed_from(title: str, count: int) -> str:
    """Two settings differ from Quick."""
    return f"{count} setting{'s differ' if count != 1 else ' differs'} from {title}."


def phase_progress(phase: int, done: int, planned: int, active: bool) -> str:
    """Phase 2, epoch 7 of 10."""
    if active and done < planned:
        return f"Phase {phase}, epoch {done + 1} of {planned}"
    return f"Phase {phase}, {planned} epoch{'s' if planned != 1 else ''}"


def templates_note(since: str | None, inputs: int) -> str:
    """What is lit, and what the numbers count."""
    if since is None:
        return f"as bits; below, how many of {grouped(inputs)} are +1"
    return f"flipped since {since}, of {grouped(inputs)}; the rest is faded"


def moment(number: int, step: int) -> str:
    """epoch 6, or step 63 within the first epoch."""
    return epoch(number) if number else f"step {grouped(step)}"


def test_result(error: float, errors: int | None, real: float | None) -> tuple[str, str]:
    """What the finished run reached: on test digits, beside the real network."""
    beside = f"real network {percent(real)}" if real is not None else "no real network: phase 1 was left out"
    counted = "" if errors is None else f", {grouped(errors)} misread"
    return percent(error), f"test error{counted}; {beside}"


def bad_url(path: str, value: str, error: str) -> str:
    """A value in the address that cannot be used."""
    came = value if len(value) <= 40 else value[:40] + "…"
    return f"The address says {path}={came}, which cannot be used, so the preset's value is taken. {error}"


def price(epochs: int, seconds: float) -> tuple[str, str]:
    """What has to be trained again before a branch begins, in two lines."""
    if not epochs:
        return "this moment is kept:", "the branch begins at once"
    many = "1 epoch is" if epochs == 1 else f"{epochs} epochs are"
    return "of this moment only the bits are kept:", f"{many} trained again first, about {duration(seconds)}"


def descent(run: str, moment: str, same_bits: bool | None) -> str:
    """Where a branch comes from."""
    return f"a branch of {run} from {moment}" + (f"; {OTHER_BITS}" if same_bits is False else "")


def recomputing(done: float, epochs: int) -> str:
    """The way back to where a branch begins."""
    many = "the one epoch" if epochs == 1 else f"the {epochs} epochs"
    return (
        f"Training {many} before the branch again, {100 * done / max(1, epochs):.0f}{NARROW}% so far:"
        " of that moment only the bits were kept."
    )


def leaving(run: str, moment: str, changed: int) -> str:
    """What a branch leaves, and with how many changes."""
    what = f"{changed} setting{'s' if changed != 1 else ''} changed" if changed else "nothing changed yet"
    return f"A branch of {run} from {moment}: {what}."


ELSEWHERE = (
    "Another program on this machine is training this run; it can be watched here, and is steered there."
)


# What is happening: one sentence for what the records show.

READY = "Start shows both phases: first a real network is pressed towards bits, then its bits are trained."
STARTING = "The run begins. The first point appears within its first epoch."
FIRST_EPOCH = "Real weights learn first; the dashed line will show what their signs alone are worth."
QUEUED = "Another run is under way: this one starts when that one ends."
PAUSED = "Paused: nothing moves, and the settings that may change now act when it goes on."
PHASE2_BEGINS = "From here on every step runs on bits, and their own error trains the weights behind them."
PHASE2_ALONE = "No phase 1 here: bits are trained from scratch, which costs some error."
SETTLES = "As the rate fades, fewer weights flip, and the error settles."
BOUNCES = "The error bounces while signs still flip; it settles as the rate fades."
LEARNS_NOTHING = "The bits learn nothing: the rate, the window or the noise is out of its range."


def interrupted(reason: str | None) -> str:
    return (
        f"{reason or 'The process that trained this run is gone.'}"
        " What it had saved is here: Resume goes on from there, bit for bit."
    )


def failed(reason: str | None) -> str:
    return f"The run failed. {reason or 'Its worker.log says more.'}"


def finished(error: float, real: float | None) -> str:
    if real is None:
        return f"Finished: one bit a weight, {percent(error)} of the test digits misread."
    if error <= real:
        both = f"{percent(error)} to {percent(real)}"
        return f"Finished: one bit a weight reads the test digits as well as its real twin, {both}."
    return (
        f"Finished: one bit a weight costs {error - real:.2f} points against its real twin,"
        f" {percent(error)} to {percent(real)} of the test digits."
    )


def no_phase2(naive: float) -> str:
    return f"No phase 2 here: the network was only rounded to bits, and misreads {percent(naive, 1)}."


def erratic(real_before: float, real: float, before: float, now: float) -> str:
    return (
        f"The real network got better ({percent(real_before, 1)} → {percent(real, 1)}) and its bits worse"
        f" ({percent(before, 1)} → {percent(now, 1)}): naive binarisation is erratic."
    )


def naive_costs(real: float, bitwise: float) -> str:
    return (
        f"Real weights misread {percent(real, 1)}, their signs alone {percent(bitwise, 1)}:"
        " nobody has trained them as bits yet."
    )


def gain_presses(gain: float, before: float, now: float) -> str:
    return (
        f"The gain k is {number(gain)} by now: weights gather at {MINUS}1 and +1, and rounding costs less"
        f" ({percent(before, 1)} → {percent(now, 1)})."
    )


def repair(before: float, after: float) -> str:
    return f"Noisy back-propagation repaired it: {percent(before, 1)} → {percent(after, 1)} in one epoch."


def changed(label: str, value: str, before: float, now: float) -> str:
    moved = "rose" if now > before else "fell" if now < before else "stayed"
    return f"{label} became {value}: since then the error {moved} ({percent(before)} → {percent(now)})."


def sparse_free(share: float, error: float) -> str:
    off = percent(100 * share, 0)
    return f"{off} of the hidden weights are off, and the error is {percent(error)} all the same."


def sparse_costs(share: float) -> str:
    off = percent(100 * share, 0)
    return f"With {off} of the hidden weights off, too few are left: beyond 0.7 the error climbs."


def rate_low(rate: float) -> str:
    return f"The rate {number(rate)} is low: learning looks like failure here. 0.005 is a good start."


def below_real(bitwise: float, real: float) -> str:
    return f"The bits have overtaken the real network: {percent(bitwise)} to {percent(real)}."


# What a screen reader says of the charts.


def error_alt(head: str, real: float | None, bitwise: float | None, phase: int) -> str:
    if bitwise is None:
        return f"{head}: no epoch is over yet."
    beside = f", of the real network {percent(real)}" if real is not None else ""
    return f"{head}, in phase {phase}: of the bitwise network {percent(bitwise)}{beside}."


def weights_alt(names: list[str], zeros: list[float]) -> str:
    parts = [
        f"{name}: {zeros_label(share) or 'none are 0'}" for name, share in zip(names, zeros, strict=True)
    ]
    return f"Histograms of the weights between {MINUS}1 and +1. {'; '.join(parts)}."


def flips_alt(names: list[str], flips: list[float]) -> str:
    parts = [f"{name} {percent(100 * share, 1)}" for name, share in zip(names, flips, strict=True)]
    return f"Share of weights that flipped in the last epoch: {', '.join(parts)}."
