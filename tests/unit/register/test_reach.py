"""Old and unmeasured positions: unknown, and only where it matters."""

from datetime import timedelta

import msgspec
import pytest

from deconflict.geo.position import Position
from deconflict.register.reach import reach_of
from deconflict.register.rules import default_rules

DAY = timedelta(days=1)
HALF_A_YEAR = timedelta(hours=4380)


@pytest.mark.parametrize(
    ("kind", "age"),
    [("site", HALF_A_YEAR), ("movement", 3 * DAY), ("operation", 30 * DAY)],
)
def test_a_position_is_stale_from_its_kinds_age_on(kind, age, entity, now):
    rules = default_rules()
    good = entity("x", kind, fields={"obtained_at": now - age})
    old = entity("x", kind, fields={"obtained_at": now - age - timedelta(seconds=1)})
    assert reach_of(good, rules, now) is None
    reach = reach_of(old, rules, now)
    assert reach.check == "stale"
    assert reach.reach_m in {1000.0, 5000.0}


def test_what_says_nothing_of_how_it_was_obtained_is_not_judged(entity, now):
    assert reach_of(entity("x", "site"), default_rules(), now) is None
    assert reach_of(entity("x", "site", fields={"reach_m": 9000.0}), default_rules(), now) is None


@pytest.mark.parametrize(
    ("obtained", "doubtful"),
    [
        ("interpolated from street numbers", True),
        ("ESTIMATED", True),
        ("street  number 7", True),
        ("map; approximate", True),
        ("dead-reckoning", True),
        ("gps", False),
        ("addressed to the attaché", False),
        ("survey 2026", False),
    ],
)
def test_words_that_say_that_nobody_measured_it_are_found_whole(obtained, doubtful, entity, now):
    reach = reach_of(entity("x", "site", fields={"obtained": obtained}), default_rules(), now)
    assert (reach is not None) == doubtful
    if reach:
        assert reach.check == "interpolated"
        assert obtained in reach.why


def test_a_stated_reach_counts_before_the_tables(entity, now):
    fields = {"obtained": "estimated", "obtained_at": now - 9 * DAY, "reach_m": 70.0}
    reach = reach_of(entity("x", "movement", fields=fields), default_rules(), now)
    assert reach.reach_m == 70.0
    assert "stated" in reach.why
    fields["reach_m"] = None
    reach = reach_of(entity("x", "movement", fields=fields), default_rules(), now)
    assert reach.reach_m == 5000.0
    assert "assumed from the rules table" in reach.why


@pytest.mark.parametrize(
    ("distance_m", "verdict"),
    [(499, "conflict"), (501, "unknown"), (1499.9, "unknown"), (1500.1, "clear")],
)
def test_the_answer_is_unknown_only_within_the_reach_of_a_plan(
    distance_m, verdict, strike, entity, away, now, check
):
    site = entity("s", "site", away(distance_m), fields={"obtained_at": now - 400 * DAY})
    report = check([strike()], [site])
    assert report.verdict == verdict
    assert bool(report.doubts) == (verdict == "unknown")


def test_a_doubt_says_the_pair_the_distance_and_the_age(strike, entity, away, now, check):
    site = entity("s", "site", away(800), fields={"obtained_at": now - 400 * DAY, "name": "School"})
    (doubt,) = check([strike()], [site]).doubts
    assert (doubt.a.id, doubt.b.id, doubt.check) == ("strike", "s", "stale")
    assert "lie 300 m apart in plan as registered" in doubt.sentence
    assert "400 d old" in doubt.sentence
    assert "up to 1,000 m away" in doubt.sentence


def test_both_reaches_add_up(strike, entity, away, now, check):
    old = {"obtained_at": now - 400 * DAY, "reach_m": 300.0}
    plan = strike(fields={"obtained": "estimated", "reach_m": 200.0})
    assert check([plan], [entity("s", "site", away(999), fields=old)]).verdict == "unknown"
    assert check([plan], [entity("s", "site", away(1001), fields=old)]).verdict == "clear"


