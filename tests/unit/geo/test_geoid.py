"""The geoid; oracles: heights published for places, and the grid file read in another way."""

import random
import struct
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.geo.geoid import GEOID_ERROR_M, geoid_height_m, geoid_range_m

RAW = (files("deconflict.geo") / "data" / "WW15MGH.DAC").read_bytes()


def node_m(row, column):
    return struct.unpack_from(">h", RAW, 2 * (row * 1440 + column % 1440))[0] / 100


@pytest.mark.parametrize(
    ("place", "height_m"),
    [
        ((36.2, 37.16), 27.0),  # Aleppo
        ((15.6, 32.53), 1.9),  # Khartoum
        ((50.45, 30.52), 25.0),  # Kyiv
        # NGA's own test values for this grid (INPUT.DAT and OUTPUT.DAT of its program)
        ((38.6281550, 269.7791550), -31.63),
        ((-14.6212170, 305.0211140), -2.97),
        ((46.8743190, 102.4487290), -43.57),
        ((-23.6174460, 133.8747120), 15.87),
        ((38.6254730, 359.9995000), 50.07),
        ((-0.4667440, 0.0023000), 17.34),
    ],
)
def test_the_geoid_lies_where_it_is_published_to_lie(place, height_m):
    assert geoid_height_m(*place) == pytest.approx(height_m, abs=0.2)


def test_its_extremes_are_in_the_indian_ocean_and_at_new_guinea():
    heights = [value / 100 for (value,) in struct.iter_unpack(">h", RAW)]
    low, high = heights.index(min(heights)), heights.index(max(heights))
    assert geoid_height_m(90 - low // 1440 / 4, low % 1440 / 4) == pytest.approx(-106.99)
    assert geoid_height_m(90 - high // 1440 / 4, high % 1440 / 4) == pytest.approx(85.39)
    assert (90 - low // 1440 / 4, low % 1440 / 4) == pytest.approx((4.75, 78.75), abs=3)
    assert (90 - high // 1440 / 4, high % 1440 / 4) == pytest.approx((-8.25, 147.25), abs=3)


def test_at_grid_points_it_is_the_grid_at_poles_and_seam_too():
    for row in (0, 1, 360, 719, 720):
        for column in (0, 1, 719, 720, 721, 1439):
            lat, lon = 90 - row / 4, column / 4
            assert geoid_height_m(lat, lon) == pytest.approx(node_m(row, column), abs=1e-9)
            assert geoid_height_m(lat, lon - 360) == pytest.approx(node_m(row, column), abs=1e-9)


def test_halfway_between_two_points_it_is_their_mean():
    assert geoid_height_m(10.0, 359.875) == pytest.approx(
        (node_m(320, 1439) + node_m(320, 0)) / 2, abs=1e-9
    )
    assert geoid_height_m(10.125, 20.0) == pytest.approx(
        (node_m(319, 80) + node_m(320, 80)) / 2, abs=1e-9
    )


def test_what_is_no_place_is_refused():
    for place in ((91.0, 0.0), (float("nan"), 0.0), (0.0, float("inf"))):
        with pytest.raises(InputError):
            geoid_height_m(*place)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.floats(-89, 89), st.floats(-180, 180), st.floats(0, 3), st.floats(0, 3),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=10),
)  # fmt: skip
def test_the_range_over_a_box_holds_every_height_in_it(south, west, tall, wide, places):
    north, east = min(south + tall, 90.0), west + wide
    turned = east - 360 if east > 180 else east
    low, high = geoid_range_m([(south, west), (north, turned)])
    for up, right in places:
        height = geoid_height_m(south + up * (north - south), west + right * wide)
        assert low - 1e-9 <= height <= high + 1e-9


def test_the_range_at_one_point_is_its_height():
    assert geoid_range_m([(36.2, 37.16)]) == (geoid_height_m(36.2, 37.16),) * 2


def test_a_reach_widens_the_range_to_what_lies_within_it():
    # The trench south of Java: the geoid falls by metres within 50 km.
    low, high = geoid_range_m([(-9.5, 110.0)], 50_000.0)
    for lat, lon in ((-9.1, 110.0), (-9.9, 110.0), (-9.5, 110.4), (-9.5, 109.6)):
        assert low <= geoid_height_m(lat, lon) <= high
    assert high - low > 1.0


def test_a_region_round_a_pole_holds_the_pole():
    low, high = geoid_range_m([(80.0, 0.0), (80.0, 120.0), (80.0, -120.0)])
    assert low <= geoid_height_m(90.0, 0.0) <= high
    assert low <= geoid_height_m(86.0, 60.0) <= high


def test_the_stated_error_is_an_eighth_of_the_greatest_bends_of_the_grid():
    heights = [value for (value,) in struct.iter_unpack(">h", RAW)]
    along = max(abs(heights[i - 1440] - 2 * heights[i] + heights[i + 1440])
                for i in range(1440, 720 * 1440))  # fmt: skip
    rows = [heights[row * 1440 : (row + 1) * 1440] for row in range(721)]
    across = max(abs(row[i - 2] - 2 * row[i - 1] + row[i]) for row in rows for i in range(len(row)))
    assert (along + across) / 800 <= GEOID_ERROR_M <= (along + across) / 800 + 0.05


def test_the_range_of_a_large_region_holds_every_height_in_it() -> None:
    rng = random.Random(5)
    for _ in range(100):
        south, west = rng.uniform(-80.0, 70.0), rng.uniform(-180.0, 180.0)
        high, wide = rng.uniform(0.5, 10.0), rng.uniform(5.0, 30.0)
        least, greatest = geoid_range_m([(south, west), (south + high, west + wide)])
        for _ in range(30):
            height = geoid_height_m(south + rng.random() * high, west + rng.random() * wide)
            assert least <= height <= greatest


def test_a_region_beside_a_pole_does_not_take_in_the_other_hemisphere() -> None:
    least, greatest = geoid_range_m([(70.0, -180.0), (89.0, 10.0), (70.0, 100.0)])
    assert least > -30.0
    assert greatest < 70.0


def test_a_region_of_few_wide_edges_round_a_pole_holds_all_that_lies_under_them() -> None:
    # The edge from 60 east to 190 east passes 30 degrees north there; the other points lie
    # on the other side of the world.
    least, greatest = geoid_range_m([(5.0, -170.0), (5.0, -60.0), (5.0, 60.0)])
    for lat, lon in ((40.0, 75.0), (60.0, 100.0), (45.0, 140.0), (80.0, 125.0)):
        assert least <= geoid_height_m(lat, lon) <= greatest
    assert least <= geoid_height_m(9.0, 79.5) < -95.0
