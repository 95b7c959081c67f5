"""Deciding, drafts, apply, replay and snapshots against a plain model of the standard.

Volumes are boxes of whole and half hundredths of a degree whose edges never come close to one
another unless they are the very same box, so the model compares plain numbers. What the model
can't know (OVNs, versions, new identifiers) it takes from the decision and demands to be new.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from deconflict.geo.height import AltitudeBand, Height
from deconflict.geo.volume import Polygon, Volume4D
from deconflict.register.command import (
    Configure,
    NewSubscription,
    PutOperation,
    PutSubscription,
    PutZone,
    RemoveOperation,
    RemoveSubscription,
    RemoveZone,
    SetAvailability,
    Tick,
)
from deconflict.register.decide import decide
from deconflict.register.event import Decided, decode_decided, encode_decided
from deconflict.register.policy import Policy
from deconflict.register.state.held import Readiness, State
from deconflict.register.state.register import Register

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON_US = 1_795_348_800_000_000
QUARTER_US = 900_000_000
DAY_US = 96 * QUARTER_US
SKEW_US = 300_000_000
KEPT_US = 4 * QUARTER_US
CLOCK_US = 5_000_000
"""So much fast the clock may be by which is decided; what ended only by it is compared still."""
NULL = "00000000-0000-4000-8000-000000000000"
URL = "https://uss.example.org"
PARTIES = ("alpha", "bravo", "charlie")
KEYED = ("Accepted", "Activated")


def uuid(name):
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


ENTITIES = tuple(uuid(f"entity {n}") for n in range(5))
SUBSCRIPTIONS = tuple(uuid(f"subscription {n}") for n in range(3))


@dataclass(frozen=True)
class Box:
    """A volume in the model's own terms: hundredths of a degree, metres, microseconds."""

    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float] | None
    t: tuple[int, int]

    def meets(self, other):
        return all(
            a is None or b is None or (a[0] <= b[1] and b[0] <= a[1])
            for a, b in zip(self._sides(), other._sides(), strict=True)
        )

    def holds(self, other):
        return all(
            a is None or (b is not None and a[0] <= b[0] and b[1] <= a[1])
            for a, b in zip(self._sides(), other._sides(), strict=True)
        )

    def _sides(self):
        return self.x, self.y, self.z, self.t

    def volume(self, *, start=True, end=True):
        west, east = (8.0 + v / 100 for v in self.x)
        south, north = (47.0 + v / 100 for v in self.y)
        return Volume4D(
            footprint=Polygon(((south, west), (south, east), (north, east), (north, west))),
            band=AltitudeBand() if self.z is None else AltitudeBand(*map(Height, self.z)),
            start=EPOCH + timedelta(microseconds=self.t[0]) if start else None,
            end=EPOCH + timedelta(microseconds=self.t[1]) if end else None,
        )


@dataclass(frozen=True)
class Entity:
    kind: str
    party: str
    version: int
    ovn: str
    boxes: tuple[Box, ...]
    state: str = "Accepted"
    subscription: str | None = None
    suffix: str = ""

    @property
    def end(self):
        return max(box.t[1] for box in self.boxes)


@dataclass(frozen=True)
class Watch:
    party: str
    version: str
    boxes: tuple[Box, ...]
    operations: bool
    zones: bool
    index: int = 0
    implicit: bool = False

    @property
    def end(self):
        return max(box.t[1] for box in self.boxes)


def meet(some: Iterable[Box], others: Iterable[Box]) -> bool:
    others = tuple(others)
    return any(a.meets(b) for a in some for b in others)


class BrokenError(Exception):
    """The model refuses: a reason, and what is missing."""

    def __init__(self, reason, operations=(), zones=()):
        super().__init__(reason)
        self.outcome = (reason, sorted(operations), sorted(zones))


