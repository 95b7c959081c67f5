"""Files of any known format: which format it is, and its entities."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePath
from typing import BinaryIO

from deconflict.formats.jsontext import JsonText
from deconflict.formats.numbers import shown
from deconflict.formats.reading import (
    DEFAULT_LIMITS,
    NO_DEFAULTS,
    Defaults,
    Gathering,
    Limits,
    Problem,
    ReadResult,
)
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

STANDARD_INPUT = "-"
"""The path that means standard input."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRead:
    """What the files of one run hold.

    Attributes
    ----------
    plans, against
        The entities of the files to check, and of those to check them against.
    problems
        Every refused part of every file, the files in their order.
    problems_left_out
        How many more there are.
    """

    plans: tuple[Entity, ...]
    against: tuple[Entity, ...]
    problems: tuple[Problem, ...]
    problems_left_out: int = 0


def read_files(
    paths: Sequence[str],
    against: Sequence[str] = (),
    *,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[float], None] | None = None,
) -> FilesRead:
    """Read the files of one run; an identifier that comes twice in all of them is a problem.

    Parameters
    ----------
    paths
        Files to check; ``"-"`` reads standard input.
    against
        Files to check them against.
    defaults
        What fills in for missing kind, party and datum.
    limits
        Beyond which a file or a part of it is refused.
    progress
        Called after each file with the share of files read, from 0 to 1.
    """
    problems: list[Problem] = []
    left_out = 0
    seen: dict[str, str] = {}
    groups: list[tuple[Entity, ...]] = []
    done = 0
    for group in (paths, against):
        kept: list[Entity] = []
        for path in group:
            result = read_file(path, defaults=defaults, limits=limits)
            gathering = Gathering(path, limits)
            try:
                kept.extend(_unique(result.entities, seen, gathering))
            except InputError as error:
                gathering.refuse(error)
            problems.extend(result.problems)
            problems.extend(gathering.problems)
            left_out += result.problems_left_out + gathering.problems_left_out
            done += 1
            if progress is not None:
                progress(done / (len(paths) + len(against)))
        groups.append(tuple(kept))
    plans, others = groups
    return FilesRead(
        plans=plans, against=others, problems=tuple(problems), problems_left_out=left_out
    )


def _unique(
    entities: Iterable[Entity], seen: dict[str, str], gathering: Gathering
) -> Iterable[Entity]:
    """Yield the entities whose identifiers are new, and refuse the others."""
    for entity in entities:
        first = seen.get(entity.id)
        if first is None:
            seen[entity.id] = entity.source
            yield entity
            continue
        gathering.refuse(
            InputError(
                f"{shown(entity.id)} is already the id in {first}",
                "give each entity an id of its own, and each file only once",
                field="id",
            ),
            entity.source.removeprefix(gathering.file).removeprefix(", "),
        )


def read_file(
    path: str, *, defaults: Defaults = NO_DEFAULTS, limits: Limits = DEFAULT_LIMITS
) -> ReadResult:
    """Return the entities of one file, whose content decides what format it is.

    Parameters
    ----------
    path
        Where it is; ``"-"`` reads standard input.
    defaults
        What fills in for missing kind, party and datum.
    limits
        Beyond which the file, or a part of it, is refused; a file that is too large is not read.

    Returns
    -------
    ReadResult
        Nothing is raised: a file that is missing, or can't be read, is a problem like any other.
    """
    # Bytes of a file's name that are no UTF-8 could not be written into any answer.
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    gathering = Gathering("standard input" if path == STANDARD_INPUT else name, limits)
    try:
        data = _content(path, limits)
    except InputError as error:
        gathering.refuse(error)
        return gathering.result()
    return read_bytes(data, name=gathering.file, defaults=defaults, limits=limits)


