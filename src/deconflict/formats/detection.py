"""Which format a file is in, found from its content."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

from deconflict.formats.jsontext import JsonText
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError

KNOWN_FORMATS = "GeoJSON, KML, KMZ, CSV, XLSX, OpenAir, ED-269 or F3548"


class Format(StrEnum):
    """The formats that are read."""

    GEOJSON = "GeoJSON"
    KML = "KML"
    KMZ = "KMZ"
    CSV = "CSV"
    XLSX = "XLSX"
    OPENAIR = "OpenAir"
    ED269 = "ED-269"
    F3548 = "F3548"


_JSON = (Format.GEOJSON, Format.ED269, Format.F3548)
_BY_SUFFIX = {
    ".geojson": (Format.GEOJSON,),
    ".ndjson": (Format.GEOJSON,),
    ".geojsonl": (Format.GEOJSON,),
    ".geojsons": (Format.GEOJSON,),
    ".json": _JSON,
    ".kml": (Format.KML,),
    ".kmz": (Format.KMZ,),
    ".csv": (Format.CSV,),
    ".tsv": (Format.CSV,),
    ".xlsx": (Format.XLSX,),
    ".air": (Format.OPENAIR,),
    ".openair": (Format.OPENAIR,),
}
"""What the name of a file promises; other names, ``.txt`` among them, promise nothing."""
_SNIFFED_BYTES = 4096
_ZIP = b"PK\x03\x04"
_OPENAIR = re.compile(rb'^[ \t]*AC[ \t]+[^\s,;"]{1,16}[ \t]*(?:\*.*)?\r?$', re.MULTILINE)
"""The record that begins each airspace."""
_SEPARATOR = re.compile(rb"[,;\t]")
_GEOJSON_KEYS = frozenset({"geometry", "geometries", "coordinates"})
_GEOJSON_WORDS = frozenset({"Feature", "GeometryCollection"})
_ED318_KEYS = frozenset({"layer", "extent"})
_F3548_KEYS = frozenset(
    {
        "operational_intent",
        "constraint",
        "operational_intents",
        "constraints",
        "reference",
        "extents",
        "operational_intent_reference",
        "operational_intent_references",
        "constraint_reference",
        "constraint_references",
    }
)


def format_of(data: bytes, name: str = "") -> Format:
    """Return the format of a file's content; its name decides only about a table of one column.

    Raises
    ------
    InputError
        If it is empty or none that is known.
    """
    if data.startswith(_ZIP):
        return _zip_format(data)
    head = data[:_SNIFFED_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        # Refuses what is empty, binary or in another encoding.
        decoded(data[:_SNIFFED_BYTES])
        raise InputError("the file is of no known format", f"give {KNOWN_FORMATS}")
    first = head[:1]
    if first == b"\x1e":
        return Format.GEOJSON
    if first in {b"{", b"["}:
        return _json_format(decoded(data))
    if first == b"<":
        return Format.KML
    if 0 in head:
        raise InputError(
            "the file is binary or UTF-16", f"give {KNOWN_FORMATS}, texts saved as UTF-8"
        )
    if _OPENAIR.search(head):
        return Format.OPENAIR
    if _SEPARATOR.search(head.partition(b"\n")[0]):
        return Format.CSV
    if _OPENAIR.search(data):
        # Long comments may stand in front of the first airspace.
        return Format.OPENAIR
    if PurePath(name).suffix.lower() == ".csv":
        return Format.CSV
    raise InputError("the file is of no known format", f"give {KNOWN_FORMATS}")


def _zip_format(data: bytes) -> Format:
    from deconflict.formats.zipped import names

    members = names(data)
    if any(name.startswith("xl/") for name in members):
        return Format.XLSX
    if any(name.lower().endswith(".kml") for name in members):
        return Format.KMZ
    raise InputError("the zip file is no KMZ and no XLSX", "unpack it and give the files inside")


def _json_format(text: str) -> Format:
    """Tell JSON formats apart by the keys of the outermost object and of its first feature."""
    json_text = JsonText(text)
    if text.lstrip().startswith("["):
        for item in json_text.elements(lambda: False):
            return Format.F3548 if _looks_f3548(item) else Format.ED269
        raise InputError("the list is empty", f"give {KNOWN_FORMATS}")
    keys: list[str] = []
    for key in json_text.members():
        keys.append(key)
        if key == "features":
            return _format_of_features(json_text)
        if key in _F3548_KEYS:
            return Format.F3548
        if key in _GEOJSON_KEYS:
            return Format.GEOJSON
        value = json_text.value(typed=True)
        if key == "type" and isinstance(value, str) and value in _GEOJSON_WORDS:
            return Format.GEOJSON
    if not {"type", "bbox", "crs"}.isdisjoint(keys):
        # Refused with the type as its field.
        return Format.GEOJSON
    raise InputError("the JSON object is of no known format", f"give {KNOWN_FORMATS}")


def _looks_f3548(item: object) -> bool:
    return isinstance(item, dict) and not _F3548_KEYS.isdisjoint(item)


def _format_of_features(json_text: JsonText) -> Format:
    for feature in json_text.elements(lambda: True):
        if (
            isinstance(feature, dict)
            and feature.get("type") != "Feature"
            and ("identifier" in feature or isinstance(feature.get("geometry"), list))
        ):
            return Format.ED269
        if isinstance(feature, dict) and _looks_ed318(feature.get("geometry")):
            return Format.ED269
        break
    return Format.GEOJSON


def _looks_ed318(geometry: object) -> bool:
    """Return whether a geometry has what only ED-318 gives one; its circles are no points."""
    if not isinstance(geometry, dict):
        return False
    members = geometry.get("geometries")
    inner = members if isinstance(members, list) else []
    return any(
        isinstance(item, dict) and not _ED318_KEYS.isdisjoint(item) for item in (geometry, *inner)
    )


def check_name(name: str, found: Format) -> None:
    """Refuse a file whose name promises another format than it holds.

    Raises
    ------
    InputError
        If it does.
    """
    suffix = PurePath(name).suffix.lower()
    promised = _BY_SUFFIX.get(suffix)
    if promised is not None and found not in promised:
        raise InputError(
            f"the file is named {suffix} and holds {found.value}",
            f"rename it if it is {found.value}, or give the file that was meant",
        )
