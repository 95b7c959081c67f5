"""A small world to decide in: a plain view of lists, and commands with few words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from deconflict.geo.height import AltitudeBand, Height
from deconflict.geo.separation import meets
from deconflict.geo.volume import Circle, Polygon, Volume4D
from deconflict.register.command import (
    ENTROPY_BYTES,
    NewSubscription,
    PutOperation,
    PutSubscription,
    PutZone,
    RemoveOperation,
    RemoveSubscription,
    RemoveZone,
    SetAvailability,
)
from deconflict.register.decide import decide
from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Configured,
    Notified,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
)
from deconflict.register.policy import Policy
from deconflict.register.state.held import Availability, Readiness, State
from deconflict.register.state.volume_record import volume_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_US = 1_795_348_800_000_000
HOUR_US = 3_600_000_000
URL = "https://uss.example.org"


def named(name: str) -> str:
    """Return the identifier that stands for a name."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def place(
    x: float = 0.0,
    *,
    hours: tuple[float | None, float | None] = (1.0, 2.0),
    heights: tuple[float, float] | None = (0.0, 100.0),
    radius_m: float = 1_000.0,
    box: float | None = None,
) -> Volume4D:
    """Return a circle `x` tenths of a degree (some 7.5 km) east, or a box of so many tenths."""
    lat, lon = 47.0, 8.0 + x / 10.0
    footprint: Circle | Polygon = Circle((lat, lon), radius_m)
    if box is not None:
        d = box / 20.0
        footprint = Polygon(
            ((lat - d, lon - d), (lat - d, lon + d), (lat + d, lon + d), (lat + d, lon - d))
        )
    start, end = (None if h is None else NOON + timedelta(hours=h) for h in hours)
    band = AltitudeBand() if heights is None else AltitudeBand(*map(Height, heights))
    return Volume4D(footprint=footprint, band=band, start=start, end=end)


