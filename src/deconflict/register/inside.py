"""Entities that must stay inside: keep-in zones, corridors, ceasefires, areas of operations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from deconflict.geo.containment import Containment, containment
from deconflict.geo.volume import Volume4D
from deconflict.register.bounds import FloatArray, bounds
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.register.hints import misplaced
from deconflict.register.meeting import Meetings, assumptions, doubt
from deconflict.register.report import Check, Conflict, Doubt, Overlap
from deconflict.register.rules import Margin, ZoneRow
from deconflict.register.run import Demand, Run, grown_parts, in_plan, zone_rule
from deconflict.register.words import called, duration, metres, normal, sentence_case, window

NEAREST_CONTAINERS = 8
"""Of how many zones the relation is computed where an entity lies in none of them."""


@dataclass(frozen=True, slots=True)
class Containers:
    """The zones of one rule, whom they bind, and where their volumes lie.

    Attributes
    ----------
    zones
        Indices of the zones.
    everyone, by_name
        Rows (of the arrays below) of the volumes of zones that bind all, or the party or id.
    owner, volumes
        Of each row, the zone and the volume.
    xyz, radius_m
        Of each row, a sphere around it.
    """

    everyone: list[int]
    by_name: dict[str, list[int]]
    owner: list[int]
    volumes: list[Volume4D]
    xyz: FloatArray
    radius_m: FloatArray

    @classmethod
    def of(cls, run: Run, rule: ZoneRule) -> Containers:
        """Gather the zones of a rule."""
        everyone: list[int] = []
        by_name: dict[str, list[int]] = {}
        owner: list[int] = []
        volumes: list[Volume4D] = []
        for index, binding in run.bindings.items():
            if zone_rule(run.entities[index]) is not rule:
                continue
            for volume in run.entities[index].volumes:
                row = len(volumes)
                owner.append(index)
                volumes.append(volume)
                if binding.everyone:
                    everyone.append(row)
                for name in binding.names:
                    by_name.setdefault(name, []).append(row)
        xyz, radius_m = bounds(volumes)
        return cls(
            everyone=everyone,
            by_name=by_name,
            owner=owner,
            volumes=volumes,
            xyz=xyz,
            radius_m=radius_m,
        )

    def binding(self, entity: Entity) -> list[int]:
        """Return the rows of the zones that bind an entity."""
        rows = set(self.everyone)
        rows.update(self.by_name.get(normal(entity.id), ()))
        if entity.party is not None:
            rows.update(self.by_name.get(normal(entity.party), ()))
        return sorted(rows)

    def nearest_first(self, rows: list[int], volume: Volume4D) -> list[int]:
        """Return the rows that may hold the volume; if none may, some of the nearest."""
        center, radius_m = bounds([volume])
        chosen = np.array(rows, dtype=np.int64)
        apart = np.linalg.norm(self.xyz[chosen] - center, axis=1)
        gap = apart - self.radius_m[chosen] - radius_m
        order = chosen[np.argsort(gap, kind="stable")]
        near = int(np.count_nonzero(gap <= 0.0))
        return [int(row) for row in order[: max(near, NEAREST_CONTAINERS)]]


class Zones:
    """The zones of a run that must hold others, gathered once.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows = [
            (order, row, Containers.of(run, row.rule))
            for order, row in enumerate(run.rules.zone)
            if row.enforced and row.demand == "inside one"
        ]

    def bound(self, entity: Entity) -> Iterator[tuple[int, ZoneRow, Containers, list[int]]]:
        """Yield each row that binds an entity, its zones, and which of their volumes bind it."""
        if entity.kind is Kind.ZONE:
            return
        for order, row, containers in self._rows:
            if containers.volumes and row.binds_class_of(entity):
                rows = containers.binding(entity)
                if rows:
                    yield order, row, containers, rows

    def hold(self, index: int, entity: Entity) -> bool:
        """Return whether each row's zones hold an entity, here with other volumes than its own."""
        return all(
            any(
                _held(
                    volume,
                    row,
                    containers.volumes[r],
                    self._run.reach_m(index) + self._run.reach_m(containers.owner[r]),
                ).inside
                for r in containers.nearest_first(rows, volume)
            )
            for _, row, containers, rows in self.bound(entity)
            for volume in entity.volumes
        )

    def held_by(self, entity: Entity, zones: Iterable[int], row: Margin) -> bool:
        """Return whether zones hold an entity, here with other volumes than its own."""
        containers = [
            (volume, self._run.reach_m(zone))
            for zone in zones
            for volume in self._run.entities[zone].volumes
        ]
        return all(
            any(_held(volume, row, container, reach_m).inside for container, reach_m in containers)
            for volume in entity.volumes
        )


