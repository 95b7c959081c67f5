from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.clearance import Shift, ShiftKind, clears, shifted
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.separation import meets
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


def band(lower, upper, reference=AltitudeReference.W84):
    return AltitudeBand(Height(lower, reference), Height(upper, reference))


def volume(footprint, start=0, end=30, heights=None, **more):
    return Volume4D(
        footprint=footprint,
        start=None if start is None else NOON + start * MINUTE,
        end=None if end is None else NOON + end * MINUTE,
        band=heights or band(0, 100),
        **more,
    )


def of_kind(shifts, kind):
    return [shift for shift in shifts if shift.kind is kind]


MOVER = volume(Circle(HERE, 500.0))
OBSTACLE = volume(Circle(away(HERE, 90, 800.0), 400.0), start=10, end=60, heights=band(50, 180))


def test_each_smallest_shift_clears_and_a_step_less_does_not():
    later, earlier, higher, lower, plan = clears(
        [replace(MOVER, band=band(60, 100))],
        [replace(OBSTACLE, band=band(90, 180))],
    )
    assert (later.seconds, earlier.seconds) == (3601, -1201)
    assert (higher.metres, lower.metres) == (120.1, -10.1)
    assert plan.metres == 101.0
    assert plan.bearing_deg == pytest.approx(270.0, abs=0.1)
    mover, obstacle = replace(MOVER, band=band(60, 100)), replace(OBSTACLE, band=band(90, 180))
    for shift, less in (
        (later, Shift(kind=ShiftKind.TIME, seconds=3600)),
        (earlier, Shift(kind=ShiftKind.TIME, seconds=-1200)),
        (higher, Shift(kind=ShiftKind.HEIGHT, metres=120.0)),
        (lower, Shift(kind=ShiftKind.HEIGHT, metres=-10.0)),
        (plan, Shift(kind=ShiftKind.PLAN, metres=99.0, bearing_deg=270.0)),
    ):
        assert not any(meets(moved, obstacle) for moved in shifted([mover], shift))
        assert any(meets(moved, obstacle) for moved in shifted([mover], less))


def test_what_does_not_meet_needs_no_shift():
    assert clears([MOVER], [volume(Circle(away(HERE, 90, 5000.0), 400.0))]) == ()


def test_a_shift_that_would_meet_something_else_is_not_offered_or_goes_farther():
    above = volume(Circle(HERE, 5000.0), heights=band(181, 250))
    next_hour = volume(Circle(HERE, 5000.0), start=61, end=120, heights=band(0, 120))
    west = volume(Circle(away(HERE, 270, 1500.0), 990.0), heights=band(0, 100))
    shifts = clears([MOVER], [OBSTACLE], others=[above, next_hour, west])
    for shift in shifts:
        moved = shifted([MOVER], shift)
        assert not any(meets(m, o) for m in moved for o in (OBSTACLE, above, next_hour, west))
    assert [shift.seconds for shift in of_kind(shifts, ShiftKind.TIME)] == [7201, -1201]
    assert [shift.metres for shift in of_kind(shifts, ShiftKind.HEIGHT)] == [250.1, -50.1]
    (plan,) = of_kind(shifts, ShiftKind.PLAN)
    assert plan.metres > 101.0


def test_others_may_be_a_function_and_nothing_is_offered_that_it_forbids():
    asked = []

    def everything_else(volumes):
        asked.append(volumes)
        return True

    assert clears([MOVER], [OBSTACLE], others=everything_else) == ()
    assert asked
    latest = timedelta(minutes=80)

    def closed_for_a_while(volumes):
        return NOON < volumes[0].start < NOON + latest

    later, *_ = clears([MOVER], [OBSTACLE], others=closed_for_a_while)
    assert later.kind is ShiftKind.TIME
    assert latest.total_seconds() <= later.seconds <= latest.total_seconds() + 1200


def test_near_a_site_a_hazardous_operation_is_never_shown_a_nearest_place():
    strike = volume(Circle(HERE, 0.0), danger_radius_m=500.0)
    site = Volume4D(footprint=Circle(away(HERE, 45, 300.0), 0.0))
    shifts = clears([strike], [site], hazardous_against_site=True)
    assert [shift.kind for shift in shifts] == [ShiftKind.CANCEL, ShiftKind.FARTHER_AWAY]
    assert [shift.sentence() for shift in shifts] == ["cancel it", "farther away"]
    assert all(shift.metres == shift.bearing_deg == shift.seconds == 0 for shift in shifts)
    convoy = replace(site, start=NOON, end=NOON + 10 * MINUTE)
    timed = clears([strike], [convoy], hazardous_against_site=True)
    assert [shift.kind for shift in timed] == ["cancel", "time", "time", "farther_away"]


