"""The ellipsoids that grids are drawn on."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from deconflict.geo.datum import datum_named
from deconflict.geo.projection import Ellipsoid, ellipsoid

WGS84: Final = ellipsoid(6_378_137.0, 298.257_223_563)
"""The WGS 84 ellipsoid."""


@lru_cache(maxsize=256)
def ellipsoid_of(datum: str | None) -> tuple[Ellipsoid, bool]:
    """Return a datum's ellipsoid, and whether its military grid has the older row letters.

    Parameters
    ----------
    datum
        Its name as `deconflict.geo.datum.datum_named` takes it; ``None``: WGS 84.

    Notes
    -----
    On Bessel 1841, Clarke 1866 and Clarke 1880 the rows of 100 km squares are lettered ten
    letters on (DMA TM 8358.1, Datums, Ellipsoids, Grids and Grid Reference Systems, chapter 4).

    Raises
    ------
    InputError
        If no datum has that name.
    """
    if datum is None:
        return WGS84, False
    named = datum_named(datum)
    if named.is_wgs84:
        return WGS84, False
    from pyproj import CRS

    found = CRS.from_epsg(named.epsg).ellipsoid
    if found is None:
        return WGS84, False
    older = found.name.startswith(("Bessel", "Clarke 1866", "Clarke 1880"))
    return ellipsoid(found.semi_major_metre, found.inverse_flattening), older
