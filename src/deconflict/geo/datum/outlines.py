"""Outlines of countries: how deep inside a set of countries a place lies.

The data (``data/country-outlines.z``, see the README there; made by ``tools/country_outlines.py``)
are Natural Earth's 1:50,000,000 countries as pieces of border with the country on either side.
The outline of a set of countries is those pieces that have one of the set on one side only, so
borders between them vanish. Cells of one degree list the pieces that touch them, and know the
country at their middle: a place is inside if the middle is, and an even number of pieces crosses
the way there. Without numpy, because a single position must not wait for it to load.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from array import array
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_KM_PER_DEG = 111.2
"""Kilometres in a degree of latitude, between 110.57 (equator) and 111.70 (pole)."""
_LEAST_KM_PER_DEG = 110.0
_ROWS, _COLUMNS = 180, 360
_KINDS = {
    "x": "i", "y": "i", "left": "h", "right": "h", "starts": "i", "segments": "i", "middle": "h",
}  # fmt: skip

_Piece = tuple[float, float, float, float]
"""Start (degrees east of the cell's western edge, latitude) and step to the end, degrees."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """All pieces of border.

    Attributes
    ----------
    names
        The countries, by index.
    x, y
        Longitude and latitude of all points, 1e-5 degrees; a piece goes from one to the next.
    left, right
        For each point the countries on the two sides of the piece that begins there; -1: none.
    starts, segments
        Cell *i* is touched by the pieces that begin at ``segments[starts[i]:starts[i + 1]]``.
    middle
        The country at the middle of each cell; -1: none. Cells go by rows from 90 south, each
        from 180 west.
    """

    names: tuple[str, ...]
    x: array[int]
    y: array[int]
    left: array[int]
    right: array[int]
    starts: array[int]
    segments: array[int]
    middle: array[int]


@cache
def outlines() -> Outlines:
    """Read the outlines that come with the package."""
    source = files("deconflict.geo") / "data" / "country-outlines.z"
    line, _, body = zlib.decompress(source.read_bytes()).partition(b"\n")
    head = json.loads(line)
    arrays = {}
    at = 0
    for name, kind in _KINDS.items():
        arrays[name] = array(kind)
        end = at + head["items"][name] * arrays[name].itemsize
        arrays[name].frombytes(body[at:end])
        at = end
        if sys.byteorder == "big":
            arrays[name].byteswap()
    return Outlines(names=tuple(head["names"]), **arrays)


class Border:
    """The outline of a set of countries.

    Parameters
    ----------
    countries
        Names as in `Outlines.names`.
    """

    __slots__ = ("_members", "_pieces")

    def __init__(self, countries: frozenset[str]) -> None:
        names = outlines().names
        self._members = frozenset(names.index(country) for country in countries)
        self._pieces = lru_cache(maxsize=4096)(self._make_pieces)

    def depth_km(self, lat_deg: float, lon_deg: float, reach_km: float) -> float:
        """How far inside a place lies, kilometres; negative outside; at most the reach."""
        row = min(max(math.floor(lat_deg) + 90, 0), _ROWS - 1)
        column = math.floor(lon_deg) + 180
        nearest = (reach_km / _KM_PER_DEG) ** 2
        up = math.ceil(reach_km / _LEAST_KM_PER_DEG)
        shrink = math.cos(math.radians(lat_deg))
        poleward = math.cos(math.radians(min(abs(lat_deg) + up, 89.9)))
        across = min(math.ceil(reach_km / _LEAST_KM_PER_DEG / poleward), _COLUMNS // 2)
        for r in range(max(row - up, 0), min(row + up, _ROWS - 1) + 1):
            for c in range(column - across, column + across + 1):
                west = c - 180 - lon_deg
                for x, y, dx, dy in self._pieces(r, c % _COLUMNS)[1]:
                    ax, ay, bx = (west + x) * shrink, y - lat_deg, dx * shrink
                    length = bx * bx + dy * dy
                    along = -(ax * bx + ay * dy) / length if length > 0.0 else 0.0
                    along = 0.0 if along < 0.0 else min(along, 1.0)
                    px, py = ax + along * bx, ay + along * dy
                    nearest = min(nearest, px * px + py * py)
        distance = min(math.sqrt(nearest) * _KM_PER_DEG, reach_km)
        inside = self._inside(row, column % _COLUMNS, lat_deg, lon_deg - math.floor(lon_deg))
        return distance if inside else -distance

    def _inside(self, row: int, column: int, lat_deg: float, x_deg: float) -> bool:
        inside = outlines().middle[row * _COLUMNS + column] in self._members
        middle_deg = row - 89.5
        for x, y, dx, dy in self._pieces(row, column)[0]:
            # From the middle along its parallel to the place's meridian, then along that. A
            # coordinate that is equal counts as less, in every comparison, so that no corner is
            # counted twice.
            if (y <= middle_deg) != (y + dy <= middle_deg):
                at = x + (middle_deg - y) / dy * dx
                inside ^= (at <= 0.5) != (at <= x_deg)
            if (x <= x_deg) != (x + dx <= x_deg):
                at = y + (x_deg - x) / dx * dy
                inside ^= (at <= middle_deg) != (at <= lat_deg)
        return inside

    def _make_pieces(self, row: int, column: int) -> tuple[tuple[_Piece, ...], tuple[_Piece, ...]]:
        """Return the outline's pieces that touch a cell: all, and those that are borders."""
        every = outlines()
        cell = row * _COLUMNS + column
        pieces, real = [], []
        for i in every.segments[every.starts[cell] : every.starts[cell + 1]]:
            if (every.left[i] in self._members) == (every.right[i] in self._members):
                continue
            x, y = every.x[i] / 1e5, every.y[i] / 1e5
            dx = math.remainder((every.x[i + 1] - every.x[i]) / 1e5, 360.0)
            dy = (every.y[i + 1] - every.y[i]) / 1e5
            # On the cell's side of the world: no piece is longer than half of it.
            from_west = math.remainder(x + dx / 2.0 - (column - 179.5), 360.0) + 0.5 - dx / 2.0
            pieces.append((from_west, y, dx, dy))
            # The map is cut along 180 degrees and closed at the South Pole; nobody's border.
            cut = dx == 0.0 and abs(x) > 179.99
            if not (cut or (y < -89.9 and y + dy < -89.9)):
                real.append(pieces[-1])
        return tuple(pieces), tuple(real)


@lru_cache(maxsize=512)
def border_of(countries: frozenset[str]) -> Border:
    """Return the outline of a set of countries, kept for the next question."""
    return Border(countries)
