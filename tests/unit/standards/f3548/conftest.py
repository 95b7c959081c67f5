"""A discovery service without a server: the endpoints, the real `decide`, and a register."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from deconflict.geo.separation import meets
from deconflict.identity.caller import NOBODY, Caller
from deconflict.register.decide import decide
from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Decided,
    Notified,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
    decode_decided,
    encode_decided,
)
from deconflict.register.policy import Policy
from deconflict.register.state.held import Availability
from deconflict.register.state.register import Register
from deconflict.register.state.volume_record import volume_of
from deconflict.standards.f3548.routes import FAMILY
from deconflict.standards.service import Call, RequestError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SC = "utm.strategic_coordination"
CMSA = "utm.conformance_monitoring_sa"
CM = "utm.constraint_management"
CP = "utm.constraint_processing"
AA = "utm.availability_arbitration"


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


@dataclass
class Airspace:
    """A register of plain lists: a view, and what the events of decisions change in it."""

    now_us: int = microseconds(NOW)
    policy: Policy = field(default_factory=Policy)
    entities: dict = field(default_factory=dict)
    subscriptions: dict = field(default_factory=dict)
    availabilities: dict = field(default_factory=dict)

    def entity(self, identifier):
        return self.entities.get(identifier)

    def subscription(self, identifier):
        return self.subscriptions.get(identifier)

    def dependents(self, subscription):
        served = (e.id for e in self.entities.values() if e.subscription == subscription)
        return tuple(sorted(served))

    def availability(self, party):
        return self.availabilities.get(party, Availability(party))

    def operations_meeting(self, volumes):
        return self._meeting(volumes, self.entities, Kind.OPERATION)

    def zones_meeting(self, volumes):
        return self._meeting(volumes, self.entities, Kind.ZONE)

    def subscriptions_meeting(self, volumes):
        return self._meeting(volumes, self.subscriptions, None)

    def _meeting(self, volumes, held, kind):
        return [
            one
            for _, one in sorted(held.items())
            if one.end_us >= self.now_us
            and (kind is None or one.kind is kind)
            and any(meets(volume_of(mine), other) for mine in one.volumes for other in volumes)
        ]

    def view(self):
        return self

    draft = view

    def apply(self, decided):
        for event in decided.events:
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
                        held = self.subscriptions[identifier]
                        self.subscriptions[identifier] = msgspec.structs.replace(held, index=index)
                case AvailabilitySet(availability):
                    self.availabilities[availability.party] = availability
                case _:
                    pass


class Registered:
    """The real register, to which everything is applied at noon."""

    def __init__(self):
        self.register = Register()

    def view(self):
        return self.register.view(microseconds(NOW))

    def draft(self):
        return self.register.draft(microseconds(NOW))

    def apply(self, decided):
        self.register.apply(self.register.head, microseconds(NOW), decided)


class Answer:
    """A reply, or a refusal as the interface's error form has it."""

    def __init__(self, reply):
        self.status = reply.status
        self.media_type = reply.media_type
        self.bytes = reply.body

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def message(self):
        return self.json["message"]


class Service:
    """The service as handlers see it; every command is decided at once."""

    def __init__(self, airspace):
        self.airspace = airspace
        self.submissions = []
        self.reads = []
        self._drawn = 0

    def view(self):
        return self.airspace.view()

    def entropy(self):
        self._drawn += 1
        return self._drawn.to_bytes(4) * 16

    async def aside(self, _call, work):
        return work()

    def answered(self, call, shown):
        self.reads.append((call.caller.party, call.request, list(shown)))

    async def submit(self, submission):
        self.submissions.append(submission)
        command, call = submission.command, submission.call
        draft = self.airspace.draft()
        decision = decide(draft, command)
        told = submission.tell(decision, draft)
        decided = Decided(
            party=command.party,
            command=type(command).__name__,
            request=call.request,
            events=decision.events,
        )
        self.airspace.apply(decode_decided(encode_decided(decided)))
        assert told[0].audience == call.caller.party
        return told[0].reply


