"""What would clear a conflict: who moves, and that the shift meets nothing else."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from deconflict.geo.clearance import Shift as GeoShift
from deconflict.geo.clearance import ShiftKind, shifted
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.position import Position
from deconflict.register.rules import default_rules


def msl(lower_m, upper_m):
    return AltitudeBand(
        Height(lower_m, AltitudeReference.MSL), Height(upper_m, AltitudeReference.MSL)
    )


def after(entities, shift):
    """Return the entities with one of them shifted as the report proposes."""
    kind = ShiftKind(shift.action)
    change = GeoShift(
        kind=kind,
        seconds=int(shift.time_s or 0),
        metres=shift.height_m or shift.distance_m or 0.0,
        bearing_deg=shift.bearing_deg or 0.0,
    )
    return [
        replace(entity, volumes=shifted(entity.volumes, change), positions=())
        if entity.id == shift.entity
        else entity
        for entity in entities
    ]


def proposals(report):
    return [shift for conflict in report.conflicts for shift in conflict.clears]


def test_every_shift_ends_the_conflict_and_meets_nothing_else(entity, zone, away, check):
    entities = [
        entity("a", "operation", radius_m=100, band=msl(100, 200)),
        entity("b", "operation", away(150), 100, band=msl(150, 250), fields={"priority": 1}),
        entity("c", "operation", away(320, 270), 100, band=msl(100, 200), fields={"priority": 1}),
        entity("d", "operation", away(10), 50, minutes=(70, 100), fields={"priority": 1}),
        entity("e", "operation", away(10), 50, band=msl(260, 400), fields={"priority": 1}),
        zone("keep_in", center=away(0), radius_m=900.0),
    ]
    report = check(entities)
    assert [(c.a.id, c.b.id) for c in report.conflicts] == [("a", "b")]
    shifts = proposals(report)
    assert {shift.action for shift in shifts} >= {"time", "height", "plan"}
    assert {shift.entity for shift in shifts} == {"a"}
    for shift in shifts:
        assert check(after(entities, shift)).verdict == "clear"


def test_a_shift_out_of_a_keep_in_zone_is_not_offered(entity, zone, away, check):
    a = entity("a", "operation", radius_m=100)
    b = entity("b", "operation", away(150), 100, fields={"priority": 1})
    free = proposals(check([a, b]))
    assert "plan" in {shift.action for shift in free}
    held = proposals(
        check([a, b], [zone("keep_in", radius_m=140.0, fields={"applies_to": ("a",)})])
    )
    assert "plan" not in {shift.action for shift in held}


def test_no_shift_puts_a_target_where_people_are_registered(strike, entity, away, check):
    plan = strike(danger_m=100.0)
    flight = entity("flight", "operation", away(150), 100, fields={"priority": 1})
    others = [
        entity(f"m{n}", "movement", away(101, 180 + 10 * n), minutes=(500 + n, 501 + n))
        for n in range(19)
    ]
    report = check([plan], [flight, *others])
    assert [(c.a.id, c.b.id) for c in report.conflicts] == [("strike", "flight")]
    shifts = proposals(report)
    assert "plan" in {shift.action for shift in shifts}
    for shift in shifts:
        assert check(after([plan], shift), [flight, *others]).verdict == "clear"


def test_no_shift_puts_a_target_where_its_submitter_was(strike, entity, away, check):
    west = away(51, 270)
    own = Position(lat_deg=west[0], lon_deg=west[1])
    plan = strike(danger_m=100.0, fields={"own_position": own})
    flight = entity("flight", "operation", away(150), 100, fields={"priority": 1})
    report = check([plan], [flight])
    assert [(c.a.id, c.b.id) for c in report.conflicts] == [("strike", "flight")]
    shifts = [shift for shift in proposals(report) if shift.action == "plan"]
    assert shifts
    for shift in shifts:
        assert check(after([plan], shift), [flight]).verdict == "clear"


@pytest.mark.parametrize("stale", ["a", "b"])
def test_a_shift_leaves_no_doubt_about_an_old_position(stale, entity, away, now, check):
    old = {"obtained_at": now - timedelta(days=400), "reach_m": 300.0}
    a = entity("a", "operation", radius_m=100, fields=old if stale == "a" else {})
    b = entity("b", "operation", away(150), 100, fields=old if stale == "b" else {})
    report = check([a, b])
    shifts = [shift for shift in proposals(report) if shift.action == "plan"]
    assert len(shifts) == 2
    for shift in shifts:
        assert shift.distance_m >= 350
        assert check(after([a, b], shift)).verdict == "clear"


def test_a_shift_of_an_old_position_leaves_no_doubt_about_a_third(entity, away, now, check):
    old = {"obtained_at": now - timedelta(days=400), "reach_m": 300.0}
    a = entity("a", "operation", radius_m=100, fields=old)
    others = [
        entity("b", "operation", away(150), 100, fields={"priority": 1}),
        entity("c", "operation", away(700, 270), 100, fields={"priority": 1}),
    ]
    shifts = [shift for shift in proposals(check([a], others)) if shift.action == "plan"]
    assert shifts
    for shift in shifts:
        assert check(after([a], shift), others).verdict == "clear"


def test_no_shift_puts_a_movement_half_into_a_ceasefire(entity, zone, away, check):
    convoy = entity("m", "movement", away(40), 50)
    others = [
        zone("keep_out", "out", radius_m=60.0),
        zone("ceasefire", "cf", away(400), 250.0),
    ]
    (conflict,) = check([convoy], others).conflicts
    plan = [shift for shift in conflict.clears if shift.action == "plan"]
    assert plan
    for shift in plan:
        assert check(after([convoy], shift), others).verdict == "clear"


def test_nothing_is_moved_into_the_past(entity, away, check):
    a = entity("a", "operation", radius_m=100)
    b = entity("b", "operation", away(150), 100, fields={"priority": 1})
    times = [shift.time_s for shift in proposals(check([a, b])) if shift.action == "time"]
    assert times == [3601.0]


def test_the_lower_priority_gives_way(entity, away, check):
    a = entity("a", "operation", radius_m=100, fields={"priority": 2})
    b = entity("b", "operation", away(150), 100, fields={"priority": 1})
    (conflict,) = check([a, b]).conflicts
    assert {shift.entity for shift in conflict.clears} == {"b"}
    assert "gives way" not in conflict.sentence


def test_of_equal_priorities_either_may_give_way_and_that_is_said(entity, away, check):
    a, b = entity("a", "operation", radius_m=100), entity("b", "operation", away(150), 100)
    (conflict,) = check([a], [b]).conflicts
    assert conflict.clears[0].entity == "a"
    assert {shift.entity for shift in conflict.clears} == {"a", "b"}
    assert "one of the two gives way" in conflict.sentence


def test_a_table_may_say_who_gives_way(entity, away, check):
    rules = default_rules()
    rules = msgspec.structs.replace(
        rules,
        must_not_meet=tuple(
            msgspec.structs.replace(row, gives_way="second") for row in rules.must_not_meet
        ),
    )
    a, b = entity("a", "operation", radius_m=100), entity("b", "operation", away(150), 100)
    (conflict,) = check([a, b], rules=rules).conflicts
    assert {shift.entity for shift in conflict.clears} == {"b"}


@pytest.mark.parametrize("kind", ["operation", "movement"])
def test_whoever_is_bound_gives_way_to_a_zone(kind, entity, zone, check):
    (conflict,) = check([zone("keep_out", minutes=(0, 30))], [entity("x", kind)]).conflicts
    assert {shift.entity for shift in conflict.clears} == {"x"}


def test_a_hazardous_operation_near_a_site_is_told_no_permitted_point(strike, entity, away, check):
    site = entity("site", "site", away(300), minutes=(0, 30))
    (conflict,) = check([strike(band=msl(0, 100))], [site]).conflicts
    assert [shift.action for shift in conflict.clears] == ["cancel", "time", "farther"]
    for shift in conflict.clears:
        assert shift.distance_m is None
        assert shift.bearing_deg is None
        assert shift.height_m is None


def test_a_site_nearby_takes_the_permitted_point_from_other_conflicts_too(
    strike, entity, away, check
):
    site = entity("site", "site", away(300), minutes=(0, 30))
    flight = entity("flight", "operation", away(400, 180), fields={"priority": 1})
    report = check([strike()], [site, flight])
    assert len(report.conflicts) == 2
    assert {shift.action for shift in proposals(report)} <= {"cancel", "time", "farther"}


def test_a_target_where_people_are_is_cleared_by_no_other_time(strike, entity, check):
    (conflict,) = check([strike()], [entity("people", "site", minutes=(0, 30))]).conflicts
    assert [shift.action for shift in conflict.clears] == ["cancel", "farther"]


def test_a_shift_is_told_in_words(entity, away, check):
    a = entity("a", "operation", radius_m=100)
    b = entity("b", "operation", away(150), 100, fields={"priority": 1})
    sentences = [shift.sentence for shift in proposals(check([a, b]))]
    assert sentences[0] == "Move a 1 h 1 s later."
    assert all(sentence.startswith("Move a ") for sentence in sentences)


def test_shifts_are_computed_for_the_first_conflicts_only_and_that_is_said(
    entity, away, check, monkeypatch
):
    monkeypatch.setattr("deconflict.register.check.MOST_CLEARED", 2)
    plans = [entity(f"p{n}", "operation", away(10_000 * n), 50) for n in range(3)]
    others = [entity(f"q{n}", "operation", away(10_000 * n), 50) for n in range(3)]
    report = check(plans, others)
    assert [bool(conflict.clears) for conflict in report.conflicts] == [True, True, False]
    assert any("first 2 only" in note for note in report.notes)


@pytest.mark.parametrize(("named", "offered"), [(("convoy",), set()), (("A",), {"plan"})])
def test_no_move_leads_a_movement_out_of_the_ceasefire_that_names_it(
    named, offered, entity, zone, check
):
    convoy = entity("convoy", "movement", fields={"party": "A"})
    ceasefire = zone("ceasefire", "ceasefire", radius_m=300.0, fields={"applies_to": named})
    shut = zone("keep_out", "shut", radius_m=5000.0)
    before = check([convoy], [ceasefire, shut])
    assert {shift.action for shift in proposals(before)} == offered
    for shift in proposals(before):
        assert check(after([convoy], shift), [ceasefire, shut]).verdict == "clear"
