"""Targets at registered positions.

In 2001 a receiver showed its own position after a change of its battery, and that was sent as
the target. These checks look at places alone: whatever the time and the height, a target that
is where somebody registered people is a mistake until somebody has said that it is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deconflict.geo.position import LatLon
from deconflict.geo.separation import TOUCH_M, Separation, separation
from deconflict.geo.volume import Circle, Route, Volume4D
from deconflict.register.bounds import FloatArray, bounds
from deconflict.register.entity import Entity, Kind
from deconflict.register.hints import reference_points
from deconflict.register.report import Check, Conflict, Overlap
from deconflict.register.rules import Rules, TargetRow
from deconflict.register.run import Run, in_plan
from deconflict.register.words import called, metres


def own_position_conflicts(run: Run) -> Iterator[Conflict]:
    """Yield each plan whose target is where its own submitter was."""
    for plan in run.entities[: run.plans]:
        found = _at_its_submitter(run.rules, plan)
        if found is None:
            continue
        row, relation = found
        yield _conflict(
            plan,
            plan,
            row,
            relation,
            check=Check.OWN_POSITION,
            sentence=f"{_how_near('The target of ' + called(plan), relation)} of where its "
            f"submitter was. {row.says}.",
        )


def _at_its_submitter(rules: Rules, operation: Entity) -> tuple[TargetRow, Separation] | None:
    """Return the row that an operation breaks by targeting its own submitter, and how near."""
    if operation.own_position is None or not _is_hazardous(operation):
        return None
    own = _point(operation.own_position.lat_lon, operation.own_position.uncertainty_m)
    for row in _rows(rules, "submitter"):
        relation = _nearest(operation, own)
        if relation is not None and _is_near(relation, row):
            return row, relation
    return None


class Targets:
    """Where people are registered, gathered once for all targets of a run.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._registered = [
            (row, who, _Registered.of(run, who))
            for who in ("site", "movement", "operation", "own position")
            for row in _rows(run.rules, who)
        ]

    def conflicts(self) -> Iterator[Conflict]:
        """Yield each hazardous operation whose target is at a registered position of another."""
        for row, who, registered in self._registered:
            what = "the position of the submitter of " if who == "own position" else ""
            for index, operation in enumerate(self._run.entities):
                near = self._near(row, registered, index, operation)
                for other, relation in near.items():
                    if not (self._run.is_plan(index) or self._run.is_plan(other)):
                        continue
                    entity = self._run.entities[other]
                    yield _conflict(
                        operation,
                        entity,
                        row,
                        relation,
                        check=Check.TARGET,
                        sentence=f"{_how_near('The target of ' + called(operation), relation)} "
                        f"of {what}{called(entity)}, whatever the time and height. {row.says}.",
                    )

    def is_near(self, index: int, operation: Entity) -> bool:
        """Return whether an operation of the run, moved elsewhere, targets where people are."""
        if any(
            self._near(row, registered, index, operation) for row, _, registered in self._registered
        ):
            return True
        return _at_its_submitter(self._run.rules, operation) is not None

    def _near(
        self, row: TargetRow, registered: _Registered, index: int, operation: Entity
    ) -> dict[int, Separation]:
        """Return the entities that an operation's target is near to, with the nearest relation."""
        best: dict[int, Separation] = {}
        if not registered.owners or not _is_hazardous(operation):
            return best
        for point, uncertainty_m in reference_points(operation):
            target = _point(point, uncertainty_m)
            center, reach_m = bounds([target])
            apart = np.linalg.norm(registered.centers - center, axis=1)
            near = apart <= registered.radii_m + reach_m + row.near_m
            for candidate in np.flatnonzero(near).tolist():
                other = registered.owners[candidate]
                if other == index:
                    continue
                relation = separation(target, registered.places[candidate])
                if _is_near(relation, row) and (
                    other not in best or relation.plan_m < best[other].plan_m
                ):
                    best[other] = relation
        return best


@dataclass(frozen=True, slots=True)
class _Registered:
    """The places of one sort, with their entities and spheres around them."""

    owners: list[int]
    places: list[Volume4D]
    centers: FloatArray
    radii_m: FloatArray

    @classmethod
    def of(cls, run: Run, who: str) -> _Registered:
        found = [
            (index, place)
            for index, entity in enumerate(run.entities)
            for place in _registered(entity, who)
        ]
        places = [place for _, place in found]
        return cls([index for index, _ in found], places, *bounds(places))


def _rows(rules: Rules, who: str) -> list[TargetRow]:
    return [row for row in rules.target if row.enforced and who in row.compared_with]


def _is_hazardous(entity: Entity) -> bool:
    return entity.kind is Kind.OPERATION and entity.hazardous


def _registered(entity: Entity, who: str) -> list[Volume4D]:
    """Return the places at which an entity has registered someone."""
    if who == "own position":
        own = entity.own_position
        return [] if own is None else [_point(own.lat_lon, own.uncertainty_m)]
    if entity.kind != who:
        return []
    if entity.kind is Kind.SITE:
        return [in_plan(volume) for volume in entity.volumes]
    if entity.positions:
        return [_point(point, uncertainty) for point, uncertainty in reference_points(entity)]
    # A route is where a movement will be; its beginning is where it is registered.
    return [
        _point(volume.footprint.points[0], volume.uncertainty_m)
        if isinstance(volume.footprint, Route)
        else in_plan(volume)
        for volume in entity.volumes
    ]


def _point(point: LatLon, uncertainty_m: float) -> Volume4D:
    return Volume4D(footprint=Circle(point, 0.0), uncertainty_m=uncertainty_m)


def _nearest(operation: Entity, place: Volume4D) -> Separation | None:
    """Return how the nearest of the operation's targets lies to a place."""
    relations = [
        separation(_point(point, uncertainty_m), place)
        for point, uncertainty_m in reference_points(operation)
    ]
    return min(relations, key=lambda relation: relation.plan_m, default=None)


def _is_near(relation: Separation, row: TargetRow) -> bool:
    return relation.plan_m <= row.near_m + TOUCH_M


def _how_near(subject: str, relation: Separation) -> str:
    if relation.plan_m <= 0.0:
        return f"{subject} lies within the uncertainty"
    return f"{subject} lies within {metres(relation.plan_m)}"


def _conflict(
    a: Entity,
    b: Entity,
    row: TargetRow,
    relation: Separation,
    *,
    check: Check,
    sentence: str,
) -> Conflict:
    both = (a,) if a is b else (a, b)
    return Conflict(
        a=a,
        b=b,
        check=check,
        rule=row.name,
        overlap=Overlap(max(0.0, row.near_m - relation.plan_m), None, None),
        start=None,
        end=None,
        nearest=(relation.nearest_a, relation.nearest_b),
        assumed=tuple(f"{entity.id}: {said}" for entity in both for said in entity.assumed),
        clears=(),
        sentence=sentence,
    )
