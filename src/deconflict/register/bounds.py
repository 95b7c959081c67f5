"""Bounds: which places are too far from one another to matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deconflict.geo.shape import shape_of
from deconflict.geo.volume import Volume4D

FloatArray = npt.NDArray[np.float64]

SLACK_M = 0.1
"""A bound is rejected only when this much farther than it has to be: rounding, and touching."""


def bounds(volumes: Sequence[Volume4D]) -> tuple[FloatArray, FloatArray]:
    """Return a sphere for each volume that holds its grown footprint.

    Two footprints can meet only if the straight line between the centres is no longer than the
    sum of the radii, since a chord is never longer than the geodesic over it.

    Returns
    -------
    centers : (n, 3) array
        Earth-centred, Earth-fixed, metres.
    radii : (n,) array
        Metres.
    """
    shapes = [shape_of(volume.footprint) for volume in volumes]
    centers = np.array([shape.center_ecef for shape in shapes], dtype=np.float64)
    radii = np.array(
        [
            shape.radius_m + shape.reach_m + volume.growth_m + SLACK_M
            for shape, volume in zip(shapes, volumes, strict=True)
        ],
        dtype=np.float64,
    )
    return centers.reshape(-1, 3), radii
