"""The verdict as a whole."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from deconflict.geo.errors import InputError


def test_nothing_at_all_is_clear(check):
    assert check([]).verdict == "clear"


def test_conflict_outweighs_unknown_and_unknown_outweighs_clear(strike, entity, away, now, check):
    old = {"obtained_at": now - timedelta(days=400)}
    doubtful = entity("doubtful", "site", away(800), fields=old)
    hit = entity("hit", "site", away(100))
    both = check([strike()], [doubtful, hit])
    assert (both.verdict, len(both.conflicts), len(both.doubts)) == ("conflict", 1, 1)
    assert check([strike()], [doubtful]).verdict == "unknown"
    assert check([strike()], [entity("far", "site", away(9000))]).verdict == "clear"


def test_with_entities_skipped_the_verdict_is_never_clear(strike, entity, check):
    report = check([strike()], skipped=2)
    assert report.verdict == "unknown"
    assert "2 entities could not be read and were not checked" in report.notes
    assert check([strike()], [entity("s", "site")], skipped=1).verdict == "conflict"


def test_what_is_registered_is_not_checked_among_itself(strike, entity, check):
    registered = [strike("r1"), entity("r2", "site"), entity("r3", "operation")]
    assert check([entity("plan", "operation", (0.0, 0.0))], registered).verdict == "clear"
    assert len(check(registered).conflicts) == 2
    assert check(registered).entities == 3


def test_an_entitys_own_volumes_may_meet(entity, circle, check):
    op = entity("op", "operation", volumes=(circle(radius_m=50), circle(radius_m=60)))
    assert check([op]).verdict == "clear"


def test_the_report_is_the_same_in_whatever_order_the_entities_come(
    strike, entity, zone, away, now, check
):
    old = {"obtained_at": now - timedelta(days=400)}
    plans = [strike(f"p{n}", away(300 * n)) for n in range(5)]
    against = [
        *(entity(f"s{n}", "site", away(350 * n, 80), fields=old) for n in range(6)),
        *(entity(f"o{n}", "operation", away(200 * n, 70), radius_m=90) for n in range(6)),
        zone("keep_out", "z1", fields={"applies_to": ("A", "nobody")}),
        zone("keep_in", "z2", away(300)),
        zone("keep_in", "z3", away(900)),
    ]
    first = check(plans, against)
    assert len(first.conflicts) > 20
    assert first.doubts
    shuffle = random.Random(7).shuffle
    for _ in range(3):
        shuffle(plans)
        shuffle(against)
        again = check(plans, against)
        assert again == first
    assert [(c.a.id, c.b.id) for c in first.conflicts] == sorted(
        (c.a.id, c.b.id) for c in first.conflicts
    )


def test_two_entities_of_one_id_are_refused_with_their_places(entity, check):
    a = entity("x", "operation", fields={"source": "a.csv, row 2"})
    b = entity("x", "site", fields={"source": "b.csv, row 9"})
    with pytest.raises(InputError, match=r"x is there twice \(a\.csv, row 2; b\.csv, row 9\)"):
        check([a], [b])


def test_an_entity_without_a_volume_is_refused(entity, check):
    with pytest.raises(InputError, match="has no volume"):
        check([replace(entity("x", "operation"), volumes=())])


def test_a_time_without_zone_is_refused(check):
    with pytest.raises(InputError, match="no time zone"):
        check([], now=datetime(2026, 11, 22))  # noqa: DTZ001 - that is the point


def test_progress_rises_to_one(strike, entity, away, check):
    seen = []
    sites = [entity(f"s{n}", "site", away(n)) for n in range(50)]
    check([strike()], sites, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
