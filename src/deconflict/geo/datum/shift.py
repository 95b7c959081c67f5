"""The published transformations from one datum to WGS 84, and how far to trust them.

The uncertainty at a point is

- where the true areas of operations cover it: the greatest of their mutual spread and the
  accuracy of the one used;
- where none does, or the accuracy of the only ones that do is unknown: the greatest of 50 m, the
  spread of all operations, and the accuracy of the one used.

A true area is that of the countries named in the operation's text (`coverage`), less a rim of
25 km, within its box. A point outside every box gets the operation of the nearest box, up to
`BEYOND_KM` away, as one that is not made for the place; farther off it is refused.
PROJ itself would fall back on a transformation without parameters there.

Everything slow is kept per cell of half a degree: how far the operations' answers lie apart at
its corners (between them they change linearly to a millimetre, and the greatest of a linear
change lies at a corner, so interpolating distances between corners errs outward), and which
operations cover the cell wholly, nowhere, or in part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from deconflict.geo.datum.operation import Operation, geographic_crs, native_units, operations_from
from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from deconflict.geo.datum.outlines import Border

RIM_KM = 25.0
"""Within this distance of its outline a country's operation does not count as covering."""
LEAST_UNCOVERED_M = 50.0
"""The least uncertainty where no operation is made for the place."""
BEYOND_KM = 350.0
"""How far beyond its box an operation is still used: SK-42 sheets are in use in all of Syria, whose
south lies 320 km from the nearest box; farther off the datum is more likely a mistake."""
CELL_DEG = 0.5
"""Side of the cells that answers about coverage and spread are kept for."""
_SLACK_M = 0.01
"""Added to an interpolated spread for what is not linear within a cell."""
_CELLS_KEPT = 16_384
_PATCHES = 16
_PATCH_DEG = CELL_DEG / _PATCHES
_PATCH_RADIUS_KM = _PATCH_DEG * 111.8 * math.sqrt(0.5)
_UNASKED, _OUTSIDE, _INSIDE, _OPEN = range(4)
_A_M, _E2 = 6_378_137.0, 0.0066943799901413165  # WGS 84


