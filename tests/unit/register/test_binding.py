"""Whom a zone binds."""

import pytest

from deconflict.register.binding import binding_notes, binding_of


@pytest.mark.parametrize(
    ("applies_to", "party", "key", "bound"),
    [
        (None, "A", "x", True),
        (("*",), "A", "x", True),
        (("A",), "A", "x", True),
        (("A",), "B", "x", False),
        (("A",), None, "x", False),
        (("X",), "B", "x", True),
        (("red  crescent",), "Red Crescent", "x", True),
        (("STRASSE",), "Straße", "x", True),
        (("Médecins",), "Me\u0301decins", "x", True),
        (("الهلال الأحمر",), "الهلال الأحمر", "x", True),
        ((), "A", "x", False),
    ],
)
def test_names_are_compared_without_case_marks_and_spaces(
    applies_to, party, key, bound, entity, zone
):
    area = zone("keep_out", fields={"applies_to": applies_to})
    assert binding_of(area).binds(entity(key, "operation", fields={"party": party})) == bound


def test_a_zone_binds_no_zone(zone):
    assert not binding_of(zone("keep_out")).binds(zone("keep_in", "other"))


def test_a_zone_without_applies_to_binds_everyone_and_says_so(zone):
    binding = binding_of(zone("keep_in"))
    assert binding.everyone
    assert binding.assumed == ("zone has no applies_to: it binds everyone, its own party included",)
    assert binding_of(zone("keep_in", fields={"applies_to": ("*",)})).assumed == ()


def test_a_name_that_is_nobody_in_the_run_is_said(entity, zone, check):
    area = zone("keep_out", fields={"applies_to": ("A", "op", "Aa")})
    op = entity("op", "operation", (0.0, 0.0), fields={"party": "A"})
    (note,) = check([op], [area]).notes
    assert note == (
        'Keep-out zone zone (of no stated party) applies to "Aa", which is no party or id in '
        "this run: nobody is bound by that name"
    )


def test_an_empty_list_binds_nobody_and_is_said(zone):
    (note,) = binding_notes([zone("keep_out", fields={"applies_to": ()})], [])
    assert "binds nobody" in note
