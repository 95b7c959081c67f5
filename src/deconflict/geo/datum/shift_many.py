"""Many points of one datum at once: `deconflict.geo.datum.shift` by cells instead of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_WGS84_EPSG = 4326
_How = tuple[str, tuple[str, ...]]


def shift_many(
    epsg: int, lats_deg: ArrayLike, lons_deg: ArrayLike
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    tuple[_How, ...],
]:
    """Bring points to WGS 84: latitudes, longitudes, uncertainties, which, how.

    See `deconflict.geo.datum.ShiftedMany`. The choice of operation costs a few microseconds a
    point; the transformation itself is done for all points of one operation together.
    """
    lats = np.array(lats_deg, dtype=np.float64).ravel()
    lons = np.array(lons_deg, dtype=np.float64).ravel()
    with np.errstate(invalid="ignore"):
        good = (np.abs(lats) <= 90.0) & (np.abs(lons) <= 360.0)
        turned = np.abs(lons) > 180.0
        lons[turned] -= 360.0 * np.rint(lons[turned] / 360.0)
    lats[~good] = lons[~good] = np.nan
    uncertainty_m = np.where(good, 0.0, np.nan)
    which = np.where(good, 0, -1).astype(np.int64)
    if epsg == _WGS84_EPSG:
        return lats, lons, uncertainty_m, which, (("", ()),)

    from deconflict.geo.datum.shift import shift_of

    shift = shift_of(epsg)
    how: dict[_How, int] = {}
    used: dict[int, list[int]] = {}
    numbers = {operation: number for number, operation in enumerate(shift.operations)}
    for i in np.flatnonzero(good).tolist():
        try:
            operation, uncertainty_m[i], label, assumed = shift.choose(
                float(lats[i]), float(lons[i])
            )
        except InputError:
            uncertainty_m[i], which[i] = math.nan, -1
            continue
        which[i] = how.setdefault((label, assumed), len(how))
        used.setdefault(numbers[operation], []).append(i)
    out_lats = np.full(len(lats), np.nan)
    out_lons = np.full(len(lats), np.nan)
    for number, chosen in used.items():
        operation = shift.operations[number]
        native = np.array([shift.native(float(lats[i]), float(lons[i])) for i in chosen])
        lon, lat = operation.transformer.transform(native[:, 0], native[:, 1])
        lost = ~(np.isfinite(lat) & np.isfinite(lon))
        out_lats[chosen], out_lons[chosen] = (
            np.where(lost, np.nan, lat),
            np.where(lost, np.nan, lon),
        )
        for i in np.array(chosen)[lost].tolist():
            uncertainty_m[i], which[i] = math.nan, -1
    return out_lats, out_lons, uncertainty_m, which, tuple(how)
