"""Plus Codes against the reference implementation, which the code does not call."""

from __future__ import annotations

import random

import pytest
from openlocationcode import openlocationcode

from deconflict.geo.errors import InputError
from deconflict.geo.notation import pluscode
from deconflict.geo.notation.text import normal_text


def claimed(text):
    return pluscode.claim(normal_text(text))


def test_reads_every_length_as_the_reference_implementation_does():
    rng = random.Random(1)
    for number in range(2000):
        length = (2, 4, 6, 8, 10, 11, 12, 13, 14, 15)[number % 10]
        lat, lon = rng.uniform(-90, 90), rng.uniform(-180, 180)
        code = openlocationcode.encode(lat, lon, length)
        area = openlocationcode.decode(code)
        (reading,) = claimed(code.lower())
        assert reading.lat_deg == pytest.approx(area.latitudeCenter, abs=1e-9)
        assert reading.lon_deg == pytest.approx(area.longitudeCenter, abs=1e-9)
        assert reading.datum == "WGS 84"


def test_writes_a_code_whose_cell_holds_the_point_at_the_poles_and_the_antimeridian_too():
    for lat, lon in ((90, 0), (-90, 0), (0, 180), (0, -180), (90, 180), (36.37, 37.515)):
        for uncertainty_m in (0, 1, 10, 200, 5000):
            code = pluscode.write(lat, lon, uncertainty_m)
            assert openlocationcode.isFull(code)
            area = openlocationcode.decode(code)
            east = -180 if lon == 180 else lon
            assert area.latitudeLo - 1e-9 <= lat <= area.latitudeHi + 1e-9
            assert area.longitudeLo - 1e-9 <= east <= area.longitudeHi + 1e-9


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("923M+22", "depends on the town"),
        ("923M+22 Aleppo", "depends on the town"),
        ("8G83923M+2", "no Plus Code"),
        ("8G830000+22", "no Plus Code"),
        ("8G03923M+22", "no Plus Code"),
        ("8G8V9GC8+22 Aleppo", "no Plus Code"),
        ("00000000+", "no Plus Code"),
        ("XX83923M+22", "beyond the pole"),
        ("8G83923M+22 ED50", "Plus Codes are on WGS 84"),
        ("plus code somewhere", "no Plus Code"),
    ],
)
def test_what_is_no_full_code_is_refused_with_a_remedy(text, what):
    with pytest.raises(InputError, match=what) as caught:
        claimed(text)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["8G83923M", "A+B", "+36.37 +37.5", "8G8A923M+22"])
def test_other_texts_are_left_alone(text):
    assert claimed(text) == ()
