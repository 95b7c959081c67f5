"""Targets at registered positions, and statements of one place that differ.

In 2001 a receiver showed its own position after a change of its battery, and that was sent as
the target. These checks look at places alone: whatever the time and the height, a target that
is where somebody registered people is a mistake until somebody has said that it is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deconflict.geo.mistake import Comparison, compare
from deconflict.geo.position import LatLon, Position
from deconflict.geo.separation import TOUCH_M, Separation, separation
from deconflict.geo.volume import Circle, Route, Volume4D
from deconflict.register.bounds import bounds
from deconflict.register.entity import Entity, Kind
from deconflict.register.hints import reference_points
from deconflict.register.report import Check, Conflict, Overlap
from deconflict.register.rules import Rules, TargetRow
from deconflict.register.run import Run, in_plan
from deconflict.register.words import called, metres, sentence_case


def own_position_conflicts(run: Run) -> Iterator[Conflict]:
    """Yield each plan whose target is where its own submitter was."""
    for row in _rows(run.rules, "submitter"):
        for plan in run.entities[: run.plans]:
            if plan.own_position is None or not _is_hazardous(plan):
                continue
            own = _point(plan.own_position.lat_lon, plan.own_position.uncertainty_m)
            relation = _nearest(plan, own)
            if relation is None or not _is_near(relation, row):
                continue
            yield _conflict(
                plan,
                plan,
                row,
                relation,
                check=Check.OWN_POSITION,
                sentence=f"{_how_near('The target of ' + called(plan), relation)} of where its "
                f"submitter was. {row.says}.",
            )


def target_conflicts(run: Run) -> Iterator[Conflict]:
    """Yield each hazardous operation whose target is at a registered position of another."""
    for who in ("site", "movement", "operation", "own position"):
        for row in _rows(run.rules, who):
            yield from _target_conflicts(run, row, who)


def _target_conflicts(run: Run, row: TargetRow, who: str) -> Iterator[Conflict]:
    registered: list[tuple[int, Volume4D]] = [
        (index, place)
        for index, entity in enumerate(run.entities)
        for place in _registered(entity, who)
    ]
    if not registered:
        return
    owners = np.array([index for index, _ in registered], dtype=np.int64)
    xyz, radius_m = bounds([place for _, place in registered])
    for index, operation in enumerate(run.entities):
        points = reference_points(operation) if _is_hazardous(operation) else ()
        best: dict[int, Separation] = {}
        for point, uncertainty_m in points:
            place = _point(point, uncertainty_m)
            center, reach_m = bounds([place])
            apart = np.linalg.norm(xyz - center, axis=1)
            near = apart <= radius_m + reach_m + row.near_m
            for candidate in np.flatnonzero(near).tolist():
                other = int(owners[candidate])
                if other == index or not (run.is_plan(index) or run.is_plan(other)):
                    continue
                relation = separation(place, registered[candidate][1])
                if _is_near(relation, row) and (
                    other not in best or relation.plan_m < best[other].plan_m
                ):
                    best[other] = relation
        for other, relation in best.items():
            what = "the position of the submitter of " if who == "own position" else ""
            yield _conflict(
                operation,
                run.entities[other],
                row,
                relation,
                check=Check.TARGET,
                sentence=f"{_how_near('The target of ' + called(operation), relation)} of {what}"
                f"{called(run.entities[other])}, whatever the time and height. {row.says}.",
            )


def is_target_near(run: Run, index: int, operation: Entity) -> bool:
    """Return whether an operation of the run, moved elsewhere, has a target where people are."""
    if not _is_hazardous(operation):
        return False
    targets = [_point(point, off_m) for point, off_m in reference_points(operation)]
    for row in run.rules.target:
        if not row.enforced:
            continue
        for who in row.compared_with:
            others = [
                place
                for other, entity in enumerate(run.entities)
                if (other == index) == (who == "submitter")
                for place in _registered(entity, "own position" if who == "submitter" else who)
            ]
            if not others:
                continue
            centers, radii_m = bounds(others)
            for target in targets:
                at, reach_m = bounds([target])
                apart = np.linalg.norm(centers - at, axis=1)
                near = np.flatnonzero(apart <= radii_m + reach_m + row.near_m).tolist()
                if any(_is_near(separation(target, others[i]), row) for i in near):
                    return True
    return False


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


def disagreement(entity: Entity) -> tuple[Position, Comparison] | None:
    """Return the statement of an entity's place that differs most from its position."""
    if not entity.also_at:
        return None
    first = _own_place(entity)
    if first is None:
        return None
    outcomes = [(other, compare(first, other)) for other in entity.also_at]
    differing = [item for item in outcomes if not item[1].agrees]
    return max(differing, key=lambda item: item[1].distance_m, default=None)


def _own_place(entity: Entity) -> Position | None:
    """Return the position of an entity as its file gives it."""
    if entity.positions:
        return entity.positions[0]
    for (lat_deg, lon_deg), uncertainty_m in reference_points(entity):
        return Position(lat_deg=lat_deg, lon_deg=lon_deg, stated_uncertainty_m=uncertainty_m)
    return None


def notation_conflict(entity: Entity, rules: Rules) -> Conflict | None:
    """Return the conflict of an entity with itself if its statements of its place differ."""
    found = disagreement(entity) if rules.two_notations.enforced else None
    if found is None:
        return None
    other, outcome = found
    first = _own_place(entity)
    return Conflict(
        a=entity,
        b=entity,
        check=Check.TWO_NOTATIONS,
        rule="two notations of one place",
        overlap=Overlap(outcome.distance_m - outcome.tolerance_m, None, None),
        start=None,
        end=None,
        nearest=None if first is None else (first.lat_lon, other.lat_lon),
        assumed=tuple(f"{entity.id}: {said}" for said in entity.assumed),
        clears=(),
        sentence=(
            f"{sentence_case(called(entity))} states its place twice"
            f"{_texts(first, other)}, and {outcome.sentence}. {rules.two_notations.says}."
        ),
    )


def _texts(first: Position | None, other: Position) -> str:
    if first is None or not first.text or not other.text:
        return ""
    return f' ("{first.text}" and "{other.text}")'
