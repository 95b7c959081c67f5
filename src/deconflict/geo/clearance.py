"""Clearance: the smallest shift in time, in height and in plan that would end a conflict.

Each dimension is searched with the other two left alone. In time and in height the pairs of
parts that meet in the other dimensions each rule out one interval of shifts; the smallest shift
outside all of them is exact. In plan the shortest move of the pair deepest in one another is
tried first, then the eight compass points, each as far as it takes. Whatever is offered has been
applied and judged again, against the obstacle and against everything else that the caller names.

A shift is information for those who plan, never permission. Of a hazardous operation near a
protected site nothing may point the way to the nearest place from which the site is not reached:
there only cancelling, another time, or "farther away" is offered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Final

from deconflict.geo.errors import InputError
from deconflict.geo.figure.plane import geod, moved
from deconflict.geo.figure.shape import shape_of
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height, ellipsoid_interval
from deconflict.geo.position import LatLon
from deconflict.geo.separation import (
    height_meets,
    meets,
    plan_meets,
    points_and_reach,
    push,
    time_gap_s,
)
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D, parts

HEIGHT_STEP_M: Final = 0.1
"""Shifts in height are rounded up to this."""
LOWEST_GROUND_M: Final = -430.0
"""The shore of the Dead Sea: nothing flies lower where the ground is not known."""
FARTHEST_MOVE_M: Final = 1_000_000.0
"""No longer move is offered."""
LONGEST_WAIT_S: Final = 30 * 86_400
"""No longer shift in time is offered: the horizon of ASTM F3548-21."""
MORE_S: Final = (0, 300, 900, 1_800, 3_600)
"""What is added to a shift in time while it meets something else, seconds."""
MORE_M: Final = (0.0, 15.0, 30.0, 60.0, 120.0)
"""The same for height, metres."""
MORE_MOVE: Final = (1.0, 1.1, 1.25, 1.5, 2.0)
"""By what a move is multiplied while it meets something else."""
MOST_STEPS: Final = 12
"""After so many steps in one direction it is given up."""
COMPASS: Final = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)

Others = Callable[[tuple[Volume4D, ...]], bool] | Sequence[Volume4D]
"""Everything else: volumes, or a function that tells whether shifted volumes meet any of it."""
Interval = tuple[float, float]


class ShiftKind(StrEnum):
    """What is changed."""

    TIME = "time"
    HEIGHT = "height"
    PLAN = "plan"
    CANCEL = "cancel"
    FARTHER_AWAY = "farther_away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change that would end a conflict.

    Attributes
    ----------
    kind
        What is changed.
    seconds
        Of a shift in time: whole seconds, later above 0, earlier below.
    metres
        Of a shift in height: metres, higher above 0, lower below. Of one in plan: its length.
    bearing_deg
        Of a shift in plan: degrees clockwise from north, to a tenth, at the middle of the volume.
    """

    kind: ShiftKind
    seconds: int = 0
    metres: float = 0.0
    bearing_deg: float = 0.0

    def sentence(self) -> str:
        """Return the shift in words, without a full stop."""
        if self.kind is ShiftKind.TIME:
            return f"{_duration(abs(self.seconds))} {'later' if self.seconds > 0 else 'earlier'}"
        if self.kind is ShiftKind.HEIGHT:
            return f"{abs(self.metres):,.1f} m {'higher' if self.metres > 0.0 else 'lower'}"
        if self.kind is ShiftKind.PLAN:
            name = COMPASS[round(self.bearing_deg / 45.0) % 8]
            return f"{self.metres:,.0f} m toward {self.bearing_deg:05.1f}° ({name})"
        return "cancel it" if self.kind is ShiftKind.CANCEL else "farther away"