def read_bytes(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the entities of a file's content; parameters as in `read_file`, and its name."""
    try:
        limits.refuse_larger(data)
        found = format_of(data, name)
        _check_name(name, found)
    except InputError as error:
        gathering = Gathering(name, limits)
        gathering.refuse(error)
        return gathering.result()
    result = _reader(found)(data, name=name, defaults=defaults, limits=limits)
    if result.entities or result.problems:
        return result
    # A file of nothing must not pass for a file of nothing dangerous.
    nothing = InputError("the file holds no entity", "give a file that does, or leave it out")
    return replace(result, problems=(Problem.of(nothing, file=name),))


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


def _reader(found: Format) -> Callable[..., ReadResult]:
    """Return the reader of a format; each is loaded only when a file needs it."""
    if found is Format.GEOJSON:
        from deconflict.formats.geojson import read
    elif found in {Format.KML, Format.KMZ}:
        from deconflict.formats.kml import read
    elif found is Format.CSV:
        from deconflict.formats.csv_text import read
    elif found is Format.XLSX:
        from deconflict.formats.xlsx import read
    elif found is Format.OPENAIR:
        from deconflict.formats.openair import read
    elif found is Format.ED269:
        from deconflict.formats.ed269 import read
    else:
        from deconflict.standards.f3548.files import read
    return read


def _check_name(name: str, found: Format) -> None:
    suffix = PurePath(name).suffix.lower()
    promised = _BY_SUFFIX.get(suffix)
    if promised is not None and found not in promised:
        raise InputError(
            f"the file is named {suffix} and holds {found.value}",
            f"rename it if it is {found.value}, or give the file that was meant",
        )


def _content(path: str, limits: Limits) -> bytes:
    if path == STANDARD_INPUT and sys.stdin is None:
        raise InputError("standard input is closed", "give a file, or send one to it")
    try:
        if path == STANDARD_INPUT:
            return _read_up_to(sys.stdin.buffer, limits)
        _check_status(Path(path).stat(), limits)
        with Path(path).open("rb") as file:
            return _read_up_to(file, limits)
    except FileNotFoundError:
        raise InputError("there is no such file", "check its name and folder") from None
    except InputError:  # a ValueError too, and already in words
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is no file name"
        raise InputError(
            f"the file can't be read ({reason})", "check its permissions, or copy it"
        ) from None


def _check_status(status: os.stat_result, limits: Limits) -> None:
    """Refuse a folder, and a file that is too large, before anything is read."""
    if stat.S_ISDIR(status.st_mode):
        raise InputError("it is a folder", "give the files in it")
    if stat.S_ISREG(status.st_mode) and status.st_size > limits.file_bytes:
        raise InputError(
            f"the file has {status.st_size:,} bytes, more than {limits.file_bytes:,}",
            "split it into several files",
        )


def _read_up_to(file: BinaryIO, limits: Limits) -> bytes:
    """Return the content; of an endless source no more than shows that it is too large."""
    return file.read(limits.file_bytes + 1)


def write_file(entities: Iterable[Entity], path: str, *, replace: bool = False) -> None:
    """Write entities to a file that reads back as the same entities.

    Parameters
    ----------
    entities
        What to write, in order.
    path
        Where to; the ending says the format: ``.geojson``, ``.kml``, ``.csv`` or ``.xlsx``.
    replace
        Whether a file that exists is replaced.

    Raises
    ------
    InputError
        If the ending is another one, the file exists, or it can't be written; a file that could
        not be written whole is removed.
    """
    content = _writer(PurePath(path).suffix.lower(), path)(tuple(entities))
    try:
        stream = Path(path).open("wb" if replace else "xb")  # noqa: SIM115 - removed on failure
    except FileExistsError as error:
        raise InputError(
            "the file exists already",
            "write another name, or say that it may be replaced",
            field=path,
        ) from error
    except OSError as error:
        raise InputError(
            f"the file can't be written ({error.strerror})", "write another place", field=path
        ) from error
    try:
        with stream:
            stream.write(content)
    except OSError as error:
        Path(path).unlink(missing_ok=True)
        raise InputError(
            f"the file can't be written ({error.strerror})", "write another place", field=path
        ) from error


def _writer(suffix: str, path: str) -> Callable[[Sequence[Entity]], bytes]:
    """Return the writer of an ending; each is loaded only when it is needed."""
    if suffix == ".geojson":
        from deconflict.formats import geojson_writer

        return geojson_writer.write
    if suffix == ".kml":
        from deconflict.formats import kml_writer

        return kml_writer.write
    if suffix == ".csv":
        from deconflict.formats import csv_text

        return csv_text.write
    if suffix == ".xlsx":
        from deconflict.formats import xlsx

        return xlsx.write
    raise InputError(
        f"{suffix or 'a name without ending'} is no format that is written",
        "write a name that ends in .geojson, .kml, .csv or .xlsx",
        field=path,
    )
