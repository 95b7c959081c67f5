"""Comma-separated values (RFC 4180), also with semicolons or tabs: one row an entity.

Source: RFC 4180 for quoting; what spreadsheet programs write in countries with a decimal comma for
the semicolon; the advice of the Open Worldwide Application Security Project on formula injection
for the apostrophe before ``= + - @``, tab and carriage return.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deconflict.formats.cells import WRITTEN, cells_of
from deconflict.formats.numbers import NumberText, shown
from deconflict.formats.reading import (
    DEFAULT_LIMITS,
    NO_DEFAULTS,
    Defaults,
    Gathering,
    Limits,
    ReadResult,
)
from deconflict.formats.table import COLUMNS, Cell, column_name, read_header, read_rows
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

DELIMITERS = (",", ";", "\t")
"""What may stand between cells; the header decides which it is."""

_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""The last four are the full-width forms, which some spreadsheet programs compute too."""
_REMEDY_UTF8 = 'save the file as "CSV UTF-8"'


def read(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the entities of a table, and what of it is refused.

    Parameters
    ----------
    data
        The file's bytes: UTF-8, with or without a byte order mark.
    name
        The file's name, for messages and identifiers.
    defaults
        What fills in for that which a row lacks.
    limits
        Limits of size.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        _read(decoded(data), gathering, defaults)
    except InputError as error:
        gathering.refuse(error)
    return gathering.result()


def _read(text: str, gathering: Gathering, defaults: Defaults) -> None:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            "a NUL character, so this is no text file", _REMEDY_UTF8, field=f"line {line}"
        )
    separator = _SEPARATOR_LINE.match(text)
    delimiter = separator[1] if separator else None
    if delimiter is not None and delimiter not in DELIMITERS:
        raise InputError(
            f"the first line names {shown(delimiter)} as separator",
            "separate cells by comma, semicolon or tab",
        )
    first_row = 2 if separator else 1
    text = text[separator.end() :] if separator else text
    delimiter = delimiter or _delimiter(text)
    rows = _rows(text, delimiter, gathering, first_row)
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            header = read_header(cells, gathering, number)
            break
    else:
        raise InputError("the file is empty", "write a header row, and below it one row an entity")
    if header is None:
        return
    entities = ((number, [_unguarded(cell) for cell in cells]) for number, cells in rows)
    read_rows(header, entities, gathering, defaults, decimal_comma=delimiter == ";")


def _delimiter(text: str) -> str:
    """Return the delimiter by which most titles of the header are known; the comma if none is."""
    line = next((line for line in io.StringIO(text) if line.strip()), "")

    def known(delimiter: str) -> int:
        titles = next(csv.reader([line], delimiter=delimiter), [])
        return sum(column_name(title) in COLUMNS for title in titles)

    try:
        return max(DELIMITERS, key=known)
    except csv.Error as error:
        raise InputError(f"the header can't be read ({error})", "write it in one line") from None


def _rows(
    text: str, delimiter: str, gathering: Gathering, first_row: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row; a row that can't be read is refused by itself."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = first_row - 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            gathering.refuse(
                InputError(
                    f"the row can't be read ({error})",
                    "put quotation marks round the whole cell, and double those inside it",
                ),
                f"row {number}",
            )
            continue
        yield number, cells


def _unguarded(cell: str) -> Cell:
    """Return a cell without the apostrophe that keeps a spreadsheet from computing it."""
    return cell[1:] if _GUARDED.match(cell) else cell


def write(entities: Sequence[Entity]) -> bytes:
    """Return entities as CSV: UTF-8 with a byte order mark, commas, CRLF.

    A text that a spreadsheet could take for a formula gets an apostrophe in front, which `read`
    takes away again.

    Parameters
    ----------
    entities
        Each with one volume without holes.

    Raises
    ------
    InputError
        If an entity does not fit into one row.
    """
    return written_rows([cells_of(entity) for entity in entities])


def written_rows(
    rows: Iterable[Mapping[str, str | NumberText]], titles: Sequence[str] = WRITTEN
) -> bytes:
    """Return rows, each by title, as CSV."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(titles)
    for row in rows:
        writer.writerow([_guarded(row.get(name, "")) for name in titles])
    # The mark makes spreadsheet programs read the file as UTF-8.
    return target.getvalue().encode("utf-8-sig")


def _guarded(cell: str | NumberText) -> str:
    if isinstance(cell, NumberText) or not _FORMULA.match(cell):
        return str(cell)
    return f"'{cell}"
