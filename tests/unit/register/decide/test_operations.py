from __future__ import annotations

import re

import pytest

from deconflict.register.event import Put, Removed
from deconflict.register.policy import Policy
from deconflict.register.state.held import State

OFF_NOMINAL = (State.NONCONFORMING, State.CONTINGENT)
SUFFIX = "019a0000-0000-7000-8000-000000000000"


def test_a_new_operation_has_version_1_and_an_ovn_of_its_own(world, named):
    first = world.operation("a").entity
    second = world.operation("b", "alpha", key={first.ovn}).entity
    assert (first.id, first.party, first.version) == (named("a"), "alpha", 1)
    assert first.ovn != second.ovn
    assert re.fullmatch(r"[\w-]{16,128}", first.ovn)


def test_the_event_holds_the_whole_operation(world, place):
    decision = world.operation("a", "alpha", place(hours=(3, 4)), place(hours=(1, 2)))
    (event,) = decision.events
    assert isinstance(event, Put)
    assert event.entity == decision.entity
    hours = [(us - world.now_us) / 3.6e9 for us in (event.entity.start_us, event.entity.end_us)]
    assert hours == [1.0, 4.0]
    assert len(event.entity.volumes) == 2


def test_a_change_raises_the_version_and_gives_another_ovn(world, place):
    before = world.operation().entity
    after = world.operation("flight", "alpha", place(3), ovn="").entity
    assert after.version == 2
    assert after.ovn != before.ovn


def test_what_is_there_is_not_created_again(world, reason):
    world.operation()
    assert reason(world.operation()) == "exists"


def test_an_identifier_in_use_by_another_party_is_not_created(world, reason):
    world.operation()
    assert reason(world.operation("flight", "bravo")) == "not_yours"


def test_an_operation_is_not_created_under_the_identifier_of_a_zone(world, reason):
    world.zone("same", "alpha")
    assert reason(world.operation("same")) == "exists"


def test_what_is_absent_is_not_changed_nor_deleted(world, reason):
    assert reason(world.operation(ovn="1234567890123456")) == "absent"
    assert reason(world.remove_operation(ovn="1234567890123456")) == "absent"


def test_a_zone_is_not_changed_as_an_operation(world, reason):
    world.zone("same", "alpha")
    assert reason(world.operation("same", ovn="")) == "absent"
    assert reason(world.remove_operation("same")) == "absent"


def test_another_partys_operation_is_not_changed_whatever_the_ovn(world, reason):
    world.operation()
    for ovn in ("", "1234567890123456"):
        assert reason(world.operation("flight", "bravo", ovn=ovn)) == "not_yours"
        assert reason(world.remove_operation("flight", "bravo", ovn=ovn)) == "not_yours"


def test_an_old_ovn_is_refused(world, reason):
    old = world.operation().entity.ovn
    world.operation(ovn=old)
    assert reason(world.operation(ovn=old)) == "stale"
    assert reason(world.remove_operation(ovn=old)) == "stale"


def test_a_deleted_operation_is_gone_and_shown_as_it_was(world, named, reason):
    held = world.operation().entity
    decision = world.remove_operation()
    assert decision.entity == held
    assert decision.events == (Removed(named("flight")),)
    assert reason(world.remove_operation(ovn=held.ovn)) == "absent"


def test_an_ended_operation_can_still_be_deleted_or_given_another_time(world, place, reason):
    world.operation("a")
    world.operation("b", "alpha", place(3))
    world.hours_pass(2.5)
    assert reason(world.remove_operation("a")) is None
    assert reason(world.operation("b", "alpha", place(3, hours=(4, 5)), ovn="")) is None


def test_one_that_ended_long_ago_is_absent(world, reason):
    ovn = world.operation().entity.ovn
    world.hours_pass(3.5)
    assert reason(world.remove_operation(ovn=ovn)) == "absent"


def test_a_requested_suffix_makes_the_ovn(world, named):
    assert world.operation(suffix=SUFFIX).entity.ovn == f"{named('flight')}_{SUFFIX}"


def test_the_present_ovn_cannot_be_requested_again(world, reason):
    world.operation(suffix=SUFFIX)
    assert reason(world.operation(ovn="", suffix=SUFFIX)) == "invalid"


def test_whoever_knows_the_ovn_of_other_volumes_does_not_pass_for_one_who_knows_these(
    world, place, reason
):
    known = world.operation("a", "alpha", place(0), suffix=SUFFIX).entity.ovn
    assert reason(world.operation("a", "alpha", place(5), ovn="")) is None
    for suffix in (SUFFIX, SUFFIX.upper()):
        assert reason(world.operation("a", "alpha", place(9), ovn="", suffix=suffix)) == "invalid"
    later = SUFFIX[:-1] + "f"
    assert reason(world.operation("a", "alpha", place(9), ovn="", suffix=later)) is None
    assert reason(world.operation("b", "bravo", place(9), key=[known])) == "key"


@pytest.mark.parametrize("state", [s for s in State if s is not State.ACCEPTED])
def test_a_new_operation_begins_as_accepted(world, reason, state):
    assert reason(world.served(state=state)) == "invalid"


def test_an_end_that_is_past_is_refused_and_an_end_now_is_not(world, place, reason):
    assert reason(world.operation("a", "alpha", place(hours=(-2, -0.001)))) == "invalid"
    assert reason(world.operation("b", "alpha", place(hours=(-2, 0)))) is None


def test_one_of_several_volumes_may_be_past(world, place, reason):
    volumes = (place(hours=(-2, -1)), place(hours=(1, 2)))
    assert reason(world.operation("a", "alpha", *volumes)) is None


def test_an_end_beyond_the_horizon_is_refused(world, place, reason):
    world.policy = Policy(horizon_s=7_200)
    assert reason(world.operation("a", "alpha", place(hours=(1, 2.001)))) == "invalid"
    assert reason(world.operation("b", "alpha", place(hours=(1, 2)))) is None


def test_a_volume_without_an_end_is_refused(world, place, reason):
    assert reason(world.operation("a", "alpha", place(), place(hours=(1, None)))) == "invalid"


def test_more_volumes_or_vertices_than_allowed_are_refused(world, place, reason):
    world.policy = Policy(most_volumes=2, most_vertices=7)
    three = (place(), place(), place())
    assert reason(world.operation("a", "alpha", *three)) == "invalid"
    assert reason(world.operation("a", "alpha", place(box=1.0), place(box=1.0))) == "invalid"
    assert reason(world.operation("a", "alpha", place(box=1.0), place())) is None


def test_a_party_that_is_down_makes_nothing_accepted_or_activated(world, reason):
    world.served()
    world.mark("alpha")
    assert reason(world.operation("other")) == "down"
    assert reason(world.served(ovn="", state=State.ACCEPTED)) == "down"
    assert reason(world.served(ovn="", state=State.ACTIVATED)) == "down"
    assert reason(world.remove_operation()) == "down"


@pytest.mark.parametrize("state", OFF_NOMINAL)
def test_a_party_that_is_down_can_still_report_trouble(world, reason, state):
    world.operation()
    world.mark("alpha")
    assert reason(world.served(ovn="", state=state)) is None


def test_a_party_that_is_up_again_can_do_all(world, reason):
    world.mark("alpha")
    world.mark("alpha", "Normal")
    assert reason(world.operation()) is None


def test_refusals_name_neither_the_other_party_nor_a_place(world):
    world.operation("a", "alpha")
    for decision in (world.operation("a", "bravo"), world.operation("b", "bravo")):
        sentence = decision.refusal.sentence
        assert "alpha" not in sentence
        assert not re.search(r"\d\.\d", sentence)
