"""Transverse Mercator and polar stereographic projections on an ellipsoid of revolution.

Series in the third flattening n to the sixth order: C. F. F. Karney, "Transverse Mercator with
an accuracy of a few nanometers", J. Geodesy 85 (2011), equations 12 to 14, 35 and 36; the
conformal latitude: Karney, "On auxiliary latitudes", Survey Review 56 (2024), appendix A. Within
a UTM zone and in the polar caps they are good to nanometres.

Every formula runs on floats and on columns alike; see `deconflict.geo.elementary`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from deconflict.geo.elementary import Elementary, Number

# Row j - 1 has the coefficients of n^j, n^(j+1), ... n^6 for the term in 2j times the angle.
_TO_PLANE = (
    (1 / 2, -2 / 3, 5 / 16, 41 / 180, -127 / 288, 7891 / 37800),
    (13 / 48, -3 / 5, 557 / 1440, 281 / 630, -1983433 / 1935360),
    (61 / 240, -103 / 140, 15061 / 26880, 167603 / 181440),
    (49561 / 161280, -179 / 168, 6601661 / 7257600),
    (34729 / 80640, -3418889 / 1995840),
    (212378941 / 319334400,),
)
_FROM_PLANE = (
    (1 / 2, -2 / 3, 37 / 96, -1 / 360, -81 / 512, 96199 / 604800),
    (1 / 48, 1 / 15, -437 / 1440, 46 / 105, -1118711 / 3870720),
    (17 / 480, -37 / 840, -209 / 4480, 5569 / 90720),
    (4397 / 161280, -11 / 504, -830251 / 7257600),
    (4583 / 161280, -108847 / 3991680),
    (20648693 / 638668800,),
)
_TO_CONFORMAL = (
    (-2.0, 2 / 3, 4 / 3, -82 / 45, 32 / 45, 4642 / 4725),
    (5 / 3, -16 / 15, -13 / 9, 904 / 315, -1522 / 945),
    (-26 / 15, 34 / 21, 8 / 5, -12686 / 2835),
    (1237 / 630, -12 / 5, -24832 / 14175),
    (-734 / 315, 109598 / 31185),
    (444337 / 155925,),
)
_FROM_CONFORMAL = (
    (2.0, -2 / 3, -2.0, 116 / 45, 26 / 45, -2854 / 675),
    (7 / 3, -8 / 5, -227 / 45, 2704 / 315, 2323 / 945),
    (56 / 15, -136 / 35, -1262 / 105, 73814 / 2835),
    (4279 / 630, -332 / 35, -399572 / 14175),
    (4174 / 315, -144838 / 6237),
    (601676 / 22275,),
)
_DEGREE = math.pi / 180.0


class Ellipsoid(NamedTuple):
    """An ellipsoid of revolution with the series that its projections need.

    Attributes
    ----------
    a_m
        Semi-major axis, metres.
    e2
        Square of the eccentricity.
    rectifying_m
        Radius of the sphere with the meridian's length, metres.
    polar_m
        Distance from the pole on a polar stereographic map of scale 1 divided by the tangent of
        half the conformal colatitude, metres.
    to_plane, from_plane, to_conformal, from_conformal
        Coefficients of the sines of 2, 4, ... 12 times the angle.
    """

    a_m: float
    e2: float
    rectifying_m: float
    polar_m: float
    to_plane: tuple[float, ...]
    from_plane: tuple[float, ...]
    to_conformal: tuple[float, ...]
    from_conformal: tuple[float, ...]


@lru_cache(maxsize=64)
def ellipsoid(a_m: float, inverse_flattening: float) -> Ellipsoid:
    """Return the ellipsoid with this semi-major axis (metres) and inverse flattening."""
    f = 1.0 / inverse_flattening
    n = f / (2.0 - f)
    e2 = f * (2.0 - f)
    e = math.sqrt(e2)

    def series(rows: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
        return tuple(
            math.fsum(row[k] * n ** (j + k) for k in range(len(row)))
            for j, row in enumerate(rows, 1)
        )

    return Ellipsoid(
        a_m,
        e2,
        a_m / (1.0 + n) * (1.0 + n**2 / 4.0 + n**4 / 64.0 + n**6 / 256.0),
        2.0 * a_m / math.sqrt((1.0 + e) ** (1.0 + e) * (1.0 - e) ** (1.0 - e)),
        series(_TO_PLANE),
        series(_FROM_PLANE),
        series(_TO_CONFORMAL),
        series(_FROM_CONFORMAL),
    )


def _sines(coefficients: tuple[float, ...], sin2: Number, cos2: Number) -> Number:
    """Sum the coefficients times the sines of 2, 4, ... times the angle (Clenshaw)."""
    twice = 2.0 * cos2
    y1 = coefficients[-1] + 0.0 * sin2
    y2 = 0.0 * sin2
    for coefficient in coefficients[-2::-1]:
        y1, y2 = twice * y1 - y2 + coefficient, y1
    return sin2 * y1


def _complex_sines(
    coefficients: tuple[float, ...], sin: Number, cos: Number, growth: Number
) -> tuple[Number, Number]:
    """Sum the coefficients times the sines of 2, 4, ... times xi + i eta (Clenshaw).

    Given are the sine and cosine of twice xi, and the exponential of twice eta.
    """
    cosh, sinh = 0.5 * (growth + 1.0 / growth), 0.5 * (growth - 1.0 / growth)
    re, im = 2.0 * (cos * cosh), -2.0 * (sin * sinh)
    zero = 0.0 * sin
    y1, z1, y2, z2 = coefficients[-1] + zero, zero, zero, zero
    for coefficient in coefficients[-2::-1]:
        y1, z1, y2, z2 = (
            re * y1 - im * z1 - y2 + coefficient,
            re * z1 + im * y1 - z2,
            y1,
            z1,
        )
    re, im = sin * cosh, cos * sinh
    return re * y1 - im * z1, re * z1 + im * y1


def transverse_mercator(
    lat_deg: Number, lon_deg: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number]:
    """Project to easting and northing in metres, at scale 1 on the central meridian.

    Parameters
    ----------
    lat_deg
        Geodetic latitude, degrees.
    lon_deg
        Longitude from the central meridian, degrees, well below 90.
    shape
        The ellipsoid.
    fn
        The functions for one number or for columns.
    """
    phi, lam = lat_deg * _DEGREE, lon_deg * _DEGREE
    chi = phi + _sines(shape.to_conformal, fn.sin(2.0 * phi), fn.cos(2.0 * phi))
    sin_chi, cos_chi = fn.sin(chi), fn.cos(chi)
    across, along = cos_chi * fn.sin(lam), cos_chi * fn.cos(lam)
    radius2 = sin_chi * sin_chi + along * along
    xi, sinh = fn.atan2(sin_chi, along), across / fn.sqrt(radius2)
    eta, root = fn.asinh(sinh), sinh + fn.sqrt(1.0 + sinh * sinh)
    sin2, cos2 = 2.0 * sin_chi * along / radius2, (along * along - sin_chi * sin_chi) / radius2
    d_xi, d_eta = _complex_sines(shape.to_plane, sin2, cos2, root * root)
    return shape.rectifying_m * (eta + d_eta), shape.rectifying_m * (xi + d_xi)


def from_transverse_mercator(
    easting_m: Number, northing_m: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number]:
    """Return latitude, and longitude from the central meridian, degrees.

    The inverse of `transverse_mercator`.
    """
    xi, eta = northing_m / shape.rectifying_m, easting_m / shape.rectifying_m
    sin2, cos2, growth = fn.sin(2.0 * xi), fn.cos(2.0 * xi), fn.exp(2.0 * eta)
    d_xi, d_eta = _complex_sines(shape.from_plane, sin2, cos2, growth)
    xi, eta = xi - d_xi, eta - d_eta
    sinh, sin, cos = fn.sinh(eta), fn.sin(xi), fn.cos(xi)
    tan_chi = sin / fn.sqrt(sinh * sinh + cos * cos)
    lam = fn.atan2(sinh, cos)
    return _from_conformal(fn.atan(tan_chi), shape, fn), lam / _DEGREE


def _from_conformal(chi: Number, shape: Ellipsoid, fn: Elementary) -> Number:
    """Return the geodetic latitude, degrees, of a conformal one in radians."""
    return (chi + _sines(shape.from_conformal, fn.sin(2.0 * chi), fn.cos(2.0 * chi))) / _DEGREE


def polar_stereographic(
    lat_deg: Number, lon_deg: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number]:
    """Project about the north pole to x and y in metres, at scale 1 at the pole.

    The positive y axis points along longitude 180, the positive x axis along 90 east, as on a
    UPS map of the north; for the south give latitude with its sign turned, and turn y.
    """
    phi, lam = lat_deg * _DEGREE, lon_deg * _DEGREE
    chi = phi + _sines(shape.to_conformal, fn.sin(2.0 * phi), fn.cos(2.0 * phi))
    radius_m = shape.polar_m * fn.tan(0.5 * (0.5 * math.pi - chi))
    return radius_m * fn.sin(lam), -(radius_m * fn.cos(lam))


def from_polar_stereographic(
    x_m: Number, y_m: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number]:
    """Return latitude and longitude in degrees; the inverse of `polar_stereographic`."""
    radius_m = fn.sqrt(x_m * x_m + y_m * y_m)
    chi = 0.5 * math.pi - 2.0 * fn.atan(radius_m / shape.polar_m)
    return _from_conformal(chi, shape, fn), fn.atan2(x_m, -y_m) / _DEGREE


def half_diagonal_m(
    lat_deg: Number, half_lat_deg: Number, half_lon_deg: Number, shape: Ellipsoid, fn: Elementary
) -> Number:
    """Return the half diagonal of a cell of latitude and longitude, metres.

    Parameters
    ----------
    lat_deg
        Latitude of the cell's centre, degrees.
    half_lat_deg, half_lon_deg
        Half of its height and width, degrees.
    shape
        The ellipsoid.
    fn
        The functions for one number or for columns.

    Notes
    -----
    Rounded outward: the height is taken at the edge nearest to the pole, where a degree of
    latitude is longest, the width at the edge nearest to the equator.
    """
    away = fn.absolute(lat_deg)
    polar, equatorial = fn.sin((away + half_lat_deg) * _DEGREE), away - half_lat_deg
    equatorial = 0.5 * (equatorial + fn.absolute(equatorial))  # not across the equator
    w2 = 1.0 - shape.e2 * (polar * polar)
    normal_m = shape.a_m / fn.sqrt(w2)
    height_m = half_lat_deg * _DEGREE * (normal_m * (1.0 - shape.e2) / w2)
    width_m = half_lon_deg * _DEGREE * (normal_m * fn.cos(equatorial * _DEGREE))
    return fn.sqrt(height_m * height_m + width_m * width_m)