class Rim:
    """Which points of one cell lie deep enough inside a set of countries.

    A cell is divided into patches, each measured once when it is first asked about; only in those
    that the rim's edge runs through is a point measured by itself.

    Parameters
    ----------
    border
        Outline of the countries.
    south_deg, west_deg
        The cell's corner.
    """

    __slots__ = ("_border", "_patches", "_south_deg", "_west_deg")

    def __init__(self, border: Border, south_deg: float, west_deg: float) -> None:
        self._border = border
        self._south_deg = south_deg
        self._west_deg = west_deg
        self._patches = bytearray(_PATCHES * _PATCHES)

    def cleared(self, up_deg: float, right_deg: float) -> bool:
        """Whether a point of the cell, given from its corner, lies beyond the rim."""
        row = min(int(up_deg / _PATCH_DEG), _PATCHES - 1)
        column = min(int(right_deg / _PATCH_DEG), _PATCHES - 1)
        decided = self._patches[row * _PATCHES + column]
        if decided == _UNASKED:
            over_km = self._over_km((row + 0.5) * _PATCH_DEG, (column + 0.5) * _PATCH_DEG)
            sure = abs(over_km) > _PATCH_RADIUS_KM
            decided = (_INSIDE if over_km > 0.0 else _OUTSIDE) if sure else _OPEN
            self._patches[row * _PATCHES + column] = decided
        if decided == _OPEN:
            return self._over_km(up_deg, right_deg) >= 0.0
        return decided == _INSIDE

    def _over_km(self, up_deg: float, right_deg: float) -> float:
        lat_deg, lon_deg = self._south_deg + up_deg, self._west_deg + right_deg
        return self._border.depth_km(lat_deg, lon_deg, RIM_KM + 2.0 * _PATCH_RADIUS_KM) - RIM_KM


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one cell.

    Attributes
    ----------
    boxed
        Operations whose box meets the cell, by index, best first.
    whole
        Those of them that cover all of it.
    partly
        Those that may cover a part, with the rim that decides.
    uncut
        Whether every operation in `boxed` holds the whole cell in its box.
    corners
        South-west, south-east, north-west, north-east.
    """

    boxed: tuple[int, ...]
    whole: frozenset[int]
    partly: tuple[tuple[int, Rim], ...]
    uncut: bool
    corners: tuple[Corner, Corner, Corner, Corner]


class Corner:
    """How far operations' answers for one corner of a cell lie apart.

    Parameters
    ----------
    lat_deg, lon_deg
        The corner, on the datum.
    answers
        Latitude and longitude on WGS 84 by each operation, degrees; NaN where it has none.
    """

    __slots__ = ("_images", "_spreads")

    def __init__(self, lat_deg: float, lon_deg: float, answers: list[tuple[float, float]]) -> None:
        squeeze = 1.0 - _E2 * math.sin(math.radians(lat_deg)) ** 2
        east_m = math.radians(_A_M / math.sqrt(squeeze)) * math.cos(math.radians(lat_deg))
        north_m = math.radians(_A_M * (1.0 - _E2) / squeeze**1.5)
        self._images = [
            complex(math.remainder(lon - lon_deg, 360.0) * east_m, (lat - lat_deg) * north_m)
            for lat, lon in answers
        ]
        self._spreads: dict[frozenset[int], float] = {}

    def spread_m(self, pool: frozenset[int]) -> float:
        """Return the greatest distance between the answers of some operations, metres."""
        found = self._spreads.get(pool)
        if found is None:
            images = [self._images[i] for i in pool]
            images = [image for image in images if math.isfinite(image.real)]
            found = max((abs(a - b) for a, b in combinations(images, 2)), default=0.0)
            self._spreads[pool] = found
        return found


class Shift:
    """All published transformations from one datum to WGS 84.

    Parameters
    ----------
    epsg
        Code of the datum's two-dimensional geographic system.

    Raises
    ------
    InputError
        If none is published.
    """

    def __init__(self, epsg: int) -> None:
        crs = geographic_crs(epsg)
        self.name: str = crs.name
        self.operations = operations_from(crs)
        if not self.operations:
            raise InputError(
                f"no transformation from the datum {self.name} to WGS 84 is published that "
                "works without further files",
                "give the position on WGS 84",
                field="datum",
            )
        self.unit_per_deg, self.meridian_deg = native_units(crs)
        self._plain = abs(self.unit_per_deg - 1.0) < 1e-12 and self.meridian_deg == 0.0
        self.everything = frozenset(range(len(self.operations)))
        # Kept as long as the process, like the transformations themselves.
        self.corner = lru_cache(maxsize=_CELLS_KEPT)(self._make_corner)
        self.cell = lru_cache(maxsize=_CELLS_KEPT)(self._make_cell)
        self.verdict = lru_cache(maxsize=_CELLS_KEPT)(self._make_verdict)

    def native(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Degrees from Greenwich as longitude and latitude in the units of the datum's system."""
        if self._plain:
            return lon_deg, lat_deg
        lon = math.remainder(lon_deg - self.meridian_deg, 360.0)
        return lon * self.unit_per_deg, lat_deg * self.unit_per_deg

    def from_native(self, lon: float, lat: float) -> tuple[float, float]:
        """Return latitude and longitude from Greenwich in degrees; undoes `native`."""
        if self._plain:
            return lat, lon
        lon_deg = lon / self.unit_per_deg + self.meridian_deg
        return lat / self.unit_per_deg, math.remainder(lon_deg, 360.0)

    def forward(
        self, lat_deg: float, lon_deg: float
    ) -> tuple[float, float, float, str, tuple[str, ...]]:
        """Datum to WGS 84: latitude, longitude, uncertainty, operation, assumed."""
        used, uncertainty_m, label, assumed = self.choose(lat_deg, lon_deg)
        lon, lat = used.transformer.transform(*self.native(lat_deg, lon_deg))
        _check_finite(lat, lon, used)
        return lat, lon, uncertainty_m, label, assumed

    def backward(
        self, lat_deg: float, lon_deg: float
    ) -> tuple[float, float, float, str, tuple[str, ...]]:
        """WGS 84 to datum: latitude, longitude, uncertainty, operation, assumed."""
        from pyproj.enums import TransformDirection

        # The choice is made for the point on the datum, as `forward` makes it: there and back
        # must go through one operation. A second look settles a point that changes cells.
        lat, lon = lat_deg, lon_deg
        for _ in range(2):
            used, uncertainty_m, label, assumed = self.choose(lat, lon)
            transform = used.transformer.transform
            native = transform(lon_deg, lat_deg, direction=TransformDirection.INVERSE)
            _check_finite(native[1], native[0], used)
            lat, lon = self.from_native(*native)
        # In two dimensions PROJ drops the height between the ellipsoids, so its inverse misses
        # by up to centimetres; one step back along the miss is exact to micrometres.
        back = transform(*native)
        lat = min(max(lat + (lat_deg - back[1]), -90.0), 90.0)
        lon = math.remainder(lon + math.remainder(lon_deg - back[0], 360.0), 360.0)
        return lat, lon, uncertainty_m, label, assumed

    def choose(
        self, lat_deg: float, lon_deg: float
    ) -> tuple[Operation, float, str, tuple[str, ...]]:
        """Return the operation for a point on the datum, uncertainty, label and assumptions.

        Raises
        ------
        InputError
            If the point lies outside the box of every operation.
        """
        row, column = cell_of(lat_deg, lon_deg)
        cell = self.cell(row, column)
        boxed, covering = cell.boxed, cell.whole
        if not cell.uncut:
            held = [i for i in boxed if self.operations[i].boxed(lat_deg, lon_deg)]
            boxed, covering = tuple(held), covering & frozenset(held)
        if not boxed:
            boxed, covering = self._nearest(lat_deg, lon_deg), frozenset()
        for i, rim in cell.partly:
            if i in boxed and rim.cleared(lat_deg - row * CELL_DEG, lon_deg - column * CELL_DEG):
                covering |= {i}
        index, floor_m, pool, assumed = self.verdict(boxed, covering)
        up, right = lat_deg / CELL_DEG - row, lon_deg / CELL_DEG - column
        spread_m = _spread(cell, pool, up, right)
        used = self.operations[index]
        return used, max(floor_m, spread_m), used.label, assumed

    def _make_verdict(
        self, boxed: tuple[int, ...], covering: frozenset[int]
    ) -> tuple[int, float, frozenset[int], tuple[str, ...]]:
        """Return which operation to use, the least uncertainty, whose spread counts, assumed."""
        index = next((i for i in boxed if i in covering), boxed[0])
        used = self.operations[index]
        known = math.isfinite(used.accuracy_m)
        if covering and known:
            return index, used.accuracy_m, covering, ()
        least = max(LEAST_UNCOVERED_M, used.accuracy_m) if known else LEAST_UNCOVERED_M
        if covering:
            said = (
                f"the accuracy of {used.name}, the transformation made for this place, is unknown"
            )
        else:
            said = (
                f"no transformation from {self.name} to WGS 84 is made for this place; "
                f"{used.name} is used, which is made for another"
            )
        return index, least, self.everything, (said,)

    def _make_cell(self, row: int, column: int) -> Cell:
        from deconflict.geo.datum.outlines import border_of

        south, west = row * CELL_DEG, column * CELL_DEG
        half = CELL_DEG / 2.0
        lat, lon = south + half, west + half
        # A cell within this distance of a border is decided point by point.
        radius_km = math.hypot(half * 111.8, half * 111.8 * math.cos(math.radians(abs(lat) - half)))
        reach_km = RIM_KM + radius_km + 1.0
        boxed, whole, partly, uncut = [], set(), [], True
        rims: dict[frozenset[str], tuple[Rim, float]] = {}
        ends = [(south + y, west + x) for y in (0.0, CELL_DEG) for x in (0.0, CELL_DEG)]
        for i, operation in enumerate(self.operations):
            held = [operation.boxed(*end) for end in ends]
            if not all(held):
                if not any(held) and not _box_meets(operation.box, south, west):
                    continue
                uncut = False
            boxed.append(i)
            area = operation.area
            if area.everywhere:
                whole.add(i)
            elif area.countries:
                if area.countries not in rims:
                    border = border_of(area.countries)
                    rims[area.countries] = (
                        Rim(border, south, west),
                        border.depth_km(lat, lon, reach_km),
                    )
                rim, depth_km = rims[area.countries]
                if depth_km - radius_km >= RIM_KM:
                    whole.add(i)
                elif depth_km + radius_km >= RIM_KM:
                    partly.append((i, rim))
        return Cell(
            boxed=tuple(boxed),
            whole=frozenset(whole),
            partly=tuple(partly),
            uncut=uncut,
            corners=(
                self.corner(row, column),
                self.corner(row, column + 1),
                self.corner(row + 1, column),
                self.corner(row + 1, column + 1),
            ),
        )

    def _make_corner(self, row: int, column: int) -> Corner:
        lat_deg, lon_deg = row * CELL_DEG, column * CELL_DEG
        native = self.native(lat_deg, lon_deg)
        answers = []
        for operation in self.operations:
            lon, lat = operation.transformer.transform(*native)
            # PROJ says infinity where it has no answer.
            answers.append((lat, lon) if math.isfinite(lat + lon) else (math.nan, math.nan))
        return Corner(lat_deg, lon_deg, answers)

    def _nearest(self, lat_deg: float, lon_deg: float) -> tuple[int, ...]:
        """Return the operation of the nearest box.

        Raises
        ------
        InputError
            If all boxes lie more than `BEYOND_KM` away.
        """
        away_km, index = min(
            (_beyond_km(operation.box, lat_deg, lon_deg), i)
            for i, operation in enumerate(self.operations)
        )
        if away_km > BEYOND_KM:
            raise self.refusal(lat_deg, lon_deg)
        return (index,)

    def refusal(self, lat_deg: float, lon_deg: float) -> InputError:
        """Return the sentence for a point far outside every operation's box."""
        return InputError(
            f"no transformation from {self.name} to WGS 84 is published for latitude "
            f"{lat_deg:.4f}, longitude {lon_deg:.4f}",
            "check the datum and the position, or give the position on WGS 84",
            field="datum",
        )


