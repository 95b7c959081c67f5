"""Two statements of one place that differ."""

from __future__ import annotations

from dataclasses import dataclass

from deconflict.geo.mistake import compare
from deconflict.geo.position import LatLon, Position
from deconflict.geo.separation import separation
from deconflict.geo.volume import Circle, Volume4D
from deconflict.register.entity import Entity
from deconflict.register.hints import reference_points
from deconflict.register.report import Check, Conflict, Overlap
from deconflict.register.rules import Rules
from deconflict.register.run import in_plan
from deconflict.register.words import called, metres, sentence_case


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two statements of an entity's place that differ.

    Attributes
    ----------
    here, there
        The two, (latitude, longitude) in degrees.
    texts
        What was typed, or what gives the place; none where `told` compares with a footprint.
    distance_m
        How far apart they are, metres.
    beyond_m
        By how much more than their uncertainties explain, metres.
    told
        The outcome as a clause.
    """

    here: LatLon
    there: LatLon
    texts: tuple[str, str] | None
    distance_m: float
    beyond_m: float
    told: str


def disagreement(entity: Entity) -> Disagreement | None:
    """Return how the statement of an entity's place that differs most does so, if any does."""
    found = [_compared(entity, other) for other in entity.also_at]
    differing = [item for item in found if item is not None]
    return max(differing, key=lambda item: item.distance_m, default=None)


def _compared(entity: Entity, other: Position) -> Disagreement | None:
    first = _own_place(entity)
    if first is None:
        return _outside_its_footprint(entity, other)
    outcome = compare(first, other)
    if outcome.agrees:
        return None
    return Disagreement(
        here=first.lat_lon,
        there=other.lat_lon,
        texts=(f'"{first.text}"' if first.text else "its geometry", f'"{other.text}"'),
        distance_m=outcome.distance_m,
        beyond_m=outcome.distance_m - outcome.tolerance_m,
        told=outcome.sentence,
    )


def _own_place(entity: Entity) -> Position | None:
    """Return the position of an entity as its file gives it."""
    if entity.positions:
        return entity.positions[0]
    for (lat_deg, lon_deg), uncertainty_m in reference_points(entity):
        return Position(lat_deg=lat_deg, lon_deg=lon_deg, stated_uncertainty_m=uncertainty_m)
    return None


def _outside_its_footprint(entity: Entity, other: Position) -> Disagreement | None:
    """Return the disagreement of a position with a footprint that has no one reference point."""
    point = Volume4D(footprint=Circle(other.lat_lon, 0.0), uncertainty_m=other.uncertainty_m)
    relation = min(
        (separation(point, in_plan(volume)) for volume in entity.volumes),
        key=lambda item: item.plan_m,
    )
    if relation.plan_m <= 0.0:
        return None
    return Disagreement(
        here=relation.nearest_b,
        there=other.lat_lon,
        texts=None,
        distance_m=relation.plan_m,
        beyond_m=relation.plan_m,
        told=f"one lies {metres(relation.plan_m)} outside the other",
    )


def notation_conflict(entity: Entity, rules: Rules) -> Conflict | None:
    """Return the conflict of an entity with itself if its statements of its place differ."""
    found = disagreement(entity) if rules.two_notations.enforced else None
    if found is None:
        return None
    texts = "" if found.texts is None else f" (a: {found.texts[0]}, b: {found.texts[1]})"
    return Conflict(
        a=entity,
        b=entity,
        check=Check.TWO_NOTATIONS,
        rule="two notations of one place",
        overlap=Overlap(found.beyond_m, None, None),
        start=None,
        end=None,
        nearest=(found.here, found.there),
        assumed=tuple(f"{entity.id}: {said}" for said in entity.assumed),
        clears=(),
        sentence=(
            f"{sentence_case(called(entity))} states its place twice{texts}, and {found.told}. "
            f"{rules.two_notations.says}."
        ),
    )
