"""A plane that touches the ellipsoid, in which geodesics are all but straight.

A point is projected from the centre of curvature below the point of contact: the Gaussian mean
radius ``R = sqrt(M N)`` under it, along the normal. On a sphere this is the gnomonic projection,
which shows every geodesic as a straight line and stretches every distance. On the ellipsoid two
small terms remain. With `r` the distance from the point of contact and `L` the length of an edge:

- the plane through an edge and the centre of projection leans against the normal of the ellipsoid
  by at most ``e2/2 * r / R`` (e2 = 0.00669), so a straight edge lies within
  ``L**2 / (8 R) * e2/2 * r / R`` of the geodesic: 0.2 mm for 10 km edges 200 km out, 5 mm for
  10 km edges 5,000 km out;
- distances are stretched by a factor from 1 to ``1 / cos(r / R)**2``, never shortened
  (tests/unit/geo/test_plane.py).

A line through the point of contact keeps its right angles, so the foot of a perpendicular is
found exactly where the centre lies on that perpendicular.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pyproj import Geod

    from deconflict.geo.position import LatLon

Floats = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

EQUATOR_M: Final = 6378137.0
"""Semi-major axis of WGS 84, metres (NGA.STND.0036)."""
FLATTENING: Final = 1.0 / 298.257223563
"""Flattening of WGS 84 (NGA.STND.0036)."""
E2: Final = FLATTENING * (2.0 - FLATTENING)
"""Square of the first eccentricity."""
LEAST_RADIUS_M: Final = 6_335_439.0
"""The least radius of curvature anywhere (along the meridian, at the equator)."""
GREATEST_RADIUS_M: Final = 6_399_594.0
"""The greatest (at the poles)."""


@lru_cache(maxsize=1)
def geod() -> Geod:
    """Return the WGS 84 geodesic solver (made once: its first use loads a library)."""
    from pyproj import Geod  # keeps the start of the command line fast

    return Geod(ellps="WGS84")


def distance_m(a: LatLon, b: LatLon) -> float:
    """Return the geodesic distance of two points (lat, lon) in degrees, metres."""
    return float(geod().inv(a[1], a[0], b[1], b[0])[2])


def moved(point: LatLon, azimuth_deg: float, metres: float) -> LatLon:
    """Return the point `metres` along the geodesic that leaves `point` at `azimuth_deg`."""
    lon, lat, _ = geod().fwd(point[1], point[0], azimuth_deg, metres)
    return (float(lat), float(lon))


def to_ecef(point: LatLon) -> Vector:
    """Return the geocentric coordinates of a point on the ellipsoid, metres."""
    lat = math.radians(point[0])
    lon = math.radians(point[1])
    sin_lat = math.sin(lat)
    normal = EQUATOR_M / math.sqrt(1.0 - E2 * sin_lat * sin_lat)
    across = normal * math.cos(lat)
    return (across * math.cos(lon), across * math.sin(lon), normal * (1.0 - E2) * sin_lat)


def to_lat_lon(vector: Vector) -> LatLon:
    """Return latitude and longitude of a point *on* the ellipsoid, degrees."""
    x, y, z = vector
    lat = math.atan2(z, (1.0 - E2) * math.hypot(x, y))
    return (math.degrees(lat), math.degrees(math.atan2(y, x)))


def on_surface(vector: Vector) -> LatLon:
    """Return the point of the ellipsoid on the ray from the Earth's centre through `vector`."""
    return to_lat_lon(vector)  # the formula only needs the ratio of z to the axis distance


def chord_of_arc(arc_m: float) -> float:
    """Return a chord that no two points `arc_m` apart or less exceed, metres."""
    return 2.0 * GREATEST_RADIUS_M * math.sin(min(arc_m / (2.0 * GREATEST_RADIUS_M), math.pi / 2))


