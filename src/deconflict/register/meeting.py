"""Entities that must not meet: which do, by the rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from deconflict.geo.separation import Separation, meets, separation
from deconflict.geo.sweep import sweep
from deconflict.geo.volume import Volume4D
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.register.report import Check, Conflict, Doubt, Overlap
from deconflict.register.rules import ZoneRow
from deconflict.register.run import (
    Demand,
    Progress,
    Run,
    group_margins,
    group_of,
    grown,
    grown_parts,
    timeless,
    zone_rule,
)
from deconflict.register.words import called, duration, metres, sentence_case, window

SWEEP_SHARE = 0.5
"""Which part of the work the sweep is taken to be, for the progress shown."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Two volumes that break a demand, and how they lie."""

    demand: Demand
    separation: Separation
    first: Volume4D
    second: Volume4D


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A demand that may be broken, and how far apart the two are as registered, metres."""

    demand: Demand
    apart_m: float


@dataclass(slots=True)
class Meetings:
    """What the comparison of all pairs found.

    Attributes
    ----------
    hits
        For each pair of entities the deepest meeting under the first row broken.
    doubts
        For each pair the demand that may be broken for all that is known.
    entered, perhaps_entered
        Bound entities and the zones that they must stay inside of because they enter them.
    """

    hits: dict[tuple[int, int], Hit] = field(default_factory=dict)
    doubts: dict[tuple[int, int], Doubtful] = field(default_factory=dict)
    entered: dict[tuple[int, int], Demand] = field(default_factory=dict)
    perhaps_entered: dict[tuple[int, int], Demand] = field(default_factory=dict)

    def judge(self, run: Run, i: int, j: int, volume_i: Volume4D, volume_j: Volume4D) -> None:
        """Compare one volume of each of two entities."""
        for demand in run.demands(i, j):
            first, second = (volume_i, volume_j) if demand.first == i else (volume_j, volume_i)
            if isinstance(demand.row, ZoneRow) and demand.row.demand == "inside if entered":
                self._judge_entry(run, demand, first, second)
            elif self._judge_meeting(run, demand, first, second):
                # The first row of the table that a pair breaks names the conflict.
                return

    def _judge_meeting(self, run: Run, demand: Demand, first: Volume4D, second: Volume4D) -> bool:
        key = (demand.first, demand.second)
        legs = grown_parts(first, demand.row)
        meeting = [leg for leg in legs if meets(leg, second)]
        if meeting:
            relations = [separation(leg, second) for leg in meeting]
            deepest = min(relations, key=lambda relation: relation.plan_m)
            _keep(self.hits, key, Hit(demand, deepest, first, second))
            return True
        reach_m = run.reach_m(demand.first) + run.reach_m(demand.second)
        if reach_m and key not in self.doubts:
            within = grown_parts(first, demand.row, reach_m)
            if any(meets(leg, second) for leg in within):
                nearest = min((separation(leg, second).plan_m for leg in legs), default=0.0)
                self.doubts[key] = Doubtful(demand, nearest)
        return False

    def _judge_entry(self, run: Run, demand: Demand, first: Volume4D, second: Volume4D) -> None:
        key = (demand.first, demand.second)
        if key in self.entered:
            return
        if run.bindings[demand.second].by_party(run.entities[demand.first]):
            # Someone whom the zone names is meant to rely on it: entering at another time is
            # the very mistake to be found.
            first, second = timeless(first), timeless(second)
        if any(meets(leg, second) for leg in grown_parts(first, demand.row)):
            self.entered[key] = demand
            return
        reach_m = run.reach_m(demand.first) + run.reach_m(demand.second)
        if reach_m and any(meets(leg, second) for leg in grown_parts(first, demand.row, reach_m)):
            self.perhaps_entered[key] = demand


def _keep(hits: dict[tuple[int, int], Hit], key: tuple[int, int], hit: Hit) -> None:
    """Keep the hit if its row comes first, or it is the deeper one of the same row."""
    known = hits.get(key) or hits.get((key[1], key[0]))
    if known is not None:
        if (known.demand.order, known.separation.plan_m) <= (
            hit.demand.order,
            hit.separation.plan_m,
        ):
            return
        hits.pop((known.demand.first, known.demand.second), None)
    hits[key] = hit


def meetings(run: Run, progress: Progress | None = None) -> Meetings:
    """Compare every pair of volumes that may meet."""
    volumes: list[Volume4D] = []
    owners: list[int] = []
    sweeping: list[Volume4D] = []
    for index, entity in enumerate(run.entities):
        # Whoever enters a ceasefire at the wrong time is to be found as well.
        always = entity.kind is Kind.ZONE and zone_rule(entity) is ZoneRule.CEASEFIRE
        for volume in entity.volumes:
            volumes.append(volume)
            owners.append(index)
            widest = grown(volume, reach_m=run.reach_m(index))
            sweeping.append(timeless(widest) if always else widest)
    found = Meetings()
    if not any(run.is_plan(owner) for owner in owners):
        return found
    groups = [group_of(entity) for entity in run.entities]
    pairs = sweep(
        sweeping,
        plans=[run.is_plan(owner) for owner in owners],
        classes=[groups[owner] for owner in owners],
        margins=group_margins(run.rules),
        groups=owners,
        progress=None if progress is None else lambda part: progress(part * SWEEP_SHARE),
    )
    for done, (i, j) in enumerate(pairs.tolist()):
        found.judge(run, owners[i], owners[j], volumes[i], volumes[j])
        if progress is not None and done % 256 == 0:
            progress(SWEEP_SHARE + (1.0 - SWEEP_SHARE) * done / len(pairs))
    return found


def depth(hit: Hit) -> Overlap:
    """Return how far two volumes are into one another, and for how long."""
    relation = hit.separation

    def finite(value: float) -> float | None:
        return max(0.0, -value) if np.isfinite(value) else None

    # In time the common window counts: an hour within a year is an hour's overlap.
    start, end = relation.start, relation.end
    time_s = None if start is None or end is None else (end - start).total_seconds()
    return Overlap(finite(relation.plan_m), finite(relation.height_m), time_s)


def assumptions(run: Run, demand: Demand, relation: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the entities, the zone's binding and the comparison assumed, once each."""
    said: list[str] = []
    for index in (demand.first, demand.second):
        entity = run.entities[index]
        said += [f"{entity.id}: {sentence}" for sentence in entity.assumed]
    binding = run.bindings.get(demand.second)
    if binding is not None:
        said += binding.assumed
        if run.entities[demand.second].rule is None:
            said.append(f"{run.entities[demand.second].id} has no rule: taken as a keep-out zone")
    said += relation
    return tuple(dict.fromkeys(said))


