"""Targets at registered positions, and two statements of one place."""

from dataclasses import replace

import msgspec
import pytest

from deconflict.geo.position import Position
from deconflict.geo.volume import Polygon, Route, Volume4D
from deconflict.register.rules import default_rules


def position(point, uncertainty_m=0.0, text=""):
    return Position(
        lat_deg=point[0], lon_deg=point[1], stated_uncertainty_m=uncertainty_m, text=text
    )


@pytest.fixture
def late_strike(strike):
    """Return a strike of no danger radius, at a time when nobody is there."""

    def make(center, **more):
        return strike(center=center, danger_m=0.0, minutes=(5000, 5001), **more)

    return make


@pytest.mark.parametrize(("distance_m", "caught"), [(0, True), (50, True), (50.02, False)])
@pytest.mark.parametrize("kind", ["site", "movement"])
def test_a_target_near_a_registered_position_is_caught_at_any_time(
    kind, distance_m, caught, late_strike, entity, away, found
):
    people = entity("people", kind, minutes=(0, 60))
    expected = ("conflict", [("strike", "people", "target")]) if caught else ("clear", [])
    assert found([late_strike(away(distance_m))], [people]) == expected
    assert found([people], [late_strike(away(distance_m))]) == expected


def test_both_uncertainties_are_added_to_what_is_near(late_strike, entity, away, found):
    people = entity("people", "site", minutes=(0, 60), uncertainty_m=20.0)
    near = late_strike(away(99.9), uncertainty_m=30.0)
    far = late_strike(away(100.1), uncertainty_m=30.0)
    assert found([near], [people])[0] == "conflict"
    assert found([far], [people])[0] == "clear"


def test_a_site_is_where_its_whole_footprint_is(late_strike, entity, away, found):
    corners = (away(300, 45), away(300, 135), away(300, 225), away(300, 315))
    volume = Volume4D(footprint=Polygon(corners))
    camp = entity("camp", "site", volumes=(volume,))
    camp = replace(camp, volumes=(replace(volume, end=late_strike(away(0)).volumes[0].start),))
    assert found([late_strike(away(200))], [camp])[1] == [("strike", "camp", "must not meet")]
    early = replace(camp, volumes=(replace(volume, end=entity("x", "operation").volumes[0].end),))
    assert found([late_strike(away(200))], [early])[1] == [("strike", "camp", "target")]
    assert found([late_strike(away(260))], [early])[1] == [("strike", "camp", "target")]
    assert found([late_strike(away(280))], [early])[0] == "clear"


def test_a_movement_on_a_route_is_registered_where_it_begins(late_strike, entity, away, at, found):
    route = Volume4D(footprint=Route((away(0), away(5000)), 20.0), start=at(0), end=at(60))
    convoy = entity("convoy", "movement", volumes=(route,))
    assert found([late_strike(away(30))], [convoy])[0] == "conflict"
    assert found([late_strike(away(2500))], [convoy])[0] == "clear"


def test_the_position_read_counts_before_the_footprint(late_strike, entity, away, found):
    read = late_strike(away(9000), fields={"positions": (position(away(10)),)})
    assert found([read], [entity("people", "site", minutes=(0, 60))])[0] == "conflict"


def test_no_operation_that_is_not_hazardous_has_a_target(entity, found):
    flight = entity("flight", "operation", minutes=(5000, 5001), fields={"party": "A"})
    assert found([flight], [entity("people", "site", minutes=(0, 60))])[0] == "clear"


def test_a_target_that_also_meets_is_one_conflict_that_names_both_checks(strike, entity, check):
    (conflict,) = check([strike()], [entity("people", "site")]).conflicts
    assert conflict.check == "must not meet"
    assert conflict.also == ("target",)
    assert "500 m into one another" in conflict.sentence
    assert "The target of hazardous operation strike" in conflict.sentence


@pytest.mark.parametrize(("distance_m", "caught"), [(0, True), (60, True), (60.02, False)])
def test_a_target_where_its_submitter_was_is_caught(distance_m, caught, strike, here, away, found):
    own = position(here, 10.0)
    plan = strike(center=away(distance_m), fields={"own_position": own})
    expected = ("conflict", [("strike", "strike", "own position")]) if caught else ("clear", [])
    assert found([plan]) == expected


