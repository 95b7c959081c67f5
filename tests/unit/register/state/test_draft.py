"""Drafts and views against a plain model that compares each volume with each."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deconflict.geo.separation import meets
from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Configured,
    Decided,
    Event,
    Notified,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
)
from deconflict.register.policy import DEFAULT_POLICY, Policy
from deconflict.register.state.held import (
    Availability,
    HeightRecord,
    Held,
    Readiness,
    State,
    Subscription,
    VolumeRecord,
)
from deconflict.register.state.register import Register
from deconflict.register.state.volume_record import volume_of

NOON_US = 1_795_348_800_000_000
MINUTE_US = 60_000_000
IDENTIFIERS = [str(uuid.UUID(int=(7 - n) << 120 | n, version=4)) for n in range(7)]

identifiers = st.sampled_from(IDENTIFIERS)
minutes = st.integers(-30, 120)
steps = st.integers(0, 4)


@st.composite
def records(draw) -> VolumeRecord:
    lat, lon = 46.0 + 0.004 * draw(steps), 179.995 + 0.004 * draw(steps)
    lon = lon - 360.0 if lon >= 180.0 else lon
    begin, end = sorted((draw(minutes), draw(minutes)))
    fields = {
        "start_us": NOON_US + begin * MINUTE_US,
        "end_us": NOON_US + end * MINUTE_US,
        "lower": draw(st.sampled_from((None, HeightRecord(100.0), HeightRecord(150.0, "MSL")))),
        "upper": draw(st.sampled_from((None, HeightRecord(250.0)))),
    }
    shape = draw(st.sampled_from(("circle", "ring", "route", "timed")))
    east = lon + 0.003
    if shape == "circle":
        return VolumeRecord(circle=(lat, lon, draw(st.sampled_from((0.0, 150.0, 400.0)))), **fields)
    if shape == "ring":
        ring = ((lat, lon), (lat, east), (lat + 0.003, east), (lat + 0.001, lon))
        return VolumeRecord(shell=ring, **fields)
    points = ((lat, lon), (lat + 0.002, east), (lat + 0.004, lon))
    times = ()
    if shape == "timed":
        times = (fields["start_us"], (fields["start_us"] + fields["end_us"]) // 2, fields["end_us"])
    return VolumeRecord(route=points, width_m=60.0, times_us=times, **fields)


volumes = st.lists(records(), min_size=1, max_size=2).map(tuple)


def window(volumes) -> dict[str, int]:
    return {
        "start_us": min(one.start_us for one in volumes),
        "end_us": max(one.end_us for one in volumes),
    }


@dataclass
class Model:
    """What a register or a draft should hold."""

    entities: dict[str, Held] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    availabilities: dict[str, Availability] = field(default_factory=dict)
    policy: Policy = DEFAULT_POLICY

    def add(self, event: Event) -> None:
        match event:
            case Put(entity):
                self.entities[entity.id] = entity
            case Removed(identifier):
                self.entities.pop(identifier, None)
            case Subscribed(subscription):
                self.subscriptions[subscription.id] = subscription
            case Unsubscribed(identifier):
                self.subscriptions.pop(identifier, None)
            case Notified(indices):
                for identifier, index in indices.items():
                    if identifier in self.subscriptions:
                        plain = {
                            name: getattr(self.subscriptions[identifier], name)
                            for name in Subscription.__struct_fields__
                        }
                        self.subscriptions[identifier] = Subscription(**(plain | {"index": index}))
            case AvailabilitySet(availability):
                self.availabilities[availability.party] = availability
            case Configured(policy):
                self.policy = policy

    def is_kept(self, entity: Held, now_us: int) -> bool:
        return now_us <= entity.end_us + self.policy.kept_after_end_s * 1_000_000

    def expire(self, time_us: int) -> None:
        self.entities = {
            one.id: one for one in self.entities.values() if self.is_kept(one, time_us)
        }
        self.subscriptions = {
            one.id: one for one in self.subscriptions.values() if time_us <= one.end_us
        }

    def meeting(self, held: dict, asked, now_us: int) -> list:
        return [
            one
            for _, one in sorted(held.items())
            if now_us <= one.end_us
            and any(meets(volume_of(mine), other) for mine in one.volumes for other in asked)
        ]

    def check(self, view, asked, now_us: int) -> None:
        for kind, answer in (
            (Kind.OPERATION, view.operations_meeting(asked)),
            (Kind.ZONE, view.zones_meeting(asked)),
        ):
            alike = {key: one for key, one in self.entities.items() if one.kind is kind}
            # Who decides may have a clock that is five seconds fast.
            assert answer == self.meeting(alike, asked, now_us - 5_000_000)
        assert view.subscriptions_meeting(asked) == self.meeting(self.subscriptions, asked, now_us)
        for identifier in IDENTIFIERS:
            entity = self.entities.get(identifier)
            kept = entity is not None and self.is_kept(entity, now_us)
            assert view.entity(identifier) == (entity if kept else None)
            wish = self.subscriptions.get(identifier)
            lives = wish is not None and now_us <= wish.end_us
            assert view.subscription(identifier) == (wish if lives else None)
            assert view.dependents(identifier) == tuple(
                sorted(
                    one.id
                    for one in self.entities.values()
                    if one.subscription == identifier
                    and one.kind is Kind.OPERATION
                    and self.is_kept(one, now_us)
                )
            )
        for party in ("a", "b"):
            assert view.availability(party) == self.availabilities.get(party, Availability(party))
        assert view.policy == self.policy
        assert view.now_us == now_us


class Groups(RuleBasedStateMachine):
    """Groups of decisions, each drafted and then applied or dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.register, self.model = Register(), Model()
        self.now_us = NOON_US
        self.entries: list[tuple[int, Decided]] = []
        self.begin()

    def begin(self) -> None:
        self.group: list[Decided] = []
        self.draft = self.register.draft(self.now_us)
        self.drafted = deepcopy(self.model)
        self.asked = ()

    @initialize(asked=volumes)
    def ask_of_nothing(self, asked) -> None:
        self.ask(asked)

    def decide(self, *events: Event) -> None:
        self.group.append(Decided(command="Test", events=events))
        self.draft.add(events)
        for event in events:
            self.drafted.add(event)

    @rule(
        identifier=identifiers,
        kind=st.sampled_from((Kind.OPERATION, Kind.OPERATION, Kind.ZONE)),
        made_of=volumes,
        subscription=st.none() | identifiers,
        state=st.sampled_from(State),
        implicit=st.booleans(),
        asks_first=st.booleans(),
    )
    def put(self, identifier, kind, made_of, subscription, state, implicit, asks_first) -> None:
        entity = Held(
            id=identifier, kind=kind, party="a", version=1, ovn="o", base_url="https://a",
            volumes=made_of, subscription=subscription, state=state, **window(made_of),
        )  # fmt: skip
        if asks_first:
            self.ask(made_of)
        events = [Put(entity)]
        if implicit:
            wish = Subscription(
                id=identifier, party="a", version="v", base_url="https://a",
                volumes=made_of, implicit=True, **window(made_of),
            )  # fmt: skip
            events.insert(0, Subscribed(wish))
        self.decide(*events)

    @rule(identifier=identifiers)
    def put_again_with_a_new_version(self, identifier) -> None:
        entity = self.drafted.entities.get(identifier)
        if entity is not None:
            plain = {name: getattr(entity, name) for name in Held.__struct_fields__}
            self.decide(Put(Held(**(plain | {"version": entity.version + 1}))))

    @rule(identifier=identifiers, made_of=volumes, index=st.integers(0, 9))
    def subscribe(self, identifier, made_of, index) -> None:
        wish = Subscription(
            id=identifier, party="b", version="v", base_url="https://b", index=index,
            volumes=made_of, operations=True, **window(made_of),
        )  # fmt: skip
        self.decide(Subscribed(wish))

    @rule(identifier=identifiers, of=st.sampled_from((Removed, Unsubscribed)))
    def remove(self, identifier, of) -> None:
        self.decide(of(identifier))

    @rule(identifiers=st.sets(identifiers, max_size=4), index=st.integers(10, 99))
    def notify(self, identifiers, index) -> None:
        self.decide(Notified(dict.fromkeys(sorted(identifiers), index)))

    @rule(party=st.sampled_from("ab"), readiness=st.sampled_from(Readiness))
    def set_availability(self, party, readiness) -> None:
        self.decide(AvailabilitySet(Availability(party, readiness, "v")))

    @rule(kept_s=st.sampled_from((0, 600, 3600)))
    def configure(self, kept_s) -> None:
        self.decide(Configured(Policy(kept_after_end_s=kept_s)))

    @rule(asked=volumes)
    def ask(self, asked) -> None:
        self.asked = tuple(map(volume_of, asked))

    @rule(later=st.integers(0, 40 * MINUTE_US) | st.sampled_from((0, 1, MINUTE_US)))
    def commit(self, later) -> None:
        for decided in self.group:
            self.register.apply(self.register.head, self.now_us, decided)
            self.entries.append((self.now_us, decided))
            self.model.expire(self.now_us)
            for event in decided.events:
                self.model.add(event)
        self.now_us += later
        self.begin()

    @rule()
    def drop(self) -> None:
        self.begin()

    @rule()
    def restart_from_a_snapshot(self) -> None:
        again = Register.load(self.register.dump())
        assert again == self.register
        self.register = again
        self.begin()

    @invariant()
    def views_answer_as_the_model(self) -> None:
        self.drafted.check(self.draft, self.asked, self.now_us)
        self.model.check(self.register.view(self.now_us), self.asked, self.now_us)

    def teardown(self) -> None:
        replayed = Register()
        for position, (time_us, decided) in enumerate(self.entries):
            replayed.apply(position, time_us, decided)
        assert replayed == self.register
        assert sorted(one.id for one in replayed.live()) == sorted(self.model.entities)
        kept_us = self.model.policy.kept_after_end_s * 1_000_000
        due = [one.end_us + kept_us + 1 for one in self.model.entities.values()]
        due += [one.end_us + 1 for one in self.model.subscriptions.values()]
        assert replayed.next_due_us() == min(due, default=None)


