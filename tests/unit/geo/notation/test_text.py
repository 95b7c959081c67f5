"""Coordinate text as typed, in normal form."""

from __future__ import annotations

import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.notation.text import MAX_CHARACTERS, normal_text


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("36º22′12″ n", "36°22'12\" N"),
        ("36˚22’12” N", "36°22'12\" N"),
        ("36° 22´ 12'' N", "36° 22' 12\" N"),
        ("٣٦٫٣٧ شمال", "36.37 شمال"),
        ("۳۶٫۳۷، ۴۵", "36.37, 45"),
        ("３６．３７Ｎ", "36.37N"),
        ("\u200f36.37\u00a0N\u200e\u2009 37\u202fE\ufeff", "36.37 N 37 E"),
        ("−36.37 –37", "-36.37 -37"),
        ("\t37S\nCA\r\n12 ", "37S CA 12"),
        ("с.ш.", "С.Ш."),
    ],
)
def test_marks_digits_and_spaces_become_plain(typed, normal):
    assert normal_text(typed).text == normal


@pytest.mark.parametrize(
    ("typed", "text", "datum"),
    [
        ("36.37 N 37.515 E WGS 84", "36.37 N 37.515 E", "WGS 84"),
        ("WGS84 36°22′12″N", "36°22'12\"N", "WGS84"),
        ("wgs 84 36 22 12 N", "36 22 12 N", "WGS 84"),
        ("MGRS ED50 37S CA 12 34", "MGRS 37S CA 12 34", "ED50"),
        ("UTM (ED 50) 37N 412345 4026123", "UTM 37N 412345 4026123", "ED 50"),
        ("36.37 N 37.515 E (Pulkovo 1942)", "36.37 N 37.515 E", "PULKOVO 1942"),
        ("СК-42 36.37 N", "36.37 N", "SK-42"),
        ("36.37 N, datum: ED-50.", "36.37 N", "ED-50"),
        ("WGS84 / UTM zone 37N 412345 4026123", "UTM ZONE 37N 412345 4026123", "WGS84"),
        ("37S CA 12345 67890", "37S CA 12345 67890", None),
        ("ED5036.37N", "ED5036.37N", None),
    ],
)
def test_a_datums_name_before_or_after_is_taken_out(typed, text, datum):
    normal = normal_text(typed)
    assert (normal.text, normal.datum) == (text, datum)
    assert normal.typed == typed


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("", "empty"),
        (" \u200f\u00a0 ", "empty"),
        ("9" * (MAX_CHARACTERS + 1), "201 characters"),
        ("36\x00 N", "control"),
        ("36.37 N \u202e37 E", "another order"),
        ("WGS84 36 N 37 E ED50", "two datums, WGS84 and ED50"),
        ("WGS 84", "no coordinates"),
    ],
)
def test_what_can_be_no_coordinate_is_refused_in_words(typed, what):
    with pytest.raises(InputError, match=what) as caught:
        normal_text(typed)
    assert caught.value.remedy


def test_the_same_datum_twice_is_no_contradiction():
    assert normal_text("WGS 84 36 N 37 E WGS-84").text == "36 N 37 E"
