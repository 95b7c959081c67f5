"""The member ``volumes`` of a written feature: what its drawn geometry can't say exactly.

RFC 7946 knows neither circles nor bands, and cuts at the antimeridian. A feature whose geometry
and properties alone would not read back as the same entity therefore carries its volumes in a
foreign member (section 6.1), sealed over what is drawn and stated beside it: whoever changes one
without the other is told so, and nothing is read wrongly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from deconflict.formats.fields import string, word
from deconflict.formats.instant import read_instant, write_instant
from deconflict.formats.numbers import NumberText, number
from deconflict.formats.part import Part
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.position import LatLon, checked_lat_lon
from deconflict.geo.volume import Circle, Footprint, Polygon, Route, Volume4D

_FIELD = "volumes"
_SEALED = (
    "start",
    "end",
    "times",
    "lower_m",
    "upper_m",
    "altitude_reference",
    "ground_m",
    "uncertainty_m",
    "radius_m",
    "width_m",
    "danger_radius_m",
)


def seal(parts: Sequence[Part], properties: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 over a drawn geometry and the properties that bear on volumes.

    Raises
    ------
    InputError
        If a property is no finite number where it is one at all.
    """
    stated = {
        name: number(value, name) if isinstance(value, NumberText | int) else value
        for name in _SEALED
        if (value := properties.get(name)) is not None
    }
    drawn = [[part.shape.value, part.rings] for part in parts]
    text = json.dumps([drawn, stated], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def member(
    volumes: Sequence[Volume4D], parts: Sequence[Part], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the member for volumes that are drawn as parts beside properties."""
    return {"seal": seal(parts, properties), "exact": [_written(volume) for volume in volumes]}


def exact_volumes(
    value: object, parts: Sequence[Part], properties: Mapping[str, Any]
) -> tuple[Volume4D, ...] | None:
    """Return the volumes that a member holds, ``None`` where there is no member.

    Raises
    ------
    InputError
        If it can't be read, or what is drawn or stated beside it was changed.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("exact"), list):
        raise _unreadable()
    if value.get("seal") != seal(parts, properties):
        raise InputError(
            "geometry or properties were changed, and the exact volumes beside them were not",
            "remove the member volumes if the geometry and the properties say what is meant",
            field=_FIELD,
        )
    volumes = tuple(_read(volume) for volume in value["exact"])
    if not volumes:
        raise _unreadable()
    return volumes


def _unreadable() -> InputError:
    return InputError(
        "the exact volumes can't be read",
        "remove the member volumes, and state radius, width, heights and times as properties",
        field=_FIELD,
    )


def _written(volume: Volume4D) -> dict[str, Any]:
    band = volume.band
    written: dict[str, Any] = {"footprint": _footprint_written(volume.footprint)}
    for key, height in (("lower", band.lower), ("upper", band.upper)):
        if height is not None:
            written[key] = [height.value_m, height.reference.value]
    for key, instant in (("start", volume.start), ("end", volume.end)):
        if instant is not None:
            written[key] = write_instant(instant)
    if band.ground_m is not None:
        written["ground_m"] = band.ground_m
    written["uncertainty_m"] = volume.uncertainty_m
    written["danger_radius_m"] = volume.danger_radius_m
    return written


def _footprint_written(footprint: Footprint) -> dict[str, Any]:
    if isinstance(footprint, Circle):
        return {"center": _lon_lat([footprint.center])[0], "radius_m": footprint.radius_m}
    if isinstance(footprint, Polygon):
        return {"rings": [_lon_lat(ring) for ring in (footprint.shell, *footprint.holes)]}
    written: dict[str, Any] = {"points": _lon_lat(footprint.points), "width_m": footprint.width_m}
    if footprint.times:
        written["times"] = [write_instant(time) for time in footprint.times]
    return written


def _lon_lat(points: Sequence[LatLon]) -> list[list[float]]:
    return [[lon_deg, lat_deg] for lat_deg, lon_deg in points]


def _read(value: object) -> Volume4D:
    if not isinstance(value, dict) or not isinstance(value.get("footprint"), dict):
        raise _unreadable()
    ground_m = value.get("ground_m")
    return Volume4D(
        footprint=_footprint_read(value["footprint"]),
        band=AltitudeBand(
            _height_read(value.get("lower")),
            _height_read(value.get("upper")),
            None if ground_m is None else number(ground_m, _FIELD),
        ),
        start=_instant_read(value.get("start")),
        end=_instant_read(value.get("end")),
        uncertainty_m=number(value.get("uncertainty_m"), _FIELD),
        danger_radius_m=number(value.get("danger_radius_m"), _FIELD),
    )


def _footprint_read(value: dict[str, Any]) -> Footprint:
    if "center" in value:
        return Circle(_points([value["center"]])[0], number(value.get("radius_m"), _FIELD))
    if "rings" in value:
        rings = [_points(ring) for ring in _listed(value["rings"])]
        if not rings:
            raise _unreadable()
        return Polygon(rings[0], tuple(rings[1:]))
    times = tuple(
        read_instant(string(time, _FIELD), "floor", field=_FIELD)
        for time in _listed(value.get("times", []))
    )
    return Route(_points(value.get("points")), number(value.get("width_m"), _FIELD), times)


def _listed(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise _unreadable()


def _points(value: object) -> tuple[LatLon, ...]:
    points = []
    for pair in _listed(value):
        if len(_listed(pair)) != 2:
            raise _unreadable()
        lon_deg, lat_deg = (number(part, _FIELD) for part in pair)
        points.append(checked_lat_lon(lat_deg, lon_deg, field=_FIELD))
    return tuple(points)


def _height_read(value: object) -> Height | None:
    if value is None:
        return None
    if len(_listed(value)) != 2:
        raise _unreadable()
    value_m, reference = _listed(value)
    return Height(
        number(value_m, _FIELD), word(AltitudeReference, reference, "altitude_reference", str.upper)
    )


def _instant_read(value: object) -> datetime | None:
    if value is None:
        return None
    return read_instant(string(value, _FIELD), "floor", field=_FIELD)
