"""Outlines of countries: how deep inside a set of countries a place lies.

The data (``data/country-outlines.npz``, see the README there) are Natural Earth's 1:50,000,000
countries as pieces of border with the country on either side. The outline of a set of countries
is those pieces that have one of the set on one side only, so borders between them vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KM_PER_DEG = 111.2
"""Kilometres in a degree of latitude, between 110.57 (equator) and 111.70 (pole)."""
_LEAST_KM_PER_DEG = 110.0
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Outlines:
    """All pieces of border, as straight segments in longitude and latitude.

    Attributes
    ----------
    names
        The countries, by index.
    x0, y0, x1, y1
        Longitude and latitude of a segment's two ends, degrees. A segment takes the short way,
        over 180 degrees too.
    sides
        For each segment the indices of the countries on its two sides; -1: none.
    real
        Whether a segment is a border, or only the cut of the map along 180 degrees.
    """

    names: tuple[str, ...]
    x0: NDArray[np.float64]
    y0: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]
    sides: NDArray[np.int16]
    real: NDArray[np.bool_]


@cache
def outlines() -> Outlines:
    """Read the outlines that come with the package."""
    source = files("deconflict.geo") / "data" / "country-outlines.npz"
    with source.open("rb") as stream, np.load(stream, allow_pickle=False) as data:
        points = np.cumsum(data["steps"], axis=0, dtype=np.int32) / 1e5
        sizes = data["sizes"]
        sides = np.repeat(data["sides"], sizes, axis=0)
        names = tuple(str(name) for name in data["names"])
    joined = np.ones(len(points), dtype=bool)
    joined[np.cumsum(sizes) - 1] = False  # the last point of a piece begins no segment
    first = np.flatnonzero(joined)
    a, b = points[first], points[first + 1]
    cut = (np.abs(a[:, 0]) > 179.99) & (np.abs(b[:, 0]) > 179.99)
    cut |= (a[:, 1] < -89.9) & (b[:, 1] < -89.9)
    (x0, y0), (x1, y1) = a.T.copy(), b.T.copy()
    return Outlines(names, x0, y0, x1, y1, sides[first], ~cut)


class Border:
    """The outline of a set of countries near a place, ready for many questions about it.

    Parameters
    ----------
    countries
        Names as in `Outlines.names`.
    lat_deg, lon_deg
        Middle of the places that will be asked about.
    reach_km
        Distances are right up to this; beyond it they are only known to be greater.
    spread_deg
        How far, in latitude and in longitude, the places asked about may be from the middle.
    """

    __slots__ = ("_column", "_near", "_reach_km")

    def __init__(
        self,
        countries: frozenset[str],
        lat_deg: float,
        lon_deg: float,
        reach_km: float,
        spread_deg: float,
    ) -> None:
        every = outlines()
        picked = _segments(countries)
        x0 = _turned(every.x0[picked] - lon_deg)
        x1 = x0 + _turned(every.x1[picked] - every.x0[picked])
        west, east = np.minimum(x0, x1), np.maximum(x0, x1)
        # For inside or outside: what the places' meridians can cross north of them.
        column = (west <= spread_deg) & (east >= -spread_deg)
        column &= np.maximum(every.y0[picked], every.y1[picked]) >= lat_deg - spread_deg
        self._column = _ends(picked[column])
        # For the distance: what comes within reach.
        margin = spread_deg + reach_km / _LEAST_KM_PER_DEG
        shrink = float(np.cos(np.radians(min(abs(lat_deg) + margin, 89.9))))
        wide = min(spread_deg + reach_km / _LEAST_KM_PER_DEG / shrink, 180.0)
        near = (west <= wide) & (east >= -wide) & every.real[picked]
        near &= np.minimum(every.y0[picked], every.y1[picked]) <= lat_deg + margin
        near &= np.maximum(every.y0[picked], every.y1[picked]) >= lat_deg - margin
        self._near = _ends(picked[near])
        self._reach_km = reach_km

    def depth_km(self, lat_deg: float, lon_deg: float) -> float:
        """How far inside a place lies, kilometres; negative outside; at most the reach."""
        return float(self.depths_km(np.array([lat_deg]), np.array([lon_deg]))[0])

    def depths_km(
        self, lats_deg: NDArray[np.float64], lons_deg: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return for each place what `depth_km` returns."""
        lats, lons = lats_deg[:, None], lons_deg[:, None]
        x0, y0, x1, y1 = self._near
        scale = np.cos(np.radians(lats))
        ax, ay = _turned(x0 - lons) * scale, y0 - lats
        dx, dy = _turned(x1 - x0) * scale, y1 - y0
        length = np.maximum(dx * dx + dy * dy, 1e-18)
        along = np.clip(-(ax * dx + ay * dy) / length, 0.0, 1.0)
        far = np.hypot(ax + along * dx, ay + along * dy) * _KM_PER_DEG
        distance = np.min(far, axis=1, initial=self._reach_km)
        depths: NDArray[np.float64] = np.where(self._inside(lats, lons), distance, -distance)
        return depths

    def _inside(self, lats: NDArray[np.float64], lons: NDArray[np.float64]) -> NDArray[np.bool_]:
        x0, y0, x1, y1 = self._column
        ax = _turned(x0 - lons)
        dx = _turned(x1 - x0)
        crossed = (ax <= 0.0) != (ax + dx <= 0.0)
        # Where a piece lies along the meridian, nothing is crossed and nothing divided.
        at = y0 - ax / np.where(dx == 0.0, 1.0, dx) * (y1 - y0)
        inside: NDArray[np.bool_] = np.count_nonzero(crossed & (at > lats), axis=1) % 2 == 1
        return inside


_Ends = tuple[
    "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"
]


def _ends(chosen: NDArray[np.intp]) -> _Ends:
    every = outlines()
    return every.x0[chosen], every.y0[chosen], every.x1[chosen], every.y1[chosen]


def _turned(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return degrees - 360.0 * np.rint(degrees / 360.0)


@lru_cache(maxsize=256)
def _segments(countries: frozenset[str]) -> NDArray[np.intp]:
    every = outlines()
    wanted = np.zeros(len(every.names) + 1, dtype=bool)  # the last one stands for nobody
    for country in countries:
        wanted[every.names.index(country)] = True
    wanted[_NOBODY] = False
    one, other = wanted[every.sides[:, 0]], wanted[every.sides[:, 1]]
    return np.flatnonzero(one ^ other)
