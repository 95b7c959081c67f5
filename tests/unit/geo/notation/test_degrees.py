"""Latitude and longitude in three notations and in the marks of several languages."""

from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from deconflict.geo.errors import InputError
from deconflict.geo.notation import degrees
from deconflict.geo.notation.text import normal_text
from deconflict.geo.position import Notation

AL_BAB = (36.37, 37.515)
DD, DM, DMS = (
    Notation.DECIMAL_DEGREES,
    Notation.DEGREES_MINUTES,
    Notation.DEGREES_MINUTES_SECONDS,
)


def claimed(text):
    return degrees.claim(normal_text(text))


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("36.37 N 37.515 E", DD),
        ("36.37N37.515E", DD),
        ("N36.37, E37.515", DD),
        ("E 37.515 N 36.37", DD),
        ("37.515°E 36.37°N", DD),
        ("36,37 N 37,515 E", DD),
        ("36,37N; 37,515E", DD),
        ("36 22.2 N 37 30.9 E", DM),
        ("36°22.2′N 37°30.9′E", DM),
        ("N 36° 22,2' E 37° 30,9'", DM),
        ("3622.2N 03730.9E", DM),
        ("36 22 12 N 37 30 54 E", DMS),
        ("36°22′12″N 37°30′54″E", DMS),
        ("36º22'12''N / 37º30'54''E", DMS),
        ("36:22:12N 37:30:54E", DMS),
        ("36-22-12N 037-30-54E", DMS),
        ("362212N 0373054E", DMS),
        ("N362212 E0373054", DMS),
        ("36 deg 22 min 12 sec North, 37 deg 30 min 54 sec East", DMS),
        ("36,37 с.ш. 37,515 в.д.", DD),
        ("36,37 С 37,515 В", DD),
        ("36 град 22 мин 12 сек северной широты, 37 град 30 мин 54 сек восточной долготы", DMS),
        ("٣٦٫٣٧ شمال ٣٧٫٥١٥ شرق", DD),
        ("٣٦٫٣٧ ش ٣٧٫٥١٥ ق", DD),
        ("36.37 شمالاً 37.515 شرقاً", DD),
        ("۳۶٫۳۷ شمال ۳۷٫۵۱۵ شرق", DD),
        ("\u200f٣٦٫٣٧\u200e شمال، ٣٧٫٥١٥ شرق", DD),
        ("36.37 K 37.515 D", DD),
        ("36,37 Kuzey 37,515 Doğu", DD),
        ("36,37 Nord 37,515 Ost", DD),
        ("36,37 nord 37,515 est", DD),
        ("lat=36.37 lon=37.515", DD),
        ("Lon: +37.515, Lat: +36.37", DD),
        ("широта 36,37 долгота 37,515", DD),
        ("Enlem 36.37 Boylam 37.515", DD),
    ],
)  # fmt: skip
def test_one_place_however_it_is_written(text, notation):
    (reading,) = claimed(text)
    assert (reading.lat_deg, reading.lon_deg) == pytest.approx(AL_BAB, abs=1e-12)
    assert reading.notation is notation


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("36.37 S 37.515 W", (-1, -1)),
        ("36.37 ю.ш. 37.515 з.д.", (-1, -1)),
        ("36.37 Ю 37.515 В", (-1, 1)),
        ("36.37 جنوب 37.515 غرب", (-1, -1)),
        ("36.37 G 37.515 B", (-1, -1)),
        ("36.37 Süd 37.515 West", (-1, -1)),
        ("36.37 Sud 37.515 Ouest", (-1, -1)),
        ("lat -36.37 lon -37.515", (-1, -1)),
    ],
)
def test_south_and_west_are_negative_in_every_language(text, signs):
    (reading,) = claimed(text)
    assert (reading.lat_deg, reading.lon_deg) == (36.37 * signs[0], 37.515 * signs[1])


