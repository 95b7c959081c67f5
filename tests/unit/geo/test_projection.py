"""The projections against PROJ, which the code does not call, alone and in columns."""

from __future__ import annotations

import random

import numpy as np
import pyproj
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.elementary import ONE, columns
from deconflict.geo.projection import (
    ellipsoid,
    from_polar_stereographic,
    from_transverse_mercator,
    half_diagonal_m,
    polar_stereographic,
    transverse_mercator,
)

SHAPES = {"WGS84": (6378137.0, 298.257223563), "clrk80": (6378249.145, 293.4663)}
FORMULAS = {
    "tmerc": (transverse_mercator, from_transverse_mercator, (-84.0, 84.0), (-6.0, 6.0)),
    "stere +lat_0=90": (
        polar_stereographic,
        from_polar_stereographic,
        (79.0, 90.0),
        (-180.0, 180.0),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_proj_to_a_hundredth_of_a_millimetre(name, shape):
    forward, backward, (south, north), (west, east) = FORMULAS[name]
    a, inverse_f = SHAPES[shape]
    ours = ellipsoid(a, inverse_f)
    proj = pyproj.Proj(f"+proj={name} +lon_0=0 +k=1 +a={a} +rf={inverse_f}")
    rng = random.Random(1)
    for _ in range(400):
        lat, lon = rng.uniform(south, north), rng.uniform(west, east)
        x, y = proj(lon, lat)
        assert forward(lat, lon, ours, ONE) == pytest.approx((x, y), abs=1e-5, rel=0)
        back = backward(x, y, ours, ONE)
        assert back[0] == pytest.approx(lat, abs=1e-10, rel=0)
        assert proj(back[1], back[0]) == pytest.approx((x, y), abs=1e-5, rel=0)


@pytest.mark.parametrize("name", FORMULAS)
def test_columns_and_single_numbers_agree_to_the_last_bit(name):
    forward, backward, (south, north), (west, east) = FORMULAS[name]
    ours = ellipsoid(*SHAPES["WGS84"])
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(south, north, 500), rng.uniform(west, east, 500)
    x, y = forward(lat, lon, ours, columns())
    back_lat, back_lon = backward(x, y, ours, columns())
    for row in range(500):
        one = forward(float(lat[row]), float(lon[row]), ours, ONE)
        assert one == (x[row], y[row])
        assert backward(*one, ours, ONE) == (back_lat[row], back_lon[row])


def test_the_half_diagonal_holds_every_corner_of_a_cell_and_little_more():
    ours = ellipsoid(*SHAPES["WGS84"])
    rng = random.Random(3)
    for half in (0.5, 0.05, 0.0005):
        for _ in range(100):
            lat, lon = rng.uniform(-89.0, 89.0), rng.uniform(-180.0, 180.0)
            bound = half_diagonal_m(lat, half, half, ours, ONE)
            far = max(
                Geodesic.WGS84.Inverse(lat, lon, lat + dy, lon + dx)["s12"]
                for dy in (-half, half)
                for dx in (-half, half)
            )
            assert far <= bound * (1 + 1e-9)
            assert bound <= far * (1.02 if half < 0.5 else 1.6)