def test_a_registered_submitters_own_position_is_no_target_of_others(
    strike, late_strike, here, away, found
):
    other = strike("other", away(9000), fields={"own_position": position(here), "party": "B"})
    assert found([late_strike(away(40))], [other])[1] == [("strike", "other", "target")]
    assert found([late_strike(away(60))], [other])[0] == "clear"


def test_a_table_may_set_how_near_is_near_or_drop_the_check(late_strike, entity, away, found):
    rules = default_rules()
    people = entity("people", "site", minutes=(0, 60))
    wider = msgspec.structs.replace(
        rules, target=tuple(msgspec.structs.replace(row, near_m=200.0) for row in rules.target)
    )
    assert found([late_strike(away(150))], [people], rules=wider)[0] == "conflict"
    dropped = msgspec.structs.replace(
        rules, target=tuple(msgspec.structs.replace(row, enforced=False) for row in rules.target)
    )
    assert found([late_strike(away(0))], [people], rules=dropped)[0] == "clear"


class TestTwoNotations:
    def test_statements_that_agree_within_their_uncertainties_are_fine(
        self, entity, here, away, found
    ):
        op = entity(
            "op",
            "operation",
            fields={"positions": (position(here, 50.0),), "also_at": (position(away(99), 50.0),)},
        )
        assert found([op])[0] == "clear"

    def test_statements_that_differ_are_a_conflict_of_the_plan_with_itself(
        self, entity, here, away, check
    ):
        op = entity(
            "op",
            "operation",
            fields={
                "positions": (position(here, 50.0, "one text"),),
                "also_at": (position(away(10), 50.0), position(away(101), 50.0, "another text")),
            },
        )
        (conflict,) = check([op]).conflicts
        assert (conflict.a, conflict.b, conflict.check) == (op, op, "two notations")
        assert conflict.overlap.plan_m == pytest.approx(1, abs=0.01)
        assert '(a: "one text", b: "another text")' in conflict.sentence

    def test_the_likely_mistake_is_named(self, entity, here, check):
        swapped = (here[1], here[0])
        op = entity("op", "operation", fields={"also_at": (position(swapped),)})
        (conflict,) = check([op]).conflicts
        assert "latitude and longitude" in conflict.sentence

    def test_a_registered_site_in_two_places_is_in_doubt_only_near_a_plan(
        self, strike, entity, away, check
    ):
        site = entity("site", "site", away(5000), fields={"also_at": (position(away(3000)),)})
        near = check([strike()], [site])
        assert near.verdict == "clear"
        nearer = check([strike(center=away(2600))], [site])
        assert nearer.verdict == "unknown"
        (doubt,) = nearer.doubts
        assert (doubt.a.id, doubt.b.id, doubt.check) == ("strike", "site", "two notations")
        assert any(note.startswith("site: the positions differ") for note in near.notes)

    def test_a_footprint_without_a_reference_point_must_hold_what_also_at_says(
        self, entity, here, away, found
    ):
        corners = (away(300, 45), away(300, 135), away(300, 225), away(300, 315))
        volumes = (Volume4D(footprint=Polygon(corners)),)
        inside = entity("op", "operation", volumes=volumes, fields={"also_at": (position(here),)})
        outside = replace(inside, also_at=(position(away(300), 50.0),))
        assert found([inside])[0] == "clear"
        assert found([outside]) == ("conflict", [("op", "op", "two notations")])
        assert found([replace(inside, also_at=(position(away(300), 100.0),))])[0] == "clear"

    def test_a_table_may_drop_the_check(self, entity, away, found):
        rules = default_rules()
        rules = msgspec.structs.replace(
            rules, two_notations=msgspec.structs.replace(rules.two_notations, enforced=False)
        )
        op = entity("op", "operation", fields={"also_at": (position(away(900)),)})
        assert found([op])[0] == "conflict"
        assert found([op], rules=rules)[0] == "clear"
