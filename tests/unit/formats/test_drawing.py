from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from deconflict.formats.drawing import drawn
from deconflict.formats.part import Shape
from deconflict.geo.volume import Circle, Polygon, Route


def doubled_area(ring):
    return sum(
        a_lon * b_lat - b_lon * a_lat
        for (a_lat, a_lon), (b_lat, b_lon) in zip(ring, (*ring[1:], ring[0]), strict=True)
    )


@given(st.floats(-85, 85), st.floats(-180, 180), st.floats(1, 20_000))
def test_a_drawn_circle_holds_the_circle_and_stays_close(lat, lon, radius_m):
    for part in drawn(Circle((lat, lon), radius_m)):
        for corner_lat, corner_lon in part.rings[0]:
            reach_m = Geodesic.WGS84.Inverse(lat, lon, corner_lat, corner_lon)["s12"]
            if abs(corner_lon) != 180.0:
                assert radius_m < reach_m < 1.001 * radius_m + 0.1


@pytest.mark.parametrize(
    "shell",
    [
        ((36.3, 37.5), (36.3, 37.6), (36.4, 37.6)),
        ((36.4, 37.6), (36.3, 37.6), (36.3, 37.5)),
    ],
)
def test_rings_follow_the_right_hand_rule(shell):
    hole = ((36.32, 37.58), (36.33, 37.59), (36.32, 37.59))
    (part,) = drawn(Polygon(shell, (hole,)))
    assert doubled_area(part.rings[0]) > 0
    assert doubled_area(part.rings[1]) < 0


@pytest.mark.parametrize("east_deg", [-179.0, 181.0 - 360.0])
def test_a_polygon_across_the_antimeridian_is_cut_there(east_deg):
    shell = ((10.0, 179.0), (10.0, east_deg), (12.0, east_deg), (12.0, 179.0))
    hole = ((10.5, 179.5), (10.5, -179.5), (11.5, 180.0))
    west, east = drawn(Polygon(shell, (hole,)))
    assert all(179.0 <= lon <= 180.0 for ring in west.rings for _, lon in ring)
    assert all(-180.0 <= lon <= -179.0 for ring in east.rings for _, lon in ring)
    assert len(west.rings) == len(east.rings) == 2


def test_a_polygon_round_a_pole_reaches_the_edge_of_the_map():
    shell = tuple((85.0, lon) for lon in (-170.0, -80.0, 10.0, 100.0))
    corners = {point for part in drawn(Polygon(shell)) for point in part.rings[0]}
    assert max(lat for lat, _ in corners) == 90.0
    assert {-180.0, 180.0} <= {lon for _, lon in corners}
    south = {
        point
        for part in drawn(Polygon(tuple((-lat, lon) for lat, lon in shell)))
        for point in part.rings[0]
    }
    assert min(lat for lat, _ in south) == -90.0


def test_a_line_across_the_antimeridian_is_cut_there_and_back():
    pieces = drawn(Route(((0.0, 179.0), (0.0, -179.0), (2.0, 179.0)), 10.0))
    assert [part.shape for part in pieces] == [Shape.LINE] * 3
    assert pieces[0].rings[0] == ((0.0, 179.0), (0.0, 180.0))
    assert pieces[1].rings[0] == ((0.0, -180.0), (0.0, -179.0), (1.0, -180.0))
    assert pieces[2].rings[0] == ((1.0, 180.0), (2.0, 179.0))
