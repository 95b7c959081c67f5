"""UAS geographical zones of EUROCAE ED-269, and of ED-318: every feature becomes a zone.

Source: the public JSON data model of ED-269 (``UASZoneVersion``: geometry, applicability,
restriction). Coordinates are longitude first, on WGS 84.

Who may enter a zone under which conditions can't be checked here, and a weekly schedule isn't
represented: a zone with any restriction is kept out of, for the whole of its period. Both are said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from deconflict.formats.ed318 import as_ed269
from deconflict.formats.fields import string
from deconflict.formats.geometry import parts_of
from deconflict.formats.instant import read_instant
from deconflict.formats.jsontext import JsonText
from deconflict.formats.names import CONTROL
from deconflict.formats.numbers import number, shown
from deconflict.formats.part import Part, Shape
from deconflict.formats.reading import (
    DEFAULT_LIMITS,
    NO_DEFAULTS,
    Defaults,
    Gathering,
    Limits,
    ReadResult,
)
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.geo.height import FOOT_M, AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Footprint, Polygon, Volume4D
from deconflict.register.entity import Entity, Kind, ZoneRule

UNITS_M = MappingProxyType({"M": 1.0, "FT": FOOT_M})
"""Metres in one of each unit that ``uomDimensions`` may name."""

REFERENCES = MappingProxyType(
    {
        "AGL": AltitudeReference.AGL,
        "AMSL": AltitudeReference.MSL,
        "MSL": AltitudeReference.MSL,
        "WGS84": AltitudeReference.W84,
        "W84": AltitudeReference.W84,
    }
)
"""What each word of a vertical reference means."""

UNRESTRICTED = "NO_RESTRICTION"
"""The one restriction that restricts nothing."""

SCHEDULED = "its schedule is not represented: taken to be active for the whole of its period"


def read(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the zones of an ED-269 file, and what of it is refused.

    Parameters
    ----------
    data
        The file's bytes.
    name
        The file's name, for messages and identifiers.
    defaults
        The party of every zone; a kind is not used, because every feature is a zone.
    limits
        Limits of size.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        text = JsonText(decoded(data))
        for index, feature in enumerate(_features(text), start=1):
            place = f"feature {index}"
            try:
                _refuse_faults(text.faults())
                gathering.add(_entity(feature, f"{name}, {place}", defaults, limits))
            except InputError as error:
                gathering.refuse(error, place)
    except InputError as error:
        gathering.refuse(error)
    if not gathering.entities and not gathering.problems:
        gathering.refuse(
            InputError("the file holds no feature", 'give an object with a list called "features"')
        )
    return gathering.result()


def _features(text: JsonText) -> Iterator[object]:
    for key in text.members():
        if key == "features":
            yield from text.elements(lambda: True)
        else:
            text.value(typed=False)
            text.faults()  # titles and descriptions bear on nothing
    text.end()


def _entity(value: object, source: str, defaults: Defaults, limits: Limits) -> Entity:
    """Return one feature as a zone."""
    feature = _object(value, "feature")
    if feature.get("type") == "Feature":
        feature = as_ed269(feature)
    said: list[str] = []
    geometries = feature.get("geometry")
    if not isinstance(geometries, list) or not geometries:
        raise InputError(
            "geometry is no list of airspace volumes",
            "give at least one, each with a horizontalProjection",
            field="geometry",
        )
    windows = _windows(feature.get("applicability"), said)
    volumes = []
    vertices = 0
    for index, item in enumerate(geometries, start=1):
        field = "geometry" if len(geometries) == 1 else f"geometry {index}"
        try:
            shapes = _shapes(_object(item, ""), limits, said)
            band = _band(_object(item, ""), said)
            vertices += len(windows) * sum(count for _, _, count in shapes)
            _refuse_too_many(vertices, limits)
            volumes += [
                Volume4D(
                    footprint=footprint,
                    band=band,
                    start=start,
                    end=end,
                    uncertainty_m=uncertainty_m,
                )
                for footprint, uncertainty_m, _ in shapes
                for start, end in windows
            ]
        except InputError as error:
            where = f"{field}, {error.field}" if error.field else field
            raise InputError(error.what, error.remedy, field=where) from None
    worst_m = max(volume.uncertainty_m for volume in volumes)
    said.append(f"the uncertainty of {worst_m:.2g} m is taken from the decimals as typed")
    if defaults.party is None:
        said.append("no party stated: taken as a party unlike any other")
    return Entity(
        id=_identifier(feature) or source,
        kind=Kind.ZONE,
        volumes=tuple(volumes),
        party=defaults.party,
        name=_text(feature, "name") or "",
        rule=ZoneRule.KEEP_OUT,
        applies_to=_applies_to(feature, said),
        assumed=tuple(dict.fromkeys(said)),
        source=source,
    )


def _refuse_faults(faults: list[InputError]) -> None:
    for fault in faults:
        raise fault


def _refuse_too_many(vertices: int, limits: Limits) -> None:
    if vertices > limits.vertices:
        raise InputError(
            f"it has more than {limits.vertices:,} vertices",
            "give a coarser outline that contains this one",
        )


def _identifier(feature: Mapping[str, Any]) -> str:
    """Return country and identifier, which together are unique in the world."""
    parts = (_text(feature, "country"), _text(feature, "identifier"))
    return " ".join(part for part in parts if part) if parts[1] else ""


def _applies_to(feature: Mapping[str, Any], said: list[str]) -> tuple[str, ...] | None:
    """Return whom a zone binds: everyone, but nobody where it restricts nothing."""
    restriction = _text(feature, "restriction") or "not stated"
    conditions = feature.get("restrictionConditions")
    if restriction == UNRESTRICTED and not conditions:
        said.append("its restriction is NO_RESTRICTION: read for information, and binds nobody")
        return ()
    if restriction != "PROHIBITED":
        said.append(
            f"its restriction is {restriction}: read as keep out for everyone, because "
            "authorisations and conditions can't be checked here"
        )
    return None


def _windows(value: object, said: list[str]) -> tuple[tuple[datetime | None, datetime | None], ...]:
    """Return the periods in which a zone applies."""
    always = (None, None)
    if value is None or value == []:
        said.append("no applicability stated: taken as always")
        return (always,)
    periods = value if isinstance(value, list) else [value]
    windows = []
    for index, item in enumerate(periods, start=1):
        field = "applicability" if len(periods) == 1 else f"applicability {index}"
        period = _object(item, field)
        if period.get("schedule"):
            said.append(SCHEDULED)
        permanent = _text(period, "permanent")
        if permanent == "YES":
            return (always,)
        if permanent not in {None, "NO"}:
            raise InputError(
                f"permanent is {shown(permanent)}", "write YES or NO", field=f"{field}, permanent"
            )
        first, last = _text(period, "startDateTime"), _text(period, "endDateTime")
        start = first and read_instant(first, "floor", field=f"{field}, startDateTime")
        end = last and read_instant(last, "ceil", field=f"{field}, endDateTime")
        if start and end and start > end:
            raise InputError(
                f"startDateTime {first} lies after endDateTime {last}", "exchange them", field=field
            )
        if not start:
            said.append("no startDateTime stated: taken as having begun")
        if not end:
            said.append("no endDateTime stated: taken as never ending")
        windows.append((start or None, end or None))
    return tuple(windows)


def _band(item: Mapping[str, Any], said: list[str]) -> AltitudeBand:
    unit_m = _unit_m(item)
    limits: list[Height | None] = []
    for side, way in (("lower", "downward"), ("upper", "upward")):
        value = item.get(f"{side}Limit")
        if value is None:
            said.append(f"no {side}Limit stated: taken as unbounded {way}")
            limits.append(None)
            continue
        field = f"{side}VerticalReference"
        word = _text(item, field)
        if word is None or word not in REFERENCES:
            raise InputError(f"{field} is {shown(word)}", "write AGL, AMSL or WGS84", field=field)
        limits.append(Height(number(value, f"{side}Limit") * unit_m, REFERENCES[word]))
    lower, upper = limits
    if lower and upper and lower.reference is upper.reference and lower.value_m > upper.value_m:
        raise InputError(
            f"lowerLimit {lower.value_m:g} m lies above upperLimit {upper.value_m:g} m",
            "exchange them",
            field="lowerLimit",
        )
    return AltitudeBand(lower, upper)


def _unit_m(item: Mapping[str, Any]) -> float:
    word = _text(item, "uomDimensions")
    if word is None or word not in UNITS_M:
        raise InputError(f"uomDimensions is {shown(word)}", "write M or FT", field="uomDimensions")
    return UNITS_M[word]


def _shapes(
    item: Mapping[str, Any], limits: Limits, said: list[str]
) -> list[tuple[Footprint, float, int]]:
    """Return each footprint, its uncertainty in metres, and its number of vertices."""
    field = "horizontalProjection"
    projection = _object(item.get(field), field)
    kind = _text(projection, "type")
    if kind == "Polygon":
        parts, assumed = parts_of(projection, limits)
        said += assumed
        return [
            (_polygon(part), part.typed_precision_m, sum(map(len, part.rings))) for part in parts
        ]
    if kind != "Circle":
        raise InputError(
            f"the type is {shown(kind)}", "write Polygon or Circle", field=f"{field}, type"
        )
    parts, assumed = parts_of({"type": "Point", "coordinates": projection.get("center")}, limits)
    said += assumed
    radius_m = number(projection.get("radius"), f"{field}, radius")
    if radius_m <= 0:
        raise InputError(
            f"the radius is {radius_m:g}", "write a number above 0", field=f"{field}, radius"
        )
    if _unit_m(item) != 1.0:
        said.append("a radius is taken as metres, the larger reading, though limits are in feet")
    part = parts[0]
    return [(Circle(part.rings[0][0], radius_m), part.typed_precision_m, 1)]


def _polygon(part: Part) -> Polygon:
    if part.shape is not Shape.POLYGON:
        raise InputError("it is no polygon", "write Polygon or Circle")
    return Polygon(part.rings[0], part.rings[1:])


def _object(value: object, field: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise InputError(f"{shown(value)} is not an object", "write it as ED-269 does", field=field)


def _text(item: Mapping[str, Any], field: str) -> str | None:
    value = item.get(field)
    if value is None:
        return None
    return " ".join(CONTROL.sub(" ", string(value, field)).split())