def test_a_stale_site_is_no_doubt_for_what_would_not_matter(entity, away, now, found):
    old = {"obtained_at": now - 400 * DAY}
    flight = entity("flight", "operation")
    assert found([flight], [entity("s", "site", away(100), fields=old)])[0] == "clear"


def test_a_stale_site_is_no_doubt_for_a_plan_at_another_time(strike, entity, away, now, found):
    site = entity(
        "s", "site", away(800), minutes=(100, 200), fields={"obtained_at": now - 400 * DAY}
    )
    assert found([strike()], [site])[0] == "clear"


def test_a_conflict_is_not_doubted_besides(strike, entity, away, now, check):
    site = entity("s", "site", away(100), fields={"obtained_at": now - 400 * DAY})
    report = check([strike()], [site])
    assert report.verdict == "conflict"
    assert report.doubts == ()


@pytest.mark.parametrize(
    ("distance_m", "verdict"), [(399, "clear"), (401, "unknown"), (1001, "conflict")]
)
def test_a_stale_position_inside_a_zone_is_in_doubt_near_its_border(
    distance_m, verdict, entity, zone, away, now, check
):
    old = {"obtained_at": now - 400 * DAY, "reach_m": 600.0}
    report = check([entity("op", "operation", away(distance_m), fields=old)], [zone("keep_in")])
    assert report.verdict == verdict


def test_a_stale_movement_that_may_enter_a_ceasefire_is_in_doubt(entity, zone, away, now, check):
    old = {"obtained_at": now - 400 * DAY, "reach_m": 600.0}
    near = check([entity("m", "movement", away(1500), fields=old)], [zone("ceasefire")])
    far = check([entity("m", "movement", away(1700), fields=old)], [zone("ceasefire")])
    assert (near.verdict, far.verdict) == ("unknown", "clear")
    assert near.doubts[0].b.id == "zone"


def test_a_stale_movement_held_by_one_ceasefire_may_come_near_another(
    entity, zone, away, now, check
):
    old = {"obtained_at": now - 400 * DAY, "reach_m": 600.0}
    zones = [zone("ceasefire", "wide", radius_m=5000.0), zone("ceasefire", "near", away(500), 100)]
    assert check([entity("m", "movement", fields=old)], zones).verdict == "clear"
    assert check([entity("m", "movement", fields=old)], zones[1:]).verdict == "unknown"


def test_a_reach_adds_to_a_place_stated_twice(strike, entity, away, now, check):
    there = away(900)
    site = entity(
        "s",
        "site",
        away(1600),
        fields={
            "obtained_at": now - 400 * DAY,
            "reach_m": 300.0,
            "also_at": (Position(lat_deg=there[0], lon_deg=there[1]),),
        },
    )
    # 1,600 m away, less 500 m of danger, 700 m between the two statements, and 300 m of reach.
    assert check([strike(danger_m=601.0)], [site]).verdict == "unknown"
    assert check([strike(danger_m=599.0)], [site]).verdict == "clear"


@pytest.mark.parametrize(("seconds", "said"), [(5, False), (5.001, True)])
def test_a_position_from_the_future_is_said(seconds, said, entity, now, check):
    op = entity("op", "operation", fields={"obtained_at": now + timedelta(seconds=seconds)})
    report = check([op])
    assert report.verdict == "clear"
    assert any("a clock or a date is wrong" in note for note in report.notes) == said


def test_a_table_may_drop_the_judgement_by_age(strike, entity, away, now, found):
    rules = default_rules()
    rules = msgspec.structs.replace(
        rules, stale=tuple(msgspec.structs.replace(row, enforced=False) for row in rules.stale)
    )
    site = entity("s", "site", away(800), fields={"obtained_at": now - 400 * DAY})
    assert found([strike()], [site])[0] == "unknown"
    assert found([strike()], [site], rules=rules)[0] == "clear"
