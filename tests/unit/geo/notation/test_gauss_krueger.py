"""Gauss-Krüger; oracle: Krüger's series, written out here, and GeographicLib for distances."""

import math

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from deconflict.geo.datum import crs_to_wgs84, datum_named, to_wgs84
from deconflict.geo.errors import InputError
from deconflict.geo.notation.gauss_krueger import claim, write
from deconflict.geo.notation.text import normal_text
from deconflict.geo.position import Notation

AL_BAB = (36.37, 37.515)


def distance_m(a, b):
    return Geodesic.WGS84.Inverse(a[0], a[1], b[0], b[1])["s12"]


def krueger(lat_deg, from_meridian_deg):
    """Northing and easting (without false easting) by Krüger's series of 1912, to n**4."""
    a, f = 6378245.0, 1 / 298.3
    n = f / (2 - f)
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    e = math.sqrt(f * (2 - f))
    lat, lon = math.radians(lat_deg), math.radians(from_meridian_deg)
    t = math.sinh(math.atanh(math.sin(lat)) - e * math.atanh(e * math.sin(lat)))
    xi, eta = math.atan2(t, math.cos(lon)), math.asinh(math.sin(lon) / math.hypot(t, math.cos(lon)))
    x, y = xi, eta
    for j, factor in enumerate(alpha, start=1):
        x += factor * math.sin(2 * j * xi) * math.cosh(2 * j * eta)
        y += factor * math.cos(2 * j * xi) * math.sinh(2 * j * eta)
    return radius * x, radius * y


def read(text):
    return claim(normal_text(text))


def one(text):
    (reading,) = read(text)
    return reading


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(1, 60), st.floats(0.5, 83.0), st.floats(-3.0, 3.0))
def test_every_zone_is_krueger_s_projection_about_its_middle_meridian(zone, lat, from_meridian):
    northing, easting = krueger(lat, from_meridian)
    reading = one(f"SK-42 X={northing:.4f} Y={zone * 1e6 + 500_000 + easting:.4f}")
    assert reading.lat_deg == pytest.approx(lat, abs=2e-9)
    off = math.remainder(reading.lon_deg - (6 * zone - 3 + from_meridian), 360)
    assert abs(off) * math.cos(math.radians(lat)) < 2e-9
    assert -180 <= reading.lon_deg <= 180
    assert reading.notation is Notation.GAUSS_KRUEGER


SAME = one("SK-42 X=4026000 Y=7456000")


@pytest.mark.parametrize(
    "text",
    [
        "СК-42 Х 4026000 У 7456000",
        "СК-42: Х=4026000, У=7456000",
        "SK-42 Y=7456000 X=4026000",
        "SK42 4026000 7456000",
        "SK-42 7456000 4026000",
        "SK-42 4026000; 7456000",
        "SK-42 N 4026000 E 7456000",
        "SK-42 4026000N 7456000E",
        "SK-42 4026000 m 7456000 m",
        "SK-42 northing 4026000 easting 7456000",
        "Gauss-Krüger zone 7 4026000 7456000",
        "Gauss-Kruger, zone 7, 4026000, 456000",
        "GAUSS KRUEGER zone: 7 X=4026000 Y=456000",
        "GK 4026000 7456000 (zone 7)",
        "Gauss-Krüger SK-42 zone 7 4026000 7456000",
        "SK-42 Gauss-Krüger 4026000 7456000",
        "Гаусса-Крюгера СК-42 зона 7 Х=4026000 У=7456000",
        "Pulkovo 1942 X 4026000 Y 7456000",
        "X=4026000 Y=7456000 SK-42",
    ],
)
def test_the_forms_that_people_write_mean_one_place(text):
    reading = one(text)
    assert (reading.lat_deg, reading.lon_deg) == (SAME.lat_deg, SAME.lon_deg)
    assert datum_named(reading.datum).epsg == 4284