TestGroups = Groups.TestCase
TestGroups.pytestmark = [pytest.mark.slow]
TestGroups.settings = settings(max_examples=40, stateful_step_count=30)


def test_many_in_one_draft_are_found_like_in_the_register(held, subscription, square, noon_us):
    register, draft_of = Register(), Register()
    draft = draft_of.draft(noon_us)
    events = [
        Put(held(n, square(46.0 + 0.0101 * (n % 16), minutes=(n % 7, 10)))) for n in range(256)
    ]
    events += [Subscribed(subscription(n, square(46.0 + 0.002 * n))) for n in range(60)]
    for event in events:
        draft.add([event])
    register.apply(0, noon_us, Decided(command="Test", events=tuple(events)))
    view = register.view(noon_us)
    for lat in (46.0, 46.05, 46.13, 47.0):
        asked = (volume_of(square(lat, minutes=(0, 3))),)
        assert draft.operations_meeting(asked) == view.operations_meeting(asked)
        assert draft.subscriptions_meeting(asked) == view.subscriptions_meeting(asked)
    assert len(view.operations_meeting((volume_of(square(46.05)),))) > 30


def test_what_two_drafts_of_one_register_add_stays_theirs(held, square, noon_us) -> None:
    register = Register()
    one, other = register.draft(noon_us), register.draft(noon_us)
    one.add([Put(held(1))])
    asked = (volume_of(square()),)
    assert one.operations_meeting(asked) == [held(1)]
    assert other.operations_meeting(asked) == register.view(noon_us).operations_meeting(asked) == []
    assert register == Register()
