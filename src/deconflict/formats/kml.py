"""KML 2.2 and KMZ (OGC 12-007r2): placemarks read strictly, entities written."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from deconflict.formats.exact import exact_volumes
from deconflict.formats.geometry import SAID_THIRD, parts_of
from deconflict.formats.kml_writer import write
from deconflict.formats.names import KNOWN
from deconflict.formats.numbers import NumberText, number_from_text, shown
from deconflict.formats.properties import entity_from_properties
from deconflict.formats.reading import DEFAULT_LIMITS, Defaults, Gathering, Limits, ReadResult
from deconflict.formats.text import decoded
from deconflict.formats.zipped import SIGNATURE, inflated
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["read", "write"]

_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ENCODING = re.compile(r"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_NUMBERS = frozenset(name for name in KNOWN if name.endswith("_m")) | {"priority"}
_LISTS = frozenset({"times", "applies_to", "also_at", "assumed"})
_ELEMENTS_A_VERTEX = 20
"""Elements that a placemark may have for each vertex that it may have; more are no honest one."""
_KEPT_ELEMENTS = 1_000
"""Between two placemarks, before they are freed."""
_UNREAD = frozenset({"Model", "Track", "MultiTrack"})
_SIMPLE = {"Point": "Point", "LineString": "LineString", "Polygon": "Polygon"}
_DRAWN_OFF_GROUND = "altitudeMode ignored: heights are stated by lower_m and upper_m"
_TIME_STAMP = "TimeStamp ignored: times are stated by TimeSpan, or by start and end"


def read(
    data: bytes, *, name: str, defaults: Defaults, limits: Limits = DEFAULT_LIMITS
) -> ReadResult:
    """Return the entities of a KML or KMZ file, one a Placemark.

    Parameters
    ----------
    data
        The file; of a KMZ ``doc.kml`` is read, else the first KML in it.
    name
        Its name, for messages and for identifiers of placemarks that have none.
    defaults
        What fills in for missing kind, party and datum.
    limits
        Beyond which a file or a placemark is refused.

    Returns
    -------
    ReadResult
        Nothing is raised for bad input: each refusal is one of its problems.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        if data.startswith(SIGNATURE):
            data = _main_document(data, gathering)
        _check_prolog(decoded(data))
        _read_document(data, gathering, defaults)
    except InputError as error:
        gathering.refuse(error)
    return gathering.result()


def _main_document(data: bytes, gathering: Gathering) -> bytes:
    documents: list[str] = []

    def choose(names: list[str]) -> str:
        documents.extend(name for name in names if name.lower().endswith(".kml"))
        if not documents:
            raise InputError(
                "the zip file holds no KML", "give a KMZ file, or unpack it and give what is inside"
            )
        return next((name for name in documents if name.lower() == "doc.kml"), documents[0])

    main, content = inflated(data, choose, gathering.limits)
    for document in documents:
        if document != main:
            gathering.refuse(
                InputError(
                    f"the KMZ holds a further KML, {shown(document)}, which isn't read",
                    "unpack it and give that file by itself",
                )
            )
    return content


def _check_prolog(text: str) -> None:
    """Refuse a document type before any parser sees it: entities can be declared only there."""
    encoding = _ENCODING.match(text.lstrip())
    if encoding and encoding.group(1).lower() not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        raise InputError(f"the file says that it is {shown(encoding.group(1))}", "save it as UTF-8")
    prolog = _PROLOG.match(text)
    if prolog and text.startswith("<!", prolog.end()):
        raise InputError(
            "the file declares a document type, in which entities and other files could hide",
            "remove the DOCTYPE declaration",
        )