def test_a_datum_that_is_not_named_is_assumed_and_that_is_said():
    assert any("SK-42" in sentence for sentence in one("GK zone 7 4026000 456000").assumed)
    assert one("SK-42 zone 7 4026000 456000").assumed == ()


def test_sk95_keeps_its_own_datum():
    assert datum_named(one("SK-95 X=6182000 Y=7413000").datum).epsg == 4200


def test_numbers_that_make_a_place_either_way_round_are_both_given():
    readings = read("SK-42 5412000 7456000")
    assert len(readings) == 2
    assert {round(reading.lat_deg) for reading in readings} == {49, 67}
    assert {"zone 7", "zone 5"} == {reading.meaning[-6:] for reading in readings}


def test_a_named_zone_or_marks_decide_which_is_the_northing():
    assert len(read("SK-42 zone 7 5412000 7456000")) == 1
    assert one("SK-42 X=7456000 Y=5412000").lat_deg > 60 > one("SK-42 X=5412000 Y=7456000").lat_deg


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SK-42 zone 8 X=4026000 Y=7456000", "lies in zone 7, and the text names zone 8"),
        ("SK-42 zone 8 4026000 7456000 zone 7", "names zone 7 and zone 8"),
        ("SK-42 X=4026000 Y=456000", "does not begin with its zone"),
        ("SK-42 X=4026000 Y=61456000", "there are 60"),
        ("GK zone 61 4026000 456000", "no Gauss-Krüger zone 61"),
        ("SK-42 X=9999999 Y=7456000", "no place"),
        ("SK-42 X=4026000 Y=7956000", "no place"),
        ("SK-42 X=7000000 Y=7160000", "no place"),
        ("SK-42 X=4026000 X=7456000", "both numbers are marked"),
        ("GK zone 4 X=5812000 Y=4456000", "German"),
        ("DHDN GK 5812000 4456000", "DHDN"),
        ("4026000 7456000", "nothing about their system"),
        ("X=4026000 Y=7456000", "nothing about their system"),
    ],
)
def test_contradictions_and_impossible_numbers_are_refused(text, said):
    with pytest.raises(InputError, match=said) as caught:
        read(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    ["SK-42 36.37 37.515", "36.37 N 37.515 E", "37S CA 66842 26166", "UTM 37S 366842 4026166",
     "ED50 4026000 7456000", "EPSG:28407 4026000 7366000", "36 22 12 N 37 30 54 E"],
)  # fmt: skip
def test_other_notations_are_left_to_others(text):
    assert read(text) == ()


def test_precision_is_half_the_diagonal_of_the_last_digits_cell():
    assert one("SK-42 X=4026000 Y=7456000").precision_m == pytest.approx(math.sqrt(0.5))
    assert one("SK-42 X=4026000.5 Y=7456000.25").precision_m == pytest.approx(
        0.5 * math.hypot(0.1, 0.01)
    )


@pytest.mark.parametrize("place", [AL_BAB, (55.75, 37.62), (67.0, -179.95), (50.0, 30.0)])
def test_what_is_written_reads_back_as_the_same_place(place):
    reading = one(write(*place))
    shifted = to_wgs84(datum_named(reading.datum), reading.lat_deg, reading.lon_deg)
    assert distance_m(shifted[:2], place) < 0.02


def test_a_coarse_place_is_written_without_decimals():
    assert write(*AL_BAB, 100.0) == "SK-42 X=4027723 Y=7366842"


def test_a_place_without_sheets_is_not_written():
    with pytest.raises(InputError):
        write(-30.0, 30.0)


def test_zone_7_read_as_utm_37_lies_1700_metres_off_at_al_bab():
    text = write(*AL_BAB)
    northing, easting = (float(part[2:]) for part in text.split()[1:])
    as_utm = crs_to_wgs84(32637, easting - 7e6, northing)
    assert distance_m(as_utm[:2], AL_BAB) == pytest.approx(1700, abs=50)
