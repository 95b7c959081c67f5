"""GEOREF against published examples and plain counting of degrees and minutes."""

from __future__ import annotations

import random

import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.notation import georef
from deconflict.geo.notation.text import normal_text


def claimed(text):
    return georef.claim(normal_text(text))


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        # Naval Air Station Patuxent River, the standard's example: 38 16' N, 76 24' W.
        ("GJPJ3616", 38 + 16.5 / 60, -77 + 36.5 / 60),
        # Salisbury Cathedral, the textbook example: 51 04' N, 1 48' W.
        ("MKPG1204", 51 + 4.5 / 60, -2 + 12.5 / 60),
        ("georef mkpg 12 04", 51 + 4.5 / 60, -2 + 12.5 / 60),
        ("AAAA0000", -90 + 0.5 / 60, -180 + 0.5 / 60),
        ("ZMQQ5959", 90 - 0.5 / 60, 180 - 0.5 / 60),
        ("GEOREF MKPG", 51.5, -1.5),
        ("MKPG123456", 51 + 45.65 / 60, -2 + 12.35 / 60),
    ],
)
def test_published_examples_and_the_corners_of_the_world(text, lat, lon):
    (reading,) = claimed(text)
    assert (reading.lat_deg, reading.lon_deg) == pytest.approx((lat, lon), abs=1e-9)
    assert reading.datum is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("MIPG1204", "no degree of GEOREF"),
        ("MNPG1204", "no degree of GEOREF"),
        ("MKRG1204", "no degree of GEOREF"),
        ("MKPG123", "no minutes of longitude and of latitude"),
        ("MKPG12", "no minutes of longitude and of latitude"),
        ("MKPG123456789012", "no minutes of longitude and of latitude"),
        ("MKPG 12 345", "no minutes of longitude and of latitude"),
        ("MKPG7204", "only 60"),
        ("MKPG1260", "only 60"),
        ("GEOREF 36.37", "no reference"),
    ],
)
def test_what_names_no_cell_is_refused_with_a_remedy(text, what):
    with pytest.raises(InputError, match=what) as caught:
        claimed(text)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["NAME", "BANK", "37SCA1212", "MKPG 12 04 05"])
def test_words_and_other_texts_are_left_alone(text):
    assert claimed(text) == ()


def test_what_is_written_names_the_cell_that_holds_the_point():
    rng = random.Random(4)
    for _ in range(500):
        lat, lon = rng.uniform(-90, 90), rng.uniform(-180, 180)
        for uncertainty_m, minutes in ((2000, 1), (200, 0.1), (20, 0.01), (0, 0.001)):
            (reading,) = claimed(georef.write(lat, lon, uncertainty_m))
            half = minutes / 60 / 2 + 1e-9
            assert abs(reading.lat_deg - lat) <= half
            assert abs(reading.lon_deg - lon) <= half