def _read_document(data: bytes, gathering: Gathering, defaults: Defaults) -> None:
    from lxml import etree

    number = 0
    root = ""
    inside = elements = 0  # placemarks that are open; elements since the outermost one opened
    try:
        for event, element in etree.iterparse(
            io.BytesIO(data),
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        ):
            tag = _tag(element)
            if event == "start":
                root = root or tag
                if root != "kml":
                    raise InputError(
                        f"the file is XML of {shown(root)}, not KML", "give a KML file"
                    )
                if tag == "Placemark":
                    inside += 1
                    elements = elements if inside > 1 else 0
                elements += 1
                if inside and elements > _ELEMENTS_A_VERTEX * gathering.limits.vertices:
                    raise InputError(
                        f"placemark {number + 1} has {elements:,} elements or more",
                        "split it into several",
                        field=f"line {element.sourceline}",
                    )
                continue
            if tag == "NetworkLink":
                gathering.refuse(
                    InputError(
                        "a NetworkLink points to another file, which isn't read",
                        "give that file by itself and remove the link",
                    ),
                    f"line {element.sourceline}",
                )
            elif tag == "Placemark" and inside > 1:
                inside -= 1
                # Which of the two each part belongs to can't be known.
                gathering.refuse(
                    InputError("a Placemark stands in another one", "put them side by side"),
                    f"placemark {number + 1}, line {element.sourceline}",
                )
            elif tag == "Placemark":
                inside -= 1
                number += 1
                place = f"placemark {number}, line {element.sourceline}"
                try:
                    entity = _entity(element, place, number, gathering, defaults)
                except InputError as error:
                    gathering.refuse(error, place)
                else:
                    gathering.add(entity)
                element.clear()
                _forget_before(element)
            elif not inside and elements > _KEPT_ELEMENTS:
                elements = 0
                _forget_before(element)
    except etree.XMLSyntaxError as error:
        raise InputError(
            f"the file is no well-formed XML: {shown(error.msg)}",
            "correct it there; a file that ends too early was cut off on its way",
            field=f"line {error.lineno}",
        ) from None


def _forget_before(element: Element | None) -> None:
    """Free what stands before an element, so that a large file is never one tree."""
    while element is not None:
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
        element = parent


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, *tags: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) in tags)


def _text(element: Element) -> str:
    """Return what an element holds; text behind a further element in it would go unseen."""
    if len(element):
        raise InputError(
            f"a {shown(_tag(element))} holds an element, {shown(_tag(element[0]))}, where text is "
            "due",
            "take it out, and leave the text",
            field=_tag(element),
        )
    return str(element.text or "").strip()


def _entity(
    placemark: Element, place: str, number: int, gathering: Gathering, defaults: Defaults
) -> Entity:
    said: list[str] = []
    properties = _properties(placemark, said)
    found = [
        geometry
        for child in placemark
        if (geometry := _geometry(child, said, gathering.limits, 0)) is not None
    ]
    if len(found) > 1:
        raise InputError(
            "a Placemark has several geometries",
            "put them into one MultiGeometry",
            field="geometry",
        )
    parts, third = parts_of(found[0] if found else None, gathering.limits)
    volumes = properties.pop("volumes", None)
    return entity_from_properties(
        properties,
        parts,
        fallback_id=f"{PurePath(gathering.file).name}:{number}",
        source=f"{gathering.file}, {place}",
        defaults=defaults,
        volumes=exact_volumes(_exact(volumes), parts, properties),
        assumed=(*dict.fromkeys(said), *third),
    )


def _exact(text: str | None) -> object:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Refused with its remedy where the member is read.
        return text


def _properties(placemark: Element, said: list[str]) -> dict[str, Any]:
    typed: dict[str, str] = {}
    for key, text in _stated(placemark):
        if key in typed:
            raise InputError(
                f"{shown(key)} is stated twice", "keep the one that is right", field=key
            )
        typed[key] = text
    for child in _children(placemark, "name"):
        # Some programs write HTML in it unescaped; no verdict depends on a name.
        typed.setdefault("name", " ".join("".join(map(str, child.itertext())).split()))
    if any(_children(placemark, "TimeStamp")):
        said.append(_TIME_STAMP)
    for span in _children(placemark, "TimeSpan"):
        for child in span:
            begin_or_end = _SPAN.get(_tag(child))
            text = _text(child)
            if begin_or_end is None or not text:
                continue
            if typed.setdefault(begin_or_end, text) != text:
                raise InputError(
                    f"TimeSpan and ExtendedData state two times for {begin_or_end}",
                    "keep the one that is right",
                    field=begin_or_end,
                )
    return {key: _value(key, text) for key, text in typed.items() if text}


_SPAN = {"begin": "start", "end": "end"}