@dataclass
class Model:
    """What the standard says, in loops over everything."""

    now: int = NOON_US
    horizon: int = 31 * DAY_US
    entities: dict[str, Entity] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    availability: dict[str, str] = field(default_factory=dict)

    def forget(self):
        """Let go of what nobody can see any more."""
        self.entities = {i: e for i, e in self.entities.items() if e.end + KEPT_US >= self.now}
        self.watches = {i: w for i, w in self.watches.items() if w.end >= self.now}

    def served(self, watch):
        return {
            i: e for i, e in self.entities.items() if e.subscription == watch and e.end >= self.now
        }

    def met(self, kind, boxes):
        return sorted(
            i
            for i, e in self.entities.items()
            if e.kind == kind and e.end + CLOCK_US >= self.now and meet(e.boxes, boxes)
        )

    def covers(self, by, boxes):
        for box in boxes:
            start, end = box.t
            if end < self.now:
                continue
            rest = replace(box, t=(max(start, self.now), end))
            if not any(cover.holds(rest) for cover in by):
                return False
        return True

    def check_times(self, boxes):
        end = max(box.t[1] for box in boxes)
        if not self.now <= end <= self.now + self.horizon:
            raise BrokenError("invalid")

    def check_owned(self, held, party, given, current):
        if held is None:
            raise BrokenError("absent")
        if held.party != party:
            raise BrokenError("not_yours")
        if given != current:
            raise BrokenError("stale")

    def entity_to_change(self, kind, identifier, party, ovn):
        held = self.entities.get(identifier)
        if held is not None and held.kind != kind:
            held = None
        self.check_owned(held, party, ovn, held.ovn if held else None)
        return held

    def check_new(self, held, party):
        if held is not None:
            raise BrokenError("exists" if held.party == party else "not_yours")

    def told(self, kind, boxes, *, gone=None):
        """Raise the indices of those who are told, and return them."""
        told = {}
        for i, watch in sorted(self.watches.items()):
            wants = watch.operations if kind == "operation" else watch.zones
            serves = any(
                entity.subscription == i
                and entity.end + CLOCK_US >= self.now
                and entity.party == watch.party
                and meet(entity.boxes, boxes)
                for entity in self.entities.values()
            )
            if wants and i != gone and (serves or meet(watch.boxes, boxes)):
                self.watches[i] = replace(watch, index=watch.index + 1)
                told[i] = watch.index + 1
        return told

    def leave(self, identifier, held, to):
        """Return the implicit subscription that goes because its last operation leaves it."""
        watch = self.watches.get(held.subscription) if held.subscription else None
        if watch is None or held.subscription == to:
            return None
        if not watch.implicit or set(self.served(held.subscription)) - {identifier}:
            return None
        return held.subscription

    def put_operation(self, c, boxes, decision):
        self.check_times(boxes)
        named = None if c.subscription == NULL else c.subscription
        if named and c.new_subscription:
            raise BrokenError("invalid")
        if c.state != "Accepted" and not named and not c.new_subscription:
            raise BrokenError("invalid")
        if c.ovn is None:
            held = None
            self.check_new(self.entities.get(c.id), c.party)
            if c.state != "Accepted":
                raise BrokenError("invalid")
        else:
            held = self.entity_to_change("operation", c.id, c.party, c.ovn)
            if held.state == "Contingent" != c.state:
                raise BrokenError("invalid")
        if c.state in KEYED and c.party in self.down:
            raise BrokenError("down")
        last = held.suffix if held else ""
        if c.ovn_suffix and c.ovn_suffix <= last:
            raise BrokenError("invalid")

        # The subscription as it will be, under its identifier.
        attached, watch = named, None
        zones = bool(c.new_subscription and c.new_subscription.zones)
        if named:
            found = self.watches.get(named)
            if found is None or found.party != c.party or not found.operations:
                raise BrokenError("subscription")
            zones = found.zones
            if not self.covers(found.boxes, boxes):
                if not found.implicit:
                    raise BrokenError("subscription")
                others = [e.boxes for i, e in self.served(named).items() if i != c.id]
                watch = replace(found, boxes=tuple({*boxes, *(b for o in others for b in o)}))
        if c.state in KEYED:
            operations = [
                i
                for i in self.met("operation", boxes)
                if i != c.id
                and self.entities[i].ovn not in c.key
                and not (
                    self.entities[i].party in self.down and self.entities[i].state == "Accepted"
                )
            ]
            constraints = [
                i
                for i in (self.met("zone", boxes) if zones else [])
                if self.entities[i].ovn not in c.key
            ]
            if operations or constraints:
                raise BrokenError("key", operations, constraints)

        if c.new_subscription:
            attached = decision.entity.subscription
            assert attached not in self.watches
            watch = Watch(c.party, "", boxes, operations=True, zones=zones, implicit=True)
        gone = self.leave(c.id, held, attached) if held else None
        if watch is not None:
            (version,) = {
                e.subscription.version for e in decision.events if hasattr(e, "subscription")
            }
            assert version != watch.version
            self.watches[attached] = replace(watch, version=version)
        told = self.told("operation", (*boxes, *(held.boxes if held else ())), gone=gone)
        if gone:
            del self.watches[gone]
        ovn = decision.entity.ovn
        if c.ovn_suffix:
            assert ovn == f"{c.id}_{c.ovn_suffix}"
        self.entities[c.id] = Entity(
            "operation",
            c.party,
            held.version + 1 if held else 1,
            ovn,
            boxes,
            str(c.state),
            attached,
            c.ovn_suffix or last,
        )
        return told

    def remove_operation(self, c):
        held = self.entity_to_change("operation", c.id, c.party, c.ovn)
        if c.party in self.down:
            raise BrokenError("down")
        gone = self.leave(c.id, held, None)
        told = self.told("operation", held.boxes, gone=gone)
        del self.entities[c.id]
        if gone:
            del self.watches[gone]
        return told

    def put_zone(self, c, boxes, decision):
        self.check_times(boxes)
        held = None
        if c.ovn is None:
            self.check_new(self.entities.get(c.id), c.party)
        else:
            held = self.entity_to_change("zone", c.id, c.party, c.ovn)
        version = held.version + 1 if held else 1
        told = self.told("zone", (*boxes, *(held.boxes if held else ())))
        self.entities[c.id] = Entity("zone", c.party, version, decision.entity.ovn, boxes)
        return told

    def remove_zone(self, c):
        held = self.entity_to_change("zone", c.id, c.party, c.ovn)
        del self.entities[c.id]
        return self.told("zone", held.boxes)

    def put_subscription(self, c, box, start, end, decision):
        if not c.operations and not c.zones:
            raise BrokenError("invalid")
        begin = box.t[0] if start else self.now
        until = box.t[1] if end else begin + DAY_US
        if begin < self.now - SKEW_US or until < self.now or not 0 <= until - begin <= DAY_US:
            raise BrokenError("invalid")
        box = replace(box, t=(begin, until))
        held = self.watches.get(c.id)
        if c.version is None:
            self.check_new(held, c.party)
        else:
            self.check_owned(held, c.party, c.version, held.version if held else None)
            for entity in self.served(c.id).values():
                if not c.operations or not self.covers((box,), entity.boxes):
                    raise BrokenError("subscription")
        made = decision.subscription
        assert held is None or made.version != held.version
        self.watches[c.id] = Watch(
            c.party,
            made.version,
            (box,),
            c.operations,
            c.zones,
            held.index if held else 0,
            bool(held and held.implicit),
        )
        return (
            self.met("operation", (box,)) if c.operations else [],
            self.met("zone", (box,)) if c.zones else [],
        )

    def remove_subscription(self, c):
        held = self.watches.get(c.id)
        self.check_owned(held, c.party, c.version, held.version if held else None)
        if self.served(c.id):
            raise BrokenError("in_use")
        del self.watches[c.id]


