"""Entities that must not meet: which do, by the rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from deconflict.geo.separation import Separation, meets, separation
from deconflict.geo.volume import Volume4D, parts
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.register.pairs import Boxes, ball, candidate_pairs, places, seconds
from deconflict.register.report import Check, Conflict, Doubt, Overlap
from deconflict.register.rules import Margin, ZoneRow
from deconflict.register.run import (
    Demand,
    Progress,
    Run,
    group_of,
    grown,
    timeless,
    wanted_groups,
    zone_rule,
)
from deconflict.register.words import called, duration, metres, sentence_case, window

CLOCK_SLACK_S = 0.001
"""Windows are rejected as floats only when this far apart; exactness comes afterwards."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Two volumes that break a demand, and how they lie."""

    demand: Demand
    separation: Separation
    first: Volume4D
    second: Volume4D


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
    doubts: dict[tuple[int, int], Hit] = field(default_factory=dict)
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
        first_grown = grown(first, demand.row)
        if meets(first_grown, second):
            _keep(self.hits, key, Hit(demand, separation(first_grown, second), first, second))
            return True
        reach_m = run.reach_m(demand.first) + run.reach_m(demand.second)
        if reach_m and key not in self.doubts:
            within = grown(first_grown, reach_m=reach_m)
            if meets(within, second):
                self.doubts[key] = Hit(demand, separation(first_grown, second), first, second)
        return False

    def _judge_entry(self, run: Run, demand: Demand, first: Volume4D, second: Volume4D) -> None:
        key = (demand.first, demand.second)
        if key in self.entered:
            return
        if run.bindings[demand.second].by_party(run.entities[demand.first]):
            # Someone whom the zone names is meant to rely on it: entering at another time is
            # the very mistake to be found.
            first, second = timeless(first), timeless(second)
        if meets(grown(first, demand.row), second):
            self.entered[key] = demand
            return
        reach_m = run.reach_m(demand.first) + run.reach_m(demand.second)
        if reach_m and meets(grown(first, demand.row, reach_m), second):
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
    for index, entity in enumerate(run.entities):
        for volume in entity.volumes:
            for part in parts(volume):
                volumes.append(part)
                owners.append(index)
    found = Meetings()
    boxes = _boxes(run, volumes, owners)
    plan = boxes.owner < run.plans
    total = max(1, len(volumes))
    for done, (row, others) in enumerate(
        candidate_pairs(boxes, plan, wanted_groups(run.rules)), start=1
    ):
        for other in others.tolist():
            found.judge(run, owners[row], owners[other], volumes[row], volumes[other])
        if progress is not None and done % 256 == 0:
            progress(min(1.0, done / total))
    return found


def _boxes(run: Run, volumes: list[Volume4D], owners: list[int]) -> Boxes:
    """Return the bounds of all volumes, grown by the greatest margin and their reach."""
    rows: list[Margin] = [row for row in run.rules.must_not_meet if row.enforced]
    rows += [row for row in run.rules.zone if row.enforced]
    plan_m = max((row.plan_m for row in rows), default=0.0)
    time_s = max((row.time_s for row in rows), default=0.0) + CLOCK_SLACK_S
    groups = [group_of(entity) for entity in run.entities]
    # Whoever enters a ceasefire at the wrong time is to be found as well.
    always = [
        entity.kind is Kind.ZONE and zone_rule(entity) is ZoneRule.CEASEFIRE
        for entity in run.entities
    ]
    balls = [
        ball(volume, plan_m + run.reach_m(owner))
        for volume, owner in zip(volumes, owners, strict=True)
    ]
    return Boxes(
        xyz=places([b.center for b in balls]),
        radius_m=np.array([b.radius_m for b in balls], dtype=np.float64),
        start_s=np.array(
            [
                -np.inf if always[owner] else seconds(volume.start, -np.inf) - time_s
                for volume, owner in zip(volumes, owners, strict=True)
            ],
            dtype=np.float64,
        ),
        end_s=np.array(
            [
                np.inf if always[owner] else seconds(volume.end, np.inf) + time_s
                for volume, owner in zip(volumes, owners, strict=True)
            ],
            dtype=np.float64,
        ),
        owner=np.array(owners, dtype=np.int64),
        group=np.array([groups[owner] for owner in owners], dtype=np.int64),
    )


def common_window(a: Volume4D, b: Volume4D) -> tuple[datetime | None, datetime | None]:
    """Return the window that two volumes share; ``None`` where it is open."""
    starts = [start for start in (a.start, b.start) if start is not None]
    ends = [end for end in (a.end, b.end) if end is not None]
    start, end = max(starts, default=None), min(ends, default=None)
    if start is not None and end is not None and start > end:
        # They meet only by the margin in time: the moments between are what matters.
        start, end = end, start
    return start, end


def depth(hit: Hit) -> Overlap:
    """Return how far two volumes are into one another, and for how long."""
    relation = hit.separation

    def finite(value: float) -> float | None:
        return max(0.0, -value) if np.isfinite(value) else None

    start, end = common_window(hit.first, hit.second)
    if start is None or end is None:
        time_s = None
    else:
        # In time the common window counts: an hour within a year is an hour's overlap. Where only
        # the margin makes them meet, it is what is missing of the margin.
        time_s = min((end - start).total_seconds(), max(0.0, -relation.time_s))
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


def conflicts(run: Run, found: Meetings) -> Iterator[Conflict]:
    """Yield a conflict for each pair that meets."""
    for hit in found.hits.values():
        a, b = run.entities[hit.demand.first], run.entities[hit.demand.second]
        relation = hit.separation
        overlap = depth(hit)
        start, end = common_window(hit.first, hit.second)
        yield Conflict(
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
    for key, hit in found.doubts.items():
        if key in found.hits or (key[1], key[0]) in found.hits:
            continue
        yield doubt(
            run,
            key,
            f"lie {metres(max(0.0, hit.separation.plan_m))} apart in plan as registered. "
            f"{hit.demand.row.says}",
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
