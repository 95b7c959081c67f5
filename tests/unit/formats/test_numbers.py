from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from deconflict.formats.numbers import (
    NumberText,
    cell_half_diagonal_m,
    decimals,
    number,
    number_from_text,
)
from deconflict.geo.errors import InputError


@pytest.mark.parametrize(
    ("typed", "count"),
    [("36", 0), ("36.370", 3), ("-0.5", 1), ("3.6370e1", 3), ("1e3", -3), ("25e-2", 2), ("0.0", 1)],
)
def test_decimals_are_counted_as_typed(typed, count):
    assert decimals(typed) == count


@given(st.integers(-85, 85), st.integers(-180, 180), st.integers(0, 6), st.integers(0, 6))
def test_the_cell_holds_its_corners_and_is_hardly_larger(lat, lon, lat_decimals, lon_decimals):
    half_lat, half_lon = 0.5 * 10.0**-lat_decimals, 0.5 * 10.0**-lon_decimals
    corners = [
        Geodesic.WGS84.Inverse(lat, lon, lat + n * half_lat, lon + e * half_lon)["s12"]
        for n in (-1, 1)
        for e in (-1, 1)
    ]
    bound_m = cell_half_diagonal_m(lat_decimals, lon_decimals, lat)
    assert max(corners) <= bound_m <= 1.02 * max(corners)


@pytest.mark.parametrize("value", ["36.37", True, None, [], {}, float("nan"), float("inf")])
def test_what_is_no_number_is_refused_by_field(value):
    with pytest.raises(InputError) as refusal:
        number(value, "lower_m")
    assert refusal.value.field == "lower_m"


def test_a_number_beyond_all_floats_or_endlessly_long_is_refused():
    for typed in (NumberText("1e999"), NumberText("9" * 5000), 10**400):
        with pytest.raises(InputError):
            number(typed, "lower_m")


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12.0), (" -0.5 ", -0.5), ("+3", 3.0), ("007", 7.0), ("-00.5", -0.5)]
)
def test_a_number_is_read_from_text(text, value):
    assert number(number_from_text(text), "") == value


@pytest.mark.parametrize(
    "text", ["", "1,5", "12 m", "٣٦", "0x10", "nan", "inf", "1_000", "--1", "."]
)
def test_a_text_that_is_no_plain_number_is_refused(text):
    with pytest.raises(InputError):
        number_from_text(text, "radius_m")
