from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.height import AltitudeBand, AltitudeReference, Height, read_height
from deconflict.geo.separation import TOUCH_M, meets, push, separation
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

WORLD = Geodesic.WGS84
HERE = (36.37, 37.515)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def away(point, azimuth, metres):
    there = WORLD.Direct(*point, azimuth, metres)
    return (there["lat2"], there["lon2"])


def apart(a, b):
    return WORLD.Inverse(*a, *b, Geodesic.DISTANCE)["s12"]


def volume(footprint, **more):
    return Volume4D(footprint=footprint, **more)


def band(lower, upper, reference=AltitudeReference.W84):
    return AltitudeBand(
        None if lower is None else Height(lower, reference),
        None if upper is None else Height(upper, reference),
    )


def square(center, half_m):
    return Polygon(tuple(away(center, a, half_m * math.sqrt(2)) for a in (45, 135, 225, 315)))


CORNER = away(HERE, 45, 500 * math.sqrt(2))
TOUCHING = {
    "circles": (Circle(HERE, 400.0), Circle(away(HERE, 77, 1000.0), 600.0)),
    "circle and point": (Circle(HERE, 400.0), Circle(away(HERE, 200, 400.0), 0.0)),
    "the same point": (Circle(HERE, 0.0), Circle(HERE, 0.0)),
    "polygons with a corner in common": (
        square(HERE, 500.0),
        Polygon((CORNER, away(CORNER, 20, 900), away(CORNER, 70, 900))),
    ),
    "polygons with an edge in common": (
        square(HERE, 500.0),
        Polygon((*square(HERE, 500.0).shell[:2], away(HERE, 90, 2000))),
    ),
    "a corner on a long edge": (
        Polygon((away(HERE, 270, 40_000), away(HERE, 90, 40_000), away(HERE, 180, 9_000))),
        Polygon((HERE, away(HERE, 20, 900), away(HERE, 70, 900))),
    ),
    "circle and edge": (
        Polygon((away(HERE, 270, 40_000), away(HERE, 90, 40_000), away(HERE, 180, 9_000))),
        Circle(away(HERE, 0, 700.0), 700.0),
    ),
    "route and edge": (
        Polygon((away(HERE, 270, 40_000), away(HERE, 90, 40_000), away(HERE, 180, 9_000))),
        Route((away(HERE, 0, 50.0), away(HERE, 10, 9_000.0)), 100.0),
    ),
    "point in the middle of a leg": (
        Route((away(HERE, 270, 40_000), away(HERE, 90, 40_000)), 0.0),
        Circle(HERE, 0.0),
    ),
    "over the seam": (
        Circle((-16.5, 180.0), 1000.0),
        Circle(away((-16.5, -180.0), 90, 1000.0), 0.0),
    ),
    "over the pole": (Circle((89.99, 0.0), 600.0), Circle(away((89.99, 0.0), 0, 3000.0), 2400.0)),
}


@pytest.mark.parametrize("name", TOUCHING)
def test_touching_footprints_meet_and_a_centimetre_apart_they_do_not(name):
    a, b = (volume(footprint) for footprint in TOUCHING[name])
    for first, second in ((a, b), (b, a)):
        assert meets(first, second)
        found = separation(first, second)
        assert found.meets
        assert -TOUCH_M < found.plan_m <= 0.0
    if isinstance(b.footprint, Circle) and a.footprint != b.footprint:
        center, radius_m = b.footprint.center, b.footprint.radius_m
        nearer = a.footprint.center if isinstance(a.footprint, Circle) else HERE
        azimuth = WORLD.Inverse(*nearer, *center)["azi1"]
        if apart(nearer, center) < 0.001:
            azimuth = 0.0
        farther = away(nearer, azimuth, apart(nearer, center) + 0.01)
        moved = volume(Circle(farther, radius_m))
        assert not meets(a, moved)
        assert separation(a, moved).plan_m == pytest.approx(0.01, abs=0.001)