def cell_of(lat_deg: float, lon_deg: float) -> tuple[int, int]:
    """Return row and column of the cell that holds a point."""
    row = min(math.floor(lat_deg / CELL_DEG), int(90.0 / CELL_DEG) - 1)
    return row, min(math.floor(lon_deg / CELL_DEG), int(180.0 / CELL_DEG) - 1)


@cache
def shift_of(epsg: int) -> Shift:
    """Return the transformations from the datum of a geographic system.

    Raises
    ------
    InputError
        If the code is not one of such a system, or none is published.
    """
    return Shift(epsg)


def _spread(cell: Cell, pool: frozenset[int], up: float, right: float) -> float:
    if len(pool) < 2:
        return 0.0
    a, b, c, d = cell.corners
    south = a.spread_m(pool) * (1.0 - right) + b.spread_m(pool) * right
    north = c.spread_m(pool) * (1.0 - right) + d.spread_m(pool) * right
    return south * (1.0 - up) + north * up + _SLACK_M


def _box_meets(box: tuple[float, float, float, float], south: float, west: float) -> bool:
    box_west, box_south, box_east, box_north = box
    if box_south > south + CELL_DEG or box_north < south:
        return False
    width = (box_east - box_west) % 360.0 or (360.0 if box_east != box_west else 0.0)
    return (west - box_west) % 360.0 <= width or (box_west - west) % 360.0 <= CELL_DEG


def _beyond_km(box: tuple[float, float, float, float], lat_deg: float, lon_deg: float) -> float:
    """Return how far a point lies outside a box, at most; kilometres along its sides."""
    west, south, east, north = box
    up_deg = max(south - lat_deg, lat_deg - north, 0.0)
    right_deg = 0.0
    if (lon_deg - west) % 360.0 > (east - west) % 360.0:
        right_deg = min((west - lon_deg) % 360.0, (lon_deg - east) % 360.0)
    # One degree is at most 111.8 km, and across no more than where the point is.
    return math.hypot(up_deg * 111.8, right_deg * 111.8 * math.cos(math.radians(lat_deg)))


def _check_finite(lat_deg: float, lon_deg: float, used: Operation) -> None:
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        raise InputError(
            f"{used.name} gives no finite position for these coordinates",
            "check the coordinates",
        )
