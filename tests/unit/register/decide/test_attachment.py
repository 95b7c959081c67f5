from __future__ import annotations

from uuid import UUID

import pytest

from deconflict.geo.height import AltitudeBand
from deconflict.geo.volume import Circle, Polygon, Volume4D
from deconflict.register.command import NewSubscription
from deconflict.register.event import Put, Removed, Subscribed, Unsubscribed
from deconflict.register.state.held import State

NULL = "00000000-0000-4000-8000-000000000000"
BOX = ((47.0, 8.0), (47.0, 8.1), (47.1, 8.1), (47.1, 8.0))


def kinds(decision):
    return [type(event) for event in decision.events]


def test_an_existing_and_a_new_subscription_together_are_refused(world, reason):
    world.subscribe()
    assert reason(world.served(subscription="watch")) == "invalid"


def test_a_new_subscription_is_made_with_the_operations_volumes(world):
    held = world.served(zones=True).entity
    made = world.implicit()
    assert made.id == held.subscription
    assert UUID(made.id).version == 4
    assert (made.party, made.volumes, made.implicit) == ("alpha", held.volumes, True)
    assert (made.start_us, made.end_us) == (held.start_us, held.end_us)
    assert (made.operations, made.zones) == (True, True)
    assert made.version not in made.id


def test_the_null_subscription_is_none(world, place, reason):
    assert world.attached("flight", NULL, place(), ovn=None).entity.subscription is None
    activated = world.attached("flight", NULL, place(), state=State.ACTIVATED)
    assert reason(activated) == "invalid"
    new = NewSubscription("https://uss.example.org")
    assert reason(world.attached("flight", NULL, place(), new=new)) is None
    assert world.implicit().implicit


def test_an_operation_is_served_by_the_subscription_that_it_names(world, named):
    world.subscribe()
    assert world.operation(subscription="watch").entity.subscription == named("watch")
    assert world.dependents(named("watch")) == (named("flight"),)


def test_absent_and_other_parties_subscriptions_are_refused_alike(world, reason, named):
    world.subscribe("theirs", "bravo")
    absent, theirs = (world.operation(subscription=name) for name in ("absent", "theirs"))
    assert reason(absent) == reason(theirs) == "subscription"
    assert absent.refusal.sentence.replace(named("absent"), "") == theirs.refusal.sentence.replace(
        named("theirs"), ""
    )


def test_a_subscription_that_has_ended_serves_nothing(world, place, reason):
    world.subscribe(volume=place(box=1.0, hours=(0, 3), heights=None))
    world.hours_pass(3.5)
    decision = world.operation("flight", "alpha", place(hours=(4, 5)), subscription="watch")
    assert reason(decision) == "subscription"


def test_a_subscription_to_zones_alone_serves_no_operation(world, reason):
    world.subscribe(operations=False, zones=True)
    assert reason(world.operation(subscription="watch")) == "subscription"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x": 0.45}, "in plan"),
        ({"x": 30}, "in plan"),
        ({"hours": (0.5, 2.0)}, "in time"),
        ({"hours": (1.0, 5.1)}, "in time"),
        ({"heights": (-10.0, 50.0)}, "in height"),
        ({"heights": (0.0, 301.0)}, "in height"),
    ],
)
def test_an_operation_that_sticks_out_of_its_subscription_is_refused(
    world, place, reason, changed, said
):
    world.subscribe(volume=place(box=1.0, hours=(1, 5), heights=(0.0, 300.0)))
    refused = world.operation("flight", "alpha", place(**changed), subscription="watch")
    assert reason(refused) == "subscription"
    assert said in refused.refusal.sentence


def test_every_volume_has_to_be_covered(world, place, reason):
    world.subscribe()
    refused = world.operation("flight", "alpha", place(), place(3), subscription="watch")
    assert reason(refused) == "subscription"


@pytest.mark.parametrize(
    "footprint",
    [
        Circle((47.0, 8.0), 500.0),
        Circle((47.0, 8.0), 20_000.0),
        Polygon(BOX),
        Polygon((*BOX[:2], (47.03, 8.04), BOX[2])),
        Polygon(((10.0, 179.9), (10.0, -179.9), (10.2, 179.99))),
        Polygon(((89.8, 0.0), (89.8, 120.0), (89.8, -120.0))),
    ],
)
def test_the_very_same_volume_is_covered(world, place, reason, footprint):
    same = Volume4D(footprint=footprint, band=place().band, start=place().start, end=place().end)
    world.subscribe(volume=same)
    assert reason(world.operation("flight", "alpha", same, subscription="watch")) is None


def test_an_uncertain_volume_is_covered_by_its_like(world, place, reason):
    same = Volume4D(
        footprint=Polygon(BOX), start=place().start, end=place().end, uncertainty_m=50.0
    )
    world.subscribe(volume=same)
    assert reason(world.operation("flight", "alpha", same, subscription="watch")) is None