def conflicts(run: Run, found: Meetings) -> Iterator[tuple[Hit, Conflict]]:
    """Yield a conflict for each pair that meets, with the hit that it tells."""
    for hit in found.hits.values():
        a, b = run.entities[hit.demand.first], run.entities[hit.demand.second]
        relation = hit.separation
        overlap = depth(hit)
        start, end = relation.start, relation.end
        yield (
            hit,
            Conflict(
                a=a,
                b=b,
                check=Check.MUST_NOT_MEET,
                rule=hit.demand.row.name,
                overlap=overlap,
                start=start,
                end=end,
                nearest=(relation.nearest_a, relation.nearest_b),
                assumed=assumptions(run, hit.demand, relation.assumed),
                clears=(),
                sentence=(
                    f"{sentence_case(called(a))} meets {called(b)}: "
                    f"{_depth_words(overlap, hit.demand)}, {window(start, end)}. "
                    f"{hit.demand.row.says}."
                ),
            ),
        )


def _depth_words(overlap: Overlap, demand: Demand) -> str:
    margin = "" if demand.row.is_zero else ", the margins of the rule counted in"
    if overlap.plan_m == 0.0:
        plan = "they touch in plan"
    else:
        plan = f"{metres(overlap.plan_m)} into one another in plan"
    height = f"{metres(overlap.height_m)} in height"
    return f"{plan}, {height}, {duration(overlap.time_s)} in time{margin}"


def doubts(run: Run, found: Meetings) -> Iterator[Doubt]:
    """Yield a doubt for each pair that may meet for all that is known of its positions."""
    for key, doubtful in found.doubts.items():
        if key in found.hits or (key[1], key[0]) in found.hits:
            continue
        yield doubt(
            run,
            key,
            f"lie {metres(max(0.0, doubtful.apart_m))} apart in plan as registered. "
            f"{doubtful.demand.row.says}",
        )


def doubt(run: Run, key: tuple[int, int], relation: str) -> Doubt:
    """Return the doubt about two entities of which at least one has a reach."""
    a, b = run.entities[key[0]], run.entities[key[1]]
    reasons = [
        (entity, reach)
        for entity, reach in ((a, run.reaches[key[0]]), (b, run.reaches[key[1]]))
        if reach is not None
    ]
    why = "; ".join(f"{_whose(entity)}: {reach.why}" for entity, reach in reasons)
    return Doubt(
        a=a,
        b=b,
        check=reasons[0][1].check,
        sentence=f"{sentence_case(called(a))} and {called(b)} {relation}; but {why}.",
    )


def _whose(entity: Entity) -> str:
    return entity.name or entity.id