@dataclass
class World:
    """A view of plain lists, and what has been decided in it."""

    now_us: int = NOON_US
    policy: Policy = field(default_factory=Policy)
    entities: dict = field(default_factory=dict)
    subscriptions: dict = field(default_factory=dict)
    availabilities: dict = field(default_factory=dict)
    commands: int = 0

    # The view.

    def entity(self, identifier):
        held = self.entities.get(identifier)
        kept_us = self.policy.kept_after_end_s * 1_000_000
        return None if held is None or held.end_us + kept_us < self.now_us else held

    def subscription(self, identifier):
        found = self.subscriptions.get(identifier)
        return None if found is None or found.end_us < self.now_us else found

    def dependents(self, subscription):
        return tuple(sorted(e.id for e in self.entities.values() if e.subscription == subscription))

    def availability(self, party):
        return self.availabilities.get(party, Availability(party))

    def _meeting(self, held, volumes):
        return [
            found
            for _, found in sorted(held.items())
            if found.end_us >= self.now_us
            and any(meets(volume_of(a), b) for a in found.volumes for b in volumes)
        ]

    def operations_meeting(self, volumes):
        found = self._meeting(self.entities, volumes)
        return [held for held in found if held.kind is Kind.OPERATION]

    def zones_meeting(self, volumes):
        found = self._meeting(self.entities, volumes)
        return [held for held in found if held.kind is Kind.ZONE]

    def subscriptions_meeting(self, volumes):
        return self._meeting(self.subscriptions, volumes)

    # What changes it.

    def apply(self, event):
        match event:
            case Put(entity):
                self.entities[entity.id] = entity
            case Removed(identifier):
                del self.entities[identifier]
            case Subscribed(subscription):
                self.subscriptions[subscription.id] = subscription
            case Unsubscribed(identifier):
                del self.subscriptions[identifier]
            case Notified(indices):
                for identifier, index in indices.items():
                    self.subscriptions[identifier] = msgspec.structs.replace(
                        self.subscriptions[identifier], index=index
                    )
            case AvailabilitySet(availability):
                self.availabilities[availability.party] = availability
            case Configured(policy):
                self.policy = policy

    def do(self, kind, party, **more):
        """Decide a command and apply what follows."""
        self.commands += 1
        seed = hashlib.sha512(str(self.commands).encode()).digest()
        assert len(seed) == ENTROPY_BYTES
        decision = decide(self, kind(party=party, entropy=seed, **more))
        assert decision.events
        for event in decision.events:
            self.apply(event)
        return decision

    def hours_pass(self, hours):
        self.now_us += int(hours * HOUR_US)

    # Commands with few words; an OVN or version of "" is the current one.

    def _ovn(self, name, ovn):
        return self.entities[named(name)].ovn if ovn == "" else ovn

    def operation(
        self,
        name="flight",
        party="alpha",
        *volumes,
        ovn=None,
        state=State.ACCEPTED,
        key=(),
        subscription=None,
        new=None,
        suffix=None,
    ):
        return self.do(
            PutOperation,
            party,
            id=named(name),
            ovn=self._ovn(name, ovn),
            volumes=volumes or (place(),),
            state=state,
            base_url=URL,
            key=frozenset(key),
            subscription=None if subscription is None else named(subscription),
            new_subscription=new,
            ovn_suffix=suffix,
        )

    def served(self, name="flight", party="alpha", *volumes, zones=False, **more):
        """Put an operation with a new implicit subscription."""
        return self.operation(name, party, *volumes, new=NewSubscription(URL, zones), **more)

    def attached(self, name, subscription, *volumes, ovn="", state=State.ACCEPTED, new=None):
        """Put an operation of alpha's with a subscription by its own identifier."""
        return self.do(
            PutOperation,
            "alpha",
            id=named(name),
            ovn=self._ovn(name, ovn),
            volumes=volumes,
            state=state,
            base_url=URL,
            subscription=subscription,
            new_subscription=new,
        )

    def remove_operation(self, name="flight", party="alpha", ovn=""):
        return self.do(RemoveOperation, party, id=named(name), ovn=self._ovn(name, ovn))

    def zone(self, name="zone", party="authority", *volumes, ovn=None):
        return self.do(
            PutZone,
            party,
            id=named(name),
            ovn=self._ovn(name, ovn),
            volumes=volumes or (place(),),
            base_url=URL,
        )

    def remove_zone(self, name="zone", party="authority", ovn=""):
        return self.do(RemoveZone, party, id=named(name), ovn=self._ovn(name, ovn))

    def subscribe(
        self,
        name="watch",
        party="alpha",
        volume=None,
        *,
        version=None,
        operations=True,
        zones=False,
    ):
        if version == "":
            version = self.subscriptions[named(name)].version
        if volume is None:
            volume = place(box=1.0, hours=(0.0, 12.0), heights=None)
        return self.do(
            PutSubscription,
            party,
            id=named(name),
            version=version,
            volume=volume,
            base_url=URL,
            operations=operations,
            zones=zones,
        )

    def unsubscribe(self, name="watch", party="alpha", version=""):
        if version == "":
            version = self.subscriptions[named(name)].version
        return self.do(RemoveSubscription, party, id=named(name), version=version)

    def mark(self, party, readiness=Readiness.DOWN):
        return self.do(
            SetAvailability,
            "arbiter",
            of=party,
            old_version=self.availability(party).version,
            readiness=readiness,
        )

    def implicit(self, name="flight"):
        """Return the subscription that serves an operation."""
        return self.subscriptions[self.entities[named(name)].subscription]


@pytest.fixture
def world():
    return World()


@pytest.fixture(name="place")
def place_():
    return place


@pytest.fixture(name="named")
def named_():
    return named


@pytest.fixture
def reason():
    """Return the reason of a refusal, checked for its form; ``None``: carried out."""

    def of(decision):
        if decision.refusal is None:
            return None
        (event,) = decision.events
        assert event.reason == decision.refusal.reason.value
        assert event.sentence == decision.refusal.sentence
        assert decision.entity is None
        assert decision.notify == ()
        return decision.refusal.reason.value

    return of
