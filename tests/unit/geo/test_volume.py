from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.volume import (
    GREATEST_RADIUS_M,
    MOST_VERTICES,
    Circle,
    Polygon,
    Route,
    Volume4D,
    parts,
)

SQUARE = ((36.0, 37.0), (36.0, 37.1), (36.1, 37.1), (36.1, 37.0))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refusal(make):
    with pytest.raises(InputError) as refused:
        make()
    return refused.value


@pytest.mark.parametrize(
    ("ring", "field", "what"),
    [
        ((*SQUARE[:2], (96.0, 37.0), SQUARE[3]), "vertex 3", "beyond the pole"),
        ((*SQUARE[:3], (36.0, math.nan)), "vertex 4", "finite"),
        ((*SQUARE[:3], (math.inf, 37.0)), "vertex 4", "finite"),
        ((*SQUARE[:3], (36.0, 361.0)), "vertex 4", "full turn"),
        (SQUARE[:2], "", "bound no area"),
        ((SQUARE[0], SQUARE[1], SQUARE[0], SQUARE[1]), "", "bound no area"),
        ((), "", "bound no area"),
        ((SQUARE[0], SQUARE[0], *SQUARE[1:]), "vertex 2", "repeats vertex 1"),
        ((*SQUARE, SQUARE[0]), "vertex 5", "repeats vertex 1"),
        (((10, 180), (10, -180), (11, 179), (9, 179)), "vertex 2", "repeats vertex 1"),
        (((90, 10), (90, 70), (80, 10), (80, 50)), "vertex 2", "repeats vertex 1"),
        (
            (SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]),
            "vertex 1",
            "vertex 1 to vertex 2 crosses or touches the edge from vertex 3 to vertex 4",
        ),
        (((0.0, 1.0), (0.0, 2.0), (0.0, 3.0)), "", "no area"),
        (((0.0, 1.0), (0.0, 3.0), (0.0, 2.0), (1.0, 2.5)), "vertex 1", "crosses or touches"),
        (((0.0, 0.0), (0.0, 179.9), (10.0, 90.0)), "vertex 1", "half round the Earth"),
        (((0.0, 0.0), (0.0, 120.0), (0.0, -120.0)), "", "hemisphere"),
        (((-10.0, 0.0), (-10.0, 120.0), (-10.0, -120.0), (60.0, -20.0)), "", "hemisphere"),
    ],
)
def test_a_ring_that_bounds_no_region_is_refused_with_the_vertex_and_the_reason(ring, field, what):
    refused = refusal(lambda: Polygon(ring))
    assert refused.field == field
    assert what in str(refused)
    assert refused.remedy


def test_a_five_pointed_star_crosses_itself_though_it_turns_one_way_only():
    corners = [
        (50 + math.cos(math.radians(a)), 8 + math.sin(math.radians(a))) for a in range(0, 360, 72)
    ]
    refused = refusal(lambda: Polygon(tuple(corners[i * 2 % 5] for i in range(5))))
    assert "crosses" in refused.what


def test_a_ring_that_touches_itself_in_a_vertex_is_refused():
    ring = ((0.0, 0.0), (1.0, 1.0), (0.0, 2.0), (2.0, 2.0), (1.0, 1.0), (2.0, 0.0))
    assert "crosses or touches" in refusal(lambda: Polygon(ring)).what


@pytest.mark.parametrize(
    "ring",
    [
        SQUARE,
        SQUARE[::-1],
        ((70.0, 179.0), (70.0, -179.0), (71.0, -179.0), (71.0, 179.0)),
        ((80.0, 0.0), (80.0, 90.0), (80.0, 180.0), (80.0, -90.0)),
        ((-80.0, 0.0), (-80.0, 120.0), (-80.0, -120.0)),
        ((90.0, 0.0), (85.0, 0.0), (85.0, 20.0)),
        ((20.0, 0.0), (20.0, 120.0), (20.0, -120.0)),
        ((0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 1.9), (0.1, 1.9), (0.1, 0.0)),
    ],
    ids=["square", "clockwise", "seam", "pole", "south pole", "to the pole", "half", "hook"],
)
def test_ordinary_regions_are_accepted_wherever_they_lie(ring):
    assert Polygon(ring).shell == ring


def test_longitudes_are_brought_into_half_a_turn():
    assert Polygon(((10.0, 190.0), (10.0, 191.0), (11.0, 190.0))).shell[0] == (10.0, -170.0)
    assert Circle((10.0, 190.0), 5.0).center == (10.0, -170.0)
    assert Route(((10.0, 190.0), (10.0, 191.0)), 5.0).points[0] == (10.0, -170.0)


HOLE = ((36.02, 37.02), (36.02, 37.04), (36.04, 37.03))


def test_holes_lie_inside_and_apart():
    other = tuple((lat + 0.03, lon + 0.03) for lat, lon in HOLE)
    assert Polygon(SQUARE, (HOLE, other)).holes == (HOLE, other)


