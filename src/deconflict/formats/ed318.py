"""ED-318 features, the successor of ED-269 in GeoJSON, in the words of ED-269.

Source: the public JSON data model of EUROCAE ED-318: a feature's geometry has a ``layer`` of
heights, a point with an ``extent`` is a circle, and a zone without ``limitedApplicability`` is
permanent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError


def as_ed269(feature: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ED-318 feature as ED-269 would write it.

    Raises
    ------
    InputError
        If properties or geometry are no objects; what is inside them is for the reader to judge.
    """
    properties = _object(feature.get("properties"), "properties")
    if "kind" in properties:
        # What it states besides would go unread, and a site be taken for a zone.
        raise InputError(
            "a feature that states its kind stands in a file of ED-318",
            "put it into a GeoJSON file of its own",
            field="kind",
        )
    geometry = _object(feature.get("geometry"), "geometry")
    members = [geometry]
    if geometry.get("type") == "GeometryCollection":
        listed = geometry.get("geometries")
        if not isinstance(listed, list):
            raise InputError(
                "geometries is no list", "write it as ED-318 does", field="geometry, geometries"
            )
        members = [{**_layer_of(geometry), **_object(member, "geometry")} for member in listed]
    return {
        **{key: properties.get(key) for key in ("identifier", "country", "restrictionConditions")},
        "name": _first_text(properties.get("name")),
        "restriction": properties.get("type"),
        "applicability": properties.get("limitedApplicability") or [{"permanent": "YES"}],
        "geometry": [_volume(member) for member in members],
    }


def _layer_of(geometry: Mapping[str, Any]) -> dict[str, Any]:
    return {"layer": geometry["layer"]} if "layer" in geometry else {}


def _volume(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return one geometry and its layer as an airspace volume of ED-269."""
    # Without a layer there are no limits, and no unit is needed.
    layer = _object(geometry.get("layer", {"uom": "m"}), "layer")
    unit = layer.get("uom")
    return {
        "uomDimensions": unit.upper() if isinstance(unit, str) else unit,
        "lowerLimit": layer.get("lower"),
        "lowerVerticalReference": layer.get("lowerReference"),
        "upperLimit": layer.get("upper"),
        "upperVerticalReference": layer.get("upperReference"),
        "horizontalProjection": _projection(geometry),
    }


def _projection(geometry: Mapping[str, Any]) -> dict[str, Any]:
    if geometry.get("type") != "Point":
        return {"type": geometry.get("type"), "coordinates": geometry.get("coordinates")}
    extent = _object(geometry.get("extent"), "extent")
    if extent.get("subType") != "Circle":
        raise InputError(
            f"the extent is {shown(extent.get('subType'))}", "write Circle", field="extent, subType"
        )
    return {
        "type": "Circle",
        "center": geometry.get("coordinates"),
        "radius": extent.get("radius"),
    }


def _first_text(value: object) -> object:
    """Return the first of the texts in several languages that a name may be."""
    if isinstance(value, list):
        return value[0].get("text") if value and isinstance(value[0], dict) else None
    return value


def _object(value: object, field: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise InputError(f"{shown(value)} is not an object", "write it as ED-318 does", field=field)
