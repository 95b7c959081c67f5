"""Tables, whatever file holds them: a header row, and one row an entity.

Columns bear the names of the fixed properties (`deconflict.formats.names.KNOWN`), and further:

- ``position``: coordinate text in any notation; several of them, with ``;`` between, are a route
  (with ``width_m``) or a polygon (with ``shape``); instead of it ``latitude`` and ``longitude`` in
  decimal degrees;
- ``datum``: of every coordinate text of the row that names none;
- ``shape``: ``point``, ``circle``, ``route`` or ``polygon``;
- ``lower``, ``upper``: heights as text, such as ``FL100``, ``GND`` or ``3000 ft MSL``, instead of
  ``lower_m``, ``upper_m`` and ``altitude_reference``;
- ``timezone``: ``UTC`` or an offset such as ``+02:00``, of times of the row that state none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deconflict.formats.names import KNOWN, near_miss
from deconflict.formats.numbers import NumberText, number_from_text, shortened, shown
from deconflict.formats.reading import Defaults, Gathering
from deconflict.formats.row import INSTANTS, entity_from_row, listed, sentences
from deconflict.geo.errors import InputError

COLUMNS = frozenset(
    {*KNOWN, "datum", "shape", "lower", "upper", "timezone", "latitude", "longitude"}
)
"""The names that a column may have to be read."""

MAX_COLUMNS = 500
"""Real tables stay below 100."""

_NUMBERS = frozenset(
    {
        "lower_m",
        "upper_m",
        "ground_m",
        "uncertainty_m",
        "radius_m",
        "width_m",
        "danger_radius_m",
        "reach_m",
        "priority",
        "latitude",
        "longitude",
    }
)
_LISTS = frozenset({"applies_to", "also_at", "times"})
_OTHER_NAMES = {
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "coordinate": "position",
    "coordinates": "position",
}
_POSITION_NAMES = frozenset({"coords", "location", "mgrs", "utm"})
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell whose content can't be taken as a value.

    Attributes
    ----------
    what, remedy
        As in `InputError`.
    """

    what: str
    remedy: str


Cell = str | int | float | datetime | BadCell | None
"""A cell: text, number, date and time without zone (of a workbook), or empty."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table.

    Attributes
    ----------
    names
        One a column: its name as read, or empty if it isn't read.
    titled
        One a column: whether it has a title at all.
    assumed
        Which columns are not read.
    """

    names: tuple[str, ...]
    titled: tuple[bool, ...]
    assumed: tuple[str, ...] = ()


def column_name(title: str) -> str:
    """Return the name that a title stands for, whatever its case and the blanks in it."""
    name = "_".join(title.strip().lower().replace("_", " ").split())
    return _OTHER_NAMES.get(name, name)


def read_header(titles: Sequence[Cell], gathering: Gathering, row: int) -> Header | None:
    """Return the columns of a table, or ``None`` if they are refused.

    Parameters
    ----------
    titles
        The cells of the header row.
    gathering
        Takes every problem of the header.
    row
        Number of the header row, for messages.
    """
    place = f"row {row}"
    problems: list[InputError] = []
    names: list[str] = []
    unread: list[str] = []
    for cell in titles:
        if isinstance(cell, BadCell):
            problems.append(InputError(cell.what, "write the title as text"))
            continue
        title = "" if cell is None else str(cell).strip()
        name = column_name(title)
        meant = near_miss(title)
        if name in COLUMNS:
            if name in names:
                problems.append(
                    InputError(
                        f"two columns are called {shown(name)}",
                        "keep the one meant",
                        field=shortened(title),
                    )
                )
            names.append(name)
            continue
        names.append("")
        if not title:
            continue
        unread.append(shown(title))
        if meant is not None:
            problems.append(
                InputError(
                    f'column {shown(title)} is not known, and looks like "{meant}"',
                    f'call it "{meant}" (metres, where it is a length), or rename it',
                    field=shortened(title),
                )
            )
        elif name in _POSITION_NAMES:
            problems.append(
                InputError(
                    f"column {shown(title)} is not known, and looks like coordinates",
                    'call it "position"',
                    field=shortened(title),
                )
            )
    if len(titles) > MAX_COLUMNS:
        problems.append(InputError(f"the table has {len(titles):,} columns", "remove some"))
    problems += _place_problems(names)
    for problem in problems:
        gathering.refuse(problem, place)
    if problems:
        return None
    assumed = (f"columns that are not known are not read: {', '.join(unread)}",) if unread else ()
    return Header(tuple(names), tuple(bool(str(cell or "").strip()) for cell in titles), assumed)