SMALL = tuple(((x, x + 2), (y, y + 2)) for x in (0, 1, 4, 5) for y in (0, 1))
LARGE = (((-0.5, 3.5), (-0.5, 3.5)), ((-0.5, 7.5), (-0.5, 3.5)))
HEIGHTS = ((0.0, 100.0), (0.0, 100.0), (100.0, 200.0), (150.0, 300.0))
WIDE_HEIGHTS = (None, None, None, (-50.0, 350.0), (0.0, 100.0))
WEIGHTS = {
    "put_operation": 12,
    "remove_operation": 2,
    "put_zone": 3,
    "remove_zone": 1,
    "put_subscription": 5,
    "remove_subscription": 1,
    "set_availability": 1,
    "configure": 0.1,
    "tick": 0.3,
    "pass_time": 2,
    "take_snapshot": 0.5,
}


class RegisterMachine(RuleBasedStateMachine):
    """Three parties in a few places within a few hours."""

    def __init__(self):
        super().__init__()
        self.model = Model()
        self.register = Register()
        self.draft = self.register.draft(NOON_US)
        self.group: list[Decided] = []
        self.journal: list[tuple[int, bytes]] = []
        self.snapshot: tuple[int, bytes] | None = None
        self.commands = 0
        self.ovns: set[str] = set()
        self.dice = random.Random(0)

    # What the machine does with a command.

    def ask(self, kind, party, **fields):
        self.commands += 1
        entropy = hashlib.sha512(str(self.commands).encode()).digest()
        command = kind(party=party, entropy=entropy, **fields)
        return command, decide(self.draft, command)

    def compare(self, command, decision, expected):
        """Compare a decision with what the model makes of it, and take it up."""
        outcome = told = None
        try:
            told = expected()
        except BrokenError as broken:
            outcome = broken.outcome
        refusal = decision.refusal
        if refusal is None:
            assert outcome is None
        else:
            missing = (refusal.missing_operations, refusal.missing_zones)
            assert outcome == (refusal.reason.value, *([e.id for e in m] for m in missing))
            assert [type(event).__name__ for event in decision.events] == ["Refused"]
        notify = [(found.id, found.index) for found in decision.notify]
        assert notify == sorted((told or {}).items())
        self.draft.add(decision.events)
        self.group.append(
            Decided(
                party=command.party,
                command=type(command).__name__,
                request="PUT /",
                events=decision.events,
            )
        )

    def commit(self):
        for decided in self.group:
            self.journal.append((self.model.now, encode_decided(decided)))
            self.register.apply(self.register.head, self.model.now, decided)
        self.group = []
        self.draft = self.register.draft(self.model.now)

    # What a command is made of: mostly what makes sense, since sense is rarely met by chance.

    def pick(self, *choices):
        return self.dice.choice(choices)

    def mostly(self, usual, *others):
        return usual if self.dice.random() < 0.85 else self.pick(*others)

    def boxes(self):
        return tuple(self.box() for _ in range(self.pick(1, 1, 2)))

    def box(self):
        begin = self.model.now + self.mostly(self.pick(0, 1, 2, 4), -4, -1, 8, 3) * QUARTER_US
        length = self.mostly(self.pick(2, 4, 8), 0, 1, 12)
        window = (begin, begin + length * QUARTER_US)
        return Box(*self.pick(*SMALL), self.pick(*HEIGHTS), window)

    def entity(self, kind):
        """Return an identifier, who asks, and the OVN named."""
        identifier = self.pick(*ENTITIES)
        held = self.model.entities.get(identifier)
        if held is None:
            return identifier, self.pick(*PARTIES), self.mostly(None, "no-such-OVN-is-held")
        party = self.mostly(held.party, *PARTIES)
        if held.kind != kind:
            return identifier, party, self.mostly(None, held.ovn)
        return identifier, party, self.mostly(held.ovn, None, "no-such-OVN-is-held")

    def watch(self, *, implicit):
        """Return a subscription's identifier, who asks, and the version named."""
        identifiers = sorted({*SUBSCRIPTIONS, *self.model.watches}) if implicit else SUBSCRIPTIONS
        identifier = self.pick(*identifiers)
        held = self.model.watches.get(identifier)
        if held is None:
            return identifier, self.pick(*PARTIES), self.mostly(None, "no-such-version")
        party = self.mostly(held.party, *PARTIES)
        return identifier, party, self.mostly(held.version, None, "no-such-version")

    def fresh(self, decision):
        if decision.entity is not None and decision.refusal is None:
            assert decision.entity.ovn not in self.ovns
            self.ovns.add(decision.entity.ovn)

    # The commands.

    @rule(seed=st.integers(0, 2**64), count=st.integers(1, 12))
    def some_commands(self, seed, count):
        # Seeds, since hypothesis by itself seldom draws commands that go together.
        self.dice = random.Random(f"{seed} {self.commands}")
        for _ in range(count):
            (name,) = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
            getattr(self, name)()
            self.check_all()

    def put_operation(self):
        identifier, party, ovn = self.entity("operation")
        held = self.model.entities.get(identifier)
        state = self.mostly(State.ACCEPTED, *State)
        if ovn is not None:
            state = self.mostly(self.pick("Accepted", "Activated"), "Nonconforming", "Contingent")
        attach = self.pick("none", "new", "zones", "named", "named")
        if held is not None and held.subscription is not None:
            attach = self.mostly("kept", "none", "new", "zones", "named")
        if state != "Accepted":
            attach = self.mostly(self.pick("kept", "new", "zones"), "none", "named")
        attach = self.mostly(attach, attach, attach, "null", "both")
        own = sorted(i for i, watch in self.model.watches.items() if watch.party == party)
        name = self.mostly(self.pick(*(own or SUBSCRIPTIONS)), *SUBSCRIPTIONS)
        kept = held.subscription if held else None
        key = sorted(entity.ovn for entity in self.model.entities.values())
        key = self.pick(key, key, key, key[1:], [])
        boxes = self.boxes()
        if held is not None and self.dice.random() < 0.3:
            boxes = held.boxes
        suffix = self.mostly(None, "one", "two")
        command, decision = self.ask(
            PutOperation,
            party,
            id=identifier,
            ovn=ovn,
            volumes=tuple(box.volume() for box in boxes),
            state=State(state),
            base_url=URL,
            key=frozenset(key),
            subscription={"null": NULL, "named": name, "kept": kept, "both": name}.get(attach),
            new_subscription=NewSubscription(URL, attach == "zones")
            if attach in {"new", "zones", "both"}
            else None,
            ovn_suffix=suffix,
        )
        self.compare(command, decision, lambda: self.model.put_operation(command, boxes, decision))
        if suffix is None:
            self.fresh(decision)

    def remove_operation(self):
        identifier, party, ovn = self.entity("operation")
        command, decision = self.ask(RemoveOperation, party, id=identifier, ovn=ovn or "never")
        self.compare(command, decision, lambda: self.model.remove_operation(command))

    def put_zone(self):
        identifier, party, ovn = self.entity("zone")
        boxes = self.boxes()
        command, decision = self.ask(
            PutZone,
            party,
            id=identifier,
            ovn=ovn,
            volumes=tuple(box.volume() for box in boxes),
            base_url=URL,
        )
        self.compare(command, decision, lambda: self.model.put_zone(command, boxes, decision))
        self.fresh(decision)

    def remove_zone(self):
        identifier, party, ovn = self.entity("zone")
        command, decision = self.ask(RemoveZone, party, id=identifier, ovn=ovn or "never")
        self.compare(command, decision, lambda: self.model.remove_zone(command))

    def put_subscription(self):
        identifier, party, version = self.watch(implicit=True)
        begin = self.model.now + self.mostly(0, -1, 1, 2) * QUARTER_US
        length = self.mostly(self.pick(24, 80, 96), 1, 8, 97)
        place = self.mostly(self.pick(*LARGE), *SMALL)
        window = (begin, begin + length * QUARTER_US)
        box = Box(*place, self.pick(*WIDE_HEIGHTS), window)
        start, end = self.mostly(True, False), self.mostly(True, False)  # noqa: FBT003
        flags = self.mostly(
            (True, False), (True, True), (True, True), (False, True), (False, False)
        )
        command, decision = self.ask(
            PutSubscription,
            party,
            id=identifier,
            version=version,
            volume=box.volume(start=start, end=end),
            base_url=URL,
            operations=flags[0],
            zones=flags[1],
        )

        def expected():
            covered = self.model.put_subscription(command, box, start, end, decision)
            shown = [[found.id for found in f] for f in (decision.operations, decision.zones)]
            assert shown == list(covered)

        self.compare(command, decision, expected)

    def remove_subscription(self):
        identifier, party, version = self.watch(implicit=True)
        command, decision = self.ask(
            RemoveSubscription, party, id=identifier, version=version or "never"
        )
        self.compare(command, decision, lambda: self.model.remove_subscription(command))

    def set_availability(self):
        of = self.pick(*PARTIES)
        readiness = self.pick("Down", "Normal", "Normal", "Unknown")
        present = self.model.availability.get(of, "")
        right = self.mostly(True, False)  # noqa: FBT003
        command, decision = self.ask(
            SetAvailability,
            "arbiter",
            of=of,
            old_version=present if right else "wrong",
            readiness=Readiness(readiness),
        )

        def expected():
            if not right:
                raise BrokenError("stale")
            assert decision.availability.version not in self.model.availability.values()
            self.model.availability[of] = decision.availability.version
            (self.model.down.add if readiness == "Down" else self.model.down.discard)(of)

        self.compare(command, decision, expected)

    def configure(self):
        hours = self.pick(2, 31 * 24)
        command, decision = self.ask(Configure, "", policy=Policy(horizon_s=hours * 3_600))

        def expected():
            if self.model.horizon == hours * 4 * QUARTER_US:
                raise BrokenError("invalid")
            self.model.horizon = hours * 4 * QUARTER_US

        self.compare(command, decision, expected)

    # Time, groups and snapshots.

    def pass_time(self):
        self.commit()
        self.model.now += self.pick(0, 1, 1, 2, 4, 8) * QUARTER_US + self.pick(0, 1)
        self.model.forget()
        self.draft = self.register.draft(self.model.now)

    def tick(self):
        command, decision = self.ask(Tick, "")
        self.compare(command, decision, lambda: None)

    def take_snapshot(self):
        self.commit()
        if self.snapshot is None:
            self.snapshot = (self.register.head, b"".join(self.register.dump()))

    # What the draft shows.

    def check_all(self):
        for identifier in ENTITIES:
            self.check_entity(identifier)
        for identifier in {*SUBSCRIPTIONS, *self.model.watches}:
            self.check_watch(identifier)
        for party in PARTIES:
            shown = self.draft.availability(party)
            assert shown.version == self.model.availability.get(party, "")
            assert (shown.readiness == "Down") == (party in self.model.down)

    def check_entity(self, identifier):
        shown, held = self.draft.entity(identifier), self.model.entities.get(identifier)
        if held is None:
            assert shown is None
            return
        assert (shown.kind, shown.party, shown.version, shown.ovn, shown.state) == (
            held.kind,
            held.party,
            held.version,
            held.ovn,
            held.state,
        )
        assert shown.subscription == held.subscription
        assert shown.start_us == min(box.t[0] for box in held.boxes)
        assert shown.end_us == held.end

    def check_watch(self, identifier):
        shown, held = self.draft.subscription(identifier), self.model.watches.get(identifier)
        if held is None:
            assert shown is None
            return
        assert (shown.party, shown.version, shown.index) == (held.party, held.version, held.index)
        assert (shown.operations, shown.zones, shown.implicit) == (
            held.operations,
            held.zones,
            held.implicit,
        )
        assert shown.start_us == min(box.t[0] for box in held.boxes)
        assert shown.end_us == held.end
        assert len(set(shown.volumes)) == len(set(held.boxes))
        # One that has ended may be named until it is forgotten; it depends on nothing.
        served = set(self.model.served(identifier))
        assert served <= set(self.draft.dependents(identifier))

    def teardown(self):
        self.commit()
        replayed = Register()
        for position, (time_us, decided) in enumerate(self.journal):
            replayed.apply(position, time_us, decode_decided(decided))
        assert replayed == self.register
        if self.snapshot is not None:
            head, dumped = self.snapshot
            loaded = Register.load([dumped])
            assert loaded.head == head
            for position, (time_us, decided) in enumerate(self.journal[head:], head):
                loaded.apply(position, time_us, decode_decided(decided))
            assert loaded == self.register


TestRegister = RegisterMachine.TestCase
# Shrinking takes minutes, so a failure shows what was found; add Phase.shrink to work on one.
TestRegister.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    phases=(Phase.generate,),
    deadline=None,
    derandomize=True,
    database=None,
)
