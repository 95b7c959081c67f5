"""Coordinates in EPSG systems; oracle: GeographicLib for distances, definitions for projections."""

import math

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.notation.epsg import claim, write, write_in
from deconflict.geo.notation.text import normal_text
from deconflict.geo.position import Notation

AL_BAB = (36.37, 37.515)


def distance_m(a, b):
    return Geodesic.WGS84.Inverse(a[0], a[1], b[0], b[1])["s12"]


def read(text):
    (reading,) = claim(normal_text(text))
    return reading


def place(text):
    reading = read(text)
    return reading.lat_deg, reading.lon_deg


@pytest.mark.parametrize(
    "text",
    [
        "EPSG:4326 36.37 37.515",
        "epsg:4326 36.37, 37.515",
        "EPSG 4326: 36.37,37.515",
        "EPSG:4326 36,37 37,515",
        "EPSG:4326 36,37; 37,515",
        "EPSG:4326 (36.37 37.515)",
        "EPSG:4326 36.37N 37.515E",
        "EPSG:4326 36.37 N 37.515 E",
        "EPSG:4326 37.515E 36.37N",
        "EPSG:4326 N 36.37 E 37.515",
        "EPSG:4326 lat=36.37 lon=37.515",
        "EPSG:4326 Lon: 37.515, Lat: 36.37",
        "EPSG:4326 longitude 37.515 latitude 36.37",
        "EPSG:4326 36.37° 37.515°",
    ],
)
def test_wgs84_degrees_are_read_in_the_authority_s_order_or_as_marked(text):
    assert place(text) == pytest.approx(AL_BAB, abs=1e-12)


def test_south_and_west_turn_the_sign():
    assert place("EPSG:4326 S 36.37 W 37.515") == pytest.approx((-36.37, -37.515))
    assert place("EPSG:4326 -36.37 -37.515") == pytest.approx((-36.37, -37.515))


@pytest.mark.parametrize(
    "text",
    [
        "EPSG:28407 4027723 7366842",
        "EPSG:28407 X=4027723 Y=7366842",
        "EPSG:28407 Y 7366842 X 4027723",
        "EPSG:28407 N 4027723 E 7366842",
        "EPSG:28407 easting 7366842, northing 4027723",
        "EPSG:28407 7366842E 4027723N",
        "EPSG:28407 4027723 m 7366842 m",
        "SK-42 EPSG:28407 4027723 7366842",
    ],
)
def test_gauss_krueger_by_code_is_northing_first_or_as_marked(text):
    assert distance_m(place(text), AL_BAB) < 1.0


def test_the_middle_meridian_of_a_utm_zone_has_easting_500_km():
    lat, lon = place("EPSG:32637 E 500000 N 4026000")
    assert lon == pytest.approx(39.0, abs=1e-9)
    # 0.9996 of the meridian's length from the equator
    assert Geodesic.WGS84.Inverse(0, 39, lat, 39)["s12"] * 0.9996 == pytest.approx(
        4026000, abs=0.01
    )


def test_web_mercator_is_a_sphere_s_projection():
    lat, lon = place("EPSG:3857 4176000 4350000")
    assert lon == pytest.approx(math.degrees(4176000 / 6378137), abs=1e-9)
    assert lat == pytest.approx(
        math.degrees(2 * math.atan(math.exp(4350000 / 6378137)) - math.pi / 2), abs=1e-9
    )


def test_the_answer_is_on_wgs84_with_its_operation_and_uncertainty():
    reading = read("EPSG:4284 36.37 37.515")
    assert reading.datum == "Pulkovo 1942"
    assert reading.notation is Notation.EPSG
    assert reading.shift is not None
    assert reading.shift.uncertainty_m == pytest.approx(50.0)
    assert "Pulkovo 1942 to WGS 84 (16)" in reading.shift.operation
    assert distance_m((reading.lat_deg, reading.lon_deg), AL_BAB) == pytest.approx(116.5, abs=0.5)


def test_precision_counts_each_coordinate_s_own_decimals_in_its_unit():
    degrees = read("EPSG:4326 36.37 37.515").precision_m
    north = Geodesic.WGS84.Inverse(36.365, 37.515, 36.375, 37.515)["s12"]
    east = Geodesic.WGS84.Inverse(36.37, 37.5145, 36.37, 37.5155)["s12"]
    assert degrees == pytest.approx(0.5 * math.hypot(north, east), rel=0.01)
    helsinki = read("EPSG:4326 60.17 24.94").precision_m
    north = Geodesic.WGS84.Inverse(60.165, 24.94, 60.175, 24.94)["s12"]
    east = Geodesic.WGS84.Inverse(60.17, 24.935, 60.17, 24.945)["s12"]
    assert helsinki == pytest.approx(0.5 * math.hypot(north, east), rel=0.01)
    assert read("EPSG:32637 366842 4026166").precision_m == pytest.approx(math.sqrt(0.5))
    assert read("EPSG:2274 E 2000000 N 600000").precision_m == pytest.approx(
        math.sqrt(0.5) * 0.3048, rel=1e-5
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("EPSG:99999 1 2", "no coordinate system 99999"),
        ("EPSG:5773 1 2", "vertical"),
        ("EPSG:7405 1 2", "compound"),
        ("EPSG:4978 1 2", "geocentric"),
        ("EPSG:4284", "not two decimal numbers"),
        ("EPSG:4284 36.37", "not two decimal numbers"),
        ("EPSG:4284 36 22 12 37 30 54", "not two decimal numbers"),
        ("EPSG foo", "no code"),
        ("EPSG:4326 96 37", "no place"),
        ("EPSG:28407 7366842 4027723", "far outside the area"),
        ("EPSG:28407 4027723 8366842", "far outside the area"),
        ("EPSG:32637 4026166000 366842", "no place|far outside"),
        ("EPSG:4326 36.37 N 37.515", "single mark"),
        ("EPSG:4326 N 36.37 N 37.515", "same axis"),
        ("EPSG:4326 36,37,37,515", "comma"),
        ("EPSG:4326 -36.37S 37.515E", "a sign and a letter"),
        ("EPSG:32637 lat 36.37 lon 37.515", "no axis LAT"),
        ("EPSG:32637 X=366842 Y=4026166", "no axis X"),
        ("EPSG:28407 4027723 ft 7366842 ft", "unit metre"),
        ("ED50 EPSG:28407 4027723 7366842", "names the datum ED50"),
        ("EPSG:4200 36.37 37.515", "no transformation"),
        ("EPSG:7683 36.37 37.515", "no transformation"),
    ],
)
def test_what_no_system_or_no_place_is_is_refused(text, said):
    with pytest.raises(InputError, match=said) as caught:
        claim(normal_text(text))
    assert caught.value.remedy


def test_other_notations_are_left_to_others():
    assert claim(normal_text("36.37 N 37.515 E")) == ()
    assert claim(normal_text("SK-42 X=4026000 Y=7456000")) == ()


@pytest.mark.parametrize("epsg", [4326, 4284, 4230, 28407, 32637, 3857])
def test_what_is_written_reads_back_as_the_same_place(epsg):
    assert distance_m(place(write_in(epsg, *AL_BAB)), AL_BAB) < 0.02


def test_digits_follow_the_uncertainty():
    assert write(*AL_BAB) == "EPSG:4326 36.3700000 37.5150000"
    assert write_in(32637, *AL_BAB, 100.0).count(".") == 0
    assert len(write(*AL_BAB, 100.0)) < len(write(*AL_BAB))
