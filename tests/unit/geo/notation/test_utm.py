"""UTM and UPS against PROJ, which the code does not call."""

from __future__ import annotations

import random

import pyproj
import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.notation import utm
from deconflict.geo.notation.text import normal_text
from deconflict.geo.position import Notation


def claimed(text):
    return utm.claim(normal_text(text))


def test_every_zone_agrees_with_proj_to_a_tenth_of_a_millimetre():
    rng = random.Random(1)
    for zone in range(1, 61):
        for half, epsg in (("north", 32600), ("south", 32700)):
            proj = pyproj.Transformer.from_crs(epsg + zone, 4326)
            easting = rng.uniform(200_000, 800_000)
            northing = rng.uniform(0, 9_000_000)
            northing = northing if half == "north" else 10_000_000 - northing
            (reading,) = claimed(f"UTM {zone} {half} {easting:.4f} {northing:.4f}")
            lat, lon = proj.transform(round(easting, 4), round(northing, 4))
            assert reading.lat_deg == pytest.approx(lat, abs=1e-9)
            assert reading.lon_deg == pytest.approx(lon, abs=1e-9 if abs(lat) < 70 else 1e-8)
            assert reading.notation is Notation.UTM


@pytest.mark.parametrize(("half", "epsg"), [("north", 32661), ("south", 32761)])
def test_the_polar_grids_agree_with_proj(half, epsg):
    # EPSG:32661 and 32761 are northing first.
    proj = pyproj.Transformer.from_crs(epsg, 4326)
    rng = random.Random(2)
    for _ in range(50):
        easting, northing = (2_000_000 + rng.uniform(-400_000, 400_000) for _ in range(2))
        (reading,) = claimed(f"UPS {half} {easting:.3f} mE {northing:.3f} mN")
        lat, lon = proj.transform(round(northing, 3), round(easting, 3))
        assert (reading.lat_deg, reading.lon_deg) == pytest.approx((lat, lon), abs=1e-7)
        assert reading.notation is Notation.UPS


PLACE = claimed("UTM zone 37 north 366784 mE 4026012 mN")[0]


@pytest.mark.parametrize(
    "text",
    [
        "37 north 366784 4026012",
        "UTM 37 North 366784 4026012",
        "UTM zone 37 hemisphere N E 366784 N 4026012",
        "zone 37, northern hemisphere, E 366784, N 4026012",
        "37 north 4026012N 366784E",
        "37 north N=4026012 E=366784",
        "37 north easting 366784 northing 4026012",
        "UTM zone 37 easting 366,784 m northing 4,026,012 m north",
        "37 north 366٬784 4٬026٬012",
        "UTM37N 366784 4026012",
    ],
)
def test_one_place_however_it_is_written(text):
    (reading,) = claimed(text)
    assert (reading.lat_deg, reading.lon_deg) == (PLACE.lat_deg, PLACE.lon_deg)


def test_37s_is_both_band_s_and_the_south_and_both_readings_are_returned():
    band, south = claimed("37S 366784 4026012")
    assert (band.lat_deg, band.lon_deg) == (PLACE.lat_deg, PLACE.lon_deg)
    assert south.lat_deg == pytest.approx(-53.9, abs=0.1)
    assert "band S" in band.meaning
    assert "south" in south.meaning


def test_37s_is_the_south_where_band_s_does_not_hold_the_northing_and_says_so():
    (reading,) = claimed("37S 500000 8500000")
    assert reading.lat_deg == pytest.approx(-13.57, abs=0.01)
    assert "read as south" in reading.assumed[0]


def test_37n_is_one_place_below_8_north_and_the_northern_half_beyond_which_is_said():
    (near,) = claimed("37N 412345 402612")
    assert near.assumed == ()
    (far,) = claimed("37N 366784 4026012")
    assert far.lat_deg == PLACE.lat_deg
    assert "read as north" in far.assumed[0]


def test_the_ellipsoid_is_that_of_the_named_datum():
    lat, lon = pyproj.Transformer.from_crs(23037, 4230).transform(412345, 4026123)
    (reading,) = claimed("UTM ED50 37 north 412345 4026123")
    assert (reading.lat_deg, reading.lon_deg) == pytest.approx((lat, lon), abs=1e-9)
    assert reading.datum == "ED50"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("UTM 37 366784 4026012", "without its hemisphere"),
        ("37T 366784 4026012", "outside band T"),
        ("37 north 4026012 366784", "are easting and northing swapped"),
        ("37 north 36678 4026012", "no easting"),
        ("37 south 366784 10500000", "outside the south"),
        ("37 north 366784 9900000", "outside the north"),
        ("0 north 366784 4026012", "no zone 0"),
        ("61 north 366784 4026012", "no zone 61"),
        ("37I 366784 4026012", "no band"),
        ("UTM 37 north 366784E 4026012E", "not one easting and one northing"),
        ("UTM 37 north hemisphere 366784 4026012 south", "both hemispheres"),
        ("32X 500000 8900000", "zone 32 has no band X"),
        ("37 north 366784 26,012", "decimal mark or separate thousands"),
        ("UTM somewhere", "no zone with easting"),
        ("UPS Y 2222979 1797474", "outside the polar area Y"),
        ("UPS north 3222979 3797474", "outside the polar area"),
    ],
)
def test_what_is_no_place_or_not_said_is_refused_with_a_remedy(text, what):
    with pytest.raises(InputError, match=what) as caught:
        claimed(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    ["zone 7 X=4027000 Y=7366000", "zone 7 N 4027000 E 7456000", "36.37 N 37.515 E", "37S CA 1 2"],
)
def test_other_texts_are_left_alone(text):
    assert claimed(text) == ()


def test_norways_wider_zone_is_no_excursion_and_a_point_far_outside_its_zone_is_said():
    (bergen,) = claimed("32V 297000 6700000")
    assert bergen.assumed == ()
    (outside,) = claimed("37 north 890000 4526123")
    assert "degrees outside zone 37" in outside.assumed[0]


@pytest.mark.parametrize(
    ("text", "precision_m"),
    [
        ("37 north 366784 4026012", 0.7071),
        ("37 north 366784.5 4026012.5", 0.07071),
        ("37 north 366784,25 4026012,5", 0.05025),
    ],
)
def test_the_precision_is_half_of_the_last_digit_of_each_number(text, precision_m):
    (reading,) = claimed(text)
    assert reading.precision_m == pytest.approx(precision_m, rel=1e-3)
