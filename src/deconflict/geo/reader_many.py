"""Many coordinate texts at once, with the answers of the reader of one.

The frequent forms of the frequent notations are taken apart line by line and computed in columns.
Everything else, and every row of which anything looks wrong, goes to the reader of one, so every
refusal and every assumption has one source. Both give the same bits (see
`deconflict.geo.elementary`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deconflict.geo.datum import datum_named
from deconflict.geo.elementary import columns
from deconflict.geo.errors import InputError
from deconflict.geo.notation import degrees, georef, mgrs, pluscode, utm
from deconflict.geo.notation.ellipsoids import WGS84
from deconflict.geo.notation.grid import (
    SAME_PLACE_M,
    SOUTH_FALSE_NORTHING_M,
    UTM_SCALE,
    from_utm,
)
from deconflict.geo.notation.text import MAX_CHARACTERS, plain
from deconflict.geo.position import Position
from deconflict.geo.projection import half_diagonal_m
from deconflict.geo.reader import BareDatum, read_position

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BEFORE = ("WGS 84 ", "WGS84 ")
_AFTER = (" WGS 84", " WGS84")
_ANYWHERE = (-math.inf, math.inf)
_GEOREF = re.compile(r"()([A-Z]{2}) ?([A-Z]{2}) ?(\d+)(?: (\d+))?")

Row = tuple[float, ...]


class ReadPositions:
    """What a list of texts says: columns, one row a text.

    Attributes
    ----------
    texts
        The texts as typed.
    lat_deg, lon_deg, uncertainty_m
        As of `Position`; NaN where the text is refused. Read-only arrays of float64.
    """

    def __init__(
        self,
        texts: Sequence[str],
        cols: tuple[Floats, Floats, Floats],
        one_by_one: dict[int, Position | InputError],
        settings: dict[str, Any],
    ) -> None:
        self.texts = texts
        self.lat_deg, self.lon_deg, self.uncertainty_m = cols
        for column in cols:
            column.flags.writeable = False
        self._one_by_one = one_by_one
        self._settings = settings

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def refused(self) -> tuple[int, ...]:
        """The rows whose text is refused."""
        return tuple(
            sorted(row for row, one in self._one_by_one.items() if isinstance(one, InputError))
        )

    def position(self, row: int) -> Position:
        """Return the position of a row, with its provenance.

        Raises
        ------
        InputError
            If its text is refused.
        """
        row = range(len(self.texts))[row]
        found = self._one_by_one.get(row)
        if isinstance(found, InputError):
            raise found
        return found or read_position(self.texts[row], **self._settings)

    def error(self, row: int) -> InputError | None:
        """Return why the text of a row is refused, ``None`` if it is not."""
        found = self._one_by_one.get(range(len(self.texts))[row])
        return found if isinstance(found, InputError) else None


def read_many(
    texts: Sequence[str],
    *,
    stated_uncertainty_m: float,
    obtained: str | None,
    default_datum: str | None,
    bare_datum: BareDatum,
) -> ReadPositions:
    """Read many texts; see `deconflict.geo.reader.read_positions`."""
    texts = tuple(texts)
    settings: dict[str, Any] = {
        "stated_uncertainty_m": stated_uncertainty_m,
        "obtained": obtained,
        "default_datum": default_datum,
        "bare_datum": bare_datum,
    }
    lat, lon, uncertainty = (np.full(len(texts), np.nan) for _ in range(3))
    if default_datum is None or datum_named(default_datum).is_wgs84:
        lines = _Lines(default_datum is not None, bare_datum == "assume")
        lines.take(texts)
        for rows, lats, lons, precisions in (lines.angles(), lines.grids()):
            lat[rows], lon[rows], uncertainty[rows] = lats, lons, precisions
        uncertainty += stated_uncertainty_m
    one_by_one: dict[int, Position | InputError] = {}
    for row in np.flatnonzero(np.isnan(uncertainty)).tolist():
        try:
            one = read_position(texts[row], **settings)
        except InputError as error:
            one_by_one[row] = error
        else:
            one_by_one[row] = one
            lat[row], lon[row], uncertainty[row] = one.lat_deg, one.lon_deg, one.uncertainty_m
    return ReadPositions(texts, (lat, lon, uncertainty), one_by_one, settings)


class _Lines:
    """The lines in frequent forms, taken apart."""

    def __init__(self, datum_set: bool, bare_grids: bool) -> None:  # noqa: FBT001
        self._datum_set = datum_set
        self._grids_too = bare_grids or datum_set
        self._angle_rows: list[int] = []
        self._angles: list[Row] = []
        self._grid_rows: list[int] = []
        self._grids: list[Row] = []

    def take(self, texts: Sequence[str]) -> None:
        """Take apart what is in a frequent form; leave the rest."""
        angle_rows, angles, grid_rows, grids = (
            self._angle_rows,
            self._angles,
            self._grid_rows,
            self._grids,
        )
        for row, typed in enumerate(texts):
            if len(typed) > MAX_CHARACTERS or not typed.isprintable():
                continue
            text = plain(typed)
            named = False
            if text.endswith(_AFTER):
                text, named = text[: text.rindex(" WGS")], True
            elif text.startswith(_BEFORE):
                text, named = text[7 if text[3] == " " else 6 :], True
            try:
                if named or self._datum_set:
                    angle = _angle(text)
                    if angle is not None:
                        angle_rows.append(row)
                        angles.append(angle)
                        continue
                if named or self._grids_too:
                    grid = _mgrs(text) or _utm(text)
                    if grid is not None:
                        grid_rows.append(row)
                        grids.append(grid)
                        continue
                    if found := _GEOREF.fullmatch(text):
                        cell = georef.parse(found)
                        angle_rows.append(row)
                        angles.append((cell[0], cell[1], cell[2], cell[2]))
                        continue
                if found := pluscode.CODE.fullmatch(text):
                    angle_rows.append(row)
                    angles.append(pluscode.parse(found))
            except InputError:
                continue  # the reader of one says what is wrong

    def angles(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """Return rows, latitude, longitude and precision of cells in degrees."""
        rows = np.array(self._angle_rows, dtype=np.int64)
        lat, lon, half_lat, half_lon = _columns(self._angles, 4)
        return rows, lat, lon, half_diagonal_m(lat, half_lat, half_lon, WGS84, columns())

    def grids(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """Return rows, latitude, longitude and precision of cells in metres.

        Left out are those outside their band or zone.
        """
        rows = np.array(self._grid_rows, dtype=np.int64)
        zone, easting, north, precision, low, high, west, east = _columns(self._grids, 8)
        lat, lon, miss = from_utm(easting, north, zone, WGS84, columns())
        fits = (lat >= low) & (lat <= high) & (lon >= west) & (lon <= east) & (miss < SAME_PLACE_M)
        lon = np.where(lon > 180.0, lon - 360.0, np.where(lon < -180.0, lon + 360.0, lon))
        return rows[fits], lat[fits], lon[fits], precision[fits]


def _columns(rows: list[Row], count: int) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(c) for c in np.array(rows, float).reshape(-1, count).T)


def _angle(text: str) -> Row | None:
    if found := degrees.LETTERS_AFTER.fullmatch(text):
        d, m, s, letter, d2, m2, s2, letter2 = found.groups()
    elif found := degrees.LETTERS_BEFORE.fullmatch(text):
        letter, d, m, s, letter2, d2, m2, s2 = found.groups()
    else:
        return None
    return degrees.placed((d, m, s), letter, (d2, m2, s2), letter2)[:4]


def _mgrs(text: str) -> Row | None:
    found = mgrs.GRID.fullmatch(text)
    if found is None:
        return None
    c = mgrs.cell(found)
    precision_m = mgrs.half_diagonal_m(c.size_m)
    return (float(c.zone), c.easting_m, c.north_m, precision_m, *c.bounds)


def _utm(text: str) -> Row | None:
    found = utm.PLAIN.fullmatch(text)
    if found is None:
        return None
    number, which, easting, _, northing = found.groups()
    zone, east, north = int(number), utm.length(easting), utm.length(northing)
    if not (1 <= zone <= 60 and utm.EASTINGS_M[0] <= east.value_m <= utm.EASTINGS_M[1]):
        return None
    southern, limits = utm.limits(zone, which.lower() if len(which) > 1 else which, north)
    north_m = north.value_m - (SOUTH_FALSE_NORTHING_M if southern else 0.0)
    precision_m = utm.precision_m(east.half_m, north.half_m, UTM_SCALE)
    return (float(zone), east.value_m, north_m, precision_m, *limits, *_ANYWHERE)
