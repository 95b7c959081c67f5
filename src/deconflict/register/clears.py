"""What would clear a conflict: shifts of the one who gives way, checked against the whole run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from deconflict.geo import clearance
from deconflict.geo.clearance import ShiftKind
from deconflict.geo.separation import meets
from deconflict.geo.volume import Circle, Volume4D, parts
from deconflict.register.bounds import FloatArray, bounds
from deconflict.register.entity import Entity, Kind
from deconflict.register.inside import Zones
from deconflict.register.meeting import Hit
from deconflict.register.report import Shift
from deconflict.register.rules import MeetRow, ZoneRow
from deconflict.register.run import Run, grown, grown_parts, timeless
from deconflict.register.target import Targets
from deconflict.register.words import sentence_case

MOST_OBSTACLES = 32
"""How many of the nearest volumes a shift is computed from; all others it is checked against."""

ACTIONS = {
    ShiftKind.TIME: "time",
    ShiftKind.HEIGHT: "height",
    ShiftKind.PLAN: "plan",
    ShiftKind.CANCEL: "cancel",
    ShiftKind.FARTHER_AWAY: "farther",
}


def givers(run: Run, hit: Hit) -> tuple[int, ...]:
    """Return who gives way in a conflict: one entity, or both, a plan first."""
    demand = hit.demand
    if not isinstance(demand.row, MeetRow):
        return (demand.first,)
    first, second = run.entities[demand.first], run.entities[demand.second]
    way = demand.row.gives_way
    if way == "lower priority" and first.priority != second.priority:
        way = "first" if first.priority < second.priority else "second"
    if way == "first":
        return (demand.first,)
    if way == "second":
        return (demand.second,)
    return tuple(sorted((demand.first, demand.second)))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything in a run, ready to be asked what a moved entity would meet.

    Attributes
    ----------
    run
        The run.
    now
        Nothing is moved to begin before it.
    owners, volumes
        Of each volume its entity, and the volume grown by the reach of its entity.
    centers, radii_m
        Of each volume a sphere around it.
    begins_s, ends_s
        Of each volume its window, seconds since 1970 UTC, rounded outward; infinite without one.
    zones
        The zones that must hold others.
    targets
        Where people are registered.
    """

    run: Run
    now: datetime
    owners: list[int]
    volumes: list[Volume4D]
    centers: FloatArray
    radii_m: FloatArray
    begins_s: FloatArray
    ends_s: FloatArray
    zones: Zones
    targets: Targets

    @classmethod
    def of(cls, run: Run, now: datetime) -> Surroundings:
        """Prepare the surroundings."""
        owners = [i for i, entity in enumerate(run.entities) for _ in entity.volumes]
        volumes = [
            grown(volume, reach_m=run.reach_m(index))
            for index, entity in enumerate(run.entities)
            for volume in entity.volumes
        ]
        centers, radii_m = bounds(volumes)
        begins_s, ends_s = np.array([_window_s(volume) for volume in volumes]).reshape(-1, 2).T
        return cls(
            run, now, owners, volumes, centers, radii_m, begins_s, ends_s, Zones(run), Targets(run)
        )

    def near(self, volumes: Sequence[Volume4D], extra_m: float = 0.0) -> list[int]:
        """Return the rows that some volumes may meet in plan, the nearest first."""
        gaps: dict[int, float] = {}
        for center, radius_m in zip(*bounds(volumes), strict=True):
            reach_m = self.radii_m + (radius_m + extra_m)
            # One axis first: it leaves few rows of a large run for the rest.
            rows = np.flatnonzero(np.abs(self.centers[:, 0] - center[0]) <= reach_m)
            apart = np.linalg.norm(self.centers[rows] - center, axis=1)
            for row, gap in zip(rows.tolist(), (apart - reach_m[rows]).tolist(), strict=True):
                if gap <= gaps.get(row, 0.0):
                    gaps[row] = gap
        return sorted(gaps, key=lambda row: (gaps[row], row))

    def near_and_then(self, volumes: Sequence[Volume4D], extra_m: float) -> list[int]:
        """Return the rows that some volumes may meet in plan and in time, in no order."""
        found: set[int] = set()
        extra_s = _greatest_margin_s(self.run)
        for volume, center, radius_m in zip(volumes, *bounds(volumes), strict=True):
            begin_s, end_s = _window_s(volume)
            reach_m = self.radii_m + (radius_m + extra_m)
            rows = np.flatnonzero(
                (np.abs(self.centers[:, 0] - center[0]) <= reach_m)
                & (self.begins_s - extra_s <= end_s)
                & (self.ends_s + extra_s >= begin_s)
            )
            apart = np.linalg.norm(self.centers[rows] - center, axis=1)
            found.update(rows[apart <= reach_m[rows]].tolist())
        return list(found)

    def obstacles(self, mover: int, volumes: Sequence[Volume4D]) -> Iterator[tuple[int, Volume4D]]:
        """Yield the volumes near a mover's that it must not meet, whenever, the nearest first."""
        return self._forbidden(mover, self.near(volumes, _greatest_margin(self.run)))

    def _forbidden(self, mover: int, rows: list[int]) -> Iterator[tuple[int, Volume4D]]:
        """Yield those of some rows that a mover must not meet, with their entities."""
        for row in rows:
            other = self.owners[row]
            if other == mover:
                continue
            for demand in self.run.demands(mover, other):
                if demand.row.demand_is_meeting:
                    yield from (
                        (other, grown(part, demand.row))
                        for part in (
                            parts(self.volumes[row]) if demand.row.time_s else (self.volumes[row],)
                        )
                    )

    def broken(self, mover: int, moved: Entity) -> bool:
        """Return whether a moved entity would meet, or leave, what the rules forbid."""
        reach_m = self.run.reach_m(mover)
        volumes = [grown(volume, reach_m=reach_m) for volume in moved.volumes]
        rows = self.near_and_then(volumes, _greatest_margin(self.run))
        if any(
            meets(volume, obstacle)
            for _, obstacle in self._forbidden(mover, rows)
            for volume in volumes
        ):
            return True
        if not self.zones.hold(mover, replace(moved, volumes=tuple(volumes))):
            return True
        if self._enters_a_ceasefire(mover, replace(moved, volumes=tuple(volumes))):
            return True
        return self.targets.is_near(mover, moved)

    def _enters_a_ceasefire(self, mover: int, moved: Entity) -> bool:
        """Return whether a moved movement enters ceasefires without lying inside one of them."""
        if moved.kind is not Kind.MOVEMENT:
            return False
        entered: dict[int, tuple[ZoneRow, set[int]]] = {}
        # A ceasefire that names the very movement must hold it wherever it is.
        naming = {index for index, binding in self.run.bindings.items() if binding.by_id(moved)}
        rows = (
            {row for row, owner in enumerate(self.owners) if owner in naming} if naming else set()
        )
        for row in sorted({*rows, *self.near(moved.volumes, _greatest_margin(self.run))}):
            other = self.owners[row]
            for demand in self.run.demands(mover, other):
                if isinstance(demand.row, MeetRow) or demand.row.demand_is_meeting:
                    continue
                binding = self.run.bindings[other]
                named = binding.by_party(moved)
                zone = timeless(self.volumes[row]) if named else self.volumes[row]
                if other in naming or any(
                    meets(leg, zone)
                    for volume in moved.volumes
                    for leg in grown_parts(timeless(volume) if named else volume, demand.row)
                ):
                    entered.setdefault(demand.order, (demand.row, set()))[1].add(other)
        return not all(
            self.zones.held_by(moved, sorted(zones), row) for row, zones in entered.values()
        )

    def clears(self, mover: int, *, of: int) -> tuple[Shift, ...]:
        """Return what of a mover's shifts would end its conflict with another entity."""
        entity, other = self.run.entities[mover], self.run.entities[of]
        reach_m = self.run.reach_m(mover)
        volumes = tuple(grown(volume, reach_m=reach_m) for volume in entity.volumes)
        near = list(self.obstacles(mover, volumes))
        meeting = {
            index for index, obstacle in near if any(meets(volume, obstacle) for volume in volumes)
        } | {of}
        near.sort(key=lambda item: item[0] != of)
        in_the_way = [obstacle for index, obstacle in near if index in meeting]
        around = [obstacle for index, obstacle in near if index not in meeting]
        protected = entity.hazardous and any(
            self.run.entities[index].kind is Kind.SITE for index, _ in near
        )

        def blocked(moved: tuple[Volume4D, ...]) -> bool:
            back = tuple(
                replace(volume, uncertainty_m=volume.uncertainty_m - reach_m) for volume in moved
            )
            return self.broken(mover, moved_to(entity, back))

        def shifts(obstacle: list[Volume4D], *, protected: bool) -> tuple[clearance.Shift, ...]:
            return clearance.clears(
                volumes,
                tuple(obstacle[:MOST_OBSTACLES]),
                others=blocked,
                hazardous_against_site=protected,
                not_before=self.now,
            )

        # In time, what is there at another hour counts as well; against a site there is nothing
        # but time, so that this asks for it alone.
        times = shifts([*in_the_way, *around], protected=True)
        if protected:
            found = times
        else:
            found = (
                *(shift for shift in times if shift.kind is ShiftKind.TIME),
                *(
                    shift
                    for shift in shifts(in_the_way, protected=False)
                    if shift.kind is not ShiftKind.TIME
                ),
            )
        return tuple(said(entity, other, shift) for shift in found)


