"""Who must not meet whom: each row of the table, and both sides of each boundary."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.volume import Circle, Route, Volume4D
from deconflict.register.rules import default_rules


def msl(lower_m, upper_m):
    return AltitudeBand(
        Height(lower_m, AltitudeReference.MSL), Height(upper_m, AltitudeReference.MSL)
    )


@pytest.fixture
def with_margins():
    """Return the default rules with margins in every row that keeps two entities apart."""

    def make(**margins):
        rules = default_rules()
        return msgspec.structs.replace(
            rules,
            must_not_meet=tuple(
                msgspec.structs.replace(row, **margins) for row in rules.must_not_meet
            ),
        )

    return make


@pytest.mark.parametrize("other", ["site", "movement", "operation"])
@pytest.mark.parametrize("party", ["A", "B", None])
def test_a_hazardous_operation_must_not_reach_anyone_its_own_party_included(
    other, party, strike, entity, away, found
):
    near = entity("x", other, away(499), fields={"party": party})
    far = entity("x", other, away(501), fields={"party": party})
    expected = [("strike", "x", "must not meet")]
    assert found([strike()], [near]) == ("conflict", expected)
    assert found([near], [strike()]) == ("conflict", expected)
    assert found([strike()], [far]) == ("clear", [])


@pytest.mark.parametrize(
    ("distance_m", "verdict"), [(199.99, "conflict"), (200.0, "conflict"), (200.02, "clear")]
)
def test_two_operations_that_touch_in_plan_meet(distance_m, verdict, entity, away, found):
    a = entity("a", "operation", radius_m=100)
    b = entity("b", "operation", away(distance_m), radius_m=100)
    assert found([a, b])[0] == verdict


@pytest.mark.parametrize(
    ("microseconds", "verdict"), [(-1, "conflict"), (0, "conflict"), (1, "clear")]
)
def test_two_operations_that_touch_in_time_meet(microseconds, verdict, entity, circle, at, found):
    start = at(60) + timedelta(microseconds=microseconds)
    a = entity("a", "operation")
    b = entity("b", "operation", volumes=(replace(circle(), start=start, end=at(120)),))
    assert found([a, b])[0] == verdict


@pytest.mark.parametrize(
    ("lower_m", "verdict"), [(119.99, "conflict"), (120.0, "conflict"), (120.01, "clear")]
)
def test_two_operations_that_touch_in_height_meet(lower_m, verdict, entity, found):
    a = entity("a", "operation", band=msl(0, 120))
    b = entity("b", "operation", band=msl(lower_m, 300))
    assert found([a, b])[0] == verdict


def test_sites_and_movements_meet_one_another_freely(entity, found):
    crowd = [
        entity("s1", "site"),
        entity("s2", "site"),
        entity("m1", "movement"),
        entity("m2", "movement"),
        entity("flight", "operation", band=msl(0, 100)),
    ]
    assert found(crowd) == ("clear", [])


def test_a_zone_without_a_rule_counts_as_keep_out_and_that_is_said(entity, check):
    report = check([entity("op", "operation")], [entity("z", "zone")])
    (conflict,) = report.conflicts
    assert conflict.rule == "keep-out zone"
    assert "z has no rule: taken as a keep-out zone" in conflict.assumed


@pytest.mark.parametrize(
    ("parties", "verdict"),
    [(("A", "A"), "clear"), (("A", "B"), "conflict"), ((None, None), "conflict")],
)
def test_a_table_may_exempt_operations_of_one_party(parties, verdict, entity, found):
    rules = default_rules()
    rules = msgspec.structs.replace(
        rules,
        must_not_meet=tuple(
            msgspec.structs.replace(row, same_party=False) for row in rules.must_not_meet
        ),
    )
    a, b = (
        entity(key, "operation", fields={"party": party})
        for key, party in zip("ab", parties, strict=True)
    )
    assert found([a, b], rules=rules)[0] == verdict


@pytest.mark.parametrize(
    ("distance_m", "verdict"), [(299.99, "conflict"), (300.0, "conflict"), (300.02, "clear")]
)
def test_a_margin_in_plan_is_kept_free(distance_m, verdict, entity, away, found, with_margins):
    a, b = entity("a", "operation"), entity("b", "operation", away(distance_m))
    assert found([a, b], rules=with_margins(plan_m=300.0))[0] == verdict
    assert found([a, b])[0] == "clear"


@pytest.mark.parametrize(
    ("lower_m", "verdict"), [(149.9, "conflict"), (150.0, "conflict"), (150.1, "clear")]
)
def test_a_margin_in_height_is_kept_free(lower_m, verdict, entity, found, with_margins):
    a = entity("a", "operation", band=msl(0, 100))
    b = entity("b", "operation", band=msl(lower_m, 300))
    assert found([a, b], rules=with_margins(height_m=50.0))[0] == verdict
    assert found([a, b])[0] == "clear"


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(599, "conflict"), (600, "conflict"), (601, "clear")]
)
def test_a_margin_in_time_is_kept_free(seconds, verdict, entity, circle, at, found, with_margins):
    start = at(60) + timedelta(seconds=seconds)
    a = entity("a", "operation")
    b = entity("b", "operation", volumes=(replace(circle(), start=start, end=at(120)),))
    rules = with_margins(time_s=600.0)
    assert found([a, b], rules=rules)[0] == verdict
    assert found([b, a], rules=rules)[0] == verdict
    assert found([a, b])[0] == "clear"


@pytest.mark.parametrize("minute", [9, 10, 11])
def test_a_margin_in_time_reaches_each_leg_of_a_timed_route(
    minute, entity, away, at, found, circle, with_margins
):
    points = (away(20_000, 270), away(10_000, 270), away(0))
    route = Volume4D(
        footprint=Route(points, 50.0, (at(0), at(30), at(60))), start=at(0), end=at(60)
    )
    # The convoy begins its last leg, which ends here, at minute 30.
    here = entity("op", "operation", volumes=(circle(minutes=(0, 30 - minute)),))
    convoy = entity("route", "operation", volumes=(route,))
    verdict, _ = found([here, convoy], rules=with_margins(time_s=600.0))
    assert verdict == ("conflict" if minute <= 10 else "clear")
    assert found([here, convoy])[0] == "clear"


def test_a_timed_route_is_met_only_on_the_leg_under_way(entity, away, at, circle, strike, found):
    points = (away(20_000, 270), away(10_000, 270), away(0))
    route = Volume4D(
        footprint=Route(points, 50.0, (at(0), at(30), at(60))), start=at(0), end=at(60)
    )
    convoy = entity("convoy", "movement", volumes=(route,))
    before = strike(volumes=(circle(danger_radius_m=500.0, minutes=(0, 29)),))
    during = strike(volumes=(circle(danger_radius_m=500.0, minutes=(40, 59)),))
    assert found([before], [convoy])[0] == "clear"
    assert found([during], [convoy])[0] == "conflict"


def test_the_row_for_hazardous_operations_names_a_conflict_of_two_operations(strike, entity, check):
    (conflict,) = check([entity("a", "operation"), strike("b")]).conflicts
    assert (conflict.a.id, conflict.b.id) == ("b", "a")
    assert conflict.rule == "hazardous operation with operation"


def test_one_pair_is_one_conflict_told_by_its_deepest_meeting(entity, circle, away, check):
    shallow, deep = circle(away(190), 100), circle(away(20), 100)
    a = entity("a", "operation", radius_m=100)
    b = entity("b", "operation", volumes=(shallow, deep, circle(away(5000), 100)))
    (conflict,) = check([a, b]).conflicts
    assert conflict.overlap.plan_m == pytest.approx(180, abs=0.01)


def test_overlap_and_window_are_those_of_the_meeting(entity, circle, away, at, check):
    a = entity("a", "operation", radius_m=100, band=msl(0, 120))
    b = entity(
        "b",
        "operation",
        volumes=(circle(away(150), 100, minutes=(45, 200), band=msl(90, 400)),),
        fields={"name": "Survey", "party": "B"},
    )
    (conflict,) = check([a], [b]).conflicts
    assert conflict.overlap.plan_m == pytest.approx(50, abs=0.01)
    assert conflict.overlap.height_m == pytest.approx(30)
    assert conflict.overlap.time_s == 900
    assert (conflict.start, conflict.end) == (at(45), at(60))
    assert conflict.sentence == (
        'Operation a (of no stated party) meets operation "Survey" (b, of B): 50 m into one '
        "another in plan, 30 m in height, 15 min in time, from 2026-11-22T08:45:00Z to "
        "2026-11-22T09:00:00Z. No two operations may meet, two of one party included. "
        "Neither goes before the other: one of the two gives way."
    )


def test_what_has_no_bound_is_none_and_never_zero(entity, circle, check):
    a, b = (entity(key, "operation", volumes=(circle(minutes=None),)) for key in "ab")
    (conflict,) = check([a, b]).conflicts
    assert conflict.overlap.height_m is None
    assert conflict.overlap.time_s is None
    assert (conflict.start, conflict.end) == (None, None)
    assert "at all times" in conflict.sentence


def test_what_each_entity_assumed_is_said_with_its_conflict(entity, check):
    a = entity("a", "operation", fields={"assumed": ("no upper_m: unbounded upward",)})
    b = entity("b", "operation", fields={"assumed": ("no party",)})
    (conflict,) = check([a], [b]).conflicts
    assert conflict.assumed == ("a: no upper_m: unbounded upward", "b: no party")


@pytest.mark.parametrize("lat", [89.9999, -89.9999])
def test_conflicts_over_a_pole_and_the_antimeridian_are_found(lat, entity, circle, found):
    a = entity("a", "operation", volumes=(circle((lat, 10.0), 50),))
    b = entity("b", "operation", volumes=(circle((lat, -170.0), 50),))
    assert found([a, b])[0] == "conflict"
    east = entity("a", "operation", volumes=(Volume4D(footprint=Circle((10.0, 179.9999), 20)),))
    west = entity("b", "operation", volumes=(Volume4D(footprint=Circle((10.0, -179.9999), 20)),))
    assert found([east, west])[0] == "conflict"


def test_margins_lead_out_of_the_calendar_and_of_all_heights_without_a_word(entity, found):
    table = default_rules()
    rows = tuple(
        msgspec.structs.replace(row, time_s=3600.0, height_m=50.0) for row in table.must_not_meet
    )
    rules = msgspec.structs.replace(table, must_not_meet=rows)
    ever = Volume4D(
        footprint=Circle((36.37, 37.515), 10.0),
        band=AltitudeBand(Height(-99_990.0), Height(999_990.0)),
        start=datetime.min.replace(tzinfo=UTC),
        end=datetime.max.replace(tzinfo=UTC),
    )
    plans = [entity(key, "operation", volumes=(ever,)) for key in ("a", "b")]
    assert found(plans, rules=rules) == ("conflict", [("a", "b", "must not meet")])