def test_nothing_begins_before_the_instant_named():
    earliest = NOON - 10 * MINUTE
    shifts = clears([MOVER], [OBSTACLE], not_before=earliest)
    assert [shift.seconds for shift in of_kind(shifts, ShiftKind.TIME)] == [3601]


def test_what_is_always_there_can_not_be_waited_for():
    always = Volume4D(footprint=OBSTACLE.footprint)
    shifts = clears([MOVER], [always])
    assert [shift.kind for shift in shifts] == [ShiftKind.PLAN]
    since = replace(OBSTACLE, end=None)
    assert [s.seconds for s in of_kind(clears([MOVER], [since]), ShiftKind.TIME)] == [-1201]


def test_nothing_is_sent_below_the_ground():
    low = volume(Circle(HERE, 10.0), heights=band(50, 120, AltitudeReference.AGL))
    block = volume(Circle(HERE, 10.0), heights=band(40, 60, AltitudeReference.AGL))
    heights = of_kind(clears([low], [block]), ShiftKind.HEIGHT)
    assert [shift.metres for shift in heights] == [10.1]
    sea = AltitudeBand(
        Height(450.0, AltitudeReference.MSL), Height(500.0, AltitudeReference.MSL), 420.0
    )
    (up,) = of_kind(
        clears(
            [volume(Circle(HERE, 10.0), heights=sea)],
            [volume(Circle(HERE, 10.0), heights=band(460, 480, AltitudeReference.MSL))],
        ),
        ShiftKind.HEIGHT,
    )
    assert up.metres == 30.1


def test_heights_in_different_references_are_cleared_for_all_that_is_known():
    mover = volume(Circle(HERE, 10.0), heights=band(1000, 1100))
    block = volume(Circle(HERE, 10.0), heights=band(900, 1000, AltitudeReference.MSL))
    up, down = of_kind(clears([mover], [block]), ShiftKind.HEIGHT)
    assert 20.0 < up.metres < 30.0  # the sea lies 23 m above the ellipsoid there
    assert -190.0 < down.metres < -170.0


def test_an_entity_of_several_volumes_is_moved_as_one_and_clears_all_pairs():
    mover = [
        volume(Circle(HERE, 300.0)),
        volume(Circle(away(HERE, 90, 2000.0), 300.0), start=30, end=50),
    ]
    obstacle = [
        volume(Circle(away(HERE, 0, 400.0), 200.0), start=0, end=20),
        volume(Circle(away(HERE, 90, 2000.0), 50.0), start=45, end=70),
    ]
    shifts = clears(mover, obstacle)
    assert [s.seconds for s in of_kind(shifts, ShiftKind.TIME)] == [40 * 60 + 1, -30 * 60 - 1]
    (plan,) = of_kind(shifts, ShiftKind.PLAN)
    moved = shifted(mover, plan)
    assert not any(meets(m, o) for m in moved for o in obstacle)
    gap = apart(mover[0].footprint.center, mover[1].footprint.center)
    assert apart(moved[0].footprint.center, moved[1].footprint.center) == pytest.approx(
        gap, abs=1e-6
    )


def test_two_routes_on_one_line_part_sideways():
    along = volume(Route((away(HERE, 225, 3000), away(HERE, 45, 3000)), 100.0))
    other = volume(Route((away(HERE, 225, 1000), away(HERE, 45, 5000)), 60.0))
    (plan,) = of_kind(clears([along], [other]), ShiftKind.PLAN)
    assert plan.metres <= 82.0
    assert plan.bearing_deg % 180.0 == pytest.approx(135.0, abs=0.2)