def most_arc(chord_m: float) -> float:
    """Return an arc that no two points with that chord between them exceed, metres."""
    return 2.0 * LEAST_RADIUS_M * math.asin(min(chord_m / (2.0 * LEAST_RADIUS_M), 1.0))


def least_arc(chord_m: float) -> float:
    """Return an arc that any two points with that chord between them reach, metres."""
    return 2.0 * GREATEST_RADIUS_M * math.asin(min(chord_m / (2.0 * GREATEST_RADIUS_M), 1.0))


class Plane:
    """The plane that touches the ellipsoid at one point; x is east and y is north, metres.

    Parameters
    ----------
    contact
        The point of contact, (latitude, longitude) in degrees.
    """

    __slots__ = ("_frame", "axes", "contact", "eye", "normal", "radius_m")

    def __init__(self, contact: LatLon) -> None:
        self.contact = contact
        self._frame: Floats | None = None
        lat = math.radians(contact[0])
        lon = math.radians(contact[1])
        sin_lat, cos_lat = math.sin(lat), math.cos(lat)
        sin_lon, cos_lon = math.sin(lon), math.cos(lon)
        bend = 1.0 - E2 * sin_lat * sin_lat
        across = EQUATOR_M / math.sqrt(bend)
        # Gaussian mean of the meridian's radius across * (1 - e2) / bend, and of `across`.
        radius = across * math.sqrt((1.0 - E2) / bend)
        self.radius_m = radius
        up = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat)
        self.normal: Vector = up
        self.axes: tuple[Vector, Vector] = (
            (-sin_lon, cos_lon, 0.0),
            (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat),
        )
        self.eye: Vector = (
            (across - radius) * up[0],
            (across - radius) * up[1],
            (across * (1.0 - E2) - radius) * up[2],
        )

    def project(self, vector: Vector) -> tuple[float, float]:
        """Return x and y of one geocentric point less than 90 degrees from the contact."""
        (ex, ey, _), (nx, ny, nz) = self.axes
        ux, uy, uz = self.normal
        dx = vector[0] - self.eye[0]
        dy = vector[1] - self.eye[1]
        dz = vector[2] - self.eye[2]
        scale = self.radius_m / (dx * ux + dy * uy + dz * uz)
        return ((dx * ex + dy * ey) * scale, (dx * nx + dy * ny + dz * nz) * scale)

    def project_all(self, vectors: Floats) -> Floats:
        """Return (n, 2) plane coordinates of (n, 3) geocentric points."""
        if self._frame is None:
            self._frame = np.array((*self.axes, self.normal)).T
        local = (vectors - self.eye) @ self._frame
        flat: Floats = local[:, :2] * (self.radius_m / local[:, 2:])
        return flat

    def height_cosines(self, vectors: Floats) -> Floats:
        """Return for each point the cosine of its angle from the contact, seen from the eye."""
        rays = vectors - self.eye
        cosines: Floats = (rays @ np.array(self.normal)) / np.sqrt((rays * rays).sum(axis=1))
        return cosines

    def lat_lon(self, x_m: float, y_m: float) -> LatLon:
        """Return the point of the ellipsoid that projects to x and y, (lat, lon) in degrees."""
        (ex, ey, _), (nx, ny, nz) = self.axes
        ux, uy, uz = self.normal
        radius = self.radius_m
        dx = ex * x_m + nx * y_m + ux * radius
        dy = ey * x_m + ny * y_m + uy * radius
        dz = nz * y_m + uz * radius
        # The ray eye + t * (dx, dy, dz) meets x2 + y2 + z2 / (1 - e2) = a2; t > 0 is wanted.
        px, py, pz = self.eye
        k = 1.0 / (1.0 - E2)
        a = dx * dx + dy * dy + dz * dz * k
        b = px * dx + py * dy + pz * dz * k
        c = px * px + py * py + pz * pz * k - EQUATOR_M * EQUATOR_M
        t = (math.sqrt(b * b - a * c) - b) / a
        return to_lat_lon((px + t * dx, py + t * dy, pz + t * dz))
