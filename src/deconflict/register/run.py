"""Everything that one check looks at, prepared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from deconflict.geo.errors import InputError
from deconflict.geo.figure.ring import same_place
from deconflict.geo.height import EVERY_HEIGHT, HIGHEST_M, LOWEST_M, AltitudeBand, Height
from deconflict.geo.packed.margins import Margins
from deconflict.geo.volume import GREATEST_RADIUS_M, Circle, Footprint, Route, Volume4D, parts
from deconflict.register.binding import Binding, binding_of
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.register.reach import Reach, reach_of
from deconflict.register.rules import Margin, MeetRow, Rules, ZoneRow

Progress = Callable[[float], None]

GROUPS: tuple[str, ...] = ("site", "movement", "operation", "hazardous operation", *ZoneRule)
"""The classes of entity that the table tells apart, in the order of the matrix of pairs."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a row of the table demands of two entities: indices of the first and the second."""

    first: int
    second: int
    row: MeetRow | ZoneRow
    order: int


@dataclass(frozen=True, slots=True)
class Run:
    """The entities of one check, the plans first, and what is known about each.

    Attributes
    ----------
    entities
        Plans, then those against which they are checked.
    plans
        How many of them are plans.
    rules
        The table.
    reaches
        Of each entity, its reach if its position is in doubt.
    bindings
        Of each zone by its index, whom it binds.
    """

    entities: tuple[Entity, ...]
    plans: int
    rules: Rules
    reaches: tuple[Reach | None, ...]
    bindings: dict[int, Binding]

    @classmethod
    def of(
        cls, plans: Sequence[Entity], against: Sequence[Entity], rules: Rules, now: datetime
    ) -> Run:
        """Prepare a run.

        Raises
        ------
        InputError
            If two entities have the same id, or an entity has no volume.
        """
        entities = (*plans, *against)
        seen: dict[str, Entity] = {}
        for entity in entities:
            if entity.id in seen:
                first = seen[entity.id].source or "once"
                second = entity.source or "again"
                raise InputError(
                    f"the id {entity.id} is there twice ({first}; {second})",
                    "give each entity an id of its own",
                    field="id",
                )
            seen[entity.id] = entity
            if not entity.volumes:
                raise InputError(
                    f"the entity {entity.id} has no volume",
                    "give it a footprint, or leave it out",
                    field=entity.source,
                )
        reaches = tuple(reach_of(entity, rules, now) for entity in entities)
        for entity, reach in zip(entities, reaches, strict=True):
            if reach is not None:
                _check_reach(entity, reach.reach_m)
        return cls(
            entities=entities,
            plans=len(plans),
            rules=rules,
            reaches=reaches,
            bindings={
                index: binding_of(entity)
                for index, entity in enumerate(entities)
                if entity.kind is Kind.ZONE
            },
        )

    def is_plan(self, index: int) -> bool:
        """Whether an entity is a plan."""
        return index < self.plans

    def reach_m(self, index: int) -> float:
        """Return the reach of an entity whose position is in doubt, else 0, metres."""
        reach = self.reaches[index]
        return 0.0 if reach is None else reach.reach_m

    def demands(self, i: int, j: int) -> list[Demand]:
        """Return what the table demands of a pair: rows of "must not meet" and "if entered"."""
        a, b = self.entities[i], self.entities[j]
        if a.kind is Kind.ZONE or b.kind is Kind.ZONE:
            if a.kind is b.kind:
                return []
            zone, bound = (i, j) if a.kind is Kind.ZONE else (j, i)
            return self._zone_demands(bound, zone)
        found = []
        for order, row in enumerate(self.rules.must_not_meet):
            if not row.enforced:
                continue
            if row.holds_for(a, b):
                found.append(Demand(i, j, row, order))
            elif row.holds_for(b, a):
                found.append(Demand(j, i, row, order))
        return found

    def _zone_demands(self, bound: int, zone: int) -> list[Demand]:
        rule = zone_rule(self.entities[zone])
        if not self.bindings[zone].binds(self.entities[bound]):
            return []
        return [
            Demand(bound, zone, row, order)
            for order, row in enumerate(self.rules.zone)
            if row.enforced
            and row.rule is rule
            and row.demand != "inside one"
            and row.binds_class_of(self.entities[bound])
        ]