def test_touching_in_time_and_in_height_is_meeting():
    circle = Circle(HERE, 10.0)
    first = volume(circle, start=NOON, end=NOON + MINUTE, band=band(0, 100))
    later = volume(circle, start=NOON + MINUTE, end=NOON + 2 * MINUTE, band=band(100, 200))
    found = separation(first, later)
    assert found.meets
    assert meets(first, later)
    assert (found.time_s, found.height_m) == (0.0, 0.0)
    assert (found.start, found.end) == (NOON + MINUTE, NOON + MINUTE)
    second = timedelta(microseconds=1)
    apart_in_time = volume(circle, start=NOON + MINUTE + second, end=NOON + 2 * MINUTE)
    assert not meets(first, apart_in_time)
    assert separation(first, apart_in_time).time_s == pytest.approx(1e-6)
    apart_in_height = volume(circle, band=band(100.01, 200))
    assert not meets(first, apart_in_height)
    assert separation(first, apart_in_height).height_m == pytest.approx(0.01)


def test_what_has_no_limit_meets_everything_in_that_dimension():
    everywhere_high = separation(volume(Circle(HERE, 1.0)), volume(Circle(HERE, 1.0)))
    assert everywhere_high.meets
    assert everywhere_high.time_s == everywhere_high.height_m == -math.inf
    assert everywhere_high.start is everywhere_high.end is None
    low = volume(Circle(HERE, 1.0), band=band(None, 50.0), end=NOON)
    high = volume(Circle(HERE, 1.0), band=band(60.0, None), start=NOON + MINUTE)
    found = separation(low, high)
    assert (found.height_m, found.time_s) == (10.0, 60.0)


def test_a_danger_radius_grows_the_heights_and_an_uncertainty_does_not():
    low = volume(Circle(HERE, 10.0), band=band(0, 100), danger_radius_m=30.0)
    high = volume(Circle(HERE, 10.0), band=band(150, 200), uncertainty_m=1000.0)
    assert separation(low, high).height_m == pytest.approx(20.0)
    assert separation(high, low).height_m == pytest.approx(20.0)
    assert not meets(low, high)
    assert not meets(high, low)
    assert meets(replace(high, danger_radius_m=20.0), low)


def test_growth_is_taken_off_the_distance():
    a = volume(square(HERE, 500.0), uncertainty_m=20.0, danger_radius_m=100.0)
    b = volume(Route((away(HERE, 90, 1500.0), away(HERE, 90, 3000.0)), 200.0), uncertainty_m=5.0)
    found = separation(a, b)
    assert found.plan_m == pytest.approx(1000 - 120 - 100 - 5, abs=0.01)
    assert apart(found.nearest_a, away(HERE, 90, 620.0)) < 0.05
    assert apart(found.nearest_b, away(HERE, 90, 1395.0)) < 0.05


def test_the_nearest_of_two_prongs_is_found_far_from_the_middle():
    # In a plane about the middle, the prong 60 km out looks 20 cm farther away than it is.
    def prong(east_m, distance_m):
        foot = away(HERE, 90, east_m)
        across = WORLD.Direct(*HERE, 90, east_m)["azi2"] - 90
        return away(foot, across, distance_m)

    line = Route((away(HERE, 270, 65_000), away(HERE, 90, 65_000)), 0.0)
    comb = Route((prong(0, 10_000.08), prong(30_000, 25_000), prong(60_000, 10_000.0)), 0.0)
    assert separation(volume(line), volume(comb)).plan_m == pytest.approx(10_000.0, abs=0.01)
    assert separation(volume(comb), volume(line)).plan_m == pytest.approx(10_000.0, abs=0.01)
    assert not meets(volume(line, uncertainty_m=9_999.98), volume(comb))
    assert meets(volume(line, uncertainty_m=10_000.02), volume(comb))


