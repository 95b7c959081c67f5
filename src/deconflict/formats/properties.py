"""The fixed properties: from what a feature, placemark or row states to an entity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from deconflict.formats.fields import (
    band_from,
    length_m,
    string,
    text_for_people,
    times_from,
    window_from,
    word,
)
from deconflict.formats.instant import read_instant
from deconflict.formats.names import ALL_KNOWN, near_miss, trimmed
from deconflict.formats.numbers import NumberText, checked_priority, number, shown
from deconflict.formats.part import Part, Shape
from deconflict.formats.places import also_at, own_position, placed, position_in
from deconflict.formats.reading import Defaults
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand
from deconflict.geo.position import Position
from deconflict.geo.volume import Circle, Footprint, Polygon, Route, Volume4D
from deconflict.register.binding import EVERYONE
from deconflict.register.entity import Entity, Kind, ZoneRule

SAID_KEEP_OUT = "no rule stated: the zone taken as keep_out"
SAID_POINT = "no radius_m stated: taken as a point"
SAID_LINE = "no width_m stated: taken as a line without width"

_EVERYONE_WORDS = frozenset({"all", "any", "anyone", "everybody", "everyone"})


_MAX_ASSUMED = 200
"""Sentences; an entity of many parts has some dozens."""


def entity_from_properties(
    properties: Mapping[str, Any],
    parts: Sequence[Part],
    *,
    fallback_id: str,
    source: str,
    defaults: Defaults,
    positions: tuple[Position, ...] = (),
    band: AltitudeBand | None = None,
    volumes: tuple[Volume4D, ...] | None = None,
    assumed: tuple[str, ...] = (),
) -> Entity:
    """Return the entity that the fixed properties and a geometry describe.

    Parameters
    ----------
    properties
        By name; values are texts (``str``), numbers (``float``, ``int``, or `NumberText` as
        typed), lists, or ``None``, which is the same as missing. Unknown names are ignored, but a
        name that differs from a known one only in case, marks or unit is refused.
    parts
        The geometry; empty if the property ``position`` gives it.
    fallback_id
        The identifier where none is stated: file and number.
    source
        File and place, for messages.
    defaults
        What fills in for missing kind, party and datum.
    positions
        The positions from which the parts were made, where the format gives texts.
    band
        The heights, where the format states them in its own way; the properties ``lower_m``,
        ``upper_m``, ``altitude_reference`` and ``ground_m`` are then not looked at.
    volumes
        The volumes, where the format states them exactly beside a geometry that draws them; the
        properties that would shape them are then not looked at.
    assumed
        What the format's reader itself assumed.

    Raises
    ------
    InputError
        With the property as its field, for everything that can't be read or contradicts itself.
    """
    stated = {name: value for name, value in properties.items() if value is not None}
    said = [*_assumed_before(stated), *assumed]
    kind = _kind(stated, defaults, said)
    uncertainty_m = length_m(stated, "uncertainty_m")
    if "position" in stated and not positions:
        position = position_in(
            string(stated["position"], "position"), "position", defaults, uncertainty_m or 0.0
        )
        positions = (position,)
        if volumes is None:
            parts = (placed(position, parts),)
    if not parts:
        raise InputError(
            "it has neither a geometry nor a position",
            "give a geometry, or the property position as a coordinate text",
            field="geometry",
        )
    _refuse_near_misses(stated, {part.shape for part in parts})
    danger_radius_m = _danger(stated, kind)
    rule, applies_to = _zone(stated, kind, said)
    if volumes is None:
        volumes = _volumes(stated, parts, uncertainty_m, band, said)
    for position in positions:
        said.extend(position.assumed)
    obtained_at = stated.get("obtained_at")
    return Entity(
        id=_identifier(stated) or fallback_id,
        kind=kind,
        volumes=volumes,
        party=_party(stated, defaults, said),
        name=text_for_people(stated, "name", said) or "",
        hazardous=danger_radius_m is not None,
        rule=rule,
        applies_to=applies_to,
        priority=_priority(stated) if kind is Kind.OPERATION else 0,
        positions=positions,
        also_at=also_at(stated, defaults),
        own_position=own_position(stated, defaults),
        obtained=text_for_people(stated, "obtained", said),
        obtained_at=None
        if obtained_at is None
        else read_instant(string(obtained_at, "obtained_at"), "floor", field="obtained_at"),
        reach_m=length_m(stated, "reach_m"),
        assumed=tuple(dict.fromkeys(said)),
        source=source,
    )


def _assumed_before(stated: Mapping[str, Any]) -> list[str]:
    """Return what a file that was written from entities says was assumed of them."""
    value = stated.get("assumed", [])
    if not isinstance(value, list) or len(value) > _MAX_ASSUMED:
        raise InputError(
            f"assumed is {shown(value)}", f"write at most {_MAX_ASSUMED} sentences", field="assumed"
        )
    return [trimmed(string(sentence, "assumed"), "assumed") for sentence in value]


def _volumes(
    stated: Mapping[str, Any],
    parts: Sequence[Part],
    uncertainty_m: float | None,
    band: AltitudeBand | None,
    said: list[str],
) -> tuple[Volume4D, ...]:
    shapes = {part.shape for part in parts}
    radius_m = _of_shape(
        stated, "radius_m", shape=Shape.POINT, shapes=shapes, missing=SAID_POINT, said=said
    )
    width_m = _of_shape(
        stated, "width_m", shape=Shape.LINE, shapes=shapes, missing=SAID_LINE, said=said
    )
    if band is None:
        band = band_from(stated, said)
    line = parts[0] if len(parts) == 1 and parts[0].shape is Shape.LINE else None
    times = times_from(stated, None if line is None else len(line.rings[0]))
    start, end = window_from(stated, times, said)
    if uncertainty_m is None and any(part.typed_precision_m for part in parts):
        widest_m = max(part.typed_precision_m for part in parts)
        said.append(f"no uncertainty_m stated: {widest_m:.2g} m taken from the decimals as typed")
    danger_radius_m = length_m(stated, "danger_radius_m") or 0.0
    return tuple(
        Volume4D(
            footprint=_footprint(part, radius_m, width_m, times),
            band=band,
            start=start,
            end=end,
            uncertainty_m=part.added_uncertainty_m
            + (part.typed_precision_m if uncertainty_m is None else uncertainty_m),
            danger_radius_m=danger_radius_m,
        )
        for part in parts
    )


def _refuse_near_misses(stated: Mapping[str, Any], shapes: set[Shape]) -> None:
    for name in stated:
        if name in ALL_KNOWN:
            continue
        meant = near_miss(name)
        if meant is None:
            continue
        # OpenStreetMap gives widths of things that are no routes: they mean nothing here.
        if (meant == "width_m" and Shape.LINE not in shapes) or (
            meant == "radius_m" and Shape.POINT not in shapes
        ):
            continue
        raise InputError(
            f'property {shown(name)} is not known, and looks like "{meant}"',
            f'call it "{meant}" (metres, where it is a length), or rename it if it means '
            "something else",
            field=name,
        )


def _kind(stated: Mapping[str, Any], defaults: Defaults, said: list[str]) -> Kind:
    if "kind" in stated:
        return word(Kind, stated["kind"], "kind", str.lower)
    if defaults.kind is None:
        raise InputError(
            "it states no kind",
            "write kind as one of: site, movement, operation, zone; or give one kind to the whole "
            "file with --kind",
            field="kind",
        )
    said.append(f"no kind stated: taken as {defaults.kind.value}, as the user says")
    return defaults.kind


def _party(stated: Mapping[str, Any], defaults: Defaults, said: list[str]) -> str | None:
    party = trimmed(string(stated["party"], "party"), "party") if "party" in stated else ""
    if party:
        return party
    if defaults.party is not None:
        said.append(f"no party stated: taken as {defaults.party}, as the user says")
        return defaults.party
    said.append("no party stated: taken as a party unlike any other")
    return None


def _identifier(stated: Mapping[str, Any]) -> str:
    return _key(stated["id"], "id") if "id" in stated else ""


def _key(value: object, field: str) -> str:
    """Return a name or an id, which may be typed as a number."""
    if isinstance(value, NumberText) or type(value) is int:
        return str(value)
    return trimmed(string(value, field), field)


def _of_shape(
    stated: Mapping[str, Any],
    field: str,
    *,
    shape: Shape,
    shapes: set[Shape],
    missing: str,
    said: list[str],
) -> float:
    """Return the length that a property gives to one shape, 0 where it is missing."""
    value_m = length_m(stated, field)
    if shape not in shapes:
        if value_m is None:
            return 0.0
        found = ", ".join(sorted(found.value for found in shapes))
        raise InputError(
            f"{field} belongs to a {shape.value}, and the geometry is a {found}",
            f"leave {field} out, or give the geometry as a {shape.value}",
            field=field,
        )
    if value_m is None:
        said.append(missing)
        return 0.0
    return value_m


def _danger(stated: Mapping[str, Any], kind: Kind) -> float | None:
    danger_radius_m = length_m(stated, "danger_radius_m")
    if danger_radius_m is not None and kind is not Kind.OPERATION:
        raise InputError(
            f"danger_radius_m makes an operation hazardous, and this is a {kind.value}",
            f"leave it out; a {kind.value} grows by uncertainty_m, or has a larger footprint",
            field="danger_radius_m",
        )
    return danger_radius_m


def _zone(
    stated: Mapping[str, Any], kind: Kind, said: list[str]
) -> tuple[ZoneRule | None, tuple[str, ...] | None]:
    if kind is not Kind.ZONE:
        for field in ("rule", "applies_to"):
            if field in stated:
                raise InputError(
                    f"{field} belongs to a zone, and this is a {kind.value}",
                    "leave it out, or make it a zone",
                    field=field,
                )
        return None, None
    if "rule" in stated:
        rule = word(
            ZoneRule, stated["rule"], "rule", lambda text: re.sub(r"[ _-]+", "_", text.lower())
        )
    else:
        rule = ZoneRule.KEEP_OUT
        said.append(SAID_KEEP_OUT)
    return rule, _applies_to(stated.get("applies_to"), said)


def _applies_to(value: object, said: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    listed = value if isinstance(value, list) else [value]
    bound = tuple(_key(name, "applies_to") for name in listed)
    if EVERYONE in bound:
        return (EVERYONE,)
    # A zone that binds nobody by mistake is the dangerous reading.
    if meant := next((name for name in bound if name.casefold() in _EVERYONE_WORDS), None):
        said.append(f'applies_to "{meant}" taken as everyone')
        return (EVERYONE,)
    if not bound or not all(bound):
        raise InputError(
            "applies_to names nobody",
            'leave it out or write "*" if the zone binds everyone, else name parties or entity ids',
            field="applies_to",
        )
    return bound


def _priority(stated: Mapping[str, Any]) -> int:
    if "priority" not in stated:
        return 0
    return checked_priority(number(stated["priority"], "priority"), "priority")


def _footprint(
    part: Part, radius_m: float, width_m: float, times: tuple[datetime, ...]
) -> Footprint:
    try:
        if part.shape is Shape.POINT:
            return Circle(part.rings[0][0], radius_m)
        if part.shape is Shape.LINE:
            return Route(part.rings[0], width_m, times)
        return Polygon(part.rings[0], part.rings[1:])
    except InputError as error:
        field = f"geometry, {error.field}" if error.field else "geometry"
        raise InputError(error.what, error.remedy, field=field) from None