def _stated(placemark: Element) -> Iterator[tuple[str, str]]:
    """Yield what ExtendedData holds, untyped or by a schema."""
    for extended in _children(placemark, "ExtendedData"):
        for data in _children(extended, "Data"):
            values = [_text(value) for value in _children(data, "value")]
            name = data.get("name", "")
            if len(values) > 1:
                raise InputError(
                    f"{shown(name)} has {len(values)} values", "keep the one meant", field=name
                )
            yield name, values[0] if values else ""
        for schema in _children(extended, "SchemaData"):
            for data in _children(schema, "SimpleData"):
                yield data.get("name", ""), _text(data)


def _value(key: str, text: str) -> object:
    if key in _NUMBERS:
        return number_from_text(text, key)
    if key in _LISTS:
        mark = "\n" if key == "assumed" else ";"
        return [part for part in (part.strip() for part in text.split(mark)) if part]
    return text


def _geometry(
    element: Element, said: list[str], limits: Limits, nesting: int
) -> dict[str, Any] | None:
    """Return the GeoJSON geometry that an element is, ``None`` if it is no geometry."""
    tag = _tag(element)
    if tag in _UNREAD or tag == "LinearRing":
        raise InputError(
            f"a {tag} can't be read as a volume",
            "write a Point, LineString, Polygon or MultiGeometry",
            field="geometry",
        )
    if tag == "MultiGeometry":
        if nesting == limits.nesting:
            raise InputError(
                "MultiGeometry is nested too deep", "write them in one", field="geometry"
            )
        members = [_geometry(child, said, limits, nesting + 1) for child in element]
        return {
            "type": "GeometryCollection",
            "geometries": [member for member in members if member is not None],
        }
    if tag not in _SIMPLE:
        return None
    modes = {_text(mode) for mode in _children(element, "altitudeMode")}
    if modes - {"", "clampToGround", "clampToSeaFloor"}:
        said.append(_DRAWN_OFF_GROUND)
    if tag == "Polygon":
        shells, holes = (
            [
                ring
                for boundary in _children(element, side)
                for ring in _children(boundary, "LinearRing")
            ]
            for side in ("outerBoundaryIs", "innerBoundaryIs")
        )
        if len(shells) != 1:
            # A second one would be taken for a hole, and without one a hole for the shell.
            raise InputError(
                f"the outerBoundaryIs of a Polygon has {len(shells)} rings",
                "give it one outerBoundaryIs with one LinearRing",
                field="geometry",
            )
        rings = [_coordinates(ring, said, limits) for ring in (*shells, *holes)]
        return {"type": "Polygon", "coordinates": rings}
    positions = _coordinates(element, said, limits)
    if tag == "LineString":
        return {"type": "LineString", "coordinates": positions}
    if len(positions) != 1:
        raise InputError(f"a Point of {len(positions)} positions", "give it one", field="geometry")
    return {"type": "Point", "coordinates": positions[0]}


def _coordinates(element: Element, said: list[str], limits: Limits) -> list[list[NumberText]]:
    positions: list[list[NumberText]] = []
    for number, child in enumerate(_children(element, "coordinates"), 1):
        if number > 1:
            raise InputError(
                f"a {_tag(element)} has two lists of coordinates",
                "keep the one meant, or put them into one",
                field="geometry",
            )
        listed = _text(child).split()
        if len(listed) > limits.vertices:
            raise InputError(
                f"the geometry has more than {limits.vertices:,} vertices",
                "simplify it outward, or split it into several entities",
                field="geometry",
            )
        positions.extend(
            _position(typed, f"geometry, vertex {index}", said)
            for index, typed in enumerate(listed, 1)
        )
    return positions


def _position(typed: str, field: str, said: list[str]) -> list[NumberText]:
    parts = typed.split(",")
    if len(parts) == 3:
        # Nearly every KML has a third number of 0 that means nothing; it needs no vertex.
        number_from_text(parts.pop(), field)
        if SAID_THIRD not in said:
            said.append(SAID_THIRD)
    if len(parts) != 2:
        raise InputError(
            f"{shown(typed)} is no position",
            "write longitude,latitude without a space between, in degrees",
            field=field,
        )
    return [number_from_text(part, field) for part in parts]
