"""Datums: from a named datum or an EPSG system to WGS 84 and back, with what that costs.

Two surveys of one place disagree by metres to hundreds of metres, and the published
transformations between them disagree with one another. So an answer here always comes with
an uncertainty (see `deconflict.geo.datum.shift` for the rule), the operation that made it, and a
sentence where the operation is used outside the countries that it was made for. A transformation
without parameters ("ballpark") is never used: the point is refused instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from deconflict.geo.datum.names import official_epsg, tabled_datum
from deconflict.geo.errors import InputError
from deconflict.geo.position import checked_lat_lon

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_WGS84_EPSG = 4326


@dataclass(frozen=True, slots=True)
class Datum:
    """A geodetic datum.

    Attributes
    ----------
    name
        Its name in the EPSG data set, such as ``"Pulkovo 1942"``.
    epsg
        Code of its two-dimensional geographic system, such as 4284.
    """

    name: str
    epsg: int

    @property
    def is_wgs84(self) -> bool:
        """Whether a point on this datum is taken as it is."""
        return self.epsg == _WGS84_EPSG


WGS84 = Datum("WGS 84", _WGS84_EPSG)
"""The datum that every `Position` is on."""


class Shifted(NamedTuple):
    """A point after a datum transformation.

    Attributes
    ----------
    lat_deg, lon_deg
        Degrees on the datum asked for.
    uncertainty_m
        What the transformation leaves open, metres; 0 where none was needed.
    operation
        Name of the transformation, versions of PROJ and of the EPSG data set; empty where none
        was needed.
    assumed
        Sentences; not empty where no transformation is published for the place.
    """

    lat_deg: float
    lon_deg: float
    uncertainty_m: float = 0.0
    operation: str = ""
    assumed: tuple[str, ...] = ()


class ShiftedMany(NamedTuple):
    """Points after a datum transformation, as arrays of one length.

    Attributes
    ----------
    lat_deg, lon_deg, uncertainty_m
        As in `Shifted`; NaN where the point is refused.
    which
        For each point the index into `how`; -1 where the point is refused.
    how
        Pairs of operation and assumed sentences, as in `Shifted`.
    """

    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    uncertainty_m: NDArray[np.float64]
    which: NDArray[np.int64]
    how: tuple[tuple[str, tuple[str, ...]], ...]


def datum_named(text: str) -> Datum:
    """Return the datum that a text names.

    Case, spaces and punctuation do not count. Known are the names and abbreviations that maps
    and receivers carry (``"SK-42"``, ``"СК-42"``, ``"European 1950"``), the names of the EPSG
    data set, and ``"EPSG:4284"``.

    Raises
    ------
    InputError
        If no datum, or more than one, has that name.

    Examples
    --------
    >>> datum_named("sk42")
    Datum(name='Pulkovo 1942', epsg=4284)
    """
    found = tabled_datum(text) or official_epsg(text)
    if found is None:
        raise InputError(
            f"no datum is known by the name {text.strip()[:60]!r}",
            "write a name such as WGS 84, ED50 or SK-42, or the EPSG code of its geographic "
            "system, such as EPSG:4284",
            field="datum",
        )
    return Datum(*found)


def to_wgs84(datum: Datum, lat_deg: float, lon_deg: float) -> Shifted:
    """Bring a point on `datum` to WGS 84.

    Parameters
    ----------
    datum
        The datum that the point is on.
    lat_deg, lon_deg
        Degrees, longitude from Greenwich.

    Raises
    ------
    InputError
        If the point is none, or no transformation with parameters is published for the place.
    """
    lat_deg, lon_deg = checked_lat_lon(lat_deg, lon_deg)
    if datum.epsg == _WGS84_EPSG:
        return Shifted(lat_deg, lon_deg)
    from deconflict.geo.datum.shift import shift_of

    return Shifted(*shift_of(datum.epsg).forward(lat_deg, lon_deg))


def from_wgs84(datum: Datum, lat_deg: float, lon_deg: float) -> Shifted:
    """Bring a WGS 84 point to `datum`; the inverse of `to_wgs84`.

    Raises
    ------
    InputError
        If the point is none, or no transformation with parameters is published for the place.
    """
    lat_deg, lon_deg = checked_lat_lon(lat_deg, lon_deg)
    if datum.epsg == _WGS84_EPSG:
        return Shifted(lat_deg, lon_deg)
    from deconflict.geo.datum.shift import shift_of

    return Shifted(*shift_of(datum.epsg).backward(lat_deg, lon_deg))


def to_wgs84_many(datum: Datum, lats_deg: ArrayLike, lons_deg: ArrayLike) -> ShiftedMany:
    """Bring many points on `datum` to WGS 84; the same answers as `to_wgs84` gives.

    A point that `to_wgs84` would refuse, or that is not finite, comes back as NaN.
    """
    from deconflict.geo.datum.shift_many import shift_many

    return ShiftedMany(*shift_many(datum.epsg, lats_deg, lons_deg))


def crs_to_wgs84(epsg: int, first: float, second: float) -> Shifted:
    """Bring coordinates of an EPSG system, in the order and units of its authority, to WGS 84.

    Parameters
    ----------
    epsg
        Code of a two-dimensional geographic or projected system.
    first, second
        Coordinates along its first and second axis: EPSG:28407 is northing first.

    Raises
    ------
    InputError
        If the code is unknown or of another kind of system, if the coordinates lie far outside
        the area that the system is for, or if no transformation is published for the place.
    """
    from deconflict.geo.datum.crs import crs_of

    crs = crs_of(epsg)
    lat_deg, lon_deg, assumed = crs.to_geographic(first, second)
    shifted = to_wgs84(Datum(crs.datum_name, crs.datum_epsg), lat_deg, lon_deg)
    return shifted._replace(assumed=assumed + shifted.assumed) if assumed else shifted


def wgs84_to_crs(epsg: int, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Return the coordinates of a WGS 84 point in an EPSG system, in its order and units.

    Raises
    ------
    InputError
        As `crs_to_wgs84`.
    """
    from deconflict.geo.datum.crs import crs_of

    crs = crs_of(epsg)
    shifted = from_wgs84(Datum(crs.datum_name, crs.datum_epsg), lat_deg, lon_deg)
    return crs.from_geographic(shifted.lat_deg, shifted.lon_deg)
