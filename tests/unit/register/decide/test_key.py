from __future__ import annotations

import pytest

from deconflict.register.state.held import State


def missing(decision):
    refusal = decision.refusal
    return [e.id for e in refusal.missing_operations], [e.id for e in refusal.missing_zones]


def test_an_operation_needs_the_ovn_of_another_that_it_meets(world, named, reason):
    ovn = world.operation("a", "alpha").entity.ovn
    refused = world.operation("b", "bravo")
    assert reason(refused) == "key"
    assert missing(refused) == ([named("a")], [])
    assert refused.events[0].missing == (named("a"),)
    assert reason(world.operation("b", "bravo", key={ovn})) is None


def test_all_that_is_missing_is_listed_at_once_by_identifier(world, named):
    ovns = [world.operation("a").entity.ovn]
    ovns.append(world.operation("b", key=ovns).entity.ovn)
    ovns.append(world.operation("c", key=ovns).entity.ovn)
    operations, _ = missing(world.operation("d", "bravo", key={ovns[1]}))
    assert operations == sorted([named("a"), named("c")])


def test_the_partys_own_other_operations_count(world, reason):
    world.operation("a")
    assert reason(world.operation("b")) == "key"


def test_the_operation_itself_does_not_count(world, reason):
    world.operation()
    assert reason(world.operation(ovn="")) is None


def test_an_old_ovn_proves_nothing(world, reason):
    old = world.operation("a").entity.ovn
    world.operation("a", ovn="")
    assert reason(world.operation("b", "bravo", key={old})) == "key"


@pytest.mark.parametrize(
    "apart",
    [{"x": 3}, {"hours": (2.1, 3.0)}, {"heights": (101.0, 200.0)}],
)
def test_what_is_apart_in_place_time_or_height_is_not_asked_for(world, place, reason, apart):
    world.operation("a")
    assert reason(world.operation("b", "bravo", place(**apart))) is None


@pytest.mark.parametrize(
    "touching",
    [{"hours": (2.0, 3.0)}, {"heights": (100.0, 200.0)}],
)
def test_what_touches_is_asked_for(world, place, reason, touching):
    world.operation("a")
    assert reason(world.operation("b", "bravo", place(**touching))) == "key"


def test_each_volume_is_judged_by_itself(world, place, reason):
    world.operation("a", "alpha", place(0, hours=(1, 2)), place(3, hours=(3, 4)))
    crossed = (place(0, hours=(3, 4)), place(3, hours=(1, 2)))
    assert reason(world.operation("b", "bravo", *crossed)) is None


@pytest.mark.parametrize("state", [State.NONCONFORMING, State.CONTINGENT])
def test_trouble_is_reported_without_a_key(world, reason, state):
    ovn = world.operation("a", "alpha").entity.ovn
    world.operation("b", "bravo", key={ovn})
    assert reason(world.served("b", "bravo", ovn="", state=state)) is None


def test_going_into_use_needs_the_key_again(world, reason):
    ovn = world.operation("a", "alpha").entity.ovn
    world.operation("b", "bravo", key={ovn})
    assert reason(world.served("b", "bravo", ovn="", state=State.ACTIVATED)) == "key"
    assert reason(world.served("b", "bravo", ovn="", state=State.ACTIVATED, key={ovn})) is None


def test_an_accepted_operation_of_a_party_that_is_down_is_not_asked_for(world, reason):
    world.operation("a", "alpha")
    world.mark("alpha")
    assert reason(world.operation("b", "bravo")) is None


def test_an_activated_operation_of_a_party_that_is_down_is_asked_for(world, reason):
    world.served("a", "alpha")
    world.served("a", "alpha", ovn="", state=State.ACTIVATED)
    world.mark("alpha")
    assert reason(world.operation("b", "bravo")) == "key"


def test_an_operation_that_has_ended_is_not_asked_for(world, place, reason):
    world.operation("a", "alpha", place(hours=(0, 1)))
    world.hours_pass(1.5)
    assert reason(world.operation("b", "bravo", place(hours=(0, 2)))) is None


def test_zones_are_asked_for_only_by_whom_a_subscription_tells_of_them(world, named, reason):
    ovn = world.zone().entity.ovn
    assert reason(world.operation("none")) is None
    world.remove_operation("none")
    assert reason(world.served("deaf")) is None
    world.remove_operation("deaf")
    refused = world.served("heeding", zones=True)
    assert reason(refused) == "key"
    assert missing(refused) == ([], [named("zone")])
    assert reason(world.served("heeding", zones=True, key={ovn})) is None


def test_zones_count_by_the_subscription_that_is_named_or_kept(world, reason):
    world.subscribe(operations=True, zones=True)
    assert reason(world.operation(subscription="watch")) is None
    world.zone()
    assert reason(world.operation(ovn="", subscription="watch")) == "key"
    assert reason(world.operation(ovn="")) is None


def test_of_two_that_plan_into_one_another_unknowing_the_second_is_refused(world, reason):
    assert [reason(world.operation(n, n)) for n in ("alpha", "bravo")] == [None, "key"]


def test_the_sentence_counts_what_is_missing(world):
    world.operation("a")
    world.zone("z1")
    world.zone("z2")
    sentence = world.served("b", "bravo", zones=True).refusal.sentence
    assert "1 operation and 2 zones" in sentence