def _place_problems(names: Sequence[str]) -> list[InputError]:
    if "position" in names:
        if "latitude" in names or "longitude" in names:
            return [
                InputError(
                    "there are columns for both position, and latitude or longitude",
                    "keep position, or latitude and longitude",
                    field="position",
                )
            ]
        return []
    if "latitude" in names and "longitude" in names:
        return []
    return [
        InputError(
            'no column is called "position", so where anything is can\'t be known',
            'give each column its name in the first row, such as "id", "kind", "position"; '
            "the command `deconflict template` writes a table to begin with",
        )
    ]


def read_rows(
    header: Header,
    rows: Iterable[tuple[int, Sequence[Cell]]],
    gathering: Gathering,
    defaults: Defaults,
    *,
    decimal_comma: bool = False,
    assumed: tuple[str, ...] = (),
) -> None:
    """Read every row into an entity or a problem.

    Parameters
    ----------
    header
        The columns.
    rows
        Number and cells of each row.
    gathering
        Takes entities and problems.
    defaults
        What fills in for that which a row lacks.
    decimal_comma
        Whether the file is of a kind in which ``0,5`` can only be a number.
    assumed
        What was assumed of the whole file.

    Raises
    ------
    InputError
        If the file holds too many entities.
    """
    found = False
    for number_, cells in rows:
        if all(cell is None or cell == "" for cell in cells):
            continue
        found = True
        try:
            values = _values(header, cells, decimal_comma=decimal_comma)
            entity = entity_from_row(
                values,
                row=number_,
                file=gathering.file,
                defaults=defaults,
                assumed=(*assumed, *header.assumed),
                limit=gathering.limits.vertices,
            )
        except InputError as error:
            gathering.refuse(error, f"row {number_}")
        else:
            gathering.add(entity)
    if not found:
        gathering.refuse(InputError("there is no row below the header", "add one row an entity"))


def _values(header: Header, cells: Sequence[Cell], *, decimal_comma: bool) -> dict[str, object]:
    """Return what a row states, by column: texts, numbers, dates."""
    if len(cells) < len(header.names):
        raise InputError(
            f"the row has {len(cells)} cells, and the header {len(header.names)}",
            "give each row as many cells as the header has, empty ones too",
        )
    values: dict[str, object] = {}
    for index, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        if index >= len(header.names) or not header.titled[index]:
            raise InputError(
                f"cell {index + 1} of the row stands below no title",
                "put quotation marks round a text that holds the separator, or give the column a "
                "title",
            )
        name = header.names[index]
        if not name:
            continue
        if isinstance(cell, BadCell):
            raise InputError(cell.what, cell.remedy, field=name)
        values[name] = _value(name, cell, decimal_comma=decimal_comma)
    return values


def _value(name: str, cell: str | float | datetime, *, decimal_comma: bool) -> object:
    if name in _NUMBERS:
        if isinstance(cell, str):
            text = _with_point(cell.strip(), name) if decimal_comma else cell
            return number_from_text(text, name)
        return NumberText(repr(cell)) if isinstance(cell, int | float) else cell
    if isinstance(cell, datetime):
        if name in INSTANTS:
            return cell
        raise InputError(
            "the cell is a date, which the workbook may have made of something else",
            "format the cell as text and write the value again",
            field=name,
        )
    if isinstance(cell, str):
        text = cell.strip()
        if name == "assumed":
            return sentences(text)
        return listed(text) if name in _LISTS else text
    if name in {"id", "name", "party", "applies_to", "obtained"}:
        return [str(cell)] if name in _LISTS else str(cell)
    raise InputError(
        f"{shown(cell)} is a number, and {name} is a text", "write it as text", field=name
    )


def _with_point(text: str, field: str) -> str:
    if _MAYBE_THOUSANDS.fullmatch(text):
        raise InputError(
            f"{shown(text)} could have a decimal comma, or a comma between thousands",
            "write a decimal point, and no mark between thousands",
            field=field,
        )
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
