from __future__ import annotations

import msgspec
import pytest

from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Based,
    ClockOverridden,
    Configured,
    Continued,
    Decided,
    Notified,
    Put,
    Read,
    ReadBatch,
    Refused,
    Removed,
    Reported,
    Subscribed,
    Ticked,
    Unsubscribed,
)
from deconflict.register.policy import DEFAULT_POLICY, Policy
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.held import (
    Availability,
    HeightRecord,
    Readiness,
    State,
    VolumeRecord,
)
from deconflict.register.state.register import Register
from deconflict.register.state.volume_record import volume_of

KEPT_US = DEFAULT_POLICY.kept_after_end_s * 1_000_000


@pytest.fixture
def register() -> Register:
    return Register()


def test_an_empty_register_answers_nothing(register, noon_us, square, identifier) -> None:
    for view in (register.view(noon_us), register.draft(noon_us)):
        asked = (volume_of(square()),)
        assert view.operations_meeting(asked) == view.zones_meeting(asked) == []
        assert view.subscriptions_meeting(asked) == []
        assert view.entity(identifier(1)) is None
        assert view.subscription(identifier(1)) is None
        assert view.dependents(identifier(1)) == ()
        assert view.availability("uss1") == Availability("uss1")
        assert view.policy == DEFAULT_POLICY
        assert view.now_us == noon_us
    assert register.next_due_us() is None
    assert (register.head, register.time_us) == (0, 0)


def test_what_is_put_is_found_by_identifier_and_by_place_of_its_kind_alone(
    register, held, apply, noon_us, square, subscription
) -> None:
    flight, zone, wish = held(2), held(1, kind=Kind.ZONE), subscription(3)
    apply(register, noon_us, Put(flight), Put(zone), Subscribed(wish))
    view = register.view(noon_us)
    asked = (volume_of(square(46.005, 7.005)),)
    assert view.operations_meeting(asked) == [flight]
    assert view.zones_meeting(asked) == [zone]
    assert view.subscriptions_meeting(asked) == [wish]
    assert view.entity(flight.id) == flight
    assert view.entity(zone.id) == zone
    assert view.subscription(wish.id) == wish
    assert view.entity(wish.id) is None
    assert view.entity(flight.id.upper()) is None
    assert view.entity("no uuid") is None
    assert view.operations_meeting((volume_of(square(48.0, 7.0)),)) == []
    assert view.operations_meeting(()) == []


def test_answers_come_once_each_in_the_order_of_identifiers(
    register, held, apply, noon_us, square
) -> None:
    here, there = square(), square(46.2)
    flights = [held(number, here, there) for number in (5, 1, 9, 3)]
    apply(register, noon_us, *map(Put, flights))
    found = register.view(noon_us).operations_meeting((volume_of(there), volume_of(here)))
    assert [one.id for one in found] == sorted(one.id for one in flights)


def test_a_new_version_takes_the_place_of_the_old_one(register, held, apply, noon_us, square):
    old, new = held(1, square()), held(1, square(47.0), square(48.0), version=2, party="uss9")
    apply(register, noon_us, Put(old))
    apply(register, noon_us, Put(new))
    view = register.view(noon_us)
    assert view.operations_meeting((volume_of(square()),)) == []
    assert view.operations_meeting((volume_of(square(48.0)),)) == [new]
    activated = msgspec.structs.replace(new, state=State.ACTIVATED, version=3)
    apply(register, noon_us, Put(activated))
    assert view.operations_meeting((volume_of(square(48.0)),)) == [activated]
    assert register.counts() == {"operations": 1, "zones": 0, "subscriptions": 0, "parties": 1}


def test_an_entity_of_another_kind_takes_the_place_of_the_old_one(register, held, apply, noon_us):
    apply(register, noon_us, Put(held(1)))
    apply(register, noon_us, Put(held(1, kind=Kind.ZONE)))
    assert register.counts() == {"operations": 0, "zones": 1, "subscriptions": 0, "parties": 1}
    assert register.view(noon_us).entity(held(1).id) == held(1, kind=Kind.ZONE)


