"""Entities to GeoJSON (RFC 7946), the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from deconflict.formats.drawing import drawn
from deconflict.formats.exact import member
from deconflict.formats.part import Part, Shape
from deconflict.formats.stating import stated
from deconflict.geo.volume import Circle
from deconflict.register.entity import Entity

_MULTI = {
    Shape.POINT: "MultiPoint",
    Shape.LINE: "MultiLineString",
    Shape.POLYGON: "MultiPolygon",
}


def write(entities: Iterable[Entity]) -> bytes:
    """Return a FeatureCollection, a feature a line, that reads back as the same entities."""
    lines = ",\n".join(
        json.dumps(feature(entity), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        for entity in entities
    )
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'.encode()


def feature(entity: Entity) -> dict[str, Any]:
    """Return the feature of an entity, a circle as its center with ``radius_m``.

    What geometry and properties can't say (bands of two references, volumes that differ, anything
    across the antimeridian) is in the foreign member ``volumes``, and the geometry draws it.
    """
    properties, complete = stated(entity, centers=True)
    if not complete:
        return picture(entity)
    parts = tuple(
        part
        for volume in entity.volumes
        for part in (
            (Part(Shape.POINT, ((volume.footprint.center,),)),)
            if isinstance(volume.footprint, Circle)
            else drawn(volume.footprint)
        )
    )
    return {"type": "Feature", "properties": properties, "geometry": _geometry(parts)}


def picture(entity: Entity) -> dict[str, Any]:
    """Return the feature of an entity for a map: circles are drawn too, and exact in ``volumes``.

    It reads back as the same entity.
    """
    parts = tuple(part for volume in entity.volumes for part in drawn(volume.footprint))
    properties, complete = stated(entity)
    written: dict[str, Any] = {
        "type": "Feature",
        "properties": properties,
        "geometry": _geometry(parts),
    }
    if not complete:
        written["volumes"] = member(entity.volumes, parts, properties)
    return written


def _geometry(parts: Sequence[Part]) -> dict[str, Any]:
    shapes = {part.shape for part in parts}
    if len(parts) == 1:
        return _simple(parts[0])
    if len(shapes) > 1:
        return {"type": "GeometryCollection", "geometries": [_simple(part) for part in parts]}
    return {
        "type": _MULTI[shapes.pop()],
        "coordinates": [_simple(part)["coordinates"] for part in parts],
    }


def _simple(part: Part) -> dict[str, Any]:
    rings = [[[lon_deg, lat_deg] for lat_deg, lon_deg in ring] for ring in part.rings]
    if part.shape is Shape.POINT:
        return {"type": "Point", "coordinates": rings[0][0]}
    if part.shape is Shape.LINE:
        return {"type": "LineString", "coordinates": rings[0]}
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]}