@dataclass(frozen=True, slots=True)
class Outside:
    """A volume of an entity that lies in no zone that should hold it, and the best of them."""

    demand: Demand
    volume: Volume4D
    best: Containment
    zones: int


def findings(run: Run, found: Meetings) -> tuple[list[Conflict], list[Doubt]]:
    """Judge every bound entity against the zones that must hold it."""
    conflicts: list[Conflict] = []
    doubts: list[Doubt] = []
    _judge_zones(run, conflicts, doubts)
    _judge_entered(run, found, conflicts, doubts)
    return conflicts, doubts


def _judge_entered(
    run: Run, found: Meetings, conflicts: list[Conflict], doubts: list[Doubt]
) -> None:
    """Judge those who rely on zones such as ceasefires: inside one of those that they enter.

    A convoy of three days may have three ceasefires, and be named by each.
    """
    relied: dict[tuple[int, int], list[Demand]] = {}
    for demand in _entered(run, found):
        relied.setdefault((demand.first, demand.order), []).append(demand)
    for demands in relied.values():
        candidates = [
            (demand.second, volume)
            for demand in demands
            for volume in run.entities[demand.second].volumes
        ]
        _judge(run, demands[0], candidates, conflicts, doubts, zones=len(demands))
    for key, demand in found.perhaps_entered.items():
        if (demand.first, demand.order) not in relied:
            doubts.append(doubt(run, key, f"may meet, and {_lower(demand.row.says)}"))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _entered(run: Run, found: Meetings) -> Iterator[Demand]:
    """Yield the demands "inside if entered" that apply: zones entered, and those that name."""
    yield from found.entered.values()
    by_id: dict[str, list[int]] = {}  # ids that differ in case alone are meant alike
    for index, entity in enumerate(run.entities):
        by_id.setdefault(normal(entity.id), []).append(index)
    for zone, binding in run.bindings.items():
        for bound in sorted(index for name in binding.names for index in by_id.get(name, ())):
            if (bound, zone) in found.entered:
                continue
            if not (run.is_plan(bound) or run.is_plan(zone)):
                continue
            yield from (
                demand for demand in run.demands(bound, zone) if not demand.row.demand_is_meeting
            )


def _judge_zones(run: Run, conflicts: list[Conflict], doubts: list[Doubt]) -> None:
    every = Zones(run)
    for index, entity in enumerate(run.entities):
        for order, row, containers, rows in every.bound(entity):
            owners = {containers.owner[r] for r in rows}
            if not (run.is_plan(index) or any(run.is_plan(owner) for owner in owners)):
                continue
            near = {r for volume in entity.volumes for r in containers.nearest_first(rows, volume)}
            candidates = [(containers.owner[r], containers.volumes[r]) for r in sorted(near)]
            demand = Demand(index, candidates[0][0], row, order)
            _judge(run, demand, candidates, conflicts, doubts, zones=len(owners))


