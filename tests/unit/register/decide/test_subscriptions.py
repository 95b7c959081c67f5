from __future__ import annotations

import pytest

from deconflict.register.policy import Policy


def hours(world, decision):
    found = decision.subscription
    return [(us - world.now_us) / 3.6e9 for us in (found.start_us, found.end_us)]


def test_a_subscription_begins_now_and_lasts_as_long_as_it_may(world, place):
    made = world.subscribe(volume=place(hours=(None, None)))
    assert hours(world, made) == [0.0, 24.0]
    later = world.subscribe("later", volume=place(hours=(3, None)))
    assert hours(world, later) == [3.0, 27.0]


def test_an_end_alone_is_kept(world, place):
    assert hours(world, world.subscribe(volume=place(hours=(None, 5)))) == [0.0, 5.0]


def test_a_new_subscription_has_caused_no_notices(world):
    made = world.subscribe(zones=True).subscription
    assert (made.index, made.implicit, made.operations, made.zones) == (0, False, True, True)


def test_a_change_gives_another_version_and_keeps_the_index(world):
    before = world.subscribe().subscription
    world.operation()
    after = world.subscribe(version=before.version, zones=True).subscription
    assert after.version != before.version
    assert after.index == 1


def test_asking_for_nothing_is_refused(world, reason):
    assert reason(world.subscribe(operations=False, zones=False)) == "invalid"


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((0.0, 24.0), None),
        ((0.0, 24.001), "invalid"),
        ((-5 / 60, 1.0), None),
        ((-5.1 / 60, 1.0), "invalid"),
        ((-0.05, -0.01), "invalid"),
        ((-0.05, 0.0), None),
        ((None, -0.01), "invalid"),
        ((100.0, 124.0), None),
    ],
)
def test_the_window_is_limited(world, place, reason, window, expected):
    assert reason(world.subscribe(volume=place(hours=window))) == expected


def test_the_limits_are_the_policys(world, place, reason):
    world.policy = Policy(subscription_longest_s=3_600, subscription_start_late_s=0)
    assert reason(world.subscribe(volume=place(hours=(0, 1.01)))) == "invalid"
    assert reason(world.subscribe(volume=place(hours=(-0.01, 0.5)))) == "invalid"
    assert hours(world, world.subscribe(volume=place(hours=(None, None)))) == [0.0, 1.0]


def test_too_many_vertices_are_refused(world, place, reason):
    world.policy = Policy(most_vertices=3)
    assert reason(world.subscribe(volume=place(box=1.0))) == "invalid"


def test_what_is_there_is_not_created_again(world, reason):
    world.subscribe()
    assert reason(world.subscribe()) == "exists"
    assert reason(world.subscribe("watch", "bravo")) == "not_yours"


def test_what_is_absent_is_not_changed_nor_deleted(world, reason):
    assert reason(world.subscribe(version="x")) == "absent"
    assert reason(world.unsubscribe(version="x")) == "absent"


def test_another_partys_subscription_is_not_touched_whatever_the_version(world, reason):
    world.subscribe()
    for version in ("", "x"):
        assert reason(world.subscribe("watch", "bravo", version=version)) == "not_yours"
        assert reason(world.unsubscribe("watch", "bravo", version=version)) == "not_yours"


def test_an_old_version_is_refused(world, reason):
    old = world.subscribe().subscription.version
    world.subscribe(version=old)
    assert reason(world.subscribe(version=old)) == "stale"
    assert reason(world.unsubscribe(version=old)) == "stale"


def test_an_ended_subscription_is_absent_and_its_identifier_free(world, place, reason):
    world.subscribe(volume=place(hours=(0, 1)))
    world.hours_pass(1.5)
    assert reason(world.subscribe(volume=place(hours=(2, 3)), version="")) == "absent"
    assert reason(world.subscribe("watch", "bravo", place(hours=(2, 3)))) is None


def test_the_answer_holds_what_it_covers_as_far_as_it_asks(world, place, named):
    world.operation("a", "bravo")
    world.operation("far", "bravo", place(5))
    world.zone()

    def shown(decision):
        return [[e.id for e in found] for found in (decision.operations, decision.zones)]

    assert shown(world.subscribe("1")) == [[named("a")], []]
    assert shown(world.subscribe("2", operations=False, zones=True)) == [[], [named("zone")]]
    assert shown(world.subscribe("3", zones=True)) == [[named("a")], [named("zone")]]
    assert shown(world.subscribe("3", version="")) == [[named("a")], []]


def test_a_change_must_go_on_covering_what_it_serves(world, place, reason):
    world.subscribe()
    world.operation(subscription="watch")
    for volume in (
        place(3, box=1.0, hours=(0, 5)),
        place(box=1.0, hours=(1.5, 5)),
        place(box=1.0, hours=(0, 5), heights=(0.0, 50.0)),
    ):
        assert reason(world.subscribe(volume=volume, version="")) == "subscription"
    smaller = place(box=0.8, hours=(1, 2))
    assert reason(world.subscribe(volume=smaller, version="")) is None


def test_a_change_must_go_on_asking_for_operations(world, reason):
    world.subscribe()
    world.operation(subscription="watch")
    assert reason(world.subscribe(version="", operations=False, zones=True)) == "subscription"


def test_what_serves_an_operation_is_not_deleted(world, reason):
    world.subscribe()
    world.operation(subscription="watch")
    assert reason(world.unsubscribe()) == "in_use"
    world.remove_operation()
    decision = world.unsubscribe()
    assert reason(decision) is None
    assert decision.subscription is not None
    assert world.subscriptions == {}


def test_an_operation_that_has_ended_depends_on_nothing(world, place, reason):
    world.subscribe()
    world.operation(subscription="watch")
    world.hours_pass(2.5)
    moved = place(3, box=1.0, hours=(3, 5))
    assert reason(world.subscribe(volume=moved, version="")) is None
    assert reason(world.unsubscribe()) is None
    assert reason(world.remove_operation()) is None


def test_an_identifier_used_again_by_another_party_is_not_taken_along(world, place, named, reason):
    world.subscribe(volume=place(box=1.0, hours=(0, 2.1)))
    world.operation(subscription="watch")
    world.hours_pass(2.5)
    world.subscribe("watch", "bravo", place(box=1.0, hours=(3, 5)))
    assert reason(world.remove_operation()) is None
    assert world.subscriptions[named("watch")].party == "bravo"
    assert reason(world.unsubscribe("watch", "bravo")) is None
