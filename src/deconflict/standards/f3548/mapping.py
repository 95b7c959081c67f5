"""From F3548-21 wire types to entities.

An operational intent is an operation with all its volumes, the off-nominal ones included. A
constraint is a zone that everyone keeps out of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from deconflict.formats.fields import string
from deconflict.formats.instant import read_instant, write_instant
from deconflict.formats.names import CONTROL, party_name
from deconflict.formats.numbers import checked_priority
from deconflict.geo import height, volume
from deconflict.geo.errors import InputError
from deconflict.geo.position import LatLon
from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.standards.f3548 import wire

MAX_VERTICES = 10_000
"""Vertices of all polygons of one operational intent (F3548-21, parameter ``MaxVertices``)."""

HOLDS_ITS_UNCERTAINTY = (
    "the uncertainty is 0 m, because an F3548 volume already holds it by the standard's terms"
)
_ID = re.compile(
    r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE
)


def operational_intent_entity(intent: wire.OperationalIntent, *, source: str = "") -> Entity:
    """Return an operational intent as an operation.

    Every volume, off-nominal ones included and whatever the state, is one volume of the entity:
    the aircraft may be in any of them.

    Parameters
    ----------
    intent
        Reference and details as a service gave them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    reference, details = intent.reference, intent.details
    identifier = entity_id(reference.id)
    _check_window(reference.time_start, reference.time_end, "reference")
    vertices = sum(
        len(v.volume.outline_polygon.vertices)
        for v in (*details.volumes, *details.off_nominal_volumes)
        if v.volume.outline_polygon is not None
    )
    if vertices > MAX_VERTICES:
        raise InputError(
            f"{vertices} vertices are more than the {MAX_VERTICES} that F3548 allows",
            "give a coarser outline that contains this one",
            field="details",
        )
    volumes = (
        *_volumes(details.volumes, "details.volumes", bounded=True),
        *_volumes(details.off_nominal_volumes, "details.off_nominal_volumes", bounded=True),
    )
    if not volumes:
        raise InputError(
            "it has no volume, so where it is can't be known",
            "give its volumes or off_nominal_volumes",
            field="details",
        )
    assumed = [HOLDS_ITS_UNCERTAINTY]
    if details.off_nominal_volumes and reference.state in {"Accepted", "Activated"}:
        assumed.append(
            f"its off-nominal volumes count too, though F3548 has none in state {reference.state}"
        )
    if details.volumes and reference.state == "Contingent":
        assumed.append("its planned volumes count too, though F3548 has none in state Contingent")
    return Entity(
        id=identifier,
        kind=Kind.OPERATION,
        volumes=volumes,
        party=_manager(reference.manager),
        priority=checked_priority(details.priority, "details.priority"),
        assumed=tuple(assumed),
        source=source,
    )


