"""GeoJSON (RFC 7946) and GeoJSON text sequences (RFC 8142, or a feature a line): read strictly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from deconflict.formats.exact import exact_volumes
from deconflict.formats.geojson_writer import feature, write
from deconflict.formats.geometry import GEOMETRY_TYPES, parts_of
from deconflict.formats.jsontext import BrokenTextError, JsonText
from deconflict.formats.numbers import shown
from deconflict.formats.properties import entity_from_properties
from deconflict.formats.reading import DEFAULT_LIMITS, Defaults, Gathering, Limits, ReadResult
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

__all__ = ["feature", "read", "write"]

_SEPARATOR = "\x1e"
"""Begins each record of RFC 8142."""

_LINE_SUFFIXES = frozenset({".ndjson", ".geojsonl", ".geojsons", ".geojsonseq", ".jsonl"})

_ED318_MEMBERS = frozenset({"layer", "extent"})

_WGS84_NAMES = frozenset(
    {
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:OGC::CRS84",
        "OGC:CRS84",
        "urn:ogc:def:crs:EPSG::4326",
        "EPSG:4326",
    }
)
"""What writers of the older GeoJSON of 2008 call longitude and latitude on WGS 84."""


def read(
    data: bytes, *, name: str, defaults: Defaults, limits: Limits = DEFAULT_LIMITS
) -> ReadResult:
    """Return the entities of a GeoJSON file: a FeatureCollection, a Feature, or one a line.

    Parameters
    ----------
    data
        The file.
    name
        Its name, for messages and for identifiers of features that have none.
    defaults
        What fills in for missing kind, party and datum.
    limits
        Beyond which a file or a feature is refused.

    Returns
    -------
    ReadResult
        Nothing is raised for bad input: each refusal is one of its problems.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        text = decoded(data)
        if text.startswith(_SEPARATOR):
            _read_records(text, gathering, defaults)
        elif _is_lines(text, name):
            _read_lines(text, gathering, defaults)
        else:
            _read_document(text, gathering, defaults)
    except InputError as error:
        gathering.refuse(error)
    return gathering.result()


def _is_lines(text: str, name: str) -> bool:
    """Tell a feature a line from one document: by its name, else by its first line."""
    if PurePath(name).suffix.lower() in _LINE_SUFFIXES:
        return True
    first, _, rest = text.partition("\n")
    if not first.rstrip().endswith("}") or not rest.lstrip().startswith("{"):
        return False
    try:
        JsonText(first).value(typed=False)
    except BrokenTextError:
        return False
    return True


def _read_records(text: str, gathering: Gathering, defaults: Defaults) -> None:
    for number, record in enumerate(text.split(_SEPARATOR)[1:], 1):
        _read_one(record, f"record {number}", number, gathering, defaults)