def _check_reach(entity: Entity, reach_m: float) -> None:
    """Refuse a reach with which a volume would be more uncertain than any may be."""
    if max(volume.uncertainty_m for volume in entity.volumes) + reach_m > GREATEST_RADIUS_M:
        raise InputError(
            f"the uncertainty of {entity.id} and how far it may be from its position come to "
            f"more than {GREATEST_RADIUS_M / 1000.0:,.0f} km",
            "obtain its position anew, or leave it out",
            field=entity.source,
        )


def zone_rule(zone: Entity) -> ZoneRule:
    """Return the rule of a zone; one without is a keep-out zone, the strictest for others."""
    return zone.rule if zone.rule is not None else ZoneRule.KEEP_OUT


def group_of(entity: Entity) -> int:
    """Return the class of an entity as an index into `GROUPS`."""
    if entity.kind is Kind.ZONE:
        return GROUPS.index(zone_rule(entity))
    if entity.hazardous and entity.kind is Kind.OPERATION:
        return GROUPS.index("hazardous operation")
    return GROUPS.index(entity.kind)


def group_margins(rules: Rules) -> Margins:
    """Return the greatest margins between any two classes; those never compared are left out."""
    size = len(GROUPS)
    plan_m = np.full((size, size), np.nan)
    height_m = np.zeros((size, size))
    time_s = np.zeros((size, size))

    def members(name: str) -> list[int]:
        names = ("operation", "hazardous operation") if name == "operation" else (name,)
        return [GROUPS.index(member) for member in names]

    def compare(row: Margin, first: list[int], second: list[int]) -> None:
        for i in first:
            for j in second:
                for matrix, value in (
                    (plan_m, row.plan_m),
                    (height_m, row.height_m),
                    (time_s, row.time_s),
                ):
                    matrix[i, j] = matrix[j, i] = np.fmax(matrix[i, j], value)

    for row in rules.must_not_meet:
        if row.enforced:
            compare(row, members(row.first), members(row.second))
    for zone_row in rules.zone:
        if zone_row.enforced and zone_row.demand != "inside one":
            for bound in zone_row.binds:
                compare(zone_row, members(bound), [GROUPS.index(zone_row.rule)])
    return Margins.of(plan_m, height_m, time_s)


def grown(volume: Volume4D, margin: Margin | None = None, reach_m: float = 0.0) -> Volume4D:
    """Return the volume with a row's margins and a reach added to it."""
    if reach_m:
        volume = replace(volume, uncertainty_m=volume.uncertainty_m + reach_m)
    if margin is None or margin.is_zero:
        return volume
    band = volume.band
    start, end = volume.start, volume.end
    later = timedelta(seconds=margin.time_s)
    footprint = volume.footprint
    return replace(
        volume,
        footprint=footprint,
        uncertainty_m=volume.uncertainty_m + margin.plan_m,
        band=AltitudeBand(
            _raised(band.lower, -margin.height_m),
            _raised(band.upper, margin.height_m),
            band.ground_m,
        ),
        start=_moved(start, -later),
        end=_moved(end, later),
    )


def grown_parts(volume: Volume4D, margin: Margin, reach_m: float = 0.0) -> tuple[Volume4D, ...]:
    """Return the volume grown, leg by leg where a margin in time has to grow each leg's window."""
    legs = parts(volume) if margin.time_s else (volume,)
    return tuple(grown(leg, margin, reach_m) for leg in legs)


def _raised(height: Height | None, by_m: float) -> Height | None:
    """Return the height moved, or no limit where it would be moved out of all range."""
    if height is None or not LOWEST_M <= height.value_m + by_m <= HIGHEST_M:
        return None
    return replace(height, value_m=height.value_m + by_m)


def _moved(instant: datetime | None, by: timedelta) -> datetime | None:
    """Return the instant moved, or no limit where it would be moved out of the calendar."""
    if instant is None:
        return None
    try:
        return instant.astimezone(UTC) + by
    except OverflowError:
        return None


def timeless(volume: Volume4D) -> Volume4D:
    """Return the volume without its window."""
    footprint: Footprint = volume.footprint
    if isinstance(footprint, Route) and footprint.times:
        # One that waits passes each place once: a route without times may not repeat a vertex.
        first, *others = footprint.points
        points = [first]
        points += (point for point in others if not same_place(point, points[-1]))
        radius_m = footprint.width_m / 2.0
        waits = len(points) == 1
        footprint = Circle(first, radius_m) if waits else Route(tuple(points), 2.0 * radius_m)
    return replace(volume, footprint=footprint, start=None, end=None)


def in_plan(volume: Volume4D) -> Volume4D:
    """Return the volume without its window and its heights."""
    return replace(timeless(volume), band=EVERY_HEIGHT)