def _duration(seconds: int) -> str:
    parts_of = ((seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    words = [f"{count} {unit}" for count, unit in (*parts_of, (seconds % 60, "s")) if count]
    return " ".join(words)


def clears(
    mover: Sequence[Volume4D],
    obstacle: Sequence[Volume4D],
    *,
    others: Others = (),
    hazardous_against_site: bool = False,
    not_before: datetime | None = None,
) -> tuple[Shift, ...]:
    """Return the smallest shifts of `mover` that end its conflict with `obstacle`.

    Parameters
    ----------
    mover, obstacle
        The volumes of two entities.
    others
        Everything else that the one who asks may see: the shifted volumes must not meet it. A
        function gets them and returns whether they do.
    hazardous_against_site
        Whether `mover` is a hazardous operation and `obstacle` a protected site.
    not_before
        Nothing is moved to begin before this instant.

    Returns
    -------
    tuple of Shift
        Later, earlier, higher, lower, and sideways, as far as each is possible (a height only
        where both limits are known), each judged again after it was applied. Empty if the two
        don't meet. Against a site: cancel, later, earlier, and farther away.
    """
    volumes, blocks = tuple(mover), tuple(obstacle)
    if not _any_meets(volumes, blocks):
        return ()
    judge = _Judge(volumes, blocks, others)
    times = _time_shifts(judge, not_before)
    if hazardous_against_site:
        away = Shift(kind=ShiftKind.FARTHER_AWAY)
        return (Shift(kind=ShiftKind.CANCEL), *times, away)
    return (*times, *_height_shifts(judge), *_plan_shifts(judge))


def shifted(volumes: Sequence[Volume4D], shift: Shift) -> tuple[Volume4D, ...]:
    """Return the volumes after a shift.

    A shift in plan moves all of them together, as one stiff body: each vertex keeps its distance
    and its direction from the middle of the first volume, relative to the path of that middle.

    Raises
    ------
    ValueError
        If the shift names no change that can be applied (cancel, farther away).
    """
    if shift.kind is ShiftKind.TIME:
        return tuple(_later(volume, timedelta(seconds=shift.seconds)) for volume in volumes)
    if shift.kind is ShiftKind.HEIGHT:
        return tuple(replace(volume, band=_raised(volume.band, shift.metres)) for volume in volumes)
    if shift.kind is ShiftKind.PLAN:
        return _carried(volumes, shift.bearing_deg, shift.metres)
    raise ValueError(f"{shift.sentence()!r} is nothing that can be applied to a volume")


def _later(volume: Volume4D, by: timedelta) -> Volume4D:
    footprint = volume.footprint
    if isinstance(footprint, Route) and footprint.times:
        footprint = replace(footprint, times=tuple(instant + by for instant in footprint.times))
    return replace(
        volume,
        footprint=footprint,
        start=None if volume.start is None else volume.start + by,
        end=None if volume.end is None else volume.end + by,
    )


def _raised(band: AltitudeBand, by_m: float) -> AltitudeBand:
    def raised(limit: Height | None) -> Height | None:
        return None if limit is None else replace(limit, value_m=limit.value_m + by_m)

    return replace(band, lower=raised(band.lower), upper=raised(band.upper))


def _carried(
    volumes: Sequence[Volume4D], bearing_deg: float, metres: float
) -> tuple[Volume4D, ...]:
    center = shape_of(volumes[0].footprint).center
    lon, lat, back = geod().fwd(center[1], center[0], bearing_deg, metres)
    arrived = (float(lat), float(lon))
    turn_deg = float(back) + 180.0 - bearing_deg

    def carry(point: LatLon) -> LatLon:
        azimuth, _, away = geod().inv(center[1], center[0], point[1], point[0])
        return moved(arrived, float(azimuth) + turn_deg, float(away))

    carried: list[Volume4D] = []
    for volume in volumes:
        footprint = volume.footprint
        if isinstance(footprint, Circle):
            footprint = replace(footprint, center=carry(footprint.center))
        elif isinstance(footprint, Route):
            footprint = replace(footprint, points=tuple(map(carry, footprint.points)))
        else:
            footprint = Polygon(
                tuple(map(carry, footprint.shell)),
                tuple(tuple(map(carry, ring)) for ring in footprint.holes),
            )
        carried.append(replace(volume, footprint=footprint))
    return tuple(carried)


def _any_meets(volumes: Iterable[Volume4D], blocks: Sequence[Volume4D]) -> bool:
    return any(meets(volume, block) for volume in volumes for block in blocks)


@dataclass(frozen=True, slots=True)
class _Judge:
    """A conflict and everything else that a shifted volume must not meet."""

    mover: tuple[Volume4D, ...]
    obstacle: tuple[Volume4D, ...]
    others: Others

    def ends(self, shift: Shift) -> bool:
        """Return whether the shift ends the conflict itself."""
        return not _any_meets(shifted(self.mover, shift), self.obstacle)

    def free(self, shift: Shift) -> bool:
        """Return whether the shifted volumes meet nothing at all."""
        volumes = shifted(self.mover, shift)
        if _any_meets(volumes, self.obstacle):
            return False
        if callable(self.others):
            return not self.others(volumes)
        return not _any_meets(volumes, self.others)

    def pairs(self, *, everything: bool = False) -> Iterator[tuple[Volume4D, Volume4D]]:
        """Yield every pair of a part of the mover and a part of the obstacle.

        With `everything`, also of the other volumes, as far as they are known.
        """
        known = () if callable(self.others) or not everything else self.others
        first = [part for volume in self.mover for part in parts(volume)]
        second = [part for volume in (*self.obstacle, *known) for part in parts(volume)]
        yield from product(first, second)


def _first_free(forbidden: list[Interval], step: float, *, upward: bool) -> int | None:
    """Return the least number of steps that leads out of all intervals; ``None`` if none does.

    Parameters
    ----------
    forbidden
        Closed intervals of shifts.
    step
        Shifts are multiples of it.
    upward
        Whether to step up, or down.
    """
    signed = forbidden if upward else [(-high, -low) for low, high in forbidden]
    count = 1
    for low, high in sorted(signed):
        if low <= count * step <= high:
            if high == math.inf:
                return None
            # Beyond the end, for touching is meeting; and sums of decimals are not exact.
            count = math.floor(high / step + 1e-6) + 1
    return count


def _time_shifts(judge: _Judge, not_before: datetime | None) -> Iterator[Shift]:
    forbidden = [
        _time_interval(a, b)
        for a, b in judge.pairs(everything=True)
        if height_meets(a, b) and plan_meets(a, b)
    ]
    starts = [part.start for volume in judge.mover for part in parts(volume)]
    for sign in (1, -1):
        least = _first_free(forbidden, 1.0, upward=sign > 0)
        if least is None or least > LONGEST_WAIT_S:
            continue
        for more in MORE_S:
            shift = Shift(kind=ShiftKind.TIME, seconds=sign * (least + more))
            if not_before is not None and sign < 0:
                by = timedelta(seconds=shift.seconds)
                if any(start is None or start - not_before < -by for start in starts):
                    break
            if not _is_time(judge.mover, shift):
                break
            if judge.free(shift):
                yield shift
                break


def _is_time(volumes: Sequence[Volume4D], shift: Shift) -> bool:
    """Return whether no limit is moved out of the years 1 to 9999."""
    try:
        shifted(volumes, shift)
    except (InputError, OverflowError):
        return False
    return True


def _time_interval(a: Volume4D, b: Volume4D) -> Interval:
    """Return between which shifts of `a`, in seconds, the windows meet."""
    low, high = -math.inf, math.inf
    if b.start is not None and a.end is not None:
        low = (b.start - a.end).total_seconds()
    if b.end is not None and a.start is not None:
        high = (b.end - a.start).total_seconds()
    return low, high


def _height_shifts(judge: _Judge) -> Iterator[Shift]:
    bands = [volume.band for volume in (*judge.mover, *judge.obstacle)]
    if any(band.lower is None or band.upper is None for band in bands):
        return
    forbidden = [
        _height_interval(a, b)
        for a, b in judge.pairs(everything=True)
        if time_gap_s(a, b) <= 0.0 and plan_meets(a, b)
    ]
    for sign in (1, -1):
        least = _first_free(forbidden, HEIGHT_STEP_M, upward=sign > 0)
        if least is None:
            continue
        for more in MORE_M:
            metres = round(sign * (least * HEIGHT_STEP_M + more), 1)
            shift = Shift(kind=ShiftKind.HEIGHT, metres=metres)
            if not _is_height(judge.mover, shift):
                break
            if judge.free(shift):
                yield shift
                break


def _is_height(volumes: Sequence[Volume4D], shift: Shift) -> bool:
    """Return whether no limit is moved out of range, or is known to be moved under the ground."""
    try:
        raised = shifted(volumes, shift)
    except InputError:
        return False
    return shift.metres > 0.0 or not _below_ground(raised)


def _below_ground(volumes: Iterable[Volume4D]) -> bool:
    for volume in volumes:
        lower, ground_m = volume.band.lower, volume.band.ground_m
        if lower is None:
            continue
        if lower.reference in (AltitudeReference.AGL, AltitudeReference.FL) and lower.value_m < 0:
            return True
        floor_m = LOWEST_GROUND_M if ground_m is None else ground_m
        if lower.reference is AltitudeReference.MSL and lower.value_m < floor_m:
            return True
    return False


def _height_interval(a: Volume4D, b: Volume4D) -> Interval:
    """Return between which shifts of `a`, in metres, the bands meet for all that is known."""
    low_a, high_a, low_b, high_b = _limits(a, b)
    danger_m = a.height_growth_m + b.height_growth_m
    return low_b - high_a - danger_m, high_b - low_a + danger_m


def _limits(a: Volume4D, b: Volume4D) -> tuple[float, float, float, float]:
    bounds = [a.band.lower, a.band.upper, b.band.lower, b.band.upper]
    known = [bound for bound in bounds if bound is not None]
    if len(known) == 4 and len({bound.reference for bound in known}) == 1:
        low_a, high_a, low_b, high_b = (bound.value_m for bound in known)
        return low_a, high_a, low_b, high_b
    where = points_and_reach(a, b)
    first, second = ellipsoid_interval(a.band, *where), ellipsoid_interval(b.band, *where)
    return first.lower_m, first.upper_m, second.lower_m, second.upper_m


def _plan_shifts(judge: _Judge) -> Iterator[Shift]:
    pushes = [
        found
        for a, b in judge.pairs()
        if time_gap_s(a, b) <= 0.0 and height_meets(a, b)
        if (found := push(a.footprint, b.footprint, a.growth_m, b.growth_m)) is not None
    ]
    if not pushes:
        return
    deepest = max(pushes, key=lambda found: found.metres)
    shift = _move(judge, deepest.bearing_deg, deepest.metres)
    if shift is not None and len(pushes) == 1 and shift.metres <= math.ceil(deepest.metres) + 1:
        yield shift
        return
    tried = [shift] if shift is not None else []
    for bearing in range(0, 360, 45):
        other = _move(judge, float(bearing), deepest.metres)
        if other is not None:
            tried.append(other)
    if tried:
        yield min(tried, key=lambda shift: shift.metres)


def _move(judge: _Judge, bearing_deg: float, metres: float) -> Shift | None:
    """Return the shortest move in a direction that ends the conflict and meets nothing else."""
    bearing = round(bearing_deg, 1) % 360.0
    length = max(math.ceil(metres), 1)
    for _ in range(MOST_STEPS):
        shift = Shift(kind=ShiftKind.PLAN, metres=float(length), bearing_deg=bearing)
        if length > FARTHEST_MOVE_M:
            return None
        left = [
            found.metres
            for a in shifted(judge.mover, shift)
            for part_a in parts(a)
            for b in judge.obstacle
            for part_b in parts(b)
            if time_gap_s(part_a, part_b) <= 0.0 and height_meets(part_a, part_b)
            if (found := push(part_a.footprint, part_b.footprint, a.growth_m, b.growth_m))
        ]
        if not left:
            break
        length += max(math.ceil(max(left)), 1)
    for factor in MORE_MOVE:
        shift = Shift(
            kind=ShiftKind.PLAN,
            metres=float(math.ceil(length * factor)),
            bearing_deg=bearing,
        )
        if shift.metres <= FARTHEST_MOVE_M and judge.free(shift):
            return shift
    return None