def test_where_they_meet_both_nearest_points_are_one_that_both_have_in_common():
    a = volume(Circle(HERE, 400.0))
    b = volume(Circle(away(HERE, 90, 900.0), 600.0))
    found = separation(a, b)
    assert found.nearest_a == found.nearest_b
    assert apart(found.nearest_a, HERE) <= 400.0 + 1e-6
    assert apart(found.nearest_b, b.footprint.center) <= 600.0 + 1e-6


@pytest.mark.parametrize(
    ("a", "b", "depth_m"),
    [
        (Circle(HERE, 400.0), Circle(away(HERE, 10, 900.0), 600.0), 100.0),
        (Circle(HERE, 400.0), Circle(HERE, 600.0), 1000.0),
        (square(HERE, 500.0), square(away(HERE, 90, 800.0), 500.0), 200.0),
        (square(HERE, 500.0), square(away(HERE, 0, 100.0), 100.0), 500.0),
        (square(HERE, 500.0), Circle(away(HERE, 0, 300.0), 0.0), 200.0),
        (square(HERE, 500.0), Circle(away(HERE, 0, 300.0), 50.0), 250.0),
        (square(HERE, 500.0), Circle(away(HERE, 0, 540.0), 50.0), 10.0),
        (
            Route((away(HERE, 270, 900.0), away(HERE, 90, 900.0)), 100.0),
            Route((away(HERE, 180, 100.0), away(HERE, 0, 500.0)), 60.0),
            180.0,
        ),
    ],
    ids=[
        "circles",
        "one centre",
        "squares",
        "square in square",
        "point in square",
        "circle in square",
        "circle over the edge",
        "crossing routes",
    ],
)
def test_depth_is_the_shortest_move_that_ends_the_overlap(a, b, depth_m):
    # A square laid out 800 m farther east is turned by the meridians, by 5 cm at its corners.
    assert separation(volume(a), volume(b)).plan_m == pytest.approx(-depth_m, abs=0.06)
    assert separation(volume(b), volume(a)).plan_m == pytest.approx(-depth_m, abs=0.06)


def horseshoe(center):
    """A U, 300 m high and wide, open to the north; its walls are 100 m thick."""
    corners = [
        (-150, -150), (150, -150), (150, 150), (50, 150), (50, -50), (-50, -50), (-50, 150),
        (-150, 150),
    ]  # fmt: skip
    return Polygon(
        tuple(away(center, math.degrees(math.atan2(x, y)), math.hypot(x, y)) for x, y in corners)
    )


def test_a_bay_is_a_way_out_where_the_hull_would_see_none():
    shape = horseshoe(HERE)
    in_the_wall = Circle(away(HERE, 90, 60.0), 0.0)
    assert separation(volume(shape), volume(in_the_wall)).plan_m == pytest.approx(-10, abs=0.02)
    in_the_bay = Circle(away(HERE, 0, 20.0), 30.0)
    assert separation(volume(shape), volume(in_the_bay)).plan_m == pytest.approx(20.0, abs=0.02)
    wider_than_the_bay = Circle(away(HERE, 0, 20.0), 60.0)
    # Not 10 m to either wall, which only changes the wall; 190 m until it has left to the north.
    assert separation(volume(shape), volume(wider_than_the_bay)).plan_m == pytest.approx(
        -(math.sqrt(60**2 - 50**2) + 130), rel=0.002
    )


def test_a_hole_is_no_part_of_a_polygon():
    ring = Polygon(square(HERE, 500.0).shell, (square(HERE, 300.0).shell,))
    assert separation(volume(ring), volume(Circle(HERE, 100.0))).plan_m == pytest.approx(
        200.0, abs=0.01
    )
    assert not meets(volume(ring), volume(square(HERE, 299.0)))
    assert meets(volume(ring), volume(square(HERE, 301.0)))
    assert meets(volume(ring), volume(square(HERE, 900.0)))
    found = separation(volume(ring), volume(Circle(away(HERE, 0, 310.0), 0.0)))
    assert found.plan_m == pytest.approx(-10.0, abs=0.01)


