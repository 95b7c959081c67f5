"""What would bring an entity into a zone that must hold it, checked against the whole run.

One dimension at a time: an entity that is out of its zone in time and in place is offered nothing.
In plan it moves from where it sticks out farthest toward the middle of the zone, no farther than
it has to by the steps tried; that need not be the smallest move of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from deconflict.geo.clearance import Shift, ShiftKind, shifted
from deconflict.geo.containment import containment
from deconflict.geo.figure.plane import distance_m, geod
from deconflict.geo.figure.shape import shape_of
from deconflict.geo.volume import Volume4D
from deconflict.register.clears import Surroundings, moved_to, said
from deconflict.register.entity import Kind
from deconflict.register.report import Shift as Said
from deconflict.register.run import grown

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0)
"""How many times the distance by which it sticks out a move in plan is tried."""


def entering(around: Surroundings, mover: int, zone: int) -> tuple[Said, ...]:
    """Return the shifts that would bring an entity into a zone, in words.

    Parameters
    ----------
    around
        The run, ready to be asked.
    mover, zone
        Indices of the bound entity and of the zone.

    Returns
    -------
    tuple of Shift
        At most one each in time, height and plan; none that meets or leaves anything else.
    """
    run = around.run
    entity, other = run.entities[mover], run.entities[zone]
    reach_m = run.reach_m(mover)
    volumes = tuple(grown(volume, reach_m=reach_m) for volume in entity.volumes)
    # Near a site a hazardous operation is offered another time alone, as against the site itself.
    protected = entity.hazardous and any(
        run.entities[index].kind is Kind.SITE for index, _ in around.obstacles(mover, volumes)
    )
    ways = [_in_time] if protected else [_in_time, _in_height, _in_plan]
    found = []
    for way in ways:
        tried = sorted(
            {shift for container in other.volumes for shift in way(volumes, container)},
            key=lambda shift: (abs(shift.seconds), abs(shift.metres), shift.metres, shift.seconds),
        )
        for shift in tried:
            moved = shifted(entity.volumes, shift)
            begins = [volume.start for volume in moved if volume.start is not None]
            if shift.kind is ShiftKind.TIME and min(begins, default=around.now) < around.now:
                continue
            if not around.broken(mover, moved_to(entity, moved)):
                found.append(said(entity, other, shift))
                break
    return tuple(found)


def _in_time(volumes: Sequence[Volume4D], container: Volume4D) -> Iterator[Shift]:
    """Yield the shifts in whole seconds that bring both ends into the container's window."""
    begins = [volume.start for volume in volumes if volume.start is not None]
    ends = [volume.end for volume in volumes if volume.end is not None]
    if len(begins) == len(volumes) and container.start is not None:
        late_s = (container.start - min(begins)).total_seconds()
        if late_s > 0.0:
            yield Shift(kind=ShiftKind.TIME, seconds=math.ceil(late_s))
    if len(ends) == len(volumes) and container.end is not None:
        early_s = (max(ends) - container.end).total_seconds()
        if early_s > 0.0:
            yield Shift(kind=ShiftKind.TIME, seconds=-math.ceil(early_s))


def _in_height(volumes: Sequence[Volume4D], container: Volume4D) -> Iterator[Shift]:
    """Yield the shifts by which a band sticks out, to a tenth of a metre, both ways."""
    if any(volume.band.lower is None or volume.band.upper is None for volume in volumes):
        return
    out_m = max(containment(volume, container).height_m for volume in volumes)
    if 0.0 < out_m < math.inf:
        metres = math.ceil(out_m * 10.0) / 10.0
        yield Shift(kind=ShiftKind.HEIGHT, metres=metres)
        yield Shift(kind=ShiftKind.HEIGHT, metres=-metres)


def _in_plan(volumes: Sequence[Volume4D], container: Volume4D) -> Iterator[Shift]:
    """Yield moves from where the volumes stick out farthest toward the container's middle."""
    relation = max(
        (containment(volume, container) for volume in volumes), key=lambda found: found.plan_m
    )
    middle = shape_of(container.footprint).center
    if not 0.0 < relation.plan_m < math.inf or relation.where == middle:
        return
    azimuth = geod().inv(relation.where[1], relation.where[0], middle[1], middle[0])[0]
    bearing_deg = round(float(azimuth) % 360.0, 1) % 360.0
    farthest_m = distance_m(relation.where, middle)
    for factor in FACTORS:
        metres = math.ceil(relation.plan_m * factor)
        if metres <= farthest_m or factor == FACTORS[0]:
            yield Shift(kind=ShiftKind.PLAN, metres=float(metres), bearing_deg=bearing_deg)