def _read_lines(text: str, gathering: Gathering, defaults: Defaults) -> None:
    number = 0
    for line_number, line in enumerate(_lines(text), 1):
        if line and not line.isspace():
            number += 1
            _read_one(line, f"line {line_number}", number, gathering, defaults)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines between line feeds; other line ends are characters of JSON texts."""
    at = 0
    while at <= len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text[at:end]
        at = end + 1


def _read_one(
    record: str, place: str, number: int, gathering: Gathering, defaults: Defaults
) -> None:
    json_text = JsonText(record.strip(" \t\r\n"))
    try:
        feature = json_text.value(typed=True)
        json_text.end()
    except BrokenTextError as error:
        # The line within the record would be taken for that of the file.
        gathering.refuse(InputError(error.what, error.remedy), place)
        return
    _FeatureReader(json_text, gathering, defaults).read(feature, place, number)


def _read_document(text: str, gathering: Gathering, defaults: Defaults) -> None:
    json_text = JsonText(text)
    reader = _FeatureReader(json_text, gathering, defaults)
    top: dict[str, Any] = {}
    for key in json_text.members():
        if key == "features" and text.startswith("[", json_text.at):
            top[key] = True
            for fault in json_text.faults():
                gathering.refuse(fault)
            before = json_text.at
            for number, feature in enumerate(json_text.elements(lambda: reader.typed), 1):
                reader.read(feature, f"feature {number}", number, before)
                before = json_text.at
        else:
            top[key] = json_text.value(typed=True)
    json_text.end()
    kind = top.get("type")
    if kind == "Feature":
        reader.read(top, "feature 1", 1)
        return
    for fault in json_text.faults():
        raise fault
    if kind in GEOMETRY_TYPES:
        raise InputError(
            f"the file is a bare {kind}, which can't say what it is",
            "make it the geometry of a Feature whose properties state the kind",
        )
    if kind != "FeatureCollection" or top.get("features") is not True:
        raise InputError(
            f"type {shown(kind)} is no GeoJSON with features",
            "write a FeatureCollection with a list of features, or a Feature",
            field="type",
        )
    try:
        _check_crs(top)
    except InputError:
        # Every feature was read on the wrong system: none may be checked.
        gathering.entities.clear()
        raise


class _FeatureReader:
    """Turns decoded features into entities, and remembers how numbers are best read."""

    def __init__(self, json_text: JsonText, gathering: Gathering, defaults: Defaults) -> None:
        self.json_text = json_text
        self.gathering = gathering
        self.defaults = defaults
        self.file_name = PurePath(gathering.file).name
        self.typed = True

    def read(self, feature: object, place: str, number: int, start: int | None = None) -> None:
        """Add the entity of a feature, or the problem that it is.

        `start` is where the feature begins, give or take a comma and white space, if its numbers
        may have been read without their decimals.
        """
        try:
            for fault in self.json_text.faults():
                raise fault
            entity = self._entity(feature, place, number, start)
        except BrokenTextError:
            raise
        except InputError as error:
            self.gathering.refuse(error, place)
            return
        self.gathering.add(entity)

    def _entity(self, feature: object, place: str, number: int, start: int | None) -> Entity:
        if not isinstance(feature, dict):
            raise InputError(f"{shown(feature)} is no feature", "write a GeoJSON Feature")
        kind = feature.get("type")
        if kind != "Feature":
            raise InputError(
                f"type {shown(kind)} where a Feature is due",
                "write a GeoJSON Feature with the geometry and the properties",
                field="type",
            )
        properties = feature.get("properties")
        if properties is None:
            properties = {}
        elif not isinstance(properties, dict):
            raise InputError(
                f"properties are {shown(properties)}", "write an object", field="properties"
            )
        _check_crs(feature)
        _refuse_ed318(feature.get("geometry"))
        # Decimals count where no uncertainty is stated, and beside a position in text.
        typed = properties.get("uncertainty_m") is None or "position" in properties
        if start is not None and typed and not self.typed:
            feature = self._typed_again(start)
            properties = feature.get("properties") or {}
        # Features of one file are alike: the next one is read as this one had to be.
        self.typed = typed
        if properties.get("id") is None and feature.get("id") is not None:
            properties = {**properties, "id": feature["id"]}
        parts, said = parts_of(feature.get("geometry"), self.gathering.limits)
        return entity_from_properties(
            properties,
            parts,
            fallback_id=f"{self.file_name}:{number}",
            source=f"{self.gathering.file}, {place}",
            defaults=self.defaults,
            volumes=exact_volumes(feature.get("volumes"), parts, properties),
            assumed=said,
        )

    def _typed_again(self, start: int) -> dict[str, Any]:
        """Return the feature once more, its numbers with their decimals."""
        end = self.json_text.at
        self.json_text.at = self.json_text.text.index("{", start)
        feature: dict[str, Any] = self.json_text.value(typed=True)
        self.json_text.at = end
        return feature


def _refuse_ed318(geometry: object) -> None:
    """Refuse what ED-318 adds to a geometry: without it a circle would be read as a point."""
    if isinstance(geometry, dict) and not _ED318_MEMBERS.isdisjoint(geometry):
        raise InputError(
            "the geometry states heights or a radius as only ED-318 does",
            "give ED-318 features in a file of their own, or state lower_m, upper_m and radius_m",
            field="geometry",
        )


def _check_crs(holder: dict[str, Any]) -> None:
    """Refuse the member ``crs`` of the older GeoJSON unless it names WGS 84."""
    if "crs" not in holder:
        return
    crs = holder["crs"]
    named = crs.get("properties") if isinstance(crs, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if not (isinstance(name, str) and name in _WGS84_NAMES):
        raise InputError(
            f"the member crs names {shown(name) if name else 'no system'}, and GeoJSON is WGS 84",
            "convert the file to longitude and latitude on WGS 84 and leave crs out",
            field="crs",
        )