def test_events_follow_one_another_in_an_entry(register, held, apply, noon_us):
    apply(
        register, noon_us, Put(held(1)), Removed(held(1).id), Put(held(2)), Put(held(2, version=2))
    )
    assert list(register.live()) == [held(2, version=2)]


def test_removing_what_is_not_there_changes_nothing(held, apply, noon_us, identifier):
    # A journal whose older entries were pruned tells of the end of what it no longer begins.
    first = Register(first=7)
    apply(first, noon_us, Removed(identifier(1)), Unsubscribed(identifier(2)),
          Notified({identifier(3): 4}))  # fmt: skip
    apply(first, noon_us, Put(held(1)))
    assert first.head == 9
    assert list(first.live()) == [held(1)]


def test_only_the_next_entry_is_applied(register, held, noon_us):
    entry = Decided(command="Test", events=(Put(held(1)),))
    with pytest.raises(RegisterError, match=r"entry 1 .* entry 0 is the next"):
        register.apply(1, noon_us, entry)
    register.apply(0, noon_us, entry)
    with pytest.raises(RegisterError, match="each once"):
        register.apply(0, noon_us, entry)
    with pytest.raises(RegisterError, match="1 µs older"):
        register.apply(1, noon_us - 1, entry)
    assert register.head == 1


def test_an_event_of_an_unknown_kind_is_refused_and_nothing_is_changed(
    register, held, apply, noon_us
):
    class Invented(msgspec.Struct, frozen=True):
        pass

    with pytest.raises(RegisterError, match="Invented"):
        apply(register, noon_us, Put(held(1)), Invented())
    with pytest.raises(RegisterError, match="kind site"):
        apply(register, noon_us, Put(held(1)), Put(held(2, kind=Kind.SITE)))
    with pytest.raises(RegisterError, match="Invented"):
        register.draft(noon_us).add([Invented()])
    assert register == Register()


