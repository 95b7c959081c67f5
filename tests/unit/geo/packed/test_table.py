from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.packed.table import (
    ALWAYS_US,
    BEGIN,
    END,
    GROWTH,
    LONGEST_EDGE_M,
    LOWER,
    LOWER_W84,
    RADIUS,
    UPPER,
    UPPER_W84,
    VolumeTable,
    X,
    Z,
)
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SQUARE = Polygon(((0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0)))


def test_points_of_known_earth_fixed_coordinates_are_placed_there() -> None:
    places = ((0.0, 0.0), (0.0, 90.0), (90.0, 0.0), (-90.0, 12.0))
    rows = VolumeTable.of([Volume4D(footprint=Circle(p, 1.0)) for p in places]).rows
    a, b = 6378137.0, 6356752.314245
    assert rows.xyz == pytest.approx(
        np.array([[a, 0, 0], [0, a, 0], [0, 0, b], [0, 0, -b]]), abs=1e-6
    )


def test_growth_is_radius_or_half_width_with_uncertainty_and_danger() -> None:
    grown = {"uncertainty_m": 3.0, "danger_radius_m": 40.0}
    table = VolumeTable.of(
        [
            Volume4D(footprint=Circle((1.0, 2.0), 500.0), **grown),
            Volume4D(footprint=Route(((1.0, 2.0), (1.0, 2.1)), 60.0), **grown),
            Volume4D(footprint=SQUARE, **grown),
        ]
    )
    assert table.rows.real[:, GROWTH].tolist() == [543.0, 73.0, 43.0]


