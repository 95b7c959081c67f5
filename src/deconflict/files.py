"""Files of any known format: their entities, read and written."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO

from deconflict.formats.detection import Format, check_name, format_of
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
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

__all__ = [
    "STANDARD_INPUT",
    "FilesRead",
    "Format",
    "format_of",
    "read_bytes",
    "read_file",
    "read_files",
    "write_file",
]

STANDARD_INPUT = "-"
"""The path that means standard input."""

PIPE_PATIENCE_S = 10.0
"""How long a named pipe may wait for its writer."""


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
        check_name(name, found)
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


def _content(path: str, limits: Limits) -> bytes:
    if path == STANDARD_INPUT and sys.stdin is None:
        raise InputError("standard input is closed", "give a file, or send one to it")
    try:
        if path == STANDARD_INPUT:
            return _read_up_to(sys.stdin.buffer, limits)
        status = Path(path).stat()
        _check_status(status, limits)
        if stat.S_ISFIFO(status.st_mode):
            return _piped(path, limits)
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


def _piped(path: str, limits: Limits) -> bytes:
    """Return what comes through a named pipe, for whose writer nobody waits for ever."""
    import select

    # Opened so, a pipe without a writer doesn't block; read so, one with a slow writer does.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as pipe:
        select.select([pipe], [], [], PIPE_PATIENCE_S)
        os.set_blocking(pipe.fileno(), True)
        data = _read_up_to(pipe, limits)
    if not data:
        raise InputError(
            "it is a pipe into which nobody writes", "start its writer, or give a file"
        )
    return data


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
    write_bytes(
        _writer(PurePath(path).suffix.lower(), path)(tuple(entities)), path, replace=replace
    )


def write_bytes(content: bytes, path: str, *, replace: bool = False) -> None:
    """Write a file whole or not at all; the one that it replaces stays until the new one is there.

    Parameters
    ----------
    content
        What to write.
    path
        Where to.
    replace
        Whether a file that exists is replaced.

    Raises
    ------
    InputError
        If the file exists, or can't be written; what was begun is removed.
    """
    place = Path(path)
    begun: Path | None = None
    try:
        if replace and place.exists():
            place = place.resolve()
            handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
            begun, stream = Path(name), os.fdopen(handle, "wb")
            shutil.copymode(place, begun)
        else:
            stream = place.open("xb")
            begun = place
        with stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if begun != place:
            begun.replace(place)
        begun = None
    except FileExistsError as error:
        raise InputError(
            "the file exists already",
            "write another name, or say that it may be replaced (--force)",
            field=path,
        ) from error
    except OSError as error:
        raise InputError(
            f"the file can't be written ({error.strerror})", "write another place", field=path
        ) from error
    finally:
        if begun is not None:  # Ctrl-C too
            begun.unlink(missing_ok=True)


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
