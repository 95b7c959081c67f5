"""The check: which of the plans meet, or leave, what the rules forbid.

Each finding comes from one of these: volumes that must not meet (`meeting`), entities that must
stay inside (`inside`), and targets and positions that are wrong in themselves (`target`). What
cannot be known because a position is old or was never measured is a doubt (`reach`), and only
where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from deconflict.geo.errors import InputError
from deconflict.register import clears, inside, meeting, notations, target
from deconflict.register.binding import binding_notes
from deconflict.register.entering import entering
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

_MEETINGS_PART = 0.5
"""Which part of the work finding and explaining is taken to be; the rest is what would clear it."""

MOST_CLEARED = 100
"""For how many conflicts shifts are computed, each of which is checked against the whole run."""


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

    advance = progress if progress is not None else _nowhere
    found = meeting.meetings(run, lambda part: advance(part * _MEETINGS_PART))
    hits = [(conflict, hit) for hit, conflict in meeting.conflicts(run, found)]
    conflicts = [conflict for conflict, _ in hits]
    doubts = list(meeting.doubts(run, found))
    outside, perhaps_outside = inside.findings(run, found)
    conflicts += outside
    doubts += perhaps_outside
    conflicts += (
        conflict
        for conflict in (
            notations.notation_conflict(plan, table) for plan in run.entities[: run.plans]
        )
        if conflict is not None
    )
    conflicts += target.own_position_conflicts(run)
    conflicts = _merged(conflicts, target.Targets(run).conflicts())
    conflicts.sort(key=_conflict_order)
    by_pair = {(conflict.a.id, conflict.b.id): hit for conflict, hit in hits}
    conflicts, cleared_notes = _cleared(run, conflicts, by_pair, now, advance)

    zones = [run.entities[index] for index in run.bindings]
    notes = [
        *table.notes,
        *binding_notes(zones, run.entities),
        *future_notes(run.entities, now),
        *notes,
        *cleared_notes,
    ]
    if skipped:
        notes.append(
            "1 entity could not be read and was not checked"
            if skipped == 1
            else f"{skipped:,} entities could not be read and were not checked"
        )
    advance(1.0)
    return Report(
        verdict=_verdict(conflicts, doubts, skipped),
        conflicts=tuple(conflicts),
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
        found = notations.disagreement(entity)
        if found is None:
            continue
        known = reaches[index]
        why = f"it states its place twice, {metres(found.distance_m)} apart, and may be at either"
        if known is not None:
            why = f"{why}; {known.why}"
        reach_m = found.distance_m + (0.0 if known is None else known.reach_m)
        reaches[index] = Reach(reach_m, Check.TWO_NOTATIONS, why)
        notes.append(f"{entity.id}: {found.told}")
    return replace(run, reaches=tuple(reaches)), notes


def _nowhere(part: float) -> None:
    """Take the progress when nobody asks for it."""
    del part


def _cleared(
    run: Run,
    conflicts: Sequence[Conflict],
    hits: Mapping[tuple[str, str], meeting.Hit],
    now: datetime,
    advance: Callable[[float], None],
) -> tuple[list[Conflict], list[str]]:
    """Add to each conflict what would clear it."""
    cleared: list[Conflict] = []
    notes: list[str] = []
    around: clears.Surroundings | None = None
    computed = left = 0
    most = min(len(conflicts), MOST_CLEARED)
    numbers = {entity.id: index for index, entity in enumerate(run.entities)}
    for conflict in conflicts:
        checks = {conflict.check, *conflict.also}
        if checks & {Check.TARGET, Check.OWN_POSITION}:
            # No shift in time or height moves a target away from where people are registered.
            cleared.append(replace(conflict, clears=clears.only_by_cancelling(conflict.a)))
            continue
        hit = hits.get((conflict.a.id, conflict.b.id))
        outside = conflict.check is Check.MUST_STAY_INSIDE
        if not outside and (conflict.check is not Check.MUST_NOT_MEET or hit is None):
            cleared.append(conflict)
            continue
        movers = () if outside or hit is None else clears.givers(run, hit)
        sentence = conflict.sentence
        if len(movers) > 1:
            sentence += " Neither goes before the other: one of the two gives way."
        if computed == MOST_CLEARED:
            cleared.append(replace(conflict, sentence=sentence))
            left += 1
            continue
        advance(_MEETINGS_PART + (1.0 - _MEETINGS_PART) * computed / most)
        computed += 1
        around = around or clears.Surroundings.of(run, now)
        if outside or hit is None:
            shifts = entering(around, numbers[conflict.a.id], numbers[conflict.b.id])
        else:
            shifts = tuple(
                shift
                for mover in movers
                for shift in around.clears(
                    mover, of=hit.demand.second if mover == hit.demand.first else hit.demand.first
                )
            )
        cleared.append(replace(conflict, clears=shifts, sentence=sentence))
    if left:
        notes.append(
            f"What would clear a conflict is given for the first {MOST_CLEARED} only; "
            "check fewer plans at a time for the others"
        )
    return cleared, notes


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