class Client:
    """One party with one token; endpoints are found as their paths say."""

    def __init__(self, service, party, scopes):
        self.service = service
        self.party = party
        self.caller = Caller(party, frozenset(scopes), "https://auth.example.com", 2_000_000_000)

    def __call__(self, method, path, body=None, *, query=None):
        endpoint, parameters = route(method, path)
        assert (
            endpoint.public
            or not endpoint.scopes
            or any(needed <= self.caller.scopes for needed in endpoint.scopes)
        ), f"{self.party} lacks a scope of {endpoint.operation}"
        call = Call(
            NOBODY if endpoint.public else self.caller,
            f"{method} {path}",
            parameters,
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
            query or {},
        )
        try:
            return Answer(asyncio.run(endpoint.handle(self.service, call)))
        except RequestError as error:
            return Answer(FAMILY.error(error.status, error.sentence))


def route(method, path):
    parts = path.split("/")
    for endpoint in FAMILY.endpoints:
        names = endpoint.path.split("/")
        if endpoint.method == method and len(names) == len(parts):
            pairs = list(zip(names, parts, strict=True))
            if all(name == part or name[:1] == "{" for name, part in pairs):
                return endpoint, {name[1:-1]: part for name, part in pairs if name[:1] == "{"}
    raise LookupError(f"no endpoint for {method} {path}")


class Say:
    """Request bodies with few words. Times are hours from now, places tenths of a degree east."""

    def time(self, hours):
        instant = NOW + timedelta(hours=hours)
        return {"value": instant.isoformat().replace("+00:00", "Z"), "format": "RFC3339"}

    def altitude(self, metres):
        return {"value": metres, "reference": "W84", "units": "M"}

    def ring(self, x=0.0, size=0.01):
        lat, lng = 47.0, 8.0 + x / 10
        corners = ((0, 0), (0, size), (size, size), (size, 0))
        return {"vertices": [{"lat": lat + a, "lng": lng + b} for a, b in corners]}

    def circle(self, x=0.0, radius=500.0):
        center = {"lat": 47.0, "lng": 8.0 + x / 10}
        return {"center": center, "radius": {"value": radius, "units": "M"}}

    def volume(self, x=0.0, *, hours=(1, 2), heights=(100, 200), **outline):
        space = outline or {"outline_polygon": self.ring(x)}
        volume = {"volume": space}
        if heights is not None:
            space["altitude_lower"], space["altitude_upper"] = map(self.altitude, heights)
        if hours is not None:
            volume["time_start"], volume["time_end"] = map(self.time, hours)
        return volume

    def intent(self, x=0.0, **other):
        return {
            "extents": [self.volume(x)],
            "state": "Accepted",
            "uss_base_url": "https://uss.example.com/utm",
            **other,
        }

    def constraint(self, x=0.0, **other):
        return {
            "extents": [self.volume(x)],
            "uss_base_url": "https://uss.example.com/utm",
            **other,
        }

    def subscription(self, x=0.0, **other):
        return {
            "extents": self.volume(x, hours=(0, 5), heights=(0, 1000)),
            "uss_base_url": "https://uss.example.com/utm",
            "notify_for_operational_intents": True,
            **other,
        }

    def area(self, x=0.0, **volume):
        return {"area_of_interest": self.volume(x, **volume)}


@pytest.fixture
def say():
    return Say()


@pytest.fixture(params=[Airspace, Registered], ids=["lists", "register"])
def service(request):
    return Service(request.param())


@pytest.fixture
def client(service):
    """Make a party's client, with all scopes unless some are named."""
    return lambda party="uss1", *scopes: Client(service, party, scopes or (SC, CMSA, CM, CP, AA))


@pytest.fixture
def uss1(client):
    return client("uss1")


@pytest.fixture
def uss2(client):
    return client("uss2")
