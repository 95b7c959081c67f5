from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.packed.kernel import NO, UNDECIDED, YES, meet
from deconflict.geo.packed.table import VolumeTable
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

SQUARE = Polygon(((36.0, 37.0), (36.0, 37.02), (36.02, 37.02), (36.02, 37.0)))
WITH_HOLE = Polygon(
    SQUARE.shell, (((36.005, 37.005), (36.005, 37.015), (36.015, 37.015), (36.015, 37.005)),)
)
COUNTRY = Polygon(((30.0, 30.0), (30.0, 45.0), (42.0, 45.0), (42.0, 30.0)))
FIGURE = {NO: "no", YES: "yes", UNDECIDED: "undecided"}


def answer(a, b, *, plan_m: float = 0.0, height_m: float = 0.0, time_s: float = 0.0) -> str:
    volumes = [v if isinstance(v, Volume4D) else Volume4D(footprint=v) for v in (a, b)]
    rows = VolumeTable.of(volumes).rows
    scratch = np.empty((len(rows.xyz), 2))
    one = meet(rows, 0, rows, 1, plan_m, height_m, int(time_s * 1e6), scratch)
    other = meet(rows, 1, rows, 0, plan_m, height_m, int(time_s * 1e6), scratch)
    assert one == other
    return FIGURE[one]


def north_of(lat_deg: float, lon_deg: float, distance_m: float) -> tuple[float, float]:
    end = Geodesic.WGS84.Direct(lat_deg, lon_deg, 0.0, distance_m)
    return (end["lat2"], end["lon2"])


@pytest.mark.parametrize("distance_m", [100.0, 5_000.0, 80_000.0])
@pytest.mark.parametrize("lat_deg", [0.0, 36.0, -70.0, 89.0])
def test_circles_are_told_apart_within_five_centimetres(lat_deg: float, distance_m: float) -> None:
    for azimuth in (0.0, 50.0, 90.0):
        end = Geodesic.WGS84.Direct(lat_deg, 179.99, azimuth, distance_m)
        there = (end["lat2"], end["lon2"])
        for gap, expected in ((-0.05, "yes"), (0.05, "no"), (0.001, "undecided")):
            a = Circle((lat_deg, 179.99), distance_m / 4)
            b = Circle(there, distance_m * 3 / 4 - gap)
            assert answer(a, b) == expected


@pytest.mark.parametrize("away_m", [30.0, 1_000.0])
def test_a_polygon_and_a_point_north_of_its_long_edge(away_m: float) -> None:
    # The northern edge is a geodesic: between its ends it runs north of their parallel.
    west, east = SQUARE.shell[3], SQUARE.shell[2]
    line = Geodesic.WGS84.InverseLine(*west, *east)
    middle = line.Position(line.s13 / 2)
    point = north_of(middle["lat2"], middle["lon2"], away_m)
    assert answer(SQUARE, Circle(point, away_m - 0.05)) == "no"
    assert answer(SQUARE, Circle(point, away_m + 0.05)) == "yes"
    assert answer(SQUARE, Circle(point, 0.0), plan_m=away_m + 0.05) == "yes"


def test_what_lies_in_a_polygon_meets_it_and_what_lies_in_its_hole_does_not() -> None:
    assert answer(SQUARE, Circle((36.01, 37.01), 1.0)) == "yes"
    assert answer(WITH_HOLE, Circle((36.01, 37.01), 1.0)) == "no"
    assert answer(WITH_HOLE, Circle((36.01, 37.01), 600.0)) == "yes"
    assert answer(WITH_HOLE, Circle((36.002, 37.01), 0.0)) == "yes"
    assert answer(WITH_HOLE, Circle((36.0199, 37.0001), 0.0)) == "yes"


def test_crossing_shapes_without_any_vertex_in_the_other_meet() -> None:
    upright = Polygon(((35.99, 37.009), (35.99, 37.011), (36.03, 37.011), (36.03, 37.009)))
    assert answer(SQUARE, upright) == "yes"
    assert answer(SQUARE, Route(((36.01, 36.99), (36.01, 37.03)), 0.0)) == "yes"
    assert answer(Route(((36.0, 37.0), (36.01, 37.0)), 0.0), SQUARE) == "yes"
    assert answer(Route(((35.98, 36.98), (35.98, 37.04)), 0.0), SQUARE) == "no"


