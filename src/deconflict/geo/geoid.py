"""Height of the EGM96 geoid (mean sea level) above the WGS 84 ellipsoid.

The grid is that of the US National Geospatial-Intelligence Agency, one height every 15 minutes
of arc (see ``data/README.md``). Between its points heights are interpolated bilinearly.
"""

from __future__ import annotations

import math
import sys
from array import array
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deconflict.geo.position import LatLon

GEOID_ERROR_M = 1.4
"""How far bilinear interpolation in the 15' grid may be from EGM96 itself, metres.

An eighth of the greatest second differences of the grid, 5.97 m along a meridian and 5.13 m along
a parallel (in the Andes and the trenches); the root mean square is a few centimetres."""
EXACT_CELLS = 64
"""Up to so many cells of the grid a box is measured to its own corners."""
PER_DEG = 4
ROWS, COLUMNS = 180 * PER_DEG + 1, 360 * PER_DEG


def geoid_height_m(lat_deg: float, lon_deg: float) -> float:
    """Return how high mean sea level lies above the ellipsoid, metres; negative: below.

    Parameters
    ----------
    lat_deg, lon_deg
        A point on WGS 84, degrees.

    Raises
    ------
    InputError
        If the point is none.

    See Also
    --------
    GEOID_ERROR_M : how far this may be from EGM96.
    """
    if not (-90.0 <= lat_deg <= 90.0 and math.isfinite(lon_deg)):
        raise InputError(
            f"latitude {lat_deg} and longitude {lon_deg} are no place",
            "write a latitude from -90 to 90 and a finite longitude",
        )
    return _interpolated((90.0 - lat_deg) * PER_DEG, lon_deg * PER_DEG)


def geoid_range_m(points: Iterable[LatLon], reach_m: float = 0.0) -> tuple[float, float]:
    """Return the least and the greatest height of the geoid over a region, metres.

    Parameters
    ----------
    points
        Vertices of the region; at least one.
    reach_m
        How far the region extends beyond them, metres.

    Notes
    -----
    Exact for a small box of latitude and longitude round the points, because a bilinear function
    has its extremes at corners; a larger box is widened to the lines of the grid. Geodesic edges
    that leave the box toward a pole are allowed for.
    """
    lats, lons = zip(*points, strict=True)
    south, north = min(lats), max(lats)
    west, width = _lon_extent(lons)
    if reach_m > 0.0 or width > 0.0:
        # A geodesic edge bulges poleward out of the box of its ends by about a sixteenth of the
        # square of its width (in radians), at 45 degrees; twice that holds up to a quarter turn.
        bulge = math.degrees(math.radians(width) ** 2 / 8.0) if width < 90.0 else 90.0
        grow = reach_m / 110_500.0
        # Toward the equator no edge leaves it.
        south, north = (
            max(south - grow - (bulge if south < 0.0 else 0.0), -90.0),
            min(north + grow + (bulge if north > 0.0 else 0.0), 90.0),
        )
        narrow = math.cos(math.radians(max(abs(south), abs(north))))
        side = grow / narrow if narrow > grow / 180.0 else 180.0
        # Wider than half a turn, an edge may also lead across the gap between the points.
        west, width = west - side, min(width + 2.0 * side, 360.0) if width <= 180.0 else 360.0
    if south == north and width == 0.0:
        height = geoid_height_m(south, west)
        return height, height
    if (north - south) * width * PER_DEG * PER_DEG > EXACT_CELLS:
        return _range_of_cells(north, south, west, width)
    rows = _lines((90.0 - north) * PER_DEG, (90.0 - south) * PER_DEG)
    columns = _lines(west * PER_DEG, (west + width) * PER_DEG)
    heights = [_interpolated(row, column) for row in rows for column in columns]
    return min(heights), max(heights)


def _range_of_cells(north: float, south: float, west: float, width: float) -> tuple[float, float]:
    """Return the extremes over all cells of the grid that a box meets, metres."""
    grid = _grid()
    top, bottom = math.floor((90.0 - north) * PER_DEG), math.ceil((90.0 - south) * PER_DEG)
    left = math.floor(west * PER_DEG)
    count = min(math.ceil((west + width) * PER_DEG) - left + 1, COLUMNS)
    left %= COLUMNS
    extremes = array("h")
    for row in range(top, bottom + 1):
        start = row * COLUMNS
        heights = grid[start + left : start + min(left + count, COLUMNS)]
        heights += grid[start : start + max(left + count - COLUMNS, 0)]
        extremes.extend((min(heights), max(heights)))
    return min(extremes) / 100.0, max(extremes) / 100.0


def _lon_extent(lons: tuple[float, ...]) -> tuple[float, float]:
    """West end and width of the shortest arc that holds all longitudes, degrees."""
    west, east = min(lons), max(lons)
    if east - west <= 180.0:
        return west, east - west
    turned = sorted(lon % 360.0 for lon in lons)
    gaps = [(turned[i] - turned[i - 1], i) for i in range(1, len(turned))]
    gaps.append((turned[0] + 360.0 - turned[-1], 0))
    gap, first = max(gaps)
    return turned[first], 360.0 - gap


def _lines(start: float, end: float) -> list[float]:
    """Both ends and the whole numbers between them."""
    between = range(math.floor(start) + 1, math.ceil(end))
    return [start, *map(float, between), end]


def _interpolated(row: float, column: float) -> float:
    grid = _grid()
    top = min(int(row), ROWS - 2)
    left = math.floor(column)
    down, right = row - top, column - left
    left %= COLUMNS
    after = left + 1 if left + 1 < COLUMNS else 0
    base = top * COLUMNS
    upper = grid[base + left] * (1.0 - right) + grid[base + after] * right
    base += COLUMNS
    lower = grid[base + left] * (1.0 - right) + grid[base + after] * right
    return (upper * (1.0 - down) + lower * down) / 100.0


@cache
def _grid() -> array[int]:
    """All heights in centimetres, row by row from 90 north, each from 0 eastward."""
    grid = array("h")
    grid.frombytes((files("deconflict.geo") / "data" / "WW15MGH.DAC").read_bytes())
    if sys.byteorder == "little":
        grid.byteswap()
    if len(grid) != ROWS * COLUMNS:
        raise RuntimeError("the geoid grid that came with the package is damaged")
    return grid
