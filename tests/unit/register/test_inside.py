"""Who must stay inside what: both sides of the border, in plan, height and time."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
from deconflict.register.rules import default_rules

INSIDE = [("op", "zone", "must stay inside")]


def msl(lower_m, upper_m):
    return AltitudeBand(
        Height(lower_m, AltitudeReference.MSL), Height(upper_m, AltitudeReference.MSL)
    )


@pytest.mark.parametrize("rule", ["keep_in", "corridor", "area_of_operations"])
@pytest.mark.parametrize(
    ("distance_m", "clear"), [(899.99, True), (900.0, True), (900.02, False), (2500.0, False)]
)
def test_a_bound_operation_lies_wholly_inside_in_plan(
    rule, distance_m, clear, entity, zone, away, found
):
    area = zone(rule, fields={"applies_to": ("A",)})
    op = entity("op", "operation", away(distance_m), 60, fields={"party": "A"}, uncertainty_m=40.0)
    check = "area of operations" if rule == "area_of_operations" else "must stay inside"
    expected = ("clear", []) if clear else ("conflict", [("op", "zone", check)])
    assert found([op], [area]) == expected
    assert found([area], [op]) == expected


def test_a_container_shrinks_by_its_own_uncertainty(entity, zone, away, found):
    op = entity("op", "operation", away(900), 90)
    assert found([op], [zone("keep_in", uncertainty_m=10.0)])[0] == "clear"
    assert found([op], [zone("keep_in", uncertainty_m=11.0)]) == ("conflict", INSIDE)


def test_a_danger_radius_must_stay_inside_as_well(strike, zone, found):
    assert found([strike("op", danger_m=1000.0)], [zone("keep_in")])[0] == "clear"
    assert found([strike("op", danger_m=1001.0)], [zone("keep_in")]) == ("conflict", INSIDE)


@pytest.mark.parametrize(("upper_m", "clear"), [(120.0, True), (120.1, False), (None, False)])
def test_a_bound_operation_lies_wholly_inside_in_height(upper_m, clear, entity, zone, found):
    upper = None if upper_m is None else Height(upper_m, AltitudeReference.MSL)
    band = AltitudeBand(Height(0, AltitudeReference.MSL), upper)
    op = entity("op", "operation", band=band)
    area = zone("keep_in", band=msl(0, 120))
    assert found([op], [area]) == (("clear", []) if clear else ("conflict", INSIDE))


@pytest.mark.parametrize(("seconds", "clear"), [(0, True), (1, False), (86_400, False)])
def test_a_bound_operation_lies_wholly_inside_in_time(
    seconds, clear, entity, circle, zone, at, found
):
    op = entity("op", "operation", volumes=(replace(circle(), end=at(60)),))
    late = timedelta(seconds=seconds)
    area = zone(
        "keep_in",
        volumes=(
            Volume4D(
                footprint=Circle((36.37, 37.515), 1000.0), start=at(0) + late, end=at(600) + late
            ),
        ),
    )
    assert found([op], [area]) == (("clear", []) if clear else ("conflict", INSIDE))


def test_an_operation_without_end_is_in_no_zone_that_has_one(entity, circle, zone, found):
    op = entity("op", "operation", volumes=(circle(minutes=None),))
    assert found([op], [zone("keep_in", minutes=(-60, 600))]) == ("conflict", INSIDE)


@pytest.mark.parametrize("rule", ["keep_in", "corridor"])
def test_one_zone_that_holds_it_is_enough(rule, entity, zone, away, found):
    zones = [zone(rule, "z1", away(50_000)), zone(rule, "z2"), zone(rule, "z3", away(70_000))]
    assert found([entity("op", "operation", radius_m=10)], zones)[0] == "clear"


def test_two_zones_that_hold_it_only_together_do_not_count(entity, zone, away, check):
    zones = [zone("keep_in", "west", away(900, 270)), zone("keep_in", "east", away(900, 90))]
    report = check([entity("op", "operation", radius_m=200)], zones)
    (conflict,) = report.conflicts
    assert conflict.check == "must stay inside"
    assert "the best of 2 zones that bind it" in conflict.sentence


def test_each_volume_may_lie_in_a_zone_of_its_own(entity, circle, zone, away, found):
    zones = [zone("keep_in", "west", away(5000, 270)), zone("keep_in", "east", away(5000, 90))]
    op = entity(
        "op", "operation", volumes=(circle(away(5000, 270), 10), circle(away(5000, 90), 10))
    )
    assert found([op], zones)[0] == "clear"
    op = replace(op, volumes=(*op.volumes, circle(away(2000), 10)))
    assert found([op], zones)[0] == "conflict"


def test_keep_in_zones_and_corridors_are_demanded_separately(entity, zone, away, found):
    op = entity("op", "operation")
    corridor = zone("corridor", "corridor", away(5000))
    verdict, conflicts = found([op], [zone("keep_in"), corridor])
    assert conflicts == [("op", "corridor", "must stay inside")]
    assert verdict == "conflict"


def test_many_zones_are_all_looked_at(entity, zone, away, found):
    # Each sliver's bounding sphere holds the operation deeply, the sliver doesn't: the one zone
    # that holds it is the farthest by its bounds.
    slivers = [
        zone(
            "keep_in",
            f"s{n:02}",
            volumes=(
                Volume4D(
                    footprint=Polygon(
                        (away(9000, 10 * n), away(9000, 10 * n + 120), (away(8900, 10 * n + 60)))
                    )
                ),
            ),
        )
        for n in range(30)
    ]
    op = entity("op", "operation", radius_m=50)
    assert found([op], slivers)[0] == "conflict"
    assert found([op], [*slivers, zone("keep_in", "held", away(10), 70.0)])[0] == "clear"


def test_sites_are_bound_by_no_keep_in_zone(entity, zone, away, found):
    assert found([entity("s", "site", away(9000))], [zone("keep_in")]) == ("clear", [])


def test_a_table_may_demand_a_margin_inside(entity, zone, away, found):
    rules = default_rules()
    rules = msgspec.structs.replace(
        rules, zone=tuple(msgspec.structs.replace(row, plan_m=100.0) for row in rules.zone)
    )
    assert found([entity("op", "operation", away(900))], [zone("keep_in")], rules=rules)[0] == (
        "clear"
    )
    assert found([entity("op", "operation", away(901))], [zone("keep_in")], rules=rules)[0] == (
        "conflict"
    )


def test_what_sticks_out_is_told_in_figures(entity, zone, away, check):
    op = entity("op", "operation", away(950), 100, minutes=(0, 90), fields={"party": "A"})
    area = zone("keep_in", minutes=(-60, 60), fields={"name": "Box"})
    (conflict,) = check([op], [area]).conflicts
    assert conflict.overlap.plan_m == pytest.approx(50, abs=0.01)
    assert conflict.overlap.time_s == 1800
    assert conflict.overlap.height_m == 0
    assert "It lies outside by 50 m in plan, 30 min in time" in conflict.sentence
    assert "zone has no applies_to: it binds everyone, its own party included" in conflict.assumed


class TestKeepOut:
    @pytest.mark.parametrize("kind", ["operation", "movement"])
    @pytest.mark.parametrize(("distance_m", "verdict"), [(1000.0, "conflict"), (1000.02, "clear")])
    def test_the_bound_stay_out(self, kind, distance_m, verdict, entity, zone, away, found):
        assert found([entity("x", kind, away(distance_m))], [zone("keep_out")])[0] == verdict

    def test_a_site_may_lie_in_it(self, entity, zone, found):
        assert found([entity("s", "site")], [zone("keep_out")])[0] == "clear"

    def test_it_binds_its_own_party_unless_it_says_whom(self, entity, zone, found):
        op = entity("op", "operation", fields={"party": "A"})
        assert found([op], [zone("keep_out", fields={"party": "A"})])[0] == "conflict"
        others = zone("keep_out", fields={"party": "A", "applies_to": ("B",)})
        assert found([op], [others])[0] == "clear"


class TestCeasefire:
    def test_hazardous_operations_must_not_reach_into_it(self, strike, entity, zone, away, found):
        assert found([strike(center=away(1499))], [zone("ceasefire")])[0] == "conflict"
        assert found([strike(center=away(1501))], [zone("ceasefire")])[0] == "clear"
        assert found([entity("flight", "operation")], [zone("ceasefire")])[0] == "clear"

    def test_hazardous_operations_may_go_on_after_it(self, strike, zone, found):
        assert found([strike(minutes=(61, 90))], [zone("ceasefire", minutes=(0, 60))])[0] == "clear"
        assert found([strike(minutes=(60, 90))], [zone("ceasefire", minutes=(0, 60))])[0] == (
            "conflict"
        )

    def test_a_movement_that_enters_it_stays_inside_in_place(self, entity, zone, away, found):
        area = zone("ceasefire", minutes=(0, 120))
        assert found([entity("m", "movement", away(900), 100)], [area]) == ("clear", [])
        assert found([entity("m", "movement", away(950), 100)], [area]) == (
            "conflict",
            [("m", "zone", "must stay inside")],
        )
        assert found([entity("m", "movement", away(5000), 100)], [area]) == ("clear", [])

    def test_a_movement_that_enters_it_stays_inside_in_time(self, entity, zone, found):
        area = zone("ceasefire", minutes=(0, 60))
        assert found([entity("m", "movement", minutes=(0, 60))], [area])[0] == "clear"
        assert found([entity("m", "movement", minutes=(30, 61))], [area])[0] == "conflict"

    @pytest.mark.parametrize(
        ("applies_to", "verdict"), [(None, "clear"), (("w",), "conflict"), (("M",), "conflict")]
    )
    def test_those_named_may_not_pass_it_at_another_time(
        self, applies_to, verdict, entity, zone, found
    ):
        late = entity("m", "movement", minutes=(90, 120), fields={"party": "W"})
        area = zone("ceasefire", minutes=(0, 60), fields={"applies_to": applies_to})
        assert found([late], [area])[0] == verdict

    def test_one_named_by_its_id_stays_inside_even_if_it_never_enters(
        self, entity, zone, away, found
    ):
        movement = entity("m", "movement", away(9000), fields={"party": "W"})
        by_id = zone("ceasefire", fields={"applies_to": ("m",)})
        by_party = zone("ceasefire", fields={"applies_to": ("W",)})
        assert found([movement], [by_id])[0] == "conflict"
        assert found([movement], [by_party])[0] == "clear"

    @pytest.mark.parametrize("applies_to", [None, ("W",), ("m",)])
    def test_one_of_several_ceasefires_that_bind_it_is_enough(
        self, applies_to, entity, circle, zone, found
    ):
        days = [
            zone(
                "ceasefire",
                f"z{n}",
                minutes=(600 * n, 600 * n + 60),
                fields={"applies_to": applies_to},
            )
            for n in range(3)
        ]
        windows = [(0, 60), (600, 660)]
        volumes = tuple(circle(minutes=window) for window in windows)
        convoy = entity("m", "movement", volumes=volumes, fields={"party": "W"})
        assert found([convoy], days)[0] == "clear"
        late = replace(convoy, volumes=(*volumes, circle(minutes=(1250, 1261))))
        assert found([late], days)[0] == "conflict"

    def test_a_route_through_it_is_judged_as_a_whole(self, entity, zone, away, at, found):
        def route(reach_m):
            points = (away(reach_m, 270), away(0), away(reach_m, 90))
            volume = Volume4D(
                footprint=Route(points, 20.0, (at(0), at(30), at(60))), start=at(0), end=at(60)
            )
            return entity("m", "movement", volumes=(volume,))

        assert found([route(980)], [zone("ceasefire", minutes=(0, 60))])[0] == "clear"
        assert found([route(1980)], [zone("ceasefire", minutes=(0, 60))])[0] == "conflict"


class TestAreaOfOperations:
    @pytest.mark.parametrize("kind", ["site", "movement", "operation"])
    def test_it_binds_all_that_its_own_party_registers(self, kind, entity, zone, away, found):
        area = zone("area_of_operations", fields={"party": "A"})
        outside = away(5000)
        expected = ("conflict", [("x", "zone", "area of operations")])
        assert found([entity("x", kind, outside, fields={"party": "A"})], [area]) == expected
        assert found([entity("x", kind, outside, fields={"party": "B"})], [area])[0] == "clear"
        assert found([entity("x", kind, outside)], [area])[0] == "clear"

    @pytest.mark.parametrize(
        ("center", "slip"),
        [
            ((37.515, 36.37), "latitude and longitude swapped"),
            ((-36.37, 37.515), "other sign of the latitude"),
            ((36.37, -37.515), "other sign of the longitude"),
            ((-36.37, -37.515), "other signs of latitude and longitude"),
            ((36.37, 43.515), "next UTM zone to the west"),
            ((36.37, 31.515), "next UTM zone to the east"),
        ],
    )
    def test_the_slip_that_would_put_it_inside_is_named(self, center, slip, entity, zone, check):
        site = entity("x", "site", center, fields={"party": "A"})
        (conflict,) = check([site], [zone("area_of_operations", fields={"party": "A"})]).conflicts
        assert "A coordinate is probably wrong." in conflict.sentence
        assert slip in conflict.sentence
        assert conflict.sentence.count("would lie inside") == 1

    def test_no_slip_is_named_for_what_is_outside_in_time_alone(self, entity, zone, check):
        site = entity("x", "site", fields={"party": "A"})
        area = zone("area_of_operations", minutes=(0, 60), fields={"party": "A"})
        (conflict,) = check([site], [area]).conflicts
        assert "coordinate" not in conflict.sentence

    def test_without_a_party_it_binds_nobody_and_that_is_said(self, entity, zone, away, check):
        report = check([entity("x", "site", away(5000))], [zone("area_of_operations")])
        assert report.verdict == "clear"
        assert any("neither a party nor applies_to" in note for note in report.notes)


def test_registered_zones_are_not_held_against_registered_operations(entity, zone, away, found):
    registered = [entity("old", "operation", away(5000)), zone("keep_in"), zone("ceasefire", "cf")]
    assert found([entity("s", "site")], registered) == ("clear", [])


@pytest.mark.parametrize("point_deg", [37.515, 37.6])
def test_a_convoy_that_waits_on_its_way_is_judged_like_one_that_does_not(
    point_deg, entity, zone, here, at, found
):
    # Two minutes in one place: without its times such a route repeats a vertex.
    stops = (here, here, (here[0], point_deg), (here[0], point_deg))
    route = Route(stops, 20.0, (at(0), at(2), at(4), at(6)))
    convoy = entity(
        "convoy", "movement", volumes=(Volume4D(footprint=route),), fields={"party": "A"}
    )
    relied = zone("ceasefire", radius_m=2000.0, fields={"applies_to": ("A",)})
    expected = [] if point_deg == here[1] else [("convoy", "zone", "must stay inside")]
    assert found([convoy], [relied])[1] == expected


def test_a_reach_beyond_all_bounds_is_refused_with_the_entity_named(entity, zone, check):
    vague = entity(
        "vague", "operation", uncertainty_m=1_999_900.0, fields={"obtained": "interpolated"}
    )
    with pytest.raises(InputError, match="uncertainty of vague"):
        check([vague], [zone("keep_out")])


def test_a_ceasefire_names_all_whose_ids_differ_in_case_alone(entity, zone, away, found):
    convoys = [entity(key, "movement") for key in ("Convoy", "convoy")]
    relied = zone("ceasefire", center=away(9000), fields={"applies_to": ("Convoy",)})
    assert found(convoys, [relied])[1] == [
        ("Convoy", "zone", "must stay inside"),
        ("convoy", "zone", "must stay inside"),
    ]
