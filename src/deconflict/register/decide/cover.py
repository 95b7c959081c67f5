"""Cover: whether a subscription holds all of an operation, from now on.

What is past needs no notices, so it need not be covered. Each volume has to lie wholly in one
volume of the subscription: an explicit subscription has only one, so this is exact; an implicit
one is made of the volumes of its operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from deconflict.geo.containment import Containment, containment
from deconflict.geo.volume import Volume4D, parts
from deconflict.register.decide.extent import at
from deconflict.register.words import duration, metres


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
        relations = []
        for cover in covers:
            relation = containment(volume, cover)
            if relation.inside or _same_place_within(volume, cover, relation):
                break
            relations.append(relation)
        else:
            return _said(min(relations, key=lambda relation: relation.plan_m))
    return None


def _to_come(volumes: Iterable[Volume4D], now_us: int) -> Iterator[Volume4D]:
    now = at(now_us)
    for volume in volumes:
        for leg in parts(volume):
            if leg.end is not None and leg.end < now:
                continue
            yield replace(leg, start=now) if leg.start is None or leg.start < now else leg


def _same_place_within(volume: Volume4D, cover: Volume4D, relation: Containment) -> bool:
    """Return whether two volumes are the same but for their times, and these lie within.

    What is uncertain isn't inside itself, by the rule that a container shrinks; but whoever
    subscribes to the very same volume is told of all that meets it.
    """
    return relation.time_s <= 0.0 and replace(volume, start=cover.start, end=cover.end) == cover


def _said(relation: Containment) -> str:
    ways = (
        (relation.plan_m, metres(relation.plan_m), "in plan"),
        (relation.height_m, metres(relation.height_m), "in height"),
        (relation.time_s, duration(relation.time_s), "in time"),
    )
    out = [f"{said} {way}" for value, said, way in ways if value > 0.0]
    return "by " + " and ".join(out)
