"""The table that people fill in: titles, an example, drop-downs, and a sheet that explains."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deconflict.formats.csv_text import written_rows
from deconflict.formats.row import EXAMPLE, SHAPES
from deconflict.formats.xlsx import HELP_SHEET, SHEET, as_text, saved
from deconflict.geo.height import AltitudeReference
from deconflict.register.entity import Kind, ZoneRule

FILLABLE_ROWS = 2_000
"""Rows below the titles that have drop-downs."""

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kind": tuple(Kind),
        "shape": SHAPES,
        "altitude_reference": tuple(AltitudeReference),
        "rule": tuple(ZoneRule),
        "datum": ("WGS 84", "ED50", "Pulkovo 1942", "Pulkovo 1995", "PZ-90.11", "ETRS89"),
        "obtained": ("gps", "survey", "map", "satellite image", "address", "interpolated"),
        "timezone": ("UTC", "+01:00", "+02:00", "+03:00"),
    }
)
"""What the drop-downs offer."""

OPEN_CHOICES = frozenset({"datum", "obtained", "timezone"})
"""Columns in which other words than those offered are right too."""

COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("Identifier, different in each row.", f"{EXAMPLE}-1"),
        "kind": (
            (
                "What it is. A site stays, a movement moves, an operation is planned, a zone has a "
                "rule. Required."
            ),
            "operation",
        ),
        "party": ("Who registers it. Empty: a party unlike any other.", "Party A"),
        "name": ("A name for people.", "Demolition at sea, an example: delete this row"),
        "position": (
            (
                "Coordinates in any notation, as they are written on the map or receiver: MGRS, "
                "UTM, degrees, Gauss-Krüger, GEOREF, Plus Code, EPSG. Several, with a semicolon "
                "between, make a route or a polygon. Required."
            ),
            "0°12'36.0\"N 3°30'54.0\"W",
        ),
        "datum": (
            (
                "The datum of the coordinates, from the margin of the map or the settings of the "
                "receiver. Degrees without one are refused."
            ),
            "WGS 84",
        ),
        "shape": ("Needed where several positions are given: route or polygon.", "circle"),
        "radius_m": ("Radius of the circle round the position, metres.", "50"),
        "width_m": ("Full width of a route, metres.", ""),
        "start": (
            "When it begins, with offset from UTC. Empty: it has begun.",
            "2030-01-15T08:00:00Z",
        ),
        "end": ("When it ends. Empty: it never ends.", "2030-01-15T10:30:00+01:00"),
        "timezone": (
            "UTC or an offset such as +02:00, for times that state none, and for date cells.",
            "",
        ),
        "times": ("Of a route: one time a position, with a semicolon between.", ""),
        "lower": ("Lower limit as text: GND, 500 ft AGL, 3000 ft MSL, FL100.", "GND"),
        "upper": ("Upper limit as text: 900 m MSL, FL100, UNL.", "3000 ft MSL"),
        "lower_m": ("Lower limit in metres, instead of lower. Empty: none, never zero.", ""),
        "upper_m": ("Upper limit in metres, instead of upper. Empty: none.", ""),
        "altitude_reference": (
            (
                "What lower_m and upper_m are measured from: W84 ellipsoid, MSL sea level, AGL "
                "ground, FL pressure."
            ),
            "",
        ),
        "ground_m": ("Elevation of the ground above sea level, metres, if it is known.", ""),
        "uncertainty_m": (
            "How far off the position may be, metres, apart from its last digit and its datum.",
            "10",
        ),
        "danger_radius_m": (
            (
                "Of an operation: how far beyond its shape it is dangerous, metres. Makes it "
                "hazardous, also as 0."
            ),
            "300",
        ),
        "rule": ("Of a zone: what it demands. Empty: keep_out.", ""),
        "applies_to": (
            "Of a zone: whom it binds, parties or ids, with a semicolon between. Empty: everyone.",
            "",
        ),
        "priority": ("Of an operation: the greater one goes first.", ""),
        "also_at": (
            (
                "The same place again, in another notation or from another source; a difference is "
                "found."
            ),
            "",
        ),
        "own_position": (
            "Where the submitter is. An operation there is an own position mistaken for a target.",
            "",
        ),
        "obtained": ("How the position was obtained.", "gps"),
        "obtained_at": ("When it was obtained.", "2026-01-14T16:20:00Z"),
        "reach_m": ("How far it may have moved since then, metres.", ""),
    }
)
"""Title, what it means, and what the example says; in the order of the template."""

_WIDTHS = MappingProxyType({"position": 34, "name": 34, "also_at": 26, "start": 24, "end": 26})


def template() -> bytes:
    """Return the template as a workbook; each call returns the same bytes.

    The example row bears an id that begins with ``EXAMPLE`` and lies at sea, in the Gulf of Guinea:
    forgotten in a table it harms nobody, and every answer says that it is still there.
    """
    import openpyxl

    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = SHEET
    _fill(sheet)
    _offer_choices(sheet)
    _explain(workbook.create_sheet(HELP_SHEET))
    return saved(workbook)


def template_csv() -> bytes:
    """Return the template as CSV: titles and the example row."""
    example = {name: text for name, (_, text) in COLUMNS.items()}
    return written_rows([example], tuple(COLUMNS))


def _fill(sheet: Any) -> None:  # noqa: ANN401 - openpyxl has no types
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    for column, (name, (_, example)) in enumerate(COLUMNS.items(), start=1):
        title = sheet.cell(1, column, name)
        title.font = Font(bold=True)
        title.fill = PatternFill("solid", start_color="DDDDDD")
        _put(sheet, 2, column, example)
        sheet.cell(2, column).font = Font(italic=True, color="808080")
        letter = get_column_letter(column)
        dimension = sheet.column_dimensions[letter]
        dimension.width = _WIDTHS.get(name, max(12, len(name) + 3))
        if not name.endswith("_m") and name != "priority":
            # As text, so that no program turns "3/4" into a day or "1e5" into a number.
            dimension.number_format = "@"
    sheet.freeze_panes = "B2"


def _put(sheet: Any, row: int, column: int, text: str) -> None:  # noqa: ANN401 - as above
    cell = sheet.cell(row, column)
    if not text:
        return
    if text.isdecimal():
        cell.value = int(text)
        return
    as_text(cell, text)


def _offer_choices(sheet: Any) -> None:  # noqa: ANN401 - openpyxl has no types
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for column, (name, (meaning, _)) in enumerate(COLUMNS.items(), start=1):
        letter = get_column_letter(column)
        choices = CHOICES.get(name)
        validation = DataValidation(
            type="list" if choices else None,
            formula1=f'"{",".join(choices)}"' if choices else None,
            allow_blank=True,
            showErrorMessage=bool(choices) and name not in OPEN_CHOICES,
            errorTitle=name,
            error=f"Write one of: {', '.join(choices)}"[:255] if choices else None,
            showInputMessage=True,
            promptTitle=name,
            prompt=meaning[:255],
        )
        validation.add(f"{letter}2:{letter}{FILLABLE_ROWS + 1}")
        sheet.add_data_validation(validation)


def _explain(sheet: Any) -> None:  # noqa: ANN401 - openpyxl has no types
    from openpyxl.styles import Alignment, Font

    sheet.append(["column", "what to write", "choices"])
    for name, (meaning, _) in COLUMNS.items():
        sheet.append([name, meaning, ", ".join(CHOICES.get(name, ()))])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.column_dimensions["A"].width = 20
    sheet.column_dimensions["B"].width = 90
    sheet.column_dimensions["C"].width = 60
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