def test_a_shared_vertex_is_touching() -> None:
    corner = Polygon((SQUARE.shell[2], (36.03, 37.02), (36.03, 37.03)))
    assert answer(SQUARE, corner) == "yes"
    assert answer(Circle((1.0, 2.0), 0.0), Circle((1.0, 2.0), 0.0)) == "yes"


def test_edges_that_run_along_one_another_are_left_open() -> None:
    beside = Polygon(((36.005, 37.02), (36.01, 37.03), (36.015, 37.02)))
    assert answer(SQUARE, beside) == "undecided"


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((36.0, 37.0), "yes"),
        ((41.9, 30.1), "yes"),
        ((29.5, 37.0), "no"),
        ((36.0, 29.9), "no"),
        ((-36.0, -143.0), "no"),
        ((30.05, 37.5), "no"),  # north of the parallel, south of the geodesic edge
    ],
)
def test_a_country_is_told_from_what_lies_beside_it(point, expected: str) -> None:
    assert answer(COUNTRY, Circle(point, 300.0)) == expected


def test_a_ring_round_the_pole_holds_the_pole() -> None:
    cap = Polygon(((85.0, 10.0), (85.0, 130.0), (85.0, -110.0)))
    assert answer(cap, Circle((90.0, 0.0), 1.0)) == "yes"
    assert answer(cap, Circle((88.0, -77.0), 1.0)) == "yes"
    assert answer(cap, Circle((84.9, 10.0), 1.0)) == "no"


def test_half_the_earth_is_left_open() -> None:
    vast = Polygon(((10.0, -80.0), (10.0, 20.0), (10.0, 100.0), (60.0, 10.0)))
    assert answer(vast, Circle((40.0, 20.0), 1.0)) == "undecided"


def test_windows_that_touch_meet_and_a_margin_is_added() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    a = Volume4D(footprint=SQUARE, end=noon)
    later = [
        Volume4D(footprint=SQUARE, start=noon + timedelta(microseconds=us)) for us in (0, 1, 1_000)
    ]
    assert [answer(a, b) for b in later] == ["yes", "no", "no"]
    assert [answer(a, b, time_s=1e-3) for b in later] == ["yes", "yes", "yes"]


def test_bands_in_one_reference_are_compared_in_it_and_margins_are_added() -> None:
    def volume(low: float, high: float, reference: AltitudeReference, danger: float = 0.0):
        band = AltitudeBand(Height(low, reference), Height(high, reference))
        return Volume4D(footprint=SQUARE, band=band, danger_radius_m=danger)

    for reference in AltitudeReference:
        a = volume(100.0, 200.0, reference)
        assert answer(a, volume(200.0, 300.0, reference)) == "yes"
        assert answer(a, volume(200.5, 300.0, reference)) == "no"
        assert answer(a, volume(200.5, 300.0, reference), height_m=0.5) == "yes"
        assert answer(a, volume(230.0, 300.0, reference, danger=31.0)) == "yes"
        assert answer(a, volume(230.0, 300.0, reference, danger=21.0)) == "no"


def test_bands_across_references_are_compared_above_the_ellipsoid() -> None:
    # The geoid lies 20 to 35 m above the ellipsoid in northern Syria.
    sea = AltitudeBand(Height(0.0, AltitudeReference.MSL), Height(100.0, AltitudeReference.MSL))
    low = Volume4D(footprint=SQUARE, band=sea)

    def above(height: float) -> Volume4D:
        return Volume4D(footprint=SQUARE, band=AltitudeBand(Height(height), None))

    assert answer(low, above(110.0)) == "yes"
    assert answer(low, above(160.0)) == "no"
    unlimited = AltitudeBand(Height(500.0, AltitudeReference.AGL), None)
    assert answer(low, Volume4D(footprint=SQUARE, band=unlimited)) == "yes"
