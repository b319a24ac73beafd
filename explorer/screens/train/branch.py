"""Planning a branch on the Train page: the knobs show a run's settings at a moment; Start leaves it there."""

from __future__ import annotations

import shlex

from bnn_core import InputError, RunConfig
from bnn_core.config import FieldSpec, field_spec, field_specs
from bnn_core.names import SnapshotName
from bnn_core.runs.branch import branch_config, refusal
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment, config_at, moments
from bnn_core.runs.recompute import WayBack, way_back
from explorer.screens.train import plan
from explorer.screens.train.session import Session, Shown, look, show_run
from explorer.server.live import manager
from explorer.server.replay import newest_snapshot


def moment_of(shown: Shown) -> Moment | None:
    """The moment that a branch would begin at, from the snapshot shown; None within an epoch."""
    name = shown.at or newest_snapshot(shown.records)
    if not name:
        return None
    phase, epoch, _ = SnapshotName.parse(name)
    moment = Moment(phase, epoch)
    return moment if moment.epoch and moment in moments(shown.records) else None


def begin(held: Session, shown: Shown) -> None:
    """Let the knobs plan a branch; a run under way is held on to at its newest moment."""
    at = shown.at or newest_snapshot(shown.records)
    show_run(held, held.run)
    held.at, held.branching = at, True


def leave(held: Session) -> None:
    """Back to the run, at the same moment, with its own settings."""
    at = held.at
    show_run(held, held.run)
    held.at = at


def plan_branch(held: Session, shown: Shown) -> Shown:
    """Keep the plan in step with the moment: what was in force then, and what has been changed in it."""
    moment = moment_of(shown)
    if moment is None:
        held.branching = False
        return look(held)
    based = config_at(shown.records, moment)
    if held.based is None:
        if held.loaded != shown.run:  # else the URL brought the settings along
            held.plan = plan.nearest_plan(based)
    elif held.left_at != moment:
        kept = {path: v for path, v in _changes(held.based, held.plan.config).items() if _free(path, moment)}
        held.plan = plan.nearest_plan(based.updated(kept))
    held.left_at, held.based, held.loaded = moment, based, shown.run
    return look(held)


def _changes(before: RunConfig, after: RunConfig) -> dict[str, object]:
    changed = [spec.path for spec in field_specs() if before.get(spec.path) != after.get(spec.path)]
    return {path: list(v) if isinstance(v := after.get(path), tuple) else v for path in changed}


def _free(path: str, moment: Moment) -> bool:
    return refusal(field_spec(path), moment) is None


def may_change(shown: Shown, spec: FieldSpec) -> bool:
    """Whether a field acts after the moment that the branch would begin at."""
    moment = moment_of(shown)
    return moment is not None and refusal(spec, moment) is None


def price(shown: Shown) -> WayBack | None:
    """What it takes to get back to that moment."""
    moment = moment_of(shown)
    if moment is None or shown.folder is None:
        return None
    try:
        return way_back(RunFolder(shown.folder), shown.records, moment)
    except InputError:
        return None


def start_branch(held: Session, shown: Shown) -> None:
    """Leave the run there; raises InputError, one sentence, if that cannot be."""
    moment = moment_of(shown)
    if moment is None or shown.folder is None or held.based is None:
        return
    wanted = _changes(held.based, held.plan.config)
    config, changes = branch_config(shown.records, moment, wanted)
    start_of_2 = Moment(2, 0)
    over = moment == (1, held.based.phase1.epochs) and start_of_2 in moments(shown.records)
    if over and all(_free(path, start_of_2) for path in changes):
        moment = start_of_2  # the same bits, and a checkpoint of them is kept
    parts = ["python", "-m", "bnn_core", "branch", shown.run or "", "--at", moment.text]
    for path, value in changes.items():
        parts += ["--set", f"{path}={plan.to_text(value)}"]
    run = manager().branch(shown.folder, moment, config, changes, label=shlex.join(parts))
    show_run(held, run, loaded=True)
