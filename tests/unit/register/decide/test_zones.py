from __future__ import annotations

from deconflict.register.entity import Kind
from deconflict.register.event import Removed
from deconflict.register.policy import Policy


def test_a_zone_stands_whatever_it_meets(world, reason):
    world.operation()
    world.zone("a")
    decision = world.zone("b", "bravo")
    assert reason(decision) is None
    assert (decision.entity.kind, decision.entity.version) == (Kind.ZONE, 1)


def test_a_change_raises_the_version_and_gives_another_ovn(world):
    before = world.zone().entity
    after = world.zone(ovn=before.ovn).entity
    assert after.version == 2
    assert after.ovn != before.ovn


def test_who_may_touch_a_zone(world, reason):
    old = world.zone().entity.ovn
    world.zone(ovn=old)
    assert reason(world.zone()) == "exists"
    assert reason(world.zone("zone", "bravo")) == "not_yours"
    assert reason(world.zone("zone", "bravo", ovn="")) == "not_yours"
    assert reason(world.zone(ovn=old)) == "stale"
    assert reason(world.zone("other", ovn=old)) == "absent"
    assert reason(world.remove_zone("zone", "bravo")) == "not_yours"
    assert reason(world.remove_zone(ovn=old)) == "stale"
    assert reason(world.remove_zone("other", ovn=old)) == "absent"


def test_an_operation_is_not_changed_as_a_zone(world, reason):
    world.operation("same")
    assert reason(world.zone("same", "alpha", ovn="")) == "absent"


def test_a_deleted_zone_is_shown_as_it_was(world, named):
    held = world.zone().entity
    decision = world.remove_zone()
    assert decision.entity == held
    assert decision.events == (Removed(named("zone")),)


def test_a_party_that_is_down_can_still_warn_of_a_zone(world, reason):
    world.zone()
    world.mark("authority")
    assert reason(world.zone(ovn="")) is None
    assert reason(world.remove_zone()) is None


def test_the_policys_limits_hold_for_zones(world, place, reason):
    assert reason(world.zone("a", "bravo", place(hours=(-2, -1)))) == "invalid"
    world.policy = Policy(horizon_s=3_600, most_volumes=1)
    assert reason(world.zone("a", "bravo", place(hours=(0, 2)))) == "invalid"
    assert reason(world.zone("a", "bravo", place(hours=(0, 1)), place())) == "invalid"
    assert reason(world.zone("a", "bravo", place(hours=(0, 1)))) is None
