from __future__ import annotations

import pytest

from deconflict.formats.names import KNOWN, near_miss, trimmed
from deconflict.formats.numbers import NumberText
from deconflict.formats.part import Part, Shape
from deconflict.formats.properties import entity_from_properties
from deconflict.formats.reading import NO_DEFAULTS, Defaults, Gathering, Limits, Problem
from deconflict.formats.text import decoded
from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.position import Position
from deconflict.geo.volume import Circle
from deconflict.register.entity import Kind

POINT = Part(Shape.POINT, (((36.37, 37.515),),), typed_precision_m=5.0, added_uncertainty_m=2.0)


def entity(properties, parts=(POINT,), **options):
    options = {"fallback_id": "f:1", "source": "f, row 1", "defaults": NO_DEFAULTS, **options}
    return entity_from_properties({"kind": "site", **properties}, parts, **options)


def test_a_problem_is_one_sentence_with_its_place():
    problem = Problem.of(
        InputError("latitude 96 lies beyond the pole", "write -90 to 90", field="geometry"),
        file="plans.csv",
        place="row 7",
    )
    assert str(problem) == (
        "plans.csv, row 7, geometry: latitude 96 lies beyond the pole; write -90 to 90"
    )


def test_problems_beyond_the_limit_are_counted():
    gathering = Gathering("f", Limits(problems=2))
    for _ in range(5):
        gathering.refuse(InputError("bad"))
    assert len(gathering.result().problems) == 2
    assert gathering.result().problems_left_out == 3


def test_stated_uncertainty_replaces_decimals_but_not_what_the_datum_leaves_open():
    assert entity({}).volumes[0].uncertainty_m == 7.0
    assert entity({"uncertainty_m": 30}).volumes[0].uncertainty_m == 32.0
    assert entity({"uncertainty_m": 0}).volumes[0].uncertainty_m == 2.0


def test_positions_read_by_a_format_are_kept_with_what_they_assume():
    position = Position(lat_deg=36.37, lon_deg=37.515, text="37S ...", assumed=("datum assumed",))
    made = entity({"position": "37S ..."}, [Part.at(position)], positions=(position,))
    assert made.positions == (position,)
    assert "datum assumed" in made.assumed
    assert made.volumes[0].footprint == Circle((36.37, 37.515), 0.0)


def test_a_band_of_the_format_stands_in_for_the_properties():
    band = AltitudeBand(Height(0.0, AltitudeReference.AGL), Height(3048.0, AltitudeReference.FL))
    made = entity({"lower_m": "not looked at"}, band=band)
    assert made.volumes[0].band == band


def test_a_party_of_an_empty_text_is_no_party_that_two_could_share():
    assert entity({"party": " "}).party is None
    assert entity({"party": ""}, defaults=Defaults(party="WHO")).party == "WHO"


def test_a_kind_of_the_file_outranks_the_default():
    assert entity({"kind": "zone"}, defaults=Defaults(kind=Kind.SITE)).kind is Kind.ZONE


def test_an_identifier_may_be_a_number_as_typed():
    assert entity({"id": NumberText("007")}).id == "007"


def test_no_geometry_and_no_position_is_refused():
    with pytest.raises(InputError) as refusal:
        entity({}, [])
    assert refusal.value.field == "geometry"


def test_no_known_name_counts_as_a_mistake_for_another():
    assert [name for name in KNOWN if near_miss(name) not in {None, name}] == []


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "a\u2028b"])
def test_keys_hold_no_control_characters(text):
    with pytest.raises(InputError):
        trimmed(text, "party")


def test_text_that_isnt_utf_8_is_refused_by_line():
    with pytest.raises(InputError) as refusal:
        decoded(b"a\nb\n\xff")
    assert refusal.value.field == "line 3"
