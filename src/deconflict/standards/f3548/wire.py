"""Wire types of ASTM F3548-21: what the standard says, field by field.

Source: the standard's published API description, version 1.0.0 (``utm.yaml``), schemas
``Volume4D`` to ``Constraint``. Fields that only serve the exchange between services (version,
availability, URL, subscription) are optional here: a file may lack them, and no verdict depends
on them. Fields that this module does not know are left alone, as the standard's extensions need.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from deconflict.formats.expected import in_words
from deconflict.geo.errors import InputError
from deconflict.geo.volume import GREATEST_RADIUS_M

Latitude = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
"""Degrees north, WGS 84."""
Longitude = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
"""Degrees east, WGS 84."""


class Time(msgspec.Struct, frozen=True, gc=False):
    """An instant: RFC 3339 text and the word that says so."""

    value: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
    format: Literal["RFC3339"]


class Radius(msgspec.Struct, frozen=True, gc=False):
    """A distance along the ellipsoid, metres."""

    value: Annotated[float, msgspec.Meta(gt=0.0, le=GREATEST_RADIUS_M)]
    units: Literal["M"]


class Altitude(msgspec.Struct, frozen=True, gc=False):
    """A height above the WGS 84 ellipsoid, metres."""

    value: Annotated[float, msgspec.Meta(ge=-8_000.0, le=100_000.0)]
    reference: Literal["W84"]
    units: Literal["M"]


class LatLngPoint(msgspec.Struct, frozen=True, gc=False):
    """A point on the WGS 84 ellipsoid, degrees."""

    lat: Latitude
    lng: Longitude


class Circle(msgspec.Struct, frozen=True):
    """A circle on the ellipsoid."""

    center: LatLngPoint
    radius: Radius


class Polygon(msgspec.Struct, frozen=True):
    """A ring of geodesic edges, not closed; either winding means the smaller area."""

    vertices: Annotated[list[LatLngPoint], msgspec.Meta(min_length=3)]


class Volume3D(msgspec.Struct, frozen=True, omit_defaults=True):
    """An outline, exactly one of the two, between two altitudes."""

    outline_circle: Circle | None = None
    outline_polygon: Polygon | None = None
    altitude_lower: Altitude | None = None
    altitude_upper: Altitude | None = None


class Volume4D(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `Volume3D` from one instant to another."""

    volume: Volume3D
    time_start: Time | None = None
    time_end: Time | None = None


class OperationalIntentReference(msgspec.Struct, frozen=True):
    """What the discovery service knows of an operational intent."""

    id: str
    manager: str
    state: Literal["Accepted", "Activated", "Nonconforming", "Contingent"]
    time_start: Time
    time_end: Time
    uss_base_url: str | None = None
    subscription_id: str | None = None
    uss_availability: str | None = None
    version: int | None = None
    ovn: str | None = None


class OperationalIntentDetails(msgspec.Struct, frozen=True):
    """What only the manager of an operational intent tells."""

    volumes: list[Volume4D] = []
    off_nominal_volumes: list[Volume4D] = []
    priority: int = 0


class OperationalIntent(msgspec.Struct, frozen=True):
    """An operational intent in full."""

    reference: OperationalIntentReference
    details: OperationalIntentDetails


class GeoZone(msgspec.Struct, frozen=True):
    """The part of an ED-269 zone that bears on whom a constraint binds."""

    restriction: str
    identifier: str = ""
    name: str = ""


class ConstraintReference(msgspec.Struct, frozen=True):
    """What the discovery service knows of a constraint."""

    id: str
    manager: str
    time_start: Time
    time_end: Time
    uss_base_url: str | None = None
    uss_availability: str | None = None
    version: int | None = None
    ovn: str | None = None


class ConstraintDetails(msgspec.Struct, frozen=True):
    """What only the manager of a constraint tells."""

    volumes: Annotated[list[Volume4D], msgspec.Meta(min_length=1)]
    type: str | None = None
    geozone: GeoZone | None = None


class Constraint(msgspec.Struct, frozen=True):
    """A constraint in full."""

    reference: ConstraintReference
    details: ConstraintDetails


class OperationalIntentRequest(msgspec.Struct, frozen=True):
    """What a manager asks of the discovery service for an operational intent.

    In the standard's words ``PutOperationalIntentReferenceParameters``.
    """

    extents: Annotated[list[Volume4D], msgspec.Meta(min_length=1)]
    state: Literal["Accepted", "Activated", "Nonconforming", "Contingent"]


class ConstraintRequest(msgspec.Struct, frozen=True):
    """The same for a constraint (``PutConstraintReferenceParameters``)."""

    extents: Annotated[list[Volume4D], msgspec.Meta(min_length=1)]


T = TypeVar("T")

_PLACE = re.compile(r" - at `\$?\.?(?P<path>.*)`$", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_FIELD = re.compile(r"(\w+)(?:\[[^\]]*\])?\Z")
_ALLOWED = MappingProxyType(
    {
        "units": 'write "M", and the value in metres',
        "reference": 'write "W84", and the height above the WGS 84 ellipsoid',
        "format": 'write "RFC3339"',
        "state": 'write "Accepted", "Activated", "Nonconforming" or "Contingent"',
        "availability": 'write "Unknown", "Normal" or "Down"',
        "recorder_role": 'write "Client" or "Server"',
    }
)
"""What may stand in the fields that have few values, by their names."""
_REMEDY = "write it as F3548-21 does"


def convert(value: Any, wanted: type[T]) -> T:  # noqa: ANN401 - decoded JSON is anything
    """Return decoded JSON as a wire type.

    Parameters
    ----------
    value
        What a strict JSON decoder gave: no repeated keys, no NaN.
    wanted
        A type of this module.

    Raises
    ------
    InputError
        If the standard does not allow it, with the path of the field.
    """
    try:
        return msgspec.convert(value, type=wanted, strict=True)
    except msgspec.ValidationError as error:
        raise explained(str(error)) from None
    except UnicodeEncodeError:
        raise InputError(
            "a text holds half of a surrogate pair, which is no character", _REMEDY
        ) from None


def explained(message: str) -> InputError:
    """Return a decoder's message as a refusal with its field."""
    found = _PLACE.search(message)
    path = found["path"] if found else ""
    message = message[: found.start()] if found else message
    value = _ENUM.fullmatch(message)
    if value:
        field = _FIELD.search(path)
        remedy = _ALLOWED.get(field[1], _REMEDY) if field else _REMEDY
        return InputError(f"{value[1]} is no value that F3548 has here", remedy, field=path)
    what, remedy = in_words(message) or (message, _REMEDY)
    return InputError(what, remedy, field=path)