def _judge(
    run: Run,
    demand: Demand,
    candidates: list[tuple[int, Volume4D]],
    conflicts: list[Conflict],
    doubts: list[Doubt],
    *,
    zones: int = 1,
) -> None:
    """Judge one entity: each of its volumes must lie inside one of the candidates."""
    entity = run.entities[demand.first]
    worst: Outside | None = None
    doubtful: Demand | None = None
    for volume in entity.volumes:
        relations: list[tuple[int, Containment]] = []
        holder: int | None = None
        sure = False
        for zone, container in candidates:
            relation = _held(volume, demand.row, container)
            relations.append((zone, relation))
            if not relation.inside:
                continue
            holder = zone if holder is None else holder
            reach_m = run.reach_m(demand.first) + run.reach_m(zone)
            sure = not reach_m or _held(volume, demand.row, container, reach_m).inside
            if sure:
                break
        if holder is None:
            zone, best = min(relations, key=lambda item: _sticks_out(item[1]))
            outside = Outside(
                Demand(demand.first, zone, demand.row, demand.order), volume, best, zones
            )
            if worst is None or _sticks_out(best) > _sticks_out(worst.best):
                worst = outside
        elif not sure and doubtful is None:
            doubtful = Demand(demand.first, holder, demand.row, demand.order)
    if worst is not None:
        conflicts.append(_conflict(run, worst))
    elif doubtful is not None:
        key = (doubtful.first, doubtful.second)
        doubts.append(doubt(run, key, f"may part, and {_lower(doubtful.row.says)}"))


def _held(volume: Volume4D, row: Margin, container: Volume4D, reach_m: float = 0.0) -> Containment:
    """Return by how much a volume with a row's margins sticks out of a container."""
    legs = [containment(leg, container) for leg in grown_parts(volume, row, reach_m)]
    first, *others = legs
    for leg in others:
        farther = leg if leg.plan_m > first.plan_m else first
        first = replace(
            farther,
            height_m=max(first.height_m, leg.height_m),
            time_s=max(first.time_s, leg.time_s),
            assumed=tuple(dict.fromkeys((*first.assumed, *leg.assumed))),
        )
    return first


def _sticks_out(relation: Containment) -> tuple[float, float, float]:
    """Return by how much a volume lies outside, to compare: time, place, height."""
    return (
        max(0.0, relation.time_s),
        max(0.0, relation.plan_m),
        max(0.0, relation.height_m),
    )


def _conflict(run: Run, outside: Outside) -> Conflict:
    demand, relation, volume = outside.demand, outside.best, outside.volume
    entity, zone = run.entities[demand.first], run.entities[demand.second]

    def finite(value: float) -> float | None:
        return None if value == math.inf else max(0.0, value)

    out = Overlap(finite(relation.plan_m), finite(relation.height_m), finite(relation.time_s))
    ways = [
        f"{metres(relation.plan_m)} in plan" if relation.plan_m > 0 else "",
        f"{metres(relation.height_m)} in height" if relation.height_m > 0 else "",
        f"{duration(relation.time_s)} in time" if relation.time_s > 0 else "",
    ]
    by = ", ".join(way for way in ways if way) or "by touching its limit"
    best = "" if outside.zones == 1 else f", the best of {outside.zones} zones that bind it"
    sentences = [
        f"{sentence_case(called(entity))} is not wholly inside {called(zone)}{best}.",
        f"It lies outside by {by}; it is there {window(volume.start, volume.end)}.",
        f"{demand.row.says}.",
    ]
    check = Check.MUST_STAY_INSIDE
    if zone_rule(zone) is ZoneRule.AREA_OF_OPERATIONS:
        check = Check.AREA_OF_OPERATIONS
        if relation.plan_m > 0:
            sentences.append("A coordinate is probably wrong.")
            sentences += misplaced(entity, in_plan(zone.volumes[0]))
    return Conflict(
        a=entity,
        b=zone,
        check=check,
        rule=demand.row.name,
        overlap=out,
        start=volume.start,
        end=volume.end,
        nearest=None,
        assumed=assumptions(run, demand, relation.assumed),
        clears=(),
        sentence=" ".join(sentences),
    )