def test_the_letter_o_is_east_in_german_and_west_in_french_so_both_are_returned():
    east, west = claimed("36.37 N 37.515 O")
    assert (east.lon_deg, west.lon_deg) == (37.515, -37.515)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("36.37, 37.515", "does not say which number is latitude"),
        ("(36.37, 37.515)", "does not say which number is latitude"),
        ("36 22 12, 37 30 54", "does not say which number is latitude"),
        ("36.37 N 37.515", "does not say which number is latitude"),
        ("36 75 12 N 37 30 54 E", "75 minutes"),
        ("36 22 60 N 37 30 54 E", "60 seconds"),
        ("36 60 N 37 30 E", "60 minutes"),
        ("96 N 37 E", "latitude 96 lies beyond 90"),
        ("90 00 01 N 37 00 00 E", "lies beyond 90"),
        ("36 N 181 E", "longitude 181 lies beyond 180"),
        ("36 22 12 E 37 30 54 E", "two longitudes"),
        ("36.37 N 37.515 N", "two latitudes"),
        ("-36.37 N 37.515 E", "signs and hemisphere letters"),
        ("36.37 S -37.515 E", "signs and hemisphere letters"),
        ("36.5 22 N 37 30 E", "fraction of degrees"),
        ("36 22.5 12 N 37 30 54 E", "fraction of minutes"),
        ("36.37 N 37 30 54 E", "different ways"),
        ("36,37 N 37.515 E", "decimal comma"),
        ("36.37 N 37.515 D", "no one language"),
        ("36.37 С 37.515 E", "no one language"),
        ("lat 36.37 E lon 37.515 N", "no hemisphere of a latitude"),
        ("lat -36.37 S lon 37.515", "more than one of sign"),
        ("036212N 0373054E", "latitude has 62 minutes|beyond|digits"),
        ("12345N 0373054E", "too few or too many digits"),
    ],
)
def test_what_is_no_place_or_not_said_is_refused_with_a_remedy(text, what):
    with pytest.raises(InputError, match=what) as caught:
        claimed(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "36.37 C 37.515 B",
        "40 grad N 41 grad E",
        "36,22,12 N 37,30,54 E",
        "37S CA 12 34",
        "north",
        "36 -22 12 N 37 E",
        "N E",
    ],
)
def test_other_texts_are_left_alone(text):
    assert claimed(text) == ()


@pytest.mark.parametrize(
    ("text", "half_lat", "half_lon"),
    [
        ("36.37 N 37.515 E", 0.005, 0.0005),
        ("36.370 N 37.515 E", 0.0005, 0.0005),
        ("36 22 N 37 30 E", 0.5 / 60, 0.5 / 60),
        ("36 22 12.0 N 37 30 54 E", 0.05 / 3600, 0.5 / 3600),
        ("36 N 37 E", 0.5, 0.5),
    ],
)
def test_the_precision_is_half_of_the_last_digit_of_each_number(text, half_lat, half_lon):
    (reading,) = claimed(text)
    lat, lon = reading.lat_deg, reading.lon_deg
    corner = Geodesic.WGS84.Inverse(lat, lon, lat - half_lat, lon + half_lon)["s12"]
    assert reading.precision_m == pytest.approx(corner, rel=0.01)
    assert reading.precision_m >= corner * (1 - 1e-9)


@pytest.mark.parametrize(
    "write", [degrees.write_decimal, degrees.write_minutes, degrees.write_seconds]
)
@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180), uncertainty_m=st.sampled_from([0, 5, 3e3]))
def test_what_is_written_is_read_back_within_its_precision(write, lat, lon, uncertainty_m):
    (reading,) = claimed(write(lat, lon, uncertainty_m))
    off = Geodesic.WGS84.Inverse(lat, lon, reading.lat_deg, reading.lon_deg)["s12"]
    assert off <= reading.precision_m * (1 + 1e-9) + 1e-8
    assert reading.precision_m <= max(uncertainty_m, 0.005)


def test_rounding_up_carries_into_minutes_and_degrees():
    assert degrees.write_seconds(36.999999999, 59.99999999999) == (
        "37° 00' 00.0000\" N 60° 00' 00.0000\" E WGS 84"
    )
