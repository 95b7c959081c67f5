"""Shapes: footprints made ready for measuring, in geocentric coordinates without any seam.

A footprint is a *skeleton* (a point, a line or a region with geodesic edges) and a *reach*: the
radius of a circle, half the width of a route. Circles and round ends are so never drawn as
polygons; they only enter as a distance.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import shapely

from deconflict.geo.figure.convex import convex_pieces, hull_corners
from deconflict.geo.figure.geodesic import densified
from deconflict.geo.figure.plane import Floats, Plane, Vector, most_arc, on_surface, to_ecef
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Footprint, Polygon

LONGEST_PIECE_M: Final = 10_000.0
"""Edges are cut into pieces no longer than this: `plane` says what error is left then."""
SHAPES_KEPT: Final = 4096
"""How many shapes are kept for the next question; a shape of eight vertices takes about 2 KB."""


class Shape:
    """A footprint's skeleton in geocentric coordinates, and its reach.

    Attributes
    ----------
    chains
        Runs of points, metres: the one point, the line, or the closed rings (shell first; the
        last point repeats the first). Pieces are at most `LONGEST_PIECE_M` long.
    is_region
        Whether the inside of the rings belongs to the skeleton.
    reach_m
        What the footprint adds around the skeleton, metres.
    center, center_ecef
        A point in the middle.
    radius_m
        No point of the skeleton is farther than this from the centre, metres.
    """

    def __init__(
        self, chains: tuple[tuple[LatLon, ...], ...], *, region: bool, reach_m: float
    ) -> None:
        self.is_region = region
        self.reach_m = reach_m
        ecef: list[Floats] = []
        for chain in chains:
            points = [to_ecef(point) for point in chain]
            if region:
                points.append(points[0])
            if any(_long(p, q) for p, q in pairwise(points)):
                corners = (*chain, chain[0]) if region else chain
                points = [to_ecef(p) for p in densified(corners, LONGEST_PIECE_M)]
            ecef.append(np.array(points))
        self.chains: tuple[Floats, ...] = tuple(ecef)
        self.vertices: tuple[tuple[LatLon, ...], ...] = chains
        outer = ecef[0]
        if len(outer) == 1:
            self.center: LatLon = chains[0][0]
            self.center_ecef: Vector = (float(outer[0, 0]), float(outer[0, 1]), float(outer[0, 2]))
            self.radius_m = 0.0
        else:
            self.center = middle_of(outer)
            self.center_ecef = to_ecef(self.center)
            away = outer - self.center_ecef
            # A geodesic disc of less than a quarter turn is convex: the vertices bound the region.
            self.radius_m = most_arc(math.sqrt(float((away * away).sum(axis=1).max())))

    @cached_property
    def plane(self) -> Plane:
        """The plane that touches the centre."""
        return Plane(self.center)

    @cached_property
    def flat(self) -> shapely.Geometry:
        """The skeleton in its own plane."""
        return self.flat_in(self.plane)

    def flat_in(self, plane: Plane) -> shapely.Geometry:
        """Return the skeleton in a plane from whose contact it is less than 90 degrees away."""
        if self.is_region:
            rings = [plane.project_all(chain) for chain in self.chains]
            if len(rings) == 1:
                return shapely.polygons(rings[0])
            return shapely.Polygon(rings[0], rings[1:])
        return self.border_in(plane)

    def border_in(self, plane: Plane) -> shapely.Geometry:
        """Return the point, line or rings in a plane."""
        if len(self.chains) == 1:
            chain = self.chains[0]
            if len(chain) == 1:
                return shapely.points(plane.project_all(chain)[0])
            return shapely.linestrings(plane.project_all(chain))
        return shapely.multilinestrings(
            [shapely.linestrings(plane.project_all(chain)) for chain in self.chains]
        )

    @cached_property
    def border(self) -> Shape:
        """The shape of the rings alone, without the inside."""
        if not self.is_region:
            return self
        bare = object.__new__(Shape)
        bare.__dict__.update(
            {k: v for k, v in self.__dict__.items() if k not in ("flat", "border", "plane")}
        )
        bare.is_region = False
        return bare

    @cached_property
    def count(self) -> int:
        """How many points the chains have."""
        return sum(map(len, self.chains))

    @cached_property
    def pieces(self) -> tuple[Floats, Floats]:
        """Both ends of every piece, (n, 3) each; a point is a piece without length."""
        if len(self.chains[0]) == 1:
            return self.chains[0], self.chains[0]
        return (
            np.concatenate([chain[:-1] for chain in self.chains]),
            np.concatenate([chain[1:] for chain in self.chains]),
        )

    @cached_property
    def convex(self) -> tuple[Floats, ...]:
        """Geocentric corners of convex pieces that make up the skeleton; of its hull, if large.

        Convex in one plane is convex in all: planes touching a sphere show its lines as lines.
        """
        if not self.is_region:
            chain = self.chains[0]
            return tuple(chain[i : i + 2] for i in range(max(len(chain) - 1, 1)))
        flat = self.flat
        pieces = convex_pieces(flat)
        if pieces is None:
            pieces = [hull_corners(flat)]
        plane = self.plane
        return tuple(
            np.array([to_ecef(plane.lat_lon(x, y)) for x, y in corners]) for corners in pieces
        )

    @property
    def first(self) -> Vector:
        """The first point, geocentric."""
        x, y, z = self.chains[0][0].tolist()
        return (x, y, z)

    def holds(self, vector: Vector) -> bool:
        """Return whether a region's skeleton holds a geocentric point."""
        if not self.is_region:
            return False
        plane = self.plane
        ray = (vector[0] - plane.eye[0], vector[1] - plane.eye[1], vector[2] - plane.eye[2])
        up = plane.normal
        if ray[0] * up[0] + ray[1] * up[1] + ray[2] * up[2] <= 0.01 * plane.radius_m:
            return False  # beyond the hemisphere into which every polygon must fit
        x, y = plane.project(vector)
        return bool(shapely.intersects_xy(self.flat, x, y))


def _long(p: Vector, q: Vector) -> bool:
    dx, dy, dz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
    return dx * dx + dy * dy + dz * dz > LONGEST_PIECE_M * LONGEST_PIECE_M


def middle_of(points: Floats) -> LatLon:
    """Return a place near the middle of geocentric points (of their smallest cap, if wide)."""
    x, y, z = (float(v) for v in (points.min(axis=0) + points.max(axis=0)) * 0.5)
    length = math.sqrt(x * x + y * y + z * z)
    if length > 6_000_000.0:
        return on_surface((x, y, z))
    # Badoiu and Clarkson (2003): steps toward the farthest point, ever shorter.
    unit = points / np.sqrt((points * points).sum(axis=1))[:, None]
    middle = unit.mean(axis=0)
    for step in range(1, 200):
        farthest = unit[int((unit @ middle).argmin())]
        middle = middle + (farthest - middle) / (step + 1)
    return on_surface((float(middle[0]), float(middle[1]), float(middle[2])))


@lru_cache(maxsize=SHAPES_KEPT)
def shape_of(footprint: Footprint) -> Shape:
    """Return the shape of a footprint."""
    if isinstance(footprint, Circle):
        return Shape(((footprint.center,),), region=False, reach_m=footprint.radius_m)
    if isinstance(footprint, Polygon):
        return Shape((footprint.shell, *footprint.holes), region=True, reach_m=0.0)
    return Shape((footprint.points,), region=False, reach_m=footprint.width_m / 2.0)
