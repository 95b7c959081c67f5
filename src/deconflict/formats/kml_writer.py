"""Entities to KML 2.2, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from deconflict.formats.drawing import drawn
from deconflict.formats.exact import member
from deconflict.formats.numbers import shown
from deconflict.formats.part import Part, Shape
from deconflict.formats.stating import stated
from deconflict.geo.errors import InputError
from deconflict.geo.position import LatLon
from deconflict.register.entity import Entity

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't hold, however written."""

_SPAN = {"start": "begin", "end": "end"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'


def write(entities: Iterable[Entity]) -> bytes:
    """Return a KML document, a Placemark an entity, that reads back as the same entities."""
    placemarks = "".join(_placemark(entity) for entity in entities)
    return f"{_HEAD}<Document>\n{placemarks}</Document>\n</kml>\n".encode()


def _placemark(entity: Entity) -> str:
    parts = tuple(part for volume in entity.volumes for part in drawn(volume.footprint))
    properties, complete = stated(entity)
    data = [
        f"<Data name={_quoted(name)}><value>{_escaped(text)}</value></Data>"
        for name, text in _texts(entity, parts, properties, complete=complete)
    ]
    span = "".join(
        f"<{tag}>{properties[name]}</{tag}>" for name, tag in _SPAN.items() if name in properties
    )
    return (
        f"<Placemark><name>{_escaped(entity.name)}</name>"
        + (f"<TimeSpan>{span}</TimeSpan>" if span else "")
        + f"<ExtendedData>{''.join(data)}</ExtendedData>{_geometry(parts)}</Placemark>\n"
    )


def _texts(
    entity: Entity, parts: Sequence[Part], properties: dict[str, Any], *, complete: bool
) -> Iterator[tuple[str, str]]:
    for name, value in properties.items():
        if name in _SPAN or name == "name":
            continue
        if isinstance(value, list):
            yield name, _joined(name, value)
        else:
            yield name, value if isinstance(value, str) else repr(value)
    if not complete:
        exact = member(entity.volumes, parts, properties)
        yield "volumes", json.dumps(exact, allow_nan=False, separators=(",", ":"))


def _joined(name: str, values: list[str]) -> str:
    """Return a list as one text: sentences a line each, everything else between semicolons."""
    if name == "assumed":
        return "\n".join(values)
    for value in values:
        if ";" in value:
            raise InputError(
                f"{shown(value)} in {name} holds a semicolon, which separates such values in KML",
                "write GeoJSON instead, or name it otherwise",
                field=name,
            )
    return "; ".join(values)


def _geometry(parts: Sequence[Part]) -> str:
    drawings = "".join(_simple(part) for part in parts)
    return drawings if len(parts) == 1 else f"<MultiGeometry>{drawings}</MultiGeometry>"


def _simple(part: Part) -> str:
    if part.shape is Shape.POINT:
        return f"<Point>{_coordinates(part.rings[0])}</Point>"
    if part.shape is Shape.LINE:
        return f"<LineString>{_coordinates(part.rings[0])}</LineString>"
    boundaries = []
    for index, ring in enumerate(part.rings):
        tag = "innerBoundaryIs" if index else "outerBoundaryIs"
        closed = _coordinates((*ring, ring[0]))
        boundaries.append(f"<{tag}><LinearRing>{closed}</LinearRing></{tag}>")
    return f"<Polygon>{''.join(boundaries)}</Polygon>"


def _coordinates(points: Sequence[LatLon]) -> str:
    written = " ".join(f"{lon_deg!r},{lat_deg!r}" for lat_deg, lon_deg in points)
    return f"<coordinates>{written}</coordinates>"


def _escaped(text: str) -> str:
    clean = _NO_XML.sub("\ufffd", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    return '"' + _escaped(text).replace('"', "&quot;") + '"'
