"""The check: which of the plans meet, or leave, what the rules forbid.

Each finding comes from one of these: volumes that must not meet (`meeting`), entities that must
stay inside (`inside`), and targets and positions that are wrong in themselves (`target`). What
cannot be known because a position is old or was never measured is a doubt (`reach`), and only
where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from deconflict.geo.errors import InputError
from deconflict.register import inside, meeting, target
from deconflict.register.binding import binding_notes
from deconflict.register.entity import Entity
from deconflict.register.reach import Reach, future_notes
from deconflict.register.report import (
    Check,
    Conflict,
    Doubt,
    Overlap,
    Report,
    Shift,
    Verdict,
)
from deconflict.register.rules import Rules, default_rules
from deconflict.register.run import Run
from deconflict.register.words import metres

__all__ = ["Check", "Conflict", "Doubt", "Overlap", "Report", "Shift", "Verdict", "check"]

_CHECKS = tuple(Check)


def check(
    plans: Sequence[Entity],
    against: Sequence[Entity] = (),
    *,
    rules: Rules | None = None,
    now: datetime,
    skipped: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Report:
    """Check plans against one another and against what is registered.

    Parameters
    ----------
    plans
        Entities that are compared with one another and with `against`.
    against
        Entities that are not compared among themselves.
    rules
        The table; by default the one that comes with the package.
    now
        An aware instant, for the age of positions.
    skipped
        How many entities could not be read and are missing here: the verdict is then never
        clear.
    progress
        Called now and then with the part of the work that is done, from 0 to 1.

    Returns
    -------
    Report
        The same for the same entities in any order.

    Raises
    ------
    InputError
        If `now` has no time zone, two entities have the same id, or one has no volume.
    """
    if now.tzinfo is None or now.utcoffset() is None:
        raise InputError(
            f"the time of the check, {now.isoformat()}, has no time zone",
            "write it with its offset from UTC, or Z",
        )
    table = default_rules() if rules is None else rules
    run = Run.of(_by_id(plans), _by_id(against), table, now)
    run, notes = _with_disagreements(run)

    found = meeting.meetings(run, progress)
    conflicts = list(meeting.conflicts(run, found))
    doubts = list(meeting.doubts(run, found))
    outside, perhaps_outside = inside.findings(run, found)
    conflicts += outside
    doubts += perhaps_outside
    conflicts += (
        conflict
        for conflict in (
            target.notation_conflict(plan, table) for plan in run.entities[: run.plans]
        )
        if conflict is not None
    )
    conflicts += target.own_position_conflicts(run)
    conflicts = _merged(conflicts, target.target_conflicts(run))

    zones = [run.entities[index] for index in run.bindings]
    notes = [
        *table.notes,
        *binding_notes(zones, run.entities),
        *future_notes(run.entities, now),
        *notes,
    ]
    if skipped:
        notes.append(f"{skipped} entities could not be read and were not checked")
    if progress is not None:
        progress(1.0)
    return Report(
        verdict=_verdict(conflicts, doubts, skipped),
        conflicts=tuple(sorted(conflicts, key=_conflict_order)),
        doubts=tuple(sorted(doubts, key=_doubt_order)),
        entities=len(run.entities),
        notes=tuple(notes),
    )


def _verdict(conflicts: Sequence[Conflict], doubts: Sequence[Doubt], skipped: int) -> Verdict:
    if conflicts:
        return Verdict.CONFLICT
    return Verdict.UNKNOWN if doubts or skipped else Verdict.CLEAR


def _by_id(entities: Iterable[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda entity: entity.id)


def _conflict_order(conflict: Conflict) -> tuple[str, str, int, str]:
    return (conflict.a.id, conflict.b.id, _CHECKS.index(conflict.check), conflict.rule)


def _doubt_order(doubt: Doubt) -> tuple[str, str, int, str]:
    other = "" if doubt.b is None else doubt.b.id
    return (doubt.a.id, other, _CHECKS.index(doubt.check), doubt.sentence)


def _with_disagreements(run: Run) -> tuple[Run, list[str]]:
    """Give a reach to each registered entity that states its place twice, and differently.

    It may be at either place: whatever a plan could meet within the distance between the two is
    in doubt, and nothing else is. (A plan that does so is refused as a conflict.)
    """
    if not run.rules.two_notations.enforced:
        return run, []
    reaches = list(run.reaches)
    notes = []
    for index in range(run.plans, len(run.entities)):
        entity = run.entities[index]
        found = target.disagreement(entity)
        if found is None:
            continue
        outcome = found[1]
        known = reaches[index]
        why = f"it states its place twice, {metres(outcome.distance_m)} apart, and may be at either"
        if known is not None:
            why = f"{why}; {known.why}"
        reach_m = outcome.distance_m + (0.0 if known is None else known.reach_m)
        reaches[index] = Reach(reach_m, Check.TWO_NOTATIONS, why)
        notes.append(f"{entity.id}: {outcome.sentence}")
    return replace(run, reaches=tuple(reaches)), notes


def _merged(conflicts: Sequence[Conflict], targets: Iterable[Conflict]) -> list[Conflict]:
    """Join a target's finding with the conflict of the same two entities, if there is one."""
    merged = list(conflicts)
    places = {
        frozenset((conflict.a.id, conflict.b.id)): index
        for index, conflict in enumerate(merged)
        if conflict.check is Check.MUST_NOT_MEET
    }
    for conflict in targets:
        pair = frozenset((conflict.a.id, conflict.b.id))
        index = places.get(pair)
        if index is None:
            places[pair] = len(merged)
            merged.append(conflict)
            continue
        first = merged[index]
        if conflict.check is first.check:
            sentence = first.sentence
            also = first.also
        else:
            sentence = f"{first.sentence} {conflict.sentence}"
            also = tuple(dict.fromkeys((*first.also, conflict.check)))
        merged[index] = replace(first, also=also, sentence=sentence)
    return merged
