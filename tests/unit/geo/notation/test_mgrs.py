"""MGRS against the `mgrs` library (GEOTRANS), which the code does not call."""

from __future__ import annotations

import math
import random

import mgrs as geotrans
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.notation import mgrs
from deconflict.geo.notation.text import normal_text


def claimed(text):
    return mgrs.claim(normal_text(text))


def places(count, seed):
    """Places over the world, with the odd zones and the seams over-represented."""
    rng = random.Random(seed)
    for number in range(count):
        if number % 4 == 0:
            yield rng.choice([55.9, 56.1, 60.0, 63.9, 72.1, 80.0, 83.9]), rng.uniform(-1.0, 43.0)
        elif number % 4 == 1:
            yield rng.choice([-1, 1]) * rng.uniform(79.0, 90.0), rng.uniform(-180.0, 180.0)
        else:
            yield rng.uniform(-90.0, 90.0), rng.uniform(-180.0, 180.0)


def test_writes_what_geotrans_writes_at_every_precision():
    library = geotrans.MGRS()
    for lat, lon in places(1500, 1):
        for places_, uncertainty_m in enumerate((1e5, 1e4, 1e3, 100.0, 10.0, 0.0)):
            theirs = library.toMGRS(lat, lon, MGRSPrecision=places_)
            # The library takes a point up to 1 mm below a cell's edge for the next cell.
            near, across = 1e-8, 1e-8 / max(0.001, math.cos(math.radians(lat)))
            ours = {
                mgrs.write(lat + dy, lon + dx, uncertainty_m)
                .replace("MGRS", "")
                .replace(" ", "")
                .zfill(len(theirs))
                for dy, dx in ((0, 0), (near, across), (-near, across), (near, -across))
                if abs(lat + dy) <= 90.0
            }
            assert theirs in ours


def test_reads_what_geotrans_writes_and_the_cell_holds_the_point():
    library = geotrans.MGRS()
    for number, (lat, lon) in enumerate(places(3000, 2)):
        text = "MGRS " + library.toMGRS(lat, lon, MGRSPrecision=number % 6)
        (reading,) = claimed(text)
        off = Geodesic.WGS84.Inverse(lat, lon, reading.lat_deg, reading.lon_deg)["s12"]
        assert off <= reading.precision_m * (1 + 1e-6), text
        assert reading.precision_m == pytest.approx(0.7071 * 10 ** (5 - number % 6), rel=0.01)


@pytest.mark.parametrize(
    "text",
    ["37S CA 12345 67890", "37SCA1234567890", "37 S CA 1234567890", "mgrs: 37s ca 12345 67890",
     "37S C A 12345 67890", "٣٧S CA ١٢٣٤٥ ٦٧٨٩٠"],
)  # fmt: skip
def test_spaces_and_case_do_not_count(text):
    (reading,) = claimed(text)
    (plain,) = claimed("37SCA1234567890")
    assert (reading.lat_deg, reading.lon_deg) == (plain.lat_deg, plain.lon_deg)


def test_a_coarse_reference_is_its_cells_centre_not_its_corner():
    (coarse,) = claimed("37SCA667260")
    (centre,) = claimed("37SCA6675026050")
    off = Geodesic.WGS84.Inverse(coarse.lat_deg, coarse.lon_deg, centre.lat_deg, centre.lon_deg)[
        "s12"
    ]
    assert off < 1.0
    assert coarse.precision_m == pytest.approx(70.7, abs=0.1)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("37TCA1234512345", "does not lie in band T"),
        ("37S CA 123 45", "not as many"),
        ("37S CA 123", "not as many"),
        ("37S CA 12 34 56", "not as many"),
        ("37S CA 123456 123456", "12 digits"),
        ("0S CA 12", "no zone 0"),
        ("61S CA 12", "no zone 61"),
        ("37S CO 12", "letters I and O"),
        ("37I CA 12", "letters I and O"),
        ("37S JA 12", "no column of squares J"),
        ("37S CW 12", "no row of squares W"),
        ("32X NJ 12", "zone 32 has no band X"),
        ("37A CA 12", "polar letter"),
        ("31U HA 12", "outside zone 31|does not lie"),
        ("Z AZ 12", "no square AZ"),
        ("Y AH 12", "no square AH"),
        ("37S СА 12", "Cyrillic"),
        ("MGRS 36.37 N 37.5 E", "no grid reference"),
    ],
)
def test_what_names_no_cell_is_refused_with_a_remedy(text, what):
    with pytest.raises(InputError, match=what) as caught:
        claimed(text)
    assert caught.value.remedy


def test_a_square_outside_its_band_is_refused_with_the_bands_that_hold_it():
    # The library returns 54.4 N for this text, though band T ends at 48 N.
    with pytest.warns(RuntimeWarning, match="Latitude Warning"):
        assert geotrans.MGRS().toLatLon("37TCA1234512345")[0] > 54.0
    with pytest.raises(InputError, match="CA lies in bands such as S and U"):
        claimed("37TCA1234512345")


@pytest.mark.parametrize("text", ["BAN", "36.37 N 37.515 E", "MKPG1204", "37S 412345 4026123"])
def test_other_texts_are_left_alone(text):
    assert claimed(text) == ()


def test_a_cell_that_a_band_or_zone_cuts_may_be_named_from_both_sides():
    # 40 N, the limit of bands S and T, crosses this 100 km square of zone 37.
    south, north = claimed("37S CE")[0], claimed("37T CE")[0]
    assert (south.lat_deg, south.lon_deg) == (north.lat_deg, north.lon_deg)
    with pytest.raises(InputError, match="does not lie in band T"):
        claimed("37T CE 50000 00000")


def test_rows_are_lettered_ten_on_where_the_sheet_is_on_clarke_1880():
    # 15.5 N 32.5 E on Adindan lies at 446,405 m and 1,713,5xx m of zone 36, in the row that
    # begins 1,700 km north: letter N on Clarke 1880 (DMA TM 8358.1), C on WGS 84.
    (reading,) = claimed("MGRS Adindan 36P VN 46 13")
    assert reading.lat_deg == pytest.approx(15.5, abs=0.02)
    assert reading.lon_deg == pytest.approx(32.5, abs=0.02)
    assert reading.datum == "ADINDAN"
    (wgs84,) = claimed("36P VC 46 13")
    assert wgs84.lat_deg == pytest.approx(15.5, abs=0.02)