def moved_to(entity: Entity, volumes: tuple[Volume4D, ...]) -> Entity:
    """Return the entity with other volumes; its position goes with them."""
    before, after = entity.volumes[0].footprint, volumes[0].footprint
    same_place = (
        before.center == after.center
        if isinstance(before, Circle) and isinstance(after, Circle)
        else before == after
    )
    return replace(entity, volumes=volumes, positions=entity.positions if same_place else ())


def _greatest_margin(run: Run) -> float:
    margins_m = [row.plan_m for row in run.rules.must_not_meet if row.enforced]
    margins_m += [row.plan_m for row in run.rules.zone if row.enforced]
    return max(margins_m, default=0.0)


def _greatest_margin_s(run: Run) -> float:
    margins_s = [row.time_s for row in run.rules.must_not_meet if row.enforced]
    margins_s += [row.time_s for row in run.rules.zone if row.enforced]
    return max(margins_s, default=0.0)


def _window_s(volume: Volume4D) -> tuple[float, float]:
    """Return a window that holds the volume's, to the second below and above."""
    begin, end = volume.start, volume.end
    return (
        -math.inf if begin is None else math.floor(begin.timestamp()),
        math.inf if end is None else math.ceil(end.timestamp()),
    )


def only_by_cancelling(entity: Entity) -> tuple[Shift, ...]:
    """Return what clears a target that is where people are, whatever the time."""
    return (
        Shift(entity=entity.id, action="cancel", sentence=f"Cancel {entity.id}."),
        Shift(
            entity=entity.id,
            action="farther",
            sentence=(
                f"Correct the target of {entity.id}, or move it farther away from where people are."
            ),
        ),
    )


def said(entity: Entity, other: Entity, shift: clearance.Shift) -> Shift:
    """Return the report's words for a shift."""
    said = shift.sentence()
    if shift.kind is ShiftKind.CANCEL:
        sentence = f"Cancel {entity.id}."
    elif shift.kind is ShiftKind.FARTHER_AWAY:
        sentence = f"Move {entity.id} farther away from {other.id}."
    else:
        sentence = f"Move {entity.id} {said}."
    return Shift(
        entity=entity.id,
        action=ACTIONS[shift.kind],
        sentence=sentence_case(sentence),
        time_s=float(shift.seconds) if shift.kind is ShiftKind.TIME else None,
        height_m=shift.metres if shift.kind is ShiftKind.HEIGHT else None,
        distance_m=shift.metres if shift.kind is ShiftKind.PLAN else None,
        bearing_deg=shift.bearing_deg if shift.kind is ShiftKind.PLAN else None,
    )
