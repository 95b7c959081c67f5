"""The reader of one text and the reader of many, over all notations."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from deconflict.geo import reader
from deconflict.geo.errors import AmbiguousTextError, InputError
from deconflict.geo.notation import degrees, georef, mgrs, pluscode, utm
from deconflict.geo.notation.alike import alike
from deconflict.geo.notation.frequent import frequent
from deconflict.geo.position import Notation
from deconflict.geo.reader import read_position, read_positions

# One place near al-Bab in every notation.
SAME = {
    "36.3700 N 37.5150 E WGS 84": Notation.DECIMAL_DEGREES,
    "WGS84 N 36° 22.200' E 37° 30.900'": Notation.DEGREES_MINUTES,
    "36°22′12″N 37°30′54″E, WGS-84": Notation.DEGREES_MINUTES_SECONDS,
    "37S CA 6678 2601": Notation.MGRS,
    "UTM zone 37 north 366784 mE 4026012 mN": Notation.UTM,
    "QJHG30902220": Notation.GEOREF,
    "8G8V9GC8+22": Notation.PLUS_CODE,
    "SK-42 X=4027723 Y=7366842": Notation.GAUSS_KRUEGER,
    "GK SK-42 zone 7 X=4027723 Y=366842": Notation.GAUSS_KRUEGER,
    "EPSG:32637 366784 4026012": Notation.EPSG,
    "EPSG:4326 36.3700 37.5150": Notation.EPSG,
}
WRONG = [
    "36.37 N 37.515 E",
    "36.37, 37.515",
    "37TCA1234512345",
    "37S 366784 4026012",
    "36.37 N 37.515 O WGS 84",
    "36 75 12 N 37 30 54 E WGS 84",
    "96 N 37 E WGS 84",
    "8G83923M+2",
    "MKPG7204",
    "UTM zone 61 north 366784 mE 4026012 mN",
    "37T 366784 4026012",
    "///table.chair.lamp",
    "somewhere",
    "37S\x1fCA 12 34",
    "36.37 N\u202e 37.515 E WGS 84",
    "",
    "9" * 300,
    "36.37 N 37.515 E NOWHERE 1900",
]


@pytest.mark.parametrize("text", SAME)
def test_every_notation_gives_the_same_place_within_its_uncertainty(text):
    position = read_position(text)
    off = Geodesic.WGS84.Inverse(36.37, 37.515, *position.lat_lon)["s12"]
    assert off <= position.uncertainty_m
    assert position.uncertainty_m < 100.0
    assert position.notation is SAME[text]
    assert position.text == text


def test_latitude_and_longitude_without_a_datum_are_refused_with_what_to_write():
    with pytest.raises(InputError, match="do not say on which datum") as caught:
        read_position("36.37 N 37.515 E")
    assert '"36.37 N 37.515 E WGS 84"' in caught.value.remedy
    assert caught.value.field == "datum"


@pytest.mark.parametrize("text", ["37S CA 6678 2601", "37T 412345 4526123", "QJHG30902220"])
def test_a_bare_grid_reference_is_wgs84_which_is_said_or_refused(text):
    assert read_position(text).assumed == ("datum assumed: WGS 84",)
    assert read_position(f"WGS 84 {text}").assumed == ()
    with pytest.raises(InputError, match="does not say on which datum"):
        read_position(text, bare_datum="refuse")
    assert read_position(f"{text} WGS84", bare_datum="refuse").assumed == ()


def test_a_default_datum_holds_for_texts_that_name_none_and_is_said():
    ed50 = read_position("36.37 N 37.515 E ED50")
    default = read_position("36.37 N 37.515 E", default_datum="ED50")
    assert default.lat_lon == ed50.lat_lon
    assert default.datum == "ED50"
    assert "datum of the whole input: ED50" in default.assumed
    wgs84 = read_position("36.37 N 37.515 E", default_datum="WGS 84")
    assert wgs84.lat_lon == (36.37, 37.515)
    assert wgs84.assumed == ("datum of the whole input: WGS 84",)
    assert read_position("8G8V9GC8+22", default_datum="ED50").datum == "WGS 84"
    grid = read_position("37S CA 6678 2601", default_datum="ED50")
    assert grid.lat_lon == read_position("MGRS ED50 37S CA 6678 2601").lat_lon
    assert grid.datum_uncertainty_m > 0.0


def test_another_datum_moves_the_place_by_what_is_known_of_it():
    # 116.7 m at al-Bab for ED50 read as WGS 84, by another library's parameters.
    position = read_position("36.37000 N 37.51500 E ED50")
    off = Geodesic.WGS84.Inverse(36.37, 37.515, *position.lat_lon)["s12"]
    assert off == pytest.approx(116.7, abs=position.datum_uncertainty_m)
    assert position.operation
    assert position.datum == "ED50"


@pytest.mark.parametrize("text", ["37S 366784 4026012", "UTM 37S E 366784 N 4026012"])
def test_an_ambiguous_text_is_refused_with_both_places_and_how_far_apart_they_are(text):
    with pytest.raises(AmbiguousTextError, match="km apart") as caught:
        read_position(text)
    north, south = caught.value.readings
    apart = Geodesic.WGS84.Inverse(*north.lat_lon, *south.lat_lon)["s12"]
    assert caught.value.distance_m == pytest.approx(apart, abs=1.0)
    assert north.lat_lon == pytest.approx((36.37, 37.515), abs=1e-4)
    assert south.lat_deg < 0.0


@pytest.mark.parametrize("text", ["///table.chair.lamp", "table.chair.lamp", "///ا.ب.ت"])
def test_three_words_are_kept_as_a_note_and_never_read(text):
    with pytest.raises(InputError, match="three words") as caught:
        read_position(text)
    assert "note" in caught.value.remedy


def test_a_datum_that_is_not_known_is_named_in_the_refusal():
    with pytest.raises(InputError, match="NOWHERE 1900"):
        read_position("36.37 N 37.515 E NOWHERE 1900")
    with pytest.raises(InputError, match="several datums"):
        read_position("36.37 N 37.515 E Clarke 1880")


def test_stated_uncertainty_and_provenance_are_kept():
    position = read_position("37S CA 6678 2601", stated_uncertainty_m=25.0, obtained="map")
    assert position.uncertainty_m == pytest.approx(25.0 + 7.07, abs=0.01)
    assert position.obtained == "map"


@pytest.mark.parametrize("stated_m", [-1.0, float("nan"), float("inf")])
def test_a_stated_uncertainty_that_is_none_is_refused(stated_m):
    with pytest.raises(InputError, match="stated uncertainty"):
        read_position("37S CA 6678 2601", stated_uncertainty_m=stated_m)
    with pytest.raises(InputError, match="stated uncertainty"):
        read_positions(["37S CA 6678 2601"], stated_uncertainty_m=stated_m)


def outcome(text, **settings):
    try:
        return read_position(text, **settings)
    except InputError as refusal:
        return refusal


def mixed(count, seed):
    rng = random.Random(seed)
    writers = (
        degrees.write_decimal, degrees.write_minutes, degrees.write_seconds, mgrs.write,
        utm.write, georef.write, pluscode.write,
    )  # fmt: skip
    texts = [*SAME, *WRONG]
    for number in range(count):
        lat, lon = rng.uniform(-90, 90), rng.uniform(-180, 180)
        if number % 5 == 0:
            lon = rng.choice([180.0, -180.0, 179.99999999, 0.0, 6.0])
        if number % 11 == 0:
            lat = rng.choice([90.0, -90.0, 84.0, -80.0, 0.0, 72.0, 56.0])
        text = rng.choice(writers)(lat, lon, rng.choice([0, 1, 30, 900, 1e5]))
        if number % 3 == 0:
            text = text.replace(" WGS 84", "")
        if number % 7 == 0:
            text = text.replace("'", "′").replace('"', "″").replace(" ", "\u00a0", 1)
        if number % 13 == 0:
            text = text[: rng.randrange(len(text))] + rng.choice("N7 .S°") + text[1:]
        texts.append(text)
    return texts


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"default_datum": "WGS84", "stated_uncertainty_m": 3.5, "obtained": "gps"},
        {"bare_datum": "refuse"},
        {"default_datum": "ED50"},
    ],
)
def test_many_at_once_and_one_by_one_agree_to_the_last_bit_and_in_every_refusal(settings):
    texts = mixed(200 if settings.get("default_datum") == "ED50" else 2000, 5)
    many = read_positions(texts, **settings)
    assert len(many) == len(texts)
    refused = []
    for row, text in enumerate(texts):
        one = outcome(text, **settings)
        if isinstance(one, InputError):
            refused.append(row)
            assert str(many.error(row)) == str(one)
            assert np.isnan([many.lat_deg[row], many.lon_deg[row], many.uncertainty_m[row]]).all()
            with pytest.raises(InputError):
                many.position(row)
        else:
            assert many.error(row) is None
            assert many.position(row) == one
            assert (many.lat_deg[row], many.lon_deg[row]) == one.lat_lon
            assert many.uncertainty_m[row] == one.uncertainty_m
    assert many.refused == tuple(refused)
    assert 0 < len(refused) < len(texts)


def test_a_frequent_form_gives_what_asking_every_notation_gives():
    for text in mixed(1500, 6):
        for default_datum in (None, "WGS 84"):
            one = reader._frequent(text, default_datum, "assume")
            if one is not None and reader.solved(one) is not None:
                asked = reader._read(text, 0.0, None, default_datum, "assume")
                assert read_position(text, default_datum=default_datum) == asked


# One text of each shape that is decoded in columns; letters and digits are exchanged at random.
SHAPES = (
    "37S CA 66842 26166", "8E MV 12 34", "MGRS 37S CA", "37SCA6684226166 WGS84",
    "36.3700° N 37.51500° E WGS 84", "N36.37, E37.515 WGS84", "WGS 84 36,37 N 037,5 E",
    "36° 22.21′ N 37° 30.90′ E WGS 84", "36°22'12''N 37°30'54''E WGS 84",
    "E 37 30 54 N 36 22 12 WGS 84",
    "UTM zone 37 north 366842 mE 4026166 mN", "31X 366842.25 8826166.5",
    "WGS84 7 south 366842 9526166",
    "PJAG3122", "PJ AG 31225 22154", "8G83923M+22", "8G83923M+", "WGS84 8G83923M+22X",
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_many_of_one_shape_agree_with_one_by_one_to_the_last_bit_and_in_every_refusal(shape):
    rng = random.Random(shape)
    start = 7 if shape.startswith("WGS") else 0
    end = len(shape) - 7 if shape.endswith("84") else len(shape)
    places = [place for place in range(start, end) if shape[place].isalnum()]
    digits = [place for place in places if shape[place].isdigit()]
    texts = [shape]
    for number in range(200):
        typed = list(shape)
        for place in rng.sample(digits or places, rng.randint(0, min(3, len(digits or places)))):
            typed[place] = rng.choice("0123456789")
        if number % 3 == 0:
            place = rng.choice(places)
            kind = "0123456789" if shape[place].isdigit() else "NSEWACDHIMOPQVXYZ"
            typed[place] = rng.choice(kind)
        text = "".join(typed)
        texts.append(text.replace("84", "72") if number % 10 == 0 else text)
    many = read_positions(texts)
    read = 0
    for row, text in enumerate(texts):
        one = outcome(text)
        if isinstance(one, InputError):
            assert str(many.error(row)) == str(one)
        else:
            read += 1
            assert many.error(row) is None
            assert (many.lat_deg[row], many.lon_deg[row]) == one.lat_lon
            assert math.copysign(1.0, many.lat_deg[row]) == math.copysign(1.0, one.lat_deg)
            assert many.uncertainty_m[row] == one.uncertainty_m
    assert read >= 20


@pytest.mark.parametrize("shape", SHAPES)
def test_texts_of_one_shape_are_taken_apart_together_as_one_by_one(shape):
    texts = [shape.replace("6", str(digit)) for digit in range(1, 10)] * 20
    taken = {}
    for rows, columns in alike(texts, datum_is_set=False, assume_datum=True):
        taken.update(zip(rows.tolist(), zip(*columns, strict=True), strict=True))
    for row, text in enumerate(texts):
        one = frequent(text, datum_is_set=False, assume_datum=True)
        assert taken.get(row) == (None if one is None else one.numbers)
    assert taken


def test_texts_that_hold_line_ends_keep_their_rows():
    texts = ["37S CA 66842 26166", "37S CA\n66842 26166", "37S CA 66842 26166\n", "x"] * 40
    many = read_positions(texts)
    for row, text in enumerate(texts):
        one = outcome(text)
        assert (
            str(many.error(row)) == str(one)
            if isinstance(one, InputError)
            else ((many.lat_deg[row], many.lon_deg[row]) == one.lat_lon)
        )


def test_an_empty_list_is_read():
    assert len(read_positions([])) == 0


def test_the_columns_can_not_be_changed():
    many = read_positions(["37S CA 6678 2601"])
    with pytest.raises(ValueError, match="read-only"):
        many.lat_deg[0] = 1.0


@given(st.text(max_size=220))
def test_no_text_ends_in_anything_but_a_position_or_a_refusal(text):
    one = outcome(text)
    if isinstance(one, InputError):
        assert one.what
    else:
        assert -90.0 <= one.lat_deg <= 90.0
        assert -180.0 <= one.lon_deg <= 180.0


@given(st.text(alphabet="0123456789 .,°'\"-+:/()NSEWACKMOUTGRHLXYZ", max_size=60))
def test_no_text_of_coordinate_signs_does_either_and_both_readers_agree(text):
    many = read_positions([text], default_datum="WGS 84")
    one = outcome(text, default_datum="WGS 84")
    if isinstance(one, InputError):
        assert str(many.error(0)) == str(one)
    else:
        assert (many.lat_deg[0], many.lon_deg[0]) == one.lat_lon
