"""Many coordinate texts at once, with the answers of the reader of one.

The frequent forms of the frequent notations are taken apart shape by shape, or line by line where
few lines have one, and computed in columns. Everything else, and every row of which anything looks
wrong, goes to the reader of one, so every refusal and every assumption has one source. Both give
the same bits (see `deconflict.geo.elementary`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deconflict.geo.datum import datum_named
from deconflict.geo.elementary import columns
from deconflict.geo.errors import InputError
from deconflict.geo.notation.alike import alike
from deconflict.geo.notation.frequent import frequent, solved_angles, solved_metres
from deconflict.geo.position import Position
from deconflict.geo.reader import BareDatum, read_position

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Columns = tuple[Floats, ...]

_AT_ONCE = 8192
"""Rows that are computed together, so that their columns stay in the processor's cache."""


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
        found = _frequent(
            texts, datum_is_set=default_datum is not None, assume_datum=bare_datum == "assume"
        )
        for rows, lats, lons, precisions in found:
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


def _frequent(
    texts: Sequence[str], *, datum_is_set: bool, assume_datum: bool
) -> Iterator[tuple[NDArray[np.int64], Floats, Floats, Floats]]:
    """Yield rows, latitude, longitude and precision of the texts in frequent forms."""
    gathered: dict[int, list[tuple[NDArray[np.int64], Columns]]] = {4: [], 8: []}
    for rows, numbers in _apart(texts, datum_is_set=datum_is_set, assume_datum=assume_datum):
        gathered[len(numbers)].append((rows, numbers))
    for width, groups in gathered.items():
        if not groups:
            continue
        all_rows = np.concatenate([rows for rows, _ in groups])
        columns_of = [np.concatenate([one[i] for _, one in groups]) for i in range(width)]
        for first in range(0, len(all_rows), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            rows, numbers = all_rows[some], tuple(column[some] for column in columns_of)
            if width == 4:
                yield rows, *solved_angles(*numbers, fn=columns())
            else:
                lat, lon, precision, fits = solved_metres(*numbers, fn=columns())
                lon = np.where(lon > 180.0, lon - 360.0, np.where(lon < -180.0, lon + 360.0, lon))
                yield rows[fits], lat[fits], lon[fits], precision[fits]


def _apart(
    texts: Sequence[str], *, datum_is_set: bool, assume_datum: bool
) -> Iterator[tuple[NDArray[np.int64], Columns]]:
    """Yield rows and the columns of `Angles` or `Metres` of the texts in frequent forms."""
    left = np.ones(len(texts), dtype=np.bool_)
    for rows, numbers in alike(texts, datum_is_set=datum_is_set, assume_datum=assume_datum):
        left[rows] = False
        yield rows, numbers
    # The numbers are gathered flat: a tuple a row would keep the garbage collector busy.
    single: dict[int, list[int]] = {4: [], 8: []}
    flat: dict[int, list[float]] = {4: [], 8: []}
    for row in np.flatnonzero(left).tolist():
        one = frequent(texts[row], datum_is_set=datum_is_set, assume_datum=assume_datum)
        if one is not None:
            width = len(one.numbers)
            single[width].append(row)
            flat[width].extend(one.numbers)
    for width, members in single.items():
        table = np.array(flat[width], dtype=np.float64).reshape(-1, width)
        yield np.array(members, dtype=np.int64), tuple(np.ascontiguousarray(table.T))
