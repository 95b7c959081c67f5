"""From F3548-21 volumes to ours, and the rules that the standard has for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from deconflict.formats.instant import read_instant, write_instant
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, Height
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Footprint, Polygon, Volume4D
from deconflict.standards.f3548 import wire


def volumes_of(
    items: Sequence[wire.Volume4D], path: str, *, times: bool, altitudes: bool
) -> tuple[Volume4D, ...]:
    """Return F3548-21 volumes as ours.

    Parameters
    ----------
    items
        The volumes.
    path
        Where they stand, for messages: ``extents``.
    times, altitudes
        Whether both times, and both altitudes, are required.

    Raises
    ------
    InputError
        If the standard does not allow one; ``field`` is the path within the object.
    """
    return tuple(
        volume_of(item, f"{path}[{number}]", times=times, altitudes=altitudes)
        for number, item in enumerate(items)
    )


def volume_of(item: wire.Volume4D, path: str, *, times: bool, altitudes: bool) -> Volume4D:
    """Return one volume; see `volumes_of`."""
    space = item.volume
    inside = f"{path}.volume"
    if times:
        _need("time_start", item.time_start, path)
        _need("time_end", item.time_end, path)
    if altitudes:
        _need("altitude_lower", space.altitude_lower, inside)
        _need("altitude_upper", space.altitude_upper, inside)
    lower, upper = _height(space.altitude_lower), _height(space.altitude_upper)
    if lower is not None and upper is not None and lower.value_m > upper.value_m:
        raise InputError(
            f"the lower altitude {lower.value_m:g} m is above the upper one {upper.value_m:g} m",
            "write the lower one first",
            field=inside,
        )
    start, end = check_window(item.time_start, item.time_end, path)
    try:
        return Volume4D(
            footprint=_footprint(space, inside),
            band=AltitudeBand(lower, upper),
            start=start,
            end=end,
        )
    except InputError as error:
        field = error.field if error.field.startswith(path) else f"{path} {error.field}".strip()
        raise InputError(error.what, error.remedy, field=field) from None


def _footprint(space: wire.Volume3D, path: str) -> Footprint:
    circle, polygon = space.outline_circle, space.outline_polygon
    if circle is not None and polygon is not None:
        raise InputError(
            "both outline_circle and outline_polygon are given", "keep the one meant", field=path
        )
    if circle is not None:
        return Circle((circle.center.lat, circle.center.lng), circle.radius.value)
    if polygon is None:
        raise InputError(
            "neither outline_circle nor outline_polygon is given", "add one of them", field=path
        )
    points = tuple([(point.lat, point.lng) for point in polygon.vertices])
    _refuse_repeated(points, f"{path}.outline_polygon.vertices")
    return Polygon(points)


def _refuse_repeated(points: Sequence[LatLon], path: str) -> None:
    if points[0] == points[-1]:
        raise InputError(
            "the last vertex repeats the first",
            "leave the last one out; F3548 closes the ring by itself",
            field=f"{path}[{len(points) - 1}]",
        )
    if len(set(points)) == len(points):
        return
    seen: set[LatLon] = set()
    for number, point in enumerate(points):
        if point in seen:
            raise InputError(
                "this vertex stands earlier in the ring too",
                "give each vertex once",
                field=f"{path}[{number}]",
            )
        seen.add(point)


def _height(altitude: wire.Altitude | None) -> Height | None:
    return None if altitude is None else Height(altitude.value)


def check_window(
    start: wire.Time | None, end: wire.Time | None, path: str
) -> tuple[datetime | None, datetime | None]:
    """Return both instants, rounded outward to whole microseconds.

    Raises
    ------
    InputError
        If one is no instant, or the end is before the start.
    """
    first = last = None
    if start is not None:
        first = read_instant(start.value, "floor", field=f"{path}.time_start.value")
    if end is not None:
        last = read_instant(end.value, "ceil", field=f"{path}.time_end.value")
    if first is not None and last is not None and first > last:
        raise InputError(
            f"it ends at {write_instant(last)}, before it starts at {write_instant(first)}",
            "write the earlier time as time_start",
            field=f"{path}.time_end",
        )
    return first, last


def _need(name: str, value: object, path: str) -> None:
    if value is None:
        raise InputError(f"`{name}` is missing", f"add `{name}`", field=path)
