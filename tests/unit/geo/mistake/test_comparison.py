"""What `compare` says of two positions, beyond the table of mistakes itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.mistake import compare
from deconflict.geo.position import Notation, Position


def at(lat_deg, lon_deg, notation=Notation.NUMBERS, text="", *, datum="WGS 84", stated_m=0.0):
    return Position(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        notation=notation,
        text=text,
        datum=datum,
        stated_uncertainty_m=stated_m,
    )


def moved(lat_deg, lon_deg, azimuth_deg, metres, **more):
    there = Geodesic.WGS84.Direct(lat_deg, lon_deg, azimuth_deg, metres)
    return at(there["lat2"], there["lon2"], **more)


def names(comparison):
    return [mistake.name for mistake in comparison.likely]


def dms(degrees, minutes, seconds):
    return degrees + minutes / 60 + seconds / 3600


SECONDS = "degrees, minutes and seconds read as degrees and decimal minutes"


def test_positions_within_their_uncertainties_agree_and_nothing_is_suspected():
    said = compare(at(36.37, 37.515, stated_m=60), moved(36.37, 37.515, 255, 116, stated_m=60))
    assert said.agrees
    assert said.likely == ()
    assert said.tolerance_m == 120
    assert said.distance_m == pytest.approx(116)
    assert said.sentence == "the positions agree: 116 m apart, within 120 m"


def test_positions_without_uncertainty_agree_within_15_m():
    assert compare(at(36.37, 37.515), moved(36.37, 37.515, 40, 14.9)).agrees
    assert not compare(at(36.37, 37.515), moved(36.37, 37.515, 40, 15.1)).agrees


def test_a_difference_that_nothing_explains_is_said_to_be_unexplained():
    said = compare(at(36.37, 37.515), moved(36.37, 37.515, 30, 9_000))
    assert not said.agrees
    assert said.likely == ()
    assert said.sentence == ("the positions differ: 9000 m apart, and no known mistake explains it")


def test_a_residual_beyond_the_noise_is_no_explanation():
    assert names(compare(at(36.37, 37.515), moved(-36.37, 37.515, 30, 10))) != []
    assert names(compare(at(36.37, 37.515), moved(-36.37, 37.515, 30, 30))) == []


def test_a_correction_that_does_not_halve_the_distance_is_no_explanation():
    # Flipped rotations move al-Bab by 36 m towards 118 degrees: 20 m that way leave 16 m.
    assert names(compare(moved(36.37, 37.515, 118.5, 36), at(36.37, 37.515))) != []
    assert names(compare(moved(36.37, 37.515, 118.5, 20), at(36.37, 37.515))) == []


def test_uncertain_positions_widen_what_a_mistake_may_leave():
    a, b = (36.37, 37.515), (-36.37, 37.515)
    far = moved(*b, 30, 85, stated_m=50)
    assert names(compare(at(*a, stated_m=50), far)) != []
    assert names(compare(at(*a), at(*far.lat_lon))) == []


def test_the_order_of_the_two_changes_only_who_is_accused():
    right, wrong = at(dms(36, 22, 12), dms(37, 30, 54)), at(36 + 22.12 / 60, 37 + 30.54 / 60)
    forth, back = compare(right, wrong), compare(wrong, right)
    assert names(forth) == names(back) == [SECONDS]
    assert (forth.likely[0].wrong, back.likely[0].wrong) == ("b", "a")
    assert forth.likely[0].sentence.startswith("b was given in degrees, minutes and seconds")
    assert forth.distance_m == pytest.approx(back.distance_m)


def test_two_texts_in_the_two_notations_confused_accuse_neither():
    right = at(dms(36, 22, 12), dms(37, 30, 54), Notation.DEGREES_MINUTES_SECONDS)
    wrong = at(36 + 22.12 / 60, 37 + 30.54 / 60, Notation.DEGREES_MINUTES)
    (mistake,) = compare(right, wrong).likely
    assert mistake.name == SECONDS
    assert mistake.wrong is None
    assert mistake.sentence == (
        "the digits of a, in degrees, minutes and seconds, were read as degrees and decimal "
        "minutes in b, or the reverse"
    )


def test_digits_beside_a_whole_minute_are_recognised_through_the_noise():
    # 36° 22' 59.99" becomes 22.5999'; the receiver says 23' 00.1", which by itself would
    # become 23.001', 740 m farther north.
    wrong = at(36 + 22.5999 / 60, 37 + 30.54 / 60)
    right = at(dms(36, 23, 0.1), dms(37, 30, 54))
    assert names(compare(right, wrong)) == [SECONDS]


def test_a_sign_lost_on_the_equator_leaves_the_two_signs_apart_only_where_they_differ():
    said = compare(at(0.00001, 33.0), at(0.0, -33.0))
    assert set(names(said)) == {
        "wrong sign or hemisphere of longitude (east for west)",
        "wrong sign or hemisphere of latitude and longitude",
    }
    assert not said.likely[0].distinguishable
    assert said.likely[0].same_as == ("wrong sign or hemisphere of latitude and longitude",)
    assert "cannot be told apart" in said.sentence


def test_sk42_beside_pulkovo_1995_is_named_with_it():
    wrong, right = at(36.37, 37.515), moved(36.37, 37.515, 255.1, 116.5)
    said = compare(right, wrong)
    assert names(said) == ["SK-42 read as WGS 84", "Pulkovo 1995 read as WGS 84"]
    assert said.likely[0].same_as == ("Pulkovo 1995 read as WGS 84",)


def test_a_datum_abroad_is_named_with_what_it_assumes():
    # ED50 in Brazil, by the three metres-long shifts of EPSG:1133 worked out apart.
    said = compare(at(-10.0, -50.0), moved(-10.0, -50.0, 56.8, 154.8))
    assert names(said)[0] == "ED50 read as WGS 84"
    assert said.likely[0].assumed == ("no transformation of ED50 is published here",)


def test_a_text_on_sk42_that_was_wgs84_all_along_is_told():
    # b's text names SK-42, so its position was moved 116.5 m from the numbers; a is on WGS 84
    # and is the numbers.
    numbers, shifted = (36.37, 37.515), moved(36.37, 37.515, 255.1, 116.5)
    b = at(*shifted.lat_lon, datum="Pulkovo 1942", notation=Notation.DECIMAL_DEGREES)
    said = compare(at(*numbers, notation=Notation.DECIMAL_DEGREES), b)
    assert said.likely[0].name == "SK-42 read as WGS 84"
    assert said.likely[0].wrong is None
    assert said.likely[0].sentence == (
        "b on SK-42 and a on WGS 84 are the same numbers: one of the two datums is wrong"
    )


def test_two_texts_on_sk42_one_of_them_truly_on_wgs84():
    shifted = moved(36.37, 37.515, 255.1, 116.5)
    right = at(36.37, 37.515, datum="Pulkovo 1942")
    wrong = at(*shifted.lat_lon, datum="Pulkovo 1942")
    said = compare(right, wrong)
    assert "WGS 84 read as SK-42" in names(said)
    mistake = next(m for m in said.likely if m.name == "WGS 84 read as SK-42")
    assert mistake.wrong == "b"


def test_gauss_krueger_read_as_utm_is_named_at_al_bab():
    # 28407 northing 4027722.7, easting 7366841.5 is al-Bab; on UTM 37 the numbers are here:
    b = moved(36.37, 37.515, 1.0, 1712.0, notation=Notation.UTM)
    said = compare(at(36.37, 37.515, Notation.MGRS), b)
    assert names(said) == ["Gauss-Krüger read as UTM"]
    assert said.likely[0].wrong == "b"
    assert "zone 7 on SK-42" in said.likely[0].sentence
    assert "UTM zone 37" in said.likely[0].sentence
    assert said.likely[0].residual_m < 3


def test_a_mistake_needs_no_text_but_a_text_in_another_notation_speaks_against_it():
    right, wrong = at(36.37, 37.515), moved(36.37, 37.515, 1.0, 1712.0)
    bare = compare(right, wrong).likely[0]
    decimal = compare(right, at(*wrong.lat_lon, Notation.DECIMAL_DEGREES)).likely[0]
    assert bare.name == decimal.name == "Gauss-Krüger read as UTM"


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "there"),
    [
        (52.0, 179.9, (52.0, -174.1)),
        (-30.0, -179.5, (-30.0, 174.5)),
    ],
)
def test_a_zone_off_by_one_crosses_the_antimeridian(lat_deg, lon_deg, there):
    said = compare(at(lat_deg, lon_deg), at(*there))
    assert names(said) == ["UTM zone off by one"]
    assert said.likely[0].residual_m < 0.01


def test_two_neighbouring_digits_that_changed_places_are_found_in_texts():
    a = at(36.3712, 37.515, Notation.DECIMAL_DEGREES, "36.3712 N 37.515 E")
    b = at(36.3172, 37.515, Notation.DECIMAL_DEGREES, "36.3172N 37.515E")
    (mistake,) = compare(a, b).likely
    assert mistake.name == "transposed digits"
    assert mistake.wrong is None
    assert mistake.sentence == "two neighbouring characters changed places: b has 17 where a has 71"


def test_two_digits_that_differ_otherwise_are_no_transposition():
    a = at(36.3712, 37.515, Notation.DECIMAL_DEGREES, "36.3712 N 37.515 E")
    b = at(36.3182, 37.515, Notation.DECIMAL_DEGREES, "36.3182 N 37.515 E")
    assert names(compare(a, b)) == []


def test_declination_is_suspected_only_from_a_known_origin():
    origin = at(36.0, 37.0)
    near = moved(36.0, 37.0, 40.0, 8_000.0)
    turned = moved(36.0, 37.0, 47.0, 8_000.0)
    assert names(compare(near, turned)) == []
    assert names(compare(near, turned, origin=origin)) == ["magnetic declination"]


@pytest.mark.parametrize("lat_deg", [90.0, -90.0])
def test_the_poles_are_compared_like_any_place(lat_deg):
    assert compare(at(lat_deg, 0.0), at(lat_deg, 170.0)).agrees
    said = compare(at(lat_deg, 0.0), at(-lat_deg, 12.0))
    assert "wrong sign or hemisphere of latitude (north for south)" in names(said)
    assert all(math.isfinite(mistake.residual_m) for mistake in said.likely)


def test_a_text_that_is_no_position_is_refused_and_told_which_it_is():
    with pytest.raises(InputError) as refusal:
        compare(at(36.37, 37.515), "somewhere near al-Bab")
    assert refusal.value.field.startswith("b")


def test_a_position_that_is_no_number_is_refused_not_explained():
    with pytest.raises(InputError):
        compare(at(math.nan, 37.515), at(36.37, 37.515))


def test_the_example_of_the_explanation_says_what_it_shows():
    page = Path(__file__).parents[4] / "docs" / "explanation" / "mistakes.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names_in_it: dict[str, object] = {}
    exec(code, names_in_it)  # noqa: S102 - our own page
    outcome = names_in_it["outcome"]
    assert not outcome.agrees
    assert outcome.likely[0].name == "Gauss-Krüger read as UTM"
    assert "# False" in code
    assert "# 'Gauss-Krüger read as UTM'" in code


@pytest.mark.parametrize(
    ("a", "b", "name"),
    [
        ("37S CA 66783 26011", "UTM 37N 366841 4027722", "Gauss-Krüger read as UTM"),
        (
            "37S CA 66783 26011",
            "37S CB 66783 26011",
            "MGRS 100 km row letter off by one",
        ),
        ("WGS84 36 22 12 N 37 30 54 E", "WGS84 36 22.12 N 37 30.54 E", SECONDS),
        (
            "SK-42 36.37000 N 37.51500 E",
            "WGS84 36.37000 N 37.51500 E",
            "SK-42 read as WGS 84",
        ),
        (
            "WGS84 36.37000 N 37.51500 E",
            "WGS84 37.51500 N 36.37000 E",
            "latitude and longitude swapped",
        ),
        ("WGS84 36.37120 N 37.51500 E", "WGS84 36.31720 N 37.51500 E", "transposed digits"),
    ],
)
def test_texts_are_compared_as_they_are_typed(a, b, name):
    assert names(compare(a, b))[0] == name


def test_an_mgrs_text_beside_degrees_of_the_same_place_agrees():
    assert compare("37S CA 6678 2601", "WGS84 36.37000 N 37.51500 E").agrees
