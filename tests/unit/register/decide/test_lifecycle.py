from __future__ import annotations

from itertools import product

import pytest

from deconflict.register.state.held import State

A, V, N, C = State.ACCEPTED, State.ACTIVATED, State.NONCONFORMING, State.CONTINGENT


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_only_what_is_contingent_has_no_way_back(world, reason, before, after):
    world.served()
    if before is not A:
        assert reason(world.served(ovn="", state=before)) is None
    allowed = before is not C or after is C
    assert reason(world.served(ovn="", state=after)) == (None if allowed else "invalid")


def test_what_is_contingent_can_be_deleted(world, reason):
    world.operation()
    world.served(ovn="", state=C)
    assert reason(world.remove_operation()) is None


@pytest.mark.parametrize("state", [V, N, C])
def test_all_but_accepted_need_a_subscription(world, reason, state):
    world.operation()
    assert reason(world.operation(ovn="", state=state)) == "invalid"
    assert reason(world.served(ovn="", state=state)) is None
