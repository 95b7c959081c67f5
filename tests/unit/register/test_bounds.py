from __future__ import annotations

import math
import random

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.bounds import bounds

WGS84 = Geodesic.WGS84
PLACES = [(0.0, 179.9), (89.5, 20.0), (-70.0, -45.0), (36.37, 37.515)]


def ecef(lat: float, lon: float) -> np.ndarray:
    a, f = WGS84.a, WGS84.f
    e2 = f * (2.0 - f)
    phi, lam = math.radians(lat), math.radians(lon)
    n = a / math.sqrt(1.0 - e2 * math.sin(phi) ** 2)
    x, y = n * math.cos(phi) * math.cos(lam), n * math.cos(phi) * math.sin(lam)
    return np.array([x, y, n * (1.0 - e2) * math.sin(phi)])


def away(center: tuple[float, float], azimuth: float, metres: float) -> tuple[float, float]:
    end = WGS84.Direct(*center, azimuth, metres)
    return (end["lat2"], end["lon2"])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size_m", [100.0, 100_000.0, 2_000_000.0])
def test_the_sphere_holds_every_edge_and_the_inside(place, size_m) -> None:
    rng = random.Random(f"{place} {size_m}")
    azimuths = sorted(rng.uniform(0.0, 360.0) for _ in range(4))
    azimuths = [azimuth * 0.2 + 72.0 * i for i, azimuth in enumerate(azimuths)]
    ring = tuple(away(place, azimuth, rng.uniform(0.5, 1.0) * size_m) for azimuth in azimuths)
    (center,), (radius,) = bounds([Volume4D(footprint=Polygon(ring))])
    for p, q in zip(ring, (*ring[1:], ring[0]), strict=True):
        line = WGS84.InverseLine(*p, *q)
        for part in range(11):
            edge = line.Position(line.s13 * part / 10.0)
            assert np.linalg.norm(ecef(edge["lat2"], edge["lon2"]) - center) <= radius
    assert np.linalg.norm(ecef(*place) - center) <= radius


@pytest.mark.parametrize("place", PLACES)
def test_the_sphere_holds_what_a_circle_and_a_route_reach(place) -> None:
    end = away(place, 60.0, 40_000.0)
    circle = Volume4D(footprint=Circle(place, 5_000.0), uncertainty_m=100.0)
    route = Volume4D(footprint=Route((place, end), 2_000.0), danger_radius_m=300.0)
    centers, radii = bounds([circle, route])
    for azimuth in range(0, 360, 30):
        assert np.linalg.norm(ecef(*away(place, azimuth, 5_100.0)) - centers[0]) <= radii[0]
        assert np.linalg.norm(ecef(*away(end, azimuth, 1_300.0)) - centers[1]) <= radii[1]


def test_a_small_sphere_is_tight() -> None:
    (_,), (radius,) = bounds([Volume4D(footprint=Circle((36.37, 37.515), 50.0))])
    assert 50.0 <= radius < 50.2


def test_no_volumes_have_no_spheres() -> None:
    centers, radii = bounds([])
    assert centers.shape == (0, 3)
    assert radii.shape == (0,)