def test_a_timed_route_is_shifted_with_its_times():
    route = Route((HERE, away(HERE, 90, 6000)), 20.0, (NOON, NOON + 10 * MINUTE))
    mover = Volume4D(footprint=route)
    block = volume(Circle(away(HERE, 90, 3000), 100.0), start=5, end=20)
    shifts = clears([mover], [block])
    assert [s.seconds for s in of_kind(shifts, ShiftKind.TIME)] == [1201, -301]
    (later,) = shifted([mover], Shift(kind=ShiftKind.TIME, seconds=60))
    assert later.footprint.times == (NOON + MINUTE, NOON + 11 * MINUTE)


@pytest.mark.parametrize("place", [HERE, (12.0, 179.999), (89.99, 40.0), (-70.0, -60.0)])
def test_a_move_keeps_every_distance_and_goes_where_it_says(place):
    shell = tuple(away(place, azimuth, 900.0) for azimuth in (0, 80, 200, 300))
    before = [volume(Polygon(shell)), volume(Circle(away(place, 120, 4000.0), 10.0))]
    after = shifted(before, Shift(kind=ShiftKind.PLAN, metres=7000.0, bearing_deg=33.0))
    points = [*shell, before[1].footprint.center]
    moved = [*after[0].footprint.shell, after[1].footprint.center]
    for i, point in enumerate(points):
        for j in range(i):
            # The middle carries the rest; distances between others change by millimetres.
            assert apart(moved[i], moved[j]) == pytest.approx(apart(point, points[j]), abs=0.01)
        assert apart(moved[i], point) == pytest.approx(7000.0, abs=0.05)


def test_a_move_out_of_a_bay_or_hole_is_judged_with_all_its_walls():
    ring = Polygon(
        tuple(away(HERE, a, 3000.0) for a in range(0, 360, 40)),
        (tuple(away(HERE, a, 800.0) for a in range(0, 360, 40)),),
    )
    inside_the_wall = volume(Circle(away(HERE, 10, 950.0), 300.0))
    (plan,) = of_kind(clears([inside_the_wall], [volume(ring)]), ShiftKind.PLAN)
    (moved,) = shifted([inside_the_wall], plan)
    assert not meets(moved, volume(ring))
    # Into the hole, not out to the far rim 2 km away.
    assert apart(moved.footprint.center, HERE) < 500.0
    assert plan.metres < 600.0


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        (Shift(kind=ShiftKind.TIME, seconds=5101), "1 h 25 min 1 s later"),
        (Shift(kind=ShiftKind.TIME, seconds=-86_460), "1 d 1 min earlier"),
        (Shift(kind=ShiftKind.HEIGHT, metres=30.1), "30.1 m higher"),
        (Shift(kind=ShiftKind.HEIGHT, metres=-1030.0), "1,030.0 m lower"),
        (
            Shift(kind=ShiftKind.PLAN, metres=1234.0, bearing_deg=44.0),
            "1,234 m toward 044.0° (north-east)",
        ),
        (Shift(kind=ShiftKind.PLAN, metres=7.0, bearing_deg=350.0), "7 m toward 350.0° (north)"),
    ],
)
def test_a_shift_is_said_in_words(shift, sentence):
    assert shift.sentence() == sentence


def test_cancelling_is_nothing_that_moves_a_volume():
    with pytest.raises(ValueError, match="cancel it"):
        shifted([MOVER], Shift(kind=ShiftKind.CANCEL))


def test_shifts_are_the_same_wherever_the_earth_is_cut():
    def at(longitude):
        mover = volume(Circle((20.0, longitude), 500.0))
        obstacle = volume(Circle((20.001, longitude + 0.004), 300.0), start=10, end=60)
        return clears([mover], [obstacle])

    assert at(37.0) == at(179.999) == at(-180.0)
    assert math.isfinite(at(37.0)[-1].metres)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        (datetime.min.replace(tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=UTC)),
    ],
)
def test_what_lasts_to_the_end_of_the_calendar_is_not_moved_beyond_it(start, end) -> None:
    mover = Volume4D(footprint=Circle((10.0, 20.0), 100.0), start=start, end=end)
    hour = datetime(2026, 11, 22, 11, tzinfo=UTC)
    other = Volume4D(footprint=Circle((10.0, 20.0), 100.0), start=hour, end=hour)
    found = clears([mover], [other], not_before=datetime.min.replace(tzinfo=UTC))
    assert {shift.kind for shift in found} >= {ShiftKind.PLAN}
    for shift in found:
        assert not meets(shifted([mover], shift)[0], other)