def test_windows_are_microseconds_and_no_limit_can_take_a_margin() -> None:
    in_damascus = datetime(1970, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    volumes = [
        Volume4D(footprint=SQUARE, start=in_damascus, end=in_damascus + timedelta(microseconds=1)),
        Volume4D(footprint=SQUARE),
    ]
    times = VolumeTable.of(volumes).rows.whole[:, BEGIN : END + 1]
    assert times.tolist() == [[0, 1], [-ALWAYS_US, ALWAYS_US]]
    assert ALWAYS_US + ALWAYS_US // 2 < 2**63


def test_a_timed_route_gives_a_row_a_leg() -> None:
    times = (NOON, NOON + timedelta(minutes=5), NOON + timedelta(minutes=15))
    route = Route(((1.0, 2.0), (1.0, 2.1), (1.1, 2.1)), 60.0, times)
    table = VolumeTable.of([Volume4D(footprint=SQUARE), Volume4D(footprint=route)])
    assert table.owner.tolist() == [0, 1, 1]
    begin, end = table.rows.whole[1:, BEGIN], table.rows.whole[1:, END]
    assert ((end - begin) // 1_000_000).tolist() == [300, 600]
    assert table.count == 2


def test_bands_keep_their_reference_and_get_an_ellipsoid_interval_outside() -> None:
    band = AltitudeBand(Height(100.0, AltitudeReference.MSL), Height(200.0, AltitudeReference.MSL))
    aleppo = Volume4D(footprint=Circle((36.2, 37.16), 10.0), band=band, danger_radius_m=5.0)
    real = VolumeTable.of([aleppo]).rows.real[0]
    assert real[[LOWER, UPPER]].tolist() == [95.0, 205.0]
    # The geoid lies 27 m above the ellipsoid at Aleppo (EGM96).
    assert 110.0 < real[LOWER_W84] <= 122.5
    assert 231.5 <= real[UPPER_W84] < 245.0


@pytest.mark.parametrize(
    "footprint",
    [
        Polygon(((60.0, 10.0), (60.0, 14.0), (62.0, 12.0))),
        Polygon(((12.0, 179.0), (12.0, -179.0), (14.0, -179.0), (14.0, 179.0))),
        Polygon(((88.0, 0.0), (88.0, 120.0), (88.0, -120.0))),
        Route(((0.0, 0.0), (45.0, 45.0)), 100.0),
        SQUARE,
    ],
)
def test_long_edges_are_cut_along_the_geodesic(footprint: Polygon | Route) -> None:
    rows = VolumeTable.of([Volume4D(footprint=footprint)]).rows
    closed = isinstance(footprint, Polygon)
    points = list(footprint.shell if closed else footprint.points)
    ends = points[1:] + points[:1] if closed else points[1:]
    # Every vertex lies on one of the edges: the ways to both ends add up to its length.
    lat = np.degrees(
        np.arctan2(rows.xyz[:, 2] / (1 - 0.0066943799901413165), np.hypot(*rows.xyz[:, :2].T))
    )
    lon = np.degrees(np.arctan2(rows.xyz[:, 1], rows.xyz[:, 0]))
    edges = [
        (p, q, Geodesic.WGS84.Inverse(*p, *q)["s12"]) for p, q in zip(points, ends, strict=False)
    ]
    for point in zip(lat.tolist()[::7], lon.tolist()[::7], strict=True):
        excess = min(
            Geodesic.WGS84.Inverse(*p, *point)["s12"]
            + Geodesic.WGS84.Inverse(*point, *q)["s12"]
            - length
            for p, q, length in edges
        )
        assert excess < 1e-6
    steps = np.diff(np.vstack([rows.xyz, rows.xyz[:1]]) if closed else rows.xyz, axis=0)
    assert np.sqrt((steps**2).sum(axis=1)).max() <= LONGEST_EDGE_M


def test_spheres_hold_the_edges_and_the_inside() -> None:
    shapes = [
        Polygon(((60.0, 10.0), (60.0, 14.0), (62.0, 12.0))),
        Polygon(((80.0, 0.0), (80.0, 120.0), (80.0, -120.0))),
        Polygon(((-10.0, 0.0), (-10.0, 40.0), (25.0, 20.0))),
    ]
    inside = [(61.0, 12.0), (90.0, 0.0), (0.0, 20.0)]
    table = VolumeTable.of([Volume4D(footprint=shape) for shape in shapes])
    points = VolumeTable.of([Volume4D(footprint=Circle(p, 0.0)) for p in inside])
    for i in range(3):
        middle, radius = table.rows.real[i, X : Z + 1], table.rows.real[i, RADIUS]
        start, stop = table.rows.ring[i : i + 2]
        for xyz in [*table.rows.xyz[start:stop], points.rows.xyz[i]]:
            assert np.linalg.norm(xyz - middle) < radius


def test_arrays_give_the_rows_that_their_volumes_give() -> None:
    bulk = VolumeTable.of_arrays(
        lat_deg=np.array([10.0, 20.0, 20.0, 20.01]),
        lon_deg=np.array([10.0, 179.999, -179.999, 180.0]),
        first=np.array([0, 1, 4]),
        radius_m=np.array([50.0, 2.0]),
        time_us=np.array([[0, 1_000_000], [-ALWAYS_US, ALWAYS_US]]),
        height_m=np.array([[10.0, 70.0], [-np.inf, 100.0]]),
    )
    again = VolumeTable.of([bulk.volume_of(0), bulk.volume_of(1)])
    for one, other in zip(bulk.rows, again.rows, strict=True):
        assert np.array_equal(one, other)
    assert bulk.volume_of(1).band == AltitudeBand(None, Height(100.0))
    assert bulk.volume_of(1).start is None


@pytest.mark.parametrize(
    "change",
    [
        {"lat_deg": np.array([np.nan])},
        {"radius_m": np.array([np.inf])},
        {"height_m": np.array([[np.nan, 1.0]])},
        {"time_us": np.array([[0, 2**62]])},
        {"first": np.array([0, 2])},
    ],
)
def test_arrays_with_missing_numbers_are_refused(change: dict[str, np.ndarray]) -> None:
    arrays = {
        "lat_deg": np.array([10.0]),
        "lon_deg": np.array([10.0]),
        "first": np.array([0, 1]),
        "radius_m": np.array([50.0]),
        "time_us": np.array([[0, 1]]),
        "height_m": np.array([[0.0, 1.0]]),
    }
    with pytest.raises(InputError):
        VolumeTable.of_arrays(**(arrays | change))


def test_no_volumes_make_an_empty_table() -> None:
    table = VolumeTable.of([])
    assert table.count == len(table.owner) == len(table.rows.real) == 0
