"""Workbooks (ECMA-376, .xlsx and .xlsm): one row an entity.

Only values are read: a formula is refused, because what it was last computed to need not be what
it says; macros are never looked at. Merged cells are refused, because only the first of them holds
the value. The sheet called ``entities`` is read, else the first one.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import Any

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
from deconflict.formats.table import MAX_COLUMNS, BadCell, Cell, read_header, read_rows
from deconflict.formats.workbook import check_members, merged_ranges, with_fixed_times
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity

SHEET = "entities"
"""The sheet that is read, wherever it stands."""

HELP_SHEET = "help"
"""The sheet of the template that explains the columns; its being there needs no word."""

MAX_ROWS = 1_048_576
"""Rows of a sheet (ECMA-376); a file that names a higher one is broken on purpose."""

MAX_CELL = 32_767
"""Characters that a cell can hold."""

_CHUNK_ROWS = 1_000
"""Rows read at a time; switching warnings off costs as much as reading a row."""

_HEADER_WITHIN = 100
"""A header further down is none."""


def read(
    data: bytes,
    *,
    name: str,
    defaults: Defaults = NO_DEFAULTS,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadResult:
    """Return the entities of a workbook, and what of it is refused.

    Parameters
    ----------
    data
        The file's bytes.
    name
        The file's name, for messages and identifiers.
    defaults
        What fills in for that which a row lacks.
    limits
        Limits of size, also of what the workbook inflates to.
    """
    gathering = Gathering(name, limits)
    try:
        limits.refuse_larger(data)
        check_members(data, limits)
        _read(data, gathering, defaults)
    except InputError as error:
        gathering.refuse(error)
    return gathering.result()


def _read(data: bytes, gathering: Gathering, defaults: Defaults) -> None:
    with closing(_opened(data)) as workbook:
        sheet, assumed = _sheet(workbook)
        for merged in merged_ranges(data, sheet._worksheet_path):  # noqa: SLF001 - nowhere public
            raise InputError(
                f"the cells {merged} of sheet {shown(sheet.title)} are merged",
                "unmerge them, and write the value into each",
            )
        sheet.reset_dimensions()
        for number, cells in _rows(sheet, 1, None):
            if any(cell is not None for cell in cells):
                break
            if number > _HEADER_WITHIN:
                raise InputError(
                    f"the first {_HEADER_WITHIN} rows are empty", "write the header into row 1"
                )
        else:
            raise InputError(
                f"sheet {shown(sheet.title)} is empty",
                "write a header row, and below it one row an entity",
            )
        titles = list(cells)
        while titles and titles[-1] is None:
            titles.pop()
        header = read_header(titles, gathering, number)
        if header is not None:
            # One column more, to notice values beside the table.
            width = min(len(titles), MAX_COLUMNS) + 1
            rows = _rows(sheet, number + 1, width)
            read_rows(header, rows, gathering, defaults, assumed=assumed)


def _opened(data: bytes) -> Any:  # noqa: ANN401 - openpyxl has no types
    import openpyxl

    try:
        with warnings.catch_warnings():
            # It warns of extensions that it does not keep; nothing is written back.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(
                io.BytesIO(data), read_only=True, data_only=False, keep_links=False
            )
    except Exception as error:  # noqa: BLE001 - it raises whatever its parts raise
        raise _damaged(error) from None


def _sheet(workbook: Any) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401 - openpyxl has no types
    """Return the sheet to read, and what has to be said of the others."""
    sheets = workbook.worksheets
    if not sheets:
        raise InputError("the workbook has no sheet of cells", "give it one")
    chosen = next((sheet for sheet in sheets if sheet.title.lower() == SHEET), sheets[0])
    if chosen.sheet_state != "visible":
        raise InputError(
            f"sheet {shown(chosen.title)} is hidden",
            f'show it, or call the sheet that is meant "{SHEET}"',
        )
    others = [s.title for s in sheets if s is not chosen and s.title.lower() != HELP_SHEET]
    if not others:
        return chosen, ()
    unread = ", ".join(map(shown, others))
    return chosen, (f"only sheet {shown(chosen.title)} of the workbook is read, not {unread}",)


def _rows(
    sheet: Any,  # noqa: ANN401 - openpyxl has no types
    first: int,
    width: int | None,
) -> Iterator[tuple[int, list[Cell]]]:
    """Yield number and cells of each row from the first on."""
    rows = sheet.iter_rows(min_row=first, max_col=width)
    number = first - 1
    while True:
        chunk, error = _next_rows(rows)
        for row in chunk:
            number += 1
            if number > MAX_ROWS:
                raise InputError(
                    f"the sheet has more than {MAX_ROWS:,} rows", "remove the empty ones"
                )
            yield number, [_cell(cell) for cell in row]
        if error is not None:
            raise error
        if not chunk:
            return


def _next_rows(rows: Iterator[Any]) -> tuple[list[Any], InputError | None]:
    """Return some rows, and the error that ended them if any did."""
    chunk: list[Any] = []
    with warnings.catch_warnings():
        # It warns of dates that are none; their cells hold an error then.
        warnings.simplefilter("ignore")
        try:
            for row in rows:
                chunk.append(row)
                if len(chunk) == _CHUNK_ROWS:
                    break
        except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parts raise
            return chunk, _damaged(error)
    return chunk, None


def _damaged(error: Exception) -> InputError:
    reason = shown(str(error) or type(error).__name__)
    return InputError(
        f"the workbook can't be read ({reason})", "save it again as .xlsx, or as CSV UTF-8"
    )


def _cell(cell: Any) -> Cell:  # noqa: ANN401 - openpyxl has no types
    """Return what a cell holds."""
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "f":
        return BadCell("the cell holds a formula", "write the value: copy, and paste values only")
    if cell.data_type == "e":
        return BadCell(f"the cell holds the error {shown(value)}", "write the value")
    if isinstance(value, bool):
        return BadCell("the cell holds true or false", "write a text or a number")
    if isinstance(value, datetime):
        if value.time() == time() and "h" not in cell.number_format.lower():
            return BadCell(
                "the cell holds a day without a time of day",
                "write day and time, such as 2026-11-22T08:40:00Z",
            )
        return value
    if isinstance(value, date | time | timedelta):
        return BadCell(
            "the cell holds a day or a time of day alone",
            "write both together, such as 2026-11-22T08:40:00Z",
        )
    if isinstance(value, int | float):
        return value
    return str(value) if str(value).strip() else None


def write(entities: Sequence[Entity]) -> bytes:
    """Return entities as a workbook; the same entities give the same bytes.

    Every text is a cell of text, never a formula, and stays one when somebody edits it.

    Parameters
    ----------
    entities
        Each with one volume without holes.

    Raises
    ------
    InputError
        If an entity does not fit into one row, or a text not into one cell.
    """
    import openpyxl

    # All is checked before the sheet is begun, which openpyxl can't leave half written.
    rows = [_checked(entity) for entity in entities]
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet(SHEET)
    sheet.freeze_panes = "B2"
    sheet.append([_text_cell(sheet, name) for name in WRITTEN])
    for row in rows:
        sheet.append([_written(sheet, row.get(name)) for name in WRITTEN])
    return saved(workbook)


def _checked(entity: Entity) -> dict[str, str | NumberText]:
    """Return the cells of an entity, of which each fits into a cell of a workbook."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cells = cells_of(entity)
    for name, text in cells.items():
        if len(text) > MAX_CELL:
            raise InputError(
                f"entity {entity.id}: a text of {len(text):,} characters is more than a cell can "
                "hold",
                "write GeoJSON or CSV",
                field=name,
            )
        if ILLEGAL_CHARACTERS_RE.search(text):
            raise InputError(
                f"entity {entity.id}: {shown(text)} holds control characters",
                "write GeoJSON or CSV",
                field=name,
            )
    return cells


def saved(workbook: Any) -> bytes:  # noqa: ANN401 - openpyxl has no types
    """Return the bytes of a workbook of openpyxl, with every time in it fixed."""
    workbook.properties.creator = "Deconflict"
    target = io.BytesIO()
    workbook.save(target)
    return with_fixed_times(target.getvalue())


def as_text(cell: Any, text: str) -> None:  # noqa: ANN401 - openpyxl has no types
    """Make a cell hold a text and nothing else, whatever it begins with."""
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = True


def _text_cell(sheet: Any, text: str) -> Any:  # noqa: ANN401 - openpyxl has no types
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    as_text(cell, text)
    return cell


def _written(sheet: Any, cell: str | NumberText | None) -> Any:  # noqa: ANN401 - as above
    if cell is None:
        return None
    return float(cell) if isinstance(cell, NumberText) else _text_cell(sheet, cell)