def constraint_entity(constraint: wire.Constraint, *, source: str = "") -> Entity:
    """Return a constraint as a zone that everyone keeps out of.

    Parameters
    ----------
    constraint
        Reference and details as a service gave them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    reference, details = constraint.reference, constraint.details
    identifier = entity_id(reference.id)
    _check_window(reference.time_start, reference.time_end, "reference")
    volumes = _volumes(details.volumes, "details.volumes", bounded=False)
    assumed = [
        "an F3548 constraint is a zone that everyone keeps out of",
        HOLDS_ITS_UNCERTAINTY,
    ]
    if details.geozone is not None:
        restriction = _line(details.geozone.restriction, "details.geozone.restriction")
        assumed.append(
            f"its restriction {restriction} is read as keep out, because no condition of it can be "
            "checked here"
        )
    if any(v.start is None or v.end is None for v in volumes):
        assumed.append("a volume without a time to begin or end has none")
    if any(v.band.lower is None or v.band.upper is None for v in volumes):
        assumed.append("a volume without a lower or upper altitude is unbounded that way")
    return Entity(
        id=identifier,
        kind=Kind.ZONE,
        volumes=volumes,
        party=_manager(reference.manager),
        name=_line(details.geozone.name, "details.geozone.name")
        if details.geozone is not None
        else "",
        rule=ZoneRule.KEEP_OUT,
        assumed=tuple(assumed),
        source=source,
    )


def requested_entity(
    request: wire.OperationalIntentRequest | wire.ConstraintRequest,
    *,
    fallback_id: str,
    party: str | None,
    source: str = "",
) -> Entity:
    """Return what a client asks of the discovery service, as an operation or a zone.

    Parameters
    ----------
    request
        The body of the request. It states neither identifier nor manager: these stand in its
        address and its token.
    fallback_id, party
        What fills in for them.
    source
        File and place, for messages.

    Raises
    ------
    InputError
        If the standard does not allow it; ``field`` is the path within the object.
    """
    intended = isinstance(request, wire.OperationalIntentRequest)
    assumed = [
        "it is a request, whose extents count as its volumes",
        HOLDS_ITS_UNCERTAINTY,
        "no party stated: taken as a party unlike any other"
        if party is None
        else f"no party stated: taken as {party}, as the user says",
    ]
    if not intended:
        assumed.insert(0, "an F3548 constraint is a zone that everyone keeps out of")
    return Entity(
        id=fallback_id,
        kind=Kind.OPERATION if intended else Kind.ZONE,
        volumes=_volumes(request.extents, "extents", bounded=intended),
        party=party,
        rule=None if intended else ZoneRule.KEEP_OUT,
        assumed=tuple(assumed),
        source=source,
    )


def _manager(text: str) -> str:
    field = "reference.manager"
    return party_name(string(text, field), field)


def _line(text: str, field: str) -> str:
    """Return a text for people in one line."""
    return " ".join(CONTROL.sub(" ", string(text, field)).split())


def entity_id(text: str) -> str:
    """Return an identifier in the one spelling by which two are compared.

    Parameters
    ----------
    text
        A version 4 UUID of the RFC 4122 variant; dashes may be missing.

    Raises
    ------
    InputError
        If it is none.
    """
    remedy = "give a version 4 UUID, such as 2f8343be-6482-4d1b-a474-16847e01af1e"
    if not _ID.fullmatch(text):
        raise InputError(f"{text[:80]!r} is no UUID", remedy, field="reference.id")
    found = UUID(text)
    if found.version != 4:
        raise InputError(f"{text} is no UUID of version 4", remedy, field="reference.id")
    return str(found)


def _volumes(
    volumes: Sequence[wire.Volume4D], path: str, *, bounded: bool
) -> tuple[volume.Volume4D, ...]:
    return tuple(
        _volume(item, f"{path}[{number}]", bounded=bounded) for number, item in enumerate(volumes)
    )


def _volume(item: wire.Volume4D, path: str, *, bounded: bool) -> volume.Volume4D:
    """Return one volume; `bounded`: times and altitudes are required."""
    space = item.volume
    inside = f"{path}.volume"
    if bounded:
        required = (
            ("time_start", item.time_start, path),
            ("time_end", item.time_end, path),
            ("altitude_lower", space.altitude_lower, inside),
            ("altitude_upper", space.altitude_upper, inside),
        )
        for name, value, place in required:
            if value is None:
                raise InputError(f"`{name}` is missing", f"add `{name}`", field=place)
    lower, upper = _height(space.altitude_lower), _height(space.altitude_upper)
    if lower is not None and upper is not None and lower.value_m > upper.value_m:
        raise InputError(
            f"the lower altitude {lower.value_m:g} m is above the upper one {upper.value_m:g} m",
            "write the lower one first",
            field=inside,
        )
    start, end = _check_window(item.time_start, item.time_end, path)
    try:
        return volume.Volume4D(
            footprint=_footprint(space, inside),
            band=height.AltitudeBand(lower, upper),
            start=start,
            end=end,
        )
    except InputError as error:
        field = error.field if error.field.startswith(path) else f"{path} {error.field}".strip()
        raise InputError(error.what, error.remedy, field=field) from None


def _footprint(space: wire.Volume3D, path: str) -> volume.Footprint:
    circle, polygon = space.outline_circle, space.outline_polygon
    if circle is not None and polygon is not None:
        raise InputError(
            "both outline_circle and outline_polygon are given", "keep the one meant", field=path
        )
    if circle is not None:
        return volume.Circle((circle.center.lat, circle.center.lng), circle.radius.value)
    if polygon is None:
        raise InputError(
            "neither outline_circle nor outline_polygon is given", "add one of them", field=path
        )
    points = tuple((point.lat, point.lng) for point in polygon.vertices)
    _refuse_repeated(points, f"{path}.outline_polygon.vertices")
    return volume.Polygon(points)


def _refuse_repeated(points: Sequence[LatLon], path: str) -> None:
    if points[0] == points[-1]:
        raise InputError(
            "the last vertex repeats the first",
            "leave the last one out; F3548 closes the ring by itself",
            field=f"{path}[{len(points) - 1}]",
        )
    for number in _repeated(points):
        raise InputError(
            "this vertex stands earlier in the ring too",
            "give each vertex once",
            field=f"{path}[{number}]",
        )


def _repeated(points: Iterable[LatLon]) -> Iterable[int]:
    seen: set[LatLon] = set()
    for number, point in enumerate(points):
        if point in seen:
            yield number
        seen.add(point)


def _height(altitude: wire.Altitude | None) -> height.Height | None:
    return None if altitude is None else height.Height(altitude.value)


def _check_window(
    start: wire.Time | None, end: wire.Time | None, path: str
) -> tuple[datetime | None, datetime | None]:
    """Return both instants, rounded outward to whole microseconds."""
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