@pytest.mark.parametrize(
    "event",
    [
        Refused(reason="key", sentence="a; b", missing=("x",)),
        Reported("x"),
        ReadBatch("uss1", (Read(1, "GET /", "00"),), {"00": ""}),
        Ticked(),
        ClockOverridden("the officer says so", 9),
        Based(3),
        Continued("note"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_only_told_changes_nothing_but_head_and_time(event, held, apply, noon_us):
    one, other = Register(), Register()
    apply(one, noon_us, Put(held(1)))
    apply(other, noon_us, Put(held(1)))
    draft = one.draft(noon_us)
    draft.add([event])
    assert draft.entity(held(1).id) == held(1)
    apply(one, noon_us, event)
    assert one != other
    apply(other, noon_us)
    assert one == other


def test_stating_again_what_is_held_changes_nothing(
    register, held, apply, noon_us, subscription, identifier
):
    events = (
        Put(held(1, subscription=identifier(3))),
        Put(held(2, kind=Kind.ZONE)),
        Subscribed(subscription(3, index=4)),
        AvailabilitySet(Availability("uss1", Readiness.DOWN, "v")),
        Configured(Policy(most_volumes=7)),
    )
    plain = Register()
    apply(register, noon_us, *events)
    apply(plain, noon_us, *events)
    apply(register, noon_us, Based(1), *events)
    apply(plain, noon_us)
    assert register == plain
    assert register.counts() == plain.counts()
    assert register.view(noon_us).dependents(identifier(3)) == (identifier(1),)


def test_notified_sets_the_index_and_nothing_else(register, apply, noon_us, subscription, square):
    wish = subscription(3)
    apply(register, noon_us, Subscribed(wish))
    apply(register, noon_us, Notified({wish.id: 5}))
    raised = msgspec.structs.replace(wish, index=5)
    view = register.view(noon_us)
    assert view.subscription(wish.id) == raised
    assert view.subscriptions_meeting((volume_of(square()),)) == [raised]


def test_dependents_are_those_that_name_the_subscription_now(
    register, held, apply, noon_us, identifier
):
    a, b = identifier(100), identifier(101)
    apply(register, noon_us, *(Put(held(n, subscription=a)) for n in (3, 1, 2)))
    assert register.view(noon_us).dependents(a) == tuple(map(identifier, (1, 2, 3)))
    apply(register, noon_us, Put(held(1, subscription=b)), Removed(identifier(3)))
    assert register.view(noon_us).dependents(a) == (identifier(2),)
    assert register.view(noon_us).dependents(b) == (identifier(1),)
    apply(register, noon_us, Put(held(2, version=2)), Put(held(1, kind=Kind.ZONE)))
    assert register.view(noon_us).dependents(a) == register.view(noon_us).dependents(b) == ()
    late_us = held(1).end_us + KEPT_US
    apply(register, noon_us, Put(held(2, subscription=a)))
    assert register.view(late_us).dependents(a) == (identifier(2),)
    assert register.view(late_us + 1).dependents(a) == ()


def test_an_entity_leaves_right_after_its_time(register, held, apply, noon_us, square) -> None:
    for kind in (Kind.OPERATION, Kind.ZONE):
        register = Register()
        entity = held(1, square(minutes=(0, 10)), square(minutes=(20, 30)), kind=kind)
        apply(register, noon_us, Put(entity))
        due_us = entity.end_us + KEPT_US
        assert register.next_due_us() == due_us + 1
        apply(register, due_us)
        assert register.view(due_us).entity(entity.id) == entity
        assert register.view(due_us + 1).entity(entity.id) is None
        apply(register, due_us + 1)
        assert list(register.live()) == []
        assert register.next_due_us() is None
        assert register.counts()["parties"] == 0


def test_what_has_ended_meets_nothing_once_no_clock_can_be_before_its_end(
    register, held, apply, noon_us, square, subscription
):
    flight, zone, wish = held(1), held(2, kind=Kind.ZONE), subscription(3)
    apply(register, noon_us, Put(flight), Put(zone), Subscribed(wish))
    asked = (volume_of(square()),)
    for make in (register.view, register.draft):
        at_end, after = make(flight.end_us), make(flight.end_us + 1)
        assert at_end.operations_meeting(asked) == [flight]
        assert at_end.zones_meeting(asked) == [zone]
        assert at_end.subscriptions_meeting(asked) == [wish]
        assert at_end.subscription(wish.id) == wish
        assert after.subscriptions_meeting(asked) == []
        # A clock that is five seconds fast says so while the flight is still there.
        fast, sure = make(flight.end_us + 5_000_000), make(flight.end_us + 5_000_001)
        assert fast.operations_meeting(asked) == [flight]
        assert fast.zones_meeting(asked) == [zone]
        assert sure.operations_meeting(asked) == sure.zones_meeting(asked) == []
        assert after.subscription(wish.id) is None
        assert after.entity(flight.id) == flight


def test_a_subscription_leaves_when_it_has_ended(register, apply, noon_us, subscription):
    wish = subscription(3)
    apply(register, noon_us, Subscribed(wish))
    assert register.next_due_us() == wish.end_us + 1
    apply(register, wish.end_us)
    assert list(register.live_subscriptions()) == [wish]
    apply(register, wish.end_us + 1)
    assert list(register.live_subscriptions()) == []


def test_the_policy_in_force_says_how_long_an_entity_stays(register, held, apply, noon_us):
    flight = held(1)
    apply(register, noon_us, Put(flight), Configured(Policy(kept_after_end_s=10)))
    assert register.next_due_us() == flight.end_us + 10_000_001
    apply(register, flight.end_us + 10_000_000)
    assert list(register.live()) == [flight]
    apply(register, flight.end_us + 10_000_001)
    assert list(register.live()) == []


def test_expiry_comes_before_the_events_of_the_entry(register, apply, noon_us, subscription):
    wish = subscription(3)
    again = subscription(3, index=0, end_us=wish.end_us + 10, version="v2")
    apply(register, noon_us, Subscribed(wish))
    apply(register, wish.end_us + 1, Subscribed(again))
    assert list(register.live_subscriptions()) == [again]


def test_availability_is_as_set_last(register, apply, noon_us):
    down = Availability("uss1", Readiness.DOWN, "a")
    apply(register, noon_us, AvailabilitySet(down), AvailabilitySet(Availability("a")))
    assert register.view(noon_us).availability("uss1") == down
    assert [one.party for one in register.availabilities()] == ["a", "uss1"]
    assert register.counts()["parties"] == 2


def test_a_register_without_zones_has_no_index_of_zones(register, held, apply, noon_us):
    apply(register, noon_us, Put(held(1)))
    assert register._holdings.zones._volumes is None


HELD_CHANGES = {
    "party": "uss7",
    "version": 2,
    "ovn": "other",
    "base_url": "https://other.example.org",
    "start_us": 5,
    "end_us": 2**50,
    "state": State.ACTIVATED,
    "subscription": "00000000-0000-4000-8000-00000000aaaa",
    "kind": Kind.ZONE,
    "id": "00000000-0000-4000-8000-00000000bbbb",
}
SUBSCRIPTION_CHANGES = {
    "party": "uss7",
    "version": "v2",
    "base_url": "https://other.example.org",
    "start_us": 5,
    "end_us": 2**50,
    "index": 9,
    "operations": False,
    "zones": True,
    "implicit": True,
    "id": "00000000-0000-4000-8000-00000000bbbb",
}
VOLUME_CHANGES = {
    "holes": (((46.002, 7.002), (46.002, 7.004), (46.004, 7.004)),),
    "lower": HeightRecord(100.0, "MSL"),
    "upper": HeightRecord(201.0),
    "ground_m": 3.0,
    "start_us": None,
    "end_us": None,
    "uncertainty_m": 1.0,
    "danger_radius_m": 1.0,
}


@pytest.mark.parametrize("field", [*HELD_CHANGES])
def test_registers_differ_if_a_field_of_an_entity_differs(field, held, apply, noon_us):
    one, other = Register(), Register()
    apply(one, noon_us, Put(held(1)))
    apply(other, noon_us, Put(msgspec.structs.replace(held(1), **{field: HELD_CHANGES[field]})))
    assert one != other


@pytest.mark.parametrize("field", [*SUBSCRIPTION_CHANGES])
def test_registers_differ_if_a_field_of_a_subscription_differs(field, subscription, apply, noon_us):
    one, other = Register(), Register()
    changed = msgspec.structs.replace(subscription(1), **{field: SUBSCRIPTION_CHANGES[field]})
    apply(one, noon_us, Subscribed(subscription(1)))
    apply(other, noon_us, Subscribed(changed))
    assert one != other


@pytest.mark.parametrize("field", [*VOLUME_CHANGES])
def test_registers_differ_if_a_field_of_a_volume_differs(field, held, square, apply, noon_us):
    one, other = Register(), Register()
    flight = held(1)
    changed = msgspec.structs.replace(square(), **{field: VOLUME_CHANGES[field]})
    apply(one, noon_us, Put(flight))
    apply(other, noon_us, Put(msgspec.structs.replace(flight, volumes=(changed,))))
    assert one != other


def test_registers_differ_in_head_time_policy_and_availability(apply, noon_us):
    def made(*events, time_us=noon_us, entries=1):
        register = Register()
        for _ in range(entries):
            apply(register, time_us, *events)
        return register

    assert made() == made()
    assert made() != made(entries=2)
    assert made() != made(time_us=noon_us + 1)
    assert made() != made(Configured(Policy(most_volumes=3)))
    assert made() != made(AvailabilitySet(Availability("uss1")))
    assert made() != "a register"


def test_registers_differ_if_an_index_has_another_place_for_the_same_record(held, apply, noon_us):
    one, other = Register(), Register()
    for register in (one, other):
        apply(register, noon_us, Put(held(1)))
    assert one == other
    volumes = other._holdings.operations._volumes
    key = next(iter(volumes._rows_of))
    volumes.remove(key)
    assert one != other
    volumes.insert(key, volume_of(VolumeRecord(circle=(0.0, 0.0, 1.0))))
    assert one != other


def test_a_whole_degree_is_the_same_degree_however_it_is_written(held, apply, noon_us):
    one, other = Register(), Register()
    window = {"start_us": noon_us, "end_us": noon_us + 1}
    apply(one, noon_us, Put(held(1, VolumeRecord(circle=(46.0, 7.0, 10.0), **window))))
    apply(other, noon_us, Put(held(1, VolumeRecord(circle=(46, 7, 10), **window))))
    assert one == other