def test_a_circle_is_not_an_inscribed_polygon():
    # Between two corners of a 20-gon its edge is 1.23 % of the radius inside the circle.
    site = volume(Circle(away(HERE, 9.0, 995.0), 0.0))
    assert meets(volume(Circle(HERE, 1000.0)), site)


@pytest.mark.parametrize("latitude", [60.0, -60.0])
def test_an_edge_is_a_geodesic_and_not_a_parallel(latitude):
    toward_pole = math.copysign(1.0, latitude)
    west, east = (latitude, 24.0), (latitude, 25.7946)
    region = Polygon((west, east, (latitude - toward_pole, 24.9)))
    above_the_parallel = volume(Circle((latitude + toward_pole * 0.002, 24.8973), 0.0))
    assert meets(volume(region), above_the_parallel)


def test_a_box_over_the_seam_does_not_hold_greenwich():
    box = volume(Polygon(((10.0, 179.9), (10.0, -179.9), (11.0, -179.9), (11.0, 179.9))))
    assert not meets(box, volume(Circle((10.5, 0.0), 1000.0)))
    assert meets(box, volume(Circle((10.5, 180.0), 0.0)))
    assert meets(box, volume(Circle((10.5, -179.95), 0.0)))


def test_a_ring_round_a_pole_holds_the_pole():
    cap = volume(Polygon(((80.0, 0.0), (80.0, 90.0), (80.0, 180.0), (80.0, -90.0))))
    assert meets(cap, volume(Circle((90.0, 0.0), 0.0)))
    assert not meets(cap, volume(Circle((-90.0, 0.0), 0.0)))
    found = separation(cap, volume(Circle((90.0, 17.0), 0.0)))
    # The edges run nearer to the pole than their ends: 7.11 degrees, seen on a sphere.
    assert found.plan_m == pytest.approx(-791_000, rel=0.01)


def test_a_flight_region_of_thousands_of_kilometres_up_to_89_north_holds_what_is_in_it():
    region = volume(Polygon(((60.0, -10.0), (89.0, 0.0), (82.0, 60.0), (62.0, 40.0), (55.0, 15.0))))
    assert meets(region, volume(Circle((75.0, 20.0), 100.0)))
    assert not meets(region, volume(Circle((89.5, 180.0), 100.0)))
    assert not meets(region, volume(Circle((-75.0, -160.0), 100.0)))


def leg(*points, minutes, width_m=20.0):
    return Route(tuple(points), width_m, tuple(NOON + m * MINUTE for m in minutes))


def test_a_timed_route_meets_only_where_it_is_at_the_time():
    route = volume(
        leg(HERE, away(HERE, 90, 5000), away(HERE, 90, 10_000), minutes=(0, 10, 20)),
    )
    place = Circle(away(HERE, 90, 8000), 50.0)
    early = volume(place, start=NOON, end=NOON + 9 * MINUTE)
    late = volume(place, start=NOON, end=NOON + 10 * MINUTE)
    assert not meets(route, early)
    assert meets(route, late)
    found = separation(route, late)
    assert found.meets
    assert (found.part_a, found.part_b) == (1, 0)
    assert (found.start, found.end) == (NOON + 10 * MINUTE, NOON + 10 * MINUTE)
    apart_found = separation(route, early)
    assert apart_found.part_a == 0
    assert apart_found.plan_m == pytest.approx(3000 - 60, abs=0.01)


def test_of_several_legs_that_meet_the_first_in_time_is_told():
    there_and_back = volume(
        leg(HERE, away(HERE, 90, 5000), HERE, away(HERE, 0, 5000), minutes=(0, 10, 20, 30)),
    )
    place = Circle(away(HERE, 90, 2500), 50.0)
    found = separation(volume(place, start=NOON + 15 * MINUTE), there_and_back)
    assert (found.part_a, found.part_b) == (0, 1)
    assert found.start == NOON + 15 * MINUTE
    assert separation(volume(place), there_and_back).part_b == 0


