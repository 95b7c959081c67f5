from __future__ import annotations

from deconflict.register.event import Notified
from deconflict.register.state.held import State


def told(decision, named, *names):
    """Return the indices told, by the names given; others under their identifiers."""
    of = {named(name): name for name in names}
    indices = {of.get(found.id, found.id): found.index for found in decision.notify}
    events = [event for event in decision.events if isinstance(event, Notified)]
    if indices:
        (event,) = events
        assert event.indices == {found.id: found.index for found in decision.notify}
    else:
        assert not events
    return indices


def test_those_who_watch_the_place_are_told_with_the_next_index(world, named):
    world.subscribe("a", "alpha")
    world.subscribe("b", "bravo")
    world.subscribe("z", "bravo", operations=False, zones=True)
    assert told(world.operation(), named, "a", "b") == {"a": 1, "b": 1}
    assert told(world.operation(ovn=""), named, "a", "b") == {"a": 2, "b": 2}
    assert told(world.remove_operation(), named, "a", "b") == {"a": 3, "b": 3}


def test_those_who_watch_for_zones_are_told_of_zones_alone(world, named):
    world.subscribe("o", "bravo")
    world.subscribe("z", "bravo", operations=False, zones=True)
    world.subscribe("both", "bravo", zones=True)
    assert told(world.zone(), named, "z", "both") == {"z": 1, "both": 1}
    assert told(world.zone(ovn=""), named, "z", "both") == {"z": 2, "both": 2}
    assert told(world.remove_zone(), named, "z", "both") == {"z": 3, "both": 3}
    assert told(world.operation(), named, "o", "both") == {"o": 1, "both": 4}


def test_who_watches_elsewhere_or_at_another_time_is_not_told(world, place, named):
    world.subscribe("far", volume=place(3, box=1.0, hours=(0, 9)))
    world.subscribe("early", volume=place(box=1.0, hours=(0, 0.9)))
    world.subscribe("high", volume=place(box=1.0, hours=(0, 9), heights=(150.0, 200.0)))
    assert told(world.operation(), named) == {}


def test_what_moves_is_told_to_those_who_watch_either_place_once(world, place, named):
    world.subscribe("here", "bravo", place(0, box=1.0, hours=(0, 9)))
    world.subscribe("there", "bravo", place(3, box=1.0, hours=(0, 9)))
    world.subscribe("both", "bravo", place(1.5, box=9.0, hours=(0, 9)))
    assert told(world.operation(), named, "here", "both") == {"here": 1, "both": 1}
    moved = world.operation("flight", "alpha", place(3), ovn="")
    assert told(moved, named, "here", "there", "both") == {"here": 2, "there": 1, "both": 2}


def test_a_zone_that_moves_is_told_in_both_places(world, place, named):
    world.subscribe("here", "bravo", place(0, box=1.0, hours=(0, 9)), zones=True)
    world.subscribe("there", "bravo", place(3, box=1.0, hours=(0, 9)), zones=True)
    world.zone()
    moved = world.zone("zone", "authority", place(3), ovn="")
    assert told(moved, named, "here", "there") == {"here": 2, "there": 1}


def test_a_subscription_made_with_the_operation_is_told(world, named):
    decision = world.served()
    assert told(decision, named) == {decision.entity.subscription: 1}
    assert world.implicit().index == 1


def test_a_subscription_extended_for_the_operation_is_told_though_it_was_elsewhere(
    world, place, named
):
    world.served("a", "alpha", place(0))
    shared = world.implicit("a").id
    decision = world.attached("b", shared, place(5), ovn=None)
    assert told(decision, named) == {shared: 2}
    assert world.implicit("b").index == 2


def test_a_subscription_that_goes_is_not_told(world, named):
    world.served()
    old = world.implicit().id
    replaced = world.served(ovn="")
    assert told(replaced, named) == {replaced.entity.subscription: 1}
    assert old != replaced.entity.subscription
    assert told(world.remove_operation(), named) == {}


def test_implicit_subscriptions_of_others_are_told(world, named):
    ovn = world.served("a", "alpha").entity.ovn
    watching = world.implicit("a").id
    assert told(world.operation("b", "bravo", key={ovn}), named) == {watching: 2}


def test_a_subscription_that_has_ended_is_not_told(world, place, named):
    world.subscribe(volume=place(box=1.0, hours=(0, 1.2)))
    world.hours_pass(1.5)
    assert told(world.operation(), named) == {}


def test_notices_come_in_the_order_of_identifiers(world):
    for name in "abcdefgh":
        world.subscribe(name, name)
    ids = [found.id for found in world.operation().notify]
    assert len(ids) == 8
    assert ids == sorted(ids)


def test_an_index_is_no_change_of_the_subscription(world, named):
    before = world.subscribe("a").subscription
    world.operation()
    after = world.subscriptions[named("a")]
    assert (after.version, after.index) == (before.version, 1)


def test_a_refusal_tells_nobody(world):
    world.subscribe("a")
    assert world.served(state=State.ACTIVATED).notify == ()
