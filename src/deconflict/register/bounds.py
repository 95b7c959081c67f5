"""Bounds: which places are too far from one another to matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deconflict.geo.figure.plane import E2, EQUATOR_M, GREATEST_RADIUS_M, LEAST_RADIUS_M
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Footprint, Polygon, Volume4D

FloatArray = npt.NDArray[np.float64]

SLACK_M = 0.1
"""A bound is rejected only when this much farther than it has to be: rounding, and touching."""

CONVEX_M = 4_000_000.0
"""Up to this radius a sphere cuts less than a hemisphere out of the Earth, which then holds every
geodesic between its points; anything larger is taken to be everywhere."""


def bounds(volumes: Sequence[Volume4D]) -> tuple[FloatArray, FloatArray]:
    """Return a sphere for each volume that holds its grown footprint.

    Two footprints can meet only if the straight line between the centres is no longer than the
    sum of the radii, since a chord is never longer than the geodesic over it. A sphere round the
    vertices holds the chords between them; a geodesic bulges from a chord of a sphere of radius
    *r* by at most *r* squared over twice the least radius of curvature.

    Returns
    -------
    centers : (n, 3) array
        Earth-centred, Earth-fixed, metres.
    radii : (n,) array
        Metres.
    """
    outlines = [_outline(volume.footprint) for volume in volumes]
    if not outlines:
        return np.empty((0, 3)), np.empty(0)
    counts = np.array([len(points) for points, _ in outlines])
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    vertices = _ecef(np.array([point for points, _ in outlines for point in points]))
    centers = np.add.reduceat(vertices, first) / counts[:, None]
    away = np.linalg.norm(vertices - np.repeat(centers, counts, axis=0), axis=1)
    radii = np.maximum.reduceat(away, first)
    radii += radii * radii / (2.0 * LEAST_RADIUS_M) + SLACK_M
    radii[radii > CONVEX_M] = 2.0 * GREATEST_RADIUS_M
    radii += [
        reach_m + volume.growth_m for (_, reach_m), volume in zip(outlines, volumes, strict=True)
    ]
    return centers, radii


def _outline(footprint: Footprint) -> tuple[tuple[LatLon, ...], float]:
    """Return the points of a footprint, and how far it reaches beyond the lines between them."""
    if isinstance(footprint, Circle):
        return (footprint.center,), footprint.radius_m
    if isinstance(footprint, Polygon):
        return footprint.shell, 0.0
    return footprint.points, footprint.width_m / 2.0


def _ecef(points: FloatArray) -> FloatArray:
    """Return geocentric coordinates of (n, 2) latitudes and longitudes in degrees."""
    lat, lon = np.radians(points).T
    sine, cosine = np.sin(lat), np.cos(lat)
    normal = EQUATOR_M / np.sqrt(1.0 - E2 * sine * sine)
    return np.column_stack(
        (
            normal * cosine * np.cos(lon),
            normal * cosine * np.sin(lon),
            normal * (1.0 - E2) * sine,
        )
    )