def test_a_subscription_without_heights_covers_every_height(world, place, reason):
    world.subscribe(volume=place(box=1.0, hours=(0, 5), heights=None))
    high = Volume4D(
        footprint=place().footprint, band=AltitudeBand(), start=place().start, end=place().end
    )
    assert reason(world.operation("flight", "alpha", high, subscription="watch")) is None


def test_what_is_past_of_an_operation_need_not_be_covered(world, place, reason):
    world.subscribe(volume=place(box=1.0, hours=(None, 5), heights=None))
    begun = (place(hours=(-1, 2)), place(9, hours=(-2, -1)))
    assert reason(world.operation("flight", "alpha", *begun, subscription="watch")) is None


def test_an_implicit_subscription_is_extended_rather_than_refused(world, place):
    world.served()
    before = world.implicit()
    decision = world.attached("flight", before.id, place(4, hours=(3, 4)))
    after = world.implicit()
    assert (after.id, after.implicit) == (before.id, True)
    assert after.version != before.version
    assert after.volumes == decision.entity.volumes
    assert after.end_us == decision.entity.end_us


def test_an_implicit_subscription_that_covers_already_stays_as_it_is(world, place):
    world.served()
    kept = world.implicit()
    world.attached("flight", kept.id, place(radius_m=500.0))
    after = world.implicit()
    assert (after.version, after.volumes) == (kept.version, kept.volumes)


def test_an_extended_implicit_subscription_still_covers_the_others_that_it_serves(
    world, place, named
):
    world.served("a")
    shared = world.implicit("a")
    world.attached("b", shared.id, place(3, hours=(1, 6)), ovn=None)
    extended = world.implicit("a")
    assert extended.id == shared.id
    for name in ("a", "b"):
        held = world.entities[named(name)]
        assert set(held.volumes) <= set(extended.volumes)
        assert extended.start_us <= held.start_us
        assert held.end_us <= extended.end_us


def test_an_implicit_subscription_goes_with_its_last_operation(world, place):
    world.served("a")
    shared = world.implicit("a")
    world.attached("b", shared.id, place(3), ovn=None)
    assert kinds(world.remove_operation("a"))[0] is Removed
    assert shared.id in world.subscriptions
    assert Unsubscribed(shared.id) in world.remove_operation("b").events
    assert shared.id not in world.subscriptions


def test_an_explicit_subscription_outlives_its_operations(world, named):
    world.subscribe()
    world.operation(subscription="watch")
    world.remove_operation()
    assert named("watch") in world.subscriptions


def test_another_new_subscription_replaces_the_implicit_one(world):
    world.served()
    old = world.implicit()
    decision = world.served(ovn="")
    assert kinds(decision)[:3] == [Subscribed, Put, Unsubscribed]
    assert decision.events[2].id == old.id
    assert world.implicit().id != old.id


def test_an_accepted_operation_that_names_none_is_detached(world):
    world.served()
    old = world.implicit()
    assert world.operation(ovn="").entity.subscription is None
    assert old.id not in world.subscriptions


def test_what_has_ended_keeps_no_implicit_subscription(world, place):
    world.served("short", "alpha", place(hours=(0, 1)))
    shared = world.implicit("short")
    world.attached("long", shared.id, place(3, hours=(0, 5)), ovn=None)
    world.hours_pass(1.5)
    assert Unsubscribed(shared.id) in world.remove_operation("long").events
    assert world.remove_operation("short").refusal is None


def boxed(place, south, north, west, east):
    """Return a volume whose edges between its corners are geodesics."""
    corners = ((south, west), (south, east), (north, east), (north, west))
    like = place(heights=(0.0, 100.0))
    return Volume4D(footprint=Polygon(corners), band=like.band, start=like.start, end=like.end)


def test_a_box_that_shares_a_parallel_with_its_subscription_counts_as_covered(world, place, reason):
    # The longer edge bows 38 m to the north in its middle (GeographicLib), the shorter one 1 m.
    world.subscribe(volume=boxed(place, 60.0, 60.3, 10.0, 10.6))
    inside = boxed(place, 60.0, 60.1, 10.25, 10.35)
    assert reason(world.operation("flight", "alpha", inside, subscription="watch")) is None


def test_what_meets_only_the_part_outside_is_told_all_the_same(world, place, named):
    world.subscribe(volume=boxed(place, 60.0, 60.3, 10.0, 10.6))
    inside = boxed(place, 60.0, 60.1, 10.25, 10.35)
    first = world.operation("flight", "alpha", inside, subscription="watch").entity
    # It ends 5 m north of the parallel: south of the subscription's edge there, which bows.
    beside = boxed(place, 59.99, 60.000045, 10.29, 10.31)
    other = world.operation("other", "bravo", beside, key={first.ovn})
    assert [found.id for found in other.notify] == [named("watch")]
