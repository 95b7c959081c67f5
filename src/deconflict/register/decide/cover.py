"""Cover: whether a subscription holds all of an operation, from now on.

What is past needs no notices, so it need not be covered. Each volume has to lie wholly in one
volume of the subscription: an explicit subscription has only one, so this is exact; an implicit
one is made of the volumes of its operations. In plan an explicit one may lack `NEAR_ENOUGH_M`:
what meets an operation is told to its subscription all the same (`notices`), so none is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from deconflict.geo.containment import Containment, containment, contains
from deconflict.geo.volume import Volume4D, parts
from deconflict.register.decide.extent import at
from deconflict.register.words import duration, metres

NEAR_ENOUGH_M: Final = 100.0
"""By how much an operation may stick out of its subscription. Programs that take parallels for
edges draw boxes that share one and don't hold each other: an edge of 50 km, the side of the largest
area, leaves its parallel by 85 m at 60 N."""


def overhang(volumes: Iterable[Volume4D], covers: Sequence[Volume4D], now_us: int) -> str | None:
    """Return by how much the first volume that isn't covered sticks out; ``None``: all are.

    Parameters
    ----------
    volumes
        An operation's.
    covers
        A subscription's, at least one.
    now_us
        From when on, microseconds since 1970 UTC.

    Returns
    -------
    str | None
        A clause: "by 12 m in plan and 30 s in time".
    """
    for volume in _to_come(volumes, now_us):
        if not any(_holds(cover, volume) for cover in covers):
            relations = [containment(volume, cover) for cover in covers]
            return _said(min(relations, key=lambda relation: relation.plan_m))
    return None


def _to_come(volumes: Iterable[Volume4D], now_us: int) -> Iterator[Volume4D]:
    now = at(now_us)
    for volume in volumes:
        for leg in parts(volume):
            if leg.end is not None and leg.end < now:
                continue
            yield replace(leg, start=now) if leg.start is None or leg.start < now else leg


def _holds(cover: Volume4D, volume: Volume4D) -> bool:
    """Return whether a volume lies within another, or is the same at some of its times.

    What is uncertain isn't inside itself, by the rule that a container shrinks; but whoever
    subscribes to the very same volume is told of all that meets it.
    """
    if contains(cover, volume):
        return True
    if not _at_times_of(cover, volume):
        return False
    if replace(volume, start=cover.start, end=cover.end) == cover:
        return True
    relation = containment(volume, cover)
    return relation.plan_m <= NEAR_ENOUGH_M and relation.height_m <= 0.0 and relation.time_s <= 0.0


def _at_times_of(cover: Volume4D, volume: Volume4D) -> bool:
    early = cover.start is not None and (volume.start is None or volume.start < cover.start)
    late = cover.end is not None and (volume.end is None or volume.end > cover.end)
    return not (early or late)


def _said(relation: Containment) -> str:
    ways = (
        (relation.plan_m, metres(relation.plan_m), "in plan"),
        (relation.height_m, metres(relation.height_m), "in height"),
        (relation.time_s, duration(relation.time_s), "in time"),
    )
    out = [f"{said} {way}" for value, said, way in ways if value > 0.0]
    return "by " + " and ".join(out)