def test_two_vehicles_that_pass_one_place_at_different_times_do_not_meet():
    crossing = away(HERE, 90, 5000)
    first = volume(leg(HERE, crossing, away(crossing, 90, 5000), minutes=(0, 10, 20)))
    second = volume(
        leg(away(crossing, 0, 9000), away(crossing, 0, 50), crossing, minutes=(0, 21, 22))
    )
    found = separation(first, second)
    assert not found.meets
    assert not meets(first, second)
    assert found.time_s <= 0.0


def test_one_who_waits_stays_where_it_is():
    waiting = volume(leg(HERE, away(HERE, 0, 1000), away(HERE, 0, 1000), minutes=(0, 5, 60)))
    place = Circle(away(HERE, 0, 1000), 0.0)
    assert meets(waiting, volume(place, start=NOON + 50 * MINUTE))
    assert not meets(waiting, volume(Circle(HERE, 0.0), start=NOON + 50 * MINUTE))


def test_flight_levels_are_compared_with_flight_levels():
    low = volume(Circle(HERE, 10.0), band=band(3048, 3657.6, AltitudeReference.FL))
    high = volume(Circle(HERE, 10.0), band=band(3962.4, 4572, AltitudeReference.FL))
    found = separation(low, high)
    assert found.height_m == pytest.approx(304.8)
    assert found.assumed == ()


def test_heights_in_different_references_say_what_was_assumed():
    low = volume(Circle(HERE, 10.0), band=band(0, 300, AltitudeReference.MSL))
    high = volume(Circle(HERE, 10.0), band=band(310, 400))
    found = separation(low, high)
    assert found.meets  # the sea is 23 m above the ellipsoid there
    assert found.assumed
    assert not meets(low, volume(Circle(HERE, 10.0), band=band(340, 400)))


def test_a_push_ends_the_overlap_and_a_little_less_does_not():
    a, b = horseshoe(HERE), horseshoe(away(HERE, 75, 130.0))
    found = push(a, b, 5.0, 0.0)
    assert found is not None

    def after(metres):
        return Polygon(
            tuple(
                away(point, found.bearing_deg, metres)  # a few hundred metres: as good as stiff
                for point in a.shell
            )
        )

    grown = {"uncertainty_m": 5.0}
    assert not meets(volume(after(found.metres * 1.002 + 0.02), **grown), volume(b))
    assert meets(volume(after(found.metres * 0.99), **grown), volume(b))
    assert push(a, Circle(away(HERE, 0, 9000), 1.0)) is None


@pytest.mark.parametrize("feet", [1100, 1500, 3000])
def test_bands_touch_whether_their_limit_was_typed_in_feet_or_in_metres(feet: int) -> None:
    in_metres = float(f"{feet * 0.3048:.4f}")
    in_feet = read_height(f"{feet} ft MSL")
    assert in_feet is not None
    assert in_feet.value_m != in_metres
    above = volume(Circle(HERE, 10.0), band=AltitudeBand(in_feet, None))
    below = volume(
        Circle(HERE, 10.0), band=AltitudeBand(None, Height(in_metres, AltitudeReference.MSL))
    )
    assert meets(above, below)
    assert separation(below, above).height_m == 0.0


def test_a_danger_radius_reaches_farther_in_flight_levels_on_a_cold_day() -> None:
    # At 60 K below standard, 500 m are up to 690 m of pressure altitude.
    place = Circle((36.37, 37.515), 100.0)

    def level(lower_m: float, upper_m: float, danger_radius_m: float = 0.0) -> Volume4D:
        fl = AltitudeReference.FL
        band = AltitudeBand(Height(lower_m, fl), Height(upper_m, fl))
        return Volume4D(footprint=place, band=band, danger_radius_m=danger_radius_m)

    strike = level(3000.0, 3048.0, danger_radius_m=500.0)
    assert meets(strike, level(3048.0 + 690.0, 5000.0))
    assert not meets(strike, level(3048.0 + 710.0, 5000.0))
    assert not meets(level(3000.0, 3048.0), level(3049.0, 5000.0))
