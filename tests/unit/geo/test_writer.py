"""A place in every notation, and back."""

from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import example, given
from hypothesis import strategies as st

from deconflict.geo.position import Notation, Position
from deconflict.geo.reader import read_position
from deconflict.geo.writer import notations


def test_al_bab_in_every_notation_with_the_digits_that_ten_metres_deserve():
    place = Position(lat_deg=36.37, lon_deg=37.515, stated_uncertainty_m=10.0)
    written = notations(place)
    assert list(written) == [
        "decimal degrees",
        "degrees and decimal minutes",
        "degrees, minutes and seconds",
        "MGRS",
        "UTM",
        "GEOREF",
        "Plus Code",
        "Gauss-Krüger",
    ]
    assert written["decimal degrees"] == "36.3700° N 37.5150° E WGS 84"
    assert written["degrees, minutes and seconds"] == "36° 22' 12.0\" N 37° 30' 54.0\" E WGS 84"
    assert written["MGRS"] == "37S CA 6678 2601"
    assert written["UTM"] == "UTM zone 37 north 366784 mE 4026012 mN"
    assert written["Plus Code"] == "8G8V9GC8+22"


def test_full_writes_all_digits_that_a_notation_has():
    place = Position(lat_deg=36.37, lon_deg=37.515, stated_uncertainty_m=5000.0)
    assert notations(place)["MGRS"] == "37S CA 66 26"
    assert notations(place, full=True)["MGRS"] == "37S CA 66783 26011"
    assert notations(place, full=True)["decimal degrees"] == "36.37000000° N 37.51500000° E WGS 84"


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    uncertainty_m=st.sampled_from([0.0, 1.0, 12.0, 900.0]),
)
@example(90.0, 0.0, 0.0)
@example(-90.0, 12.0, 12.0)
@example(84.0, 180.0, 1.0)
@example(-80.0, -180.0, 1.0)
@example(0.0, 180.0, 0.0)
@example(-1e-13, -1e-13, 0.0)
@example(72.0, 9.0, 0.0)
@example(63.99999999999, 3.0, 0.0)
@example(36.37, 37.515, 12.0)
def test_what_is_written_is_read_back_within_its_own_uncertainty(lat, lon, uncertainty_m):
    place = Position(lat_deg=lat, lon_deg=lon, stated_uncertainty_m=uncertainty_m)
    for name, text in notations(place).items():
        if text.startswith("(none: "):
            assert name == Notation.GAUSS_KRUEGER.value
            continue
        again = read_position(text)
        off = Geodesic.WGS84.Inverse(lat, lon, *again.lat_lon)["s12"]
        assert off <= again.uncertainty_m * (1 + 1e-6) + 1e-6, text
        assert again.precision_m <= max(uncertainty_m, 2.6), text


def test_the_poles_are_written_on_the_polar_grid():
    written = notations(Position(lat_deg=90.0, lon_deg=0.0))
    assert written["UPS"] == "UPS north 2000000.000 mE 2000000.000 mN"
    assert written["MGRS"] == "Z AH 00000 00000"
    assert "UTM" not in written


@pytest.mark.parametrize("lat", [-36.37, 86.0])
def test_where_a_notation_does_not_reach_it_says_why(lat):
    text = notations(Position(lat_deg=lat, lon_deg=37.515))["Gauss-Krüger"]
    assert text.startswith("(none: ")
    assert "latitude" in text