@pytest.mark.parametrize(
    ("holes", "field", "what"),
    [
        ((tuple((lat + 1, lon) for lat, lon in HOLE),), "hole 1", "not inside"),
        ((tuple((lat, lon + 0.07) for lat, lon in HOLE),), "hole 1", "not inside"),
        ((tuple((-lat, lon - 180) for lat, lon in HOLE),), "hole 1", "not inside"),
        ((HOLE, tuple((lat + 0.005, lon) for lat, lon in HOLE)), "hole 2", "overlaps hole 1"),
        ((HOLE, HOLE), "hole 2", "overlaps hole 1"),
        ((HOLE, HOLE[:2]), "hole 2", "bound no area"),
        (((*HOLE, HOLE[0]),), "hole 1, vertex 4", "repeats vertex 1"),
    ],
)
def test_a_hole_outside_its_shell_or_over_another_is_refused(holes, field, what):
    refused = refusal(lambda: Polygon(SQUARE, holes))
    assert refused.field == field
    assert what in refused.what


def test_vertices_are_counted_before_anything_else_is_done():
    ring = ((math.nan, 0.0),) * (MOST_VERTICES + 1)
    assert "10,001 vertices" in refusal(lambda: Polygon(ring)).what
    assert "10,001 vertices" in refusal(lambda: Polygon(SQUARE, (ring[:9_997],))).what
    assert "10,001 vertices" in refusal(lambda: Route(ring, 1.0)).what


@pytest.mark.parametrize("length", [-0.001, math.nan, math.inf, GREATEST_RADIUS_M + 1])
def test_a_length_that_is_none_is_refused(length):
    assert refusal(lambda: Circle(SQUARE[0], length)).field == "radius"
    assert refusal(lambda: Route(SQUARE, length)).field == "width"
    circle = Circle(SQUARE[0], 1.0)
    wrong = refusal(lambda: Volume4D(footprint=circle, uncertainty_m=length))
    assert wrong.field == "uncertainty"
    wrong = refusal(lambda: Volume4D(footprint=circle, danger_radius_m=length))
    assert wrong.field == "danger radius"


def test_a_route_is_refused_with_the_vertex_and_the_reason():
    assert "two vertices" in refusal(lambda: Route(SQUARE[:1], 5.0)).what
    assert refusal(lambda: Route((SQUARE[0], SQUARE[0]), 5.0)).field == "vertex 2"
    assert refusal(lambda: Route(((0.0, 0.0), (0.1, 179.9)), 5.0)).field == "vertex 1"


def test_times_of_a_route_are_one_a_vertex_and_do_not_decrease():
    points = SQUARE[:2]
    assert "1 times for 2 vertices" in refusal(lambda: Route(points, 1, (NOON,))).what
    assert refusal(lambda: Route(points, 1, (NOON, NOON - HOUR))).field == "time 2"
    assert refusal(lambda: Route(points, 1, (NOON, NOON.replace(tzinfo=None)))).field == "time 2"


def test_a_window_is_aware_and_ends_after_it_starts():
    circle = Circle(SQUARE[0], 1.0)
    assert Volume4D(footprint=circle, start=NOON, end=NOON).end == NOON
    assert refusal(lambda: Volume4D(footprint=circle, start=NOON, end=NOON - HOUR)).field == "end"
    naive = NOON.replace(tzinfo=None)
    assert refusal(lambda: Volume4D(footprint=circle, start=naive)).field == "start"
    assert refusal(lambda: Volume4D(footprint=circle, end=naive)).field == "end"


def test_a_window_holds_all_times_of_its_route():
    route = Route(SQUARE[:2], 1.0, (NOON, NOON + HOUR))
    assert refusal(lambda: Volume4D(footprint=route, start=NOON + HOUR)).field == "times"
    assert refusal(lambda: Volume4D(footprint=route, end=NOON)).field == "times"


def test_a_timed_route_is_its_legs_and_a_wait_is_a_circle():
    route = Route((SQUARE[0], SQUARE[1], SQUARE[1]), 8.0, (NOON, NOON + HOUR, NOON + 3 * HOUR))
    first, second = parts(Volume4D(footprint=route, uncertainty_m=2.0))
    assert first.footprint == Route(SQUARE[:2], 8.0)
    assert (first.start, first.end, first.uncertainty_m) == (NOON, NOON + HOUR, 2.0)
    assert second.footprint == Circle(SQUARE[1], 4.0)
    assert (second.start, second.end) == (NOON + HOUR, NOON + 3 * HOUR)


def test_anything_else_is_its_own_only_part():
    volume = Volume4D(footprint=Route(SQUARE, 8.0), start=NOON)
    assert parts(volume) == (volume,)


def test_an_outline_that_runs_to_and_fro_over_continents_is_refused():
    comb = tuple((40.0 + 25.0 * (i % 2), 20.0 + i * 0.001) for i in range(MOST_VERTICES - 2))
    assert len(Polygon(((30.0, 20.0), *comb[:20], (30.0, 40.0))).shell) == 22
    refused = refusal(lambda: Polygon(((30.0, 20.0), *comb, (30.0, 40.0))))
    assert "five times round the Earth" in refused.what
    assert "five times round the Earth" in refusal(lambda: Route(comb, 5.0)).what


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("0001-01-01T00:00:00+14:00", False),
        ("0001-01-01T14:00:00+14:00", True),
        ("9999-12-31T23:00:00-12:00", False),
        ("9999-12-31T11:59:59-12:00", True),
    ],
)
def test_an_instant_lies_in_the_calendar_of_utc_as_well(text, held) -> None:
    instant = datetime.fromisoformat(text)
    if held:
        assert Volume4D(footprint=Circle((0.0, 0.0), 1.0), start=instant).start == instant
    else:
        with pytest.raises(InputError, match="1 to 9999 in UTC"):
            Volume4D(footprint=Circle((0.0, 0.0), 1.0), end=instant)
