"""A crowd: clients of several parties at several nodes, who quarrel over few entities and places.

Each write carries a mark of its own in its base URL, which everybody is shown, so each answer and
each entry of the journal tells which write it comes from, also one whose outcome is not known.
Places are cells in a row: plans that share one meet, and those that don't are 200 m apart.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asking import Answer, answered, closed, connected
from deconflict.server.app import STOPPING
from deconflict.server.health import NO_ANSWER, NOT_KNOWN
from linear import ABSENT, FOR_EVER, Needs, Step, contradiction
from serving import Service

PARTIES = tuple(f"uss{number}" for number in range(1, 5))
INTENTS = "/dss/v1/operational_intent_references"
BASE_URL = "https://uss.example.org/"
SLOTS = 16
"""Entities at a time: few enough that several clients are at each."""
CELLS = 12
"""Places: few enough that most plans meet."""
PATIENT_S = 30.0
IMPATIENT_S = 2.5
"""After which every fourth client gives up; the node goes on with what it was asked."""
STANDSTILL_S = 60.0


@dataclass(frozen=True, slots=True)
class Write:
    """A write that was sent, and what became of it.

    Attributes
    ----------
    mark
        Its own.
    used
        The mark of the version that it replaces or deletes; `ABSENT` if it creates.
    deletes
        Whether it deletes.
    cells, key
        Where, and which OVNs it was sent with.
    outcome
        "done", "unknown", or why it was refused.
    ovn, version
        Of what was answered.
    """

    entity: str
    mark: int
    used: int
    deletes: bool
    cells: frozenset[int]
    key: frozenset[str]
    outcome: str
    ovn: str
    version: int
    sent_ns: int
    received_ns: int

    def step(self) -> Step | None:
        """Return it as a step; ``None`` if it tells nothing of the entity."""
        becomes = ABSENT if self.deletes else self.mark
        match self.outcome:
            case "done":
                return Step(self.sent_ns, self.received_ns, Needs.IS, self.used, becomes)
            case "unknown":
                return Step(self.sent_ns, FOR_EVER, Needs.IS, self.used, becomes)
            case "exists":
                return Step(self.sent_ns, self.received_ns, Needs.PRESENT)
            case "stale":
                return Step(self.sent_ns, self.received_ns, Needs.IS_NOT, self.used)
            case "absent":
                return Step(self.sent_ns, self.received_ns, Needs.IS, ABSENT)
        return None


@dataclass(frozen=True, slots=True)
class Look:
    """What a GET showed; the mark is `ABSENT` if it was not there, the OVN empty if hidden."""

    entity: str
    mark: int
    version: int
    ovn: str
    sent_ns: int
    received_ns: int

    def step(self) -> Step:
        return Step(self.sent_ns, self.received_ns, Needs.IS, self.mark)


@dataclass
class History:
    """What all clients did, in no order."""

    writes: list[Write] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    parties: dict[str, str] = field(default_factory=dict)
    """Of each entity."""

    def entities(self) -> dict[str, list[Step]]:
        """Return the steps of each entity."""
        found: dict[str, list[Step]] = defaultdict(list)
        for write in self.writes:
            if (step := write.step()) is not None:
                found[write.entity].append(step)
        for look in self.looks:
            found[look.entity].append(look.step())
        return found


def not_linearizable(history: History) -> Iterator[str]:
    """Yield each entity whose answers no order explains."""
    for entity, steps in history.entities().items():
        if stuck := contradiction(steps):
            yield f"{entity}: none of these can be next: {stuck}"


def names_that_differ(history: History) -> Iterator[str]:
    """Yield each version that was answered with two OVNs or numbers, and each OVN given twice."""
    versions: dict[int, int] = {}
    ovns: dict[int, str] = {}
    marks: dict[str, int] = {}
    seen = [
        (write.used if write.deletes else write.mark, write.version, write.ovn)
        for write in history.writes
        if write.outcome == "done"
    ]
    seen += [(look.mark, look.version, look.ovn) for look in history.looks if look.mark != ABSENT]
    for mark, version, ovn in seen:
        if versions.setdefault(mark, version) != version:
            yield f"{mark} has versions {version} and {versions[mark]}"
        if ovn and ovns.setdefault(mark, ovn) != ovn:
            yield f"{mark} has two OVNs"
        if ovn and marks.setdefault(ovn, mark) != mark:
            yield f"{mark} and {marks[ovn]} have one OVN"
    for write in history.writes:
        if write.outcome == "done" and not write.deletes:
            before = versions.get(write.used, 0)
            if (before or write.used == ABSENT) and write.version != before + 1:
                yield f"{write.mark} has version {write.version} after {before}"


class UnsentError(Exception):
    """There was nobody to send a request to."""


class Caller:
    """A party's connections to all nodes, one open at a time."""

    def __init__(self, nodes: Sequence[Service], token: str, patience_s: float) -> None:
        self._ports = [int(node.base_url.rpartition(":")[2]) for node in nodes]
        self._head = f"host: localhost\r\nauthorization: Bearer {token}\r\n"
        self._patience_s = patience_s
        self._node = -1
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.sent_ns = 0

    async def ask(self, node: int, method: str, path: str, content: bytes = b"") -> Answer | None:
        """Return a node's answer; ``None`` if it gave none.

        Raises
        ------
        UnsentError
            If it does not listen.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                reader, writer = await self._connected(node)
        except (OSError, TimeoutError) as error:
            raise UnsentError from error
        head = f"{method} {path} HTTP/1.1\r\n{self._head}content-length: {len(content)}\r\n\r\n"
        self.sent_ns = time.monotonic_ns()
        try:
            async with asyncio.timeout(self._patience_s):
                writer.write(head.encode() + content)
                answer = await answered(reader, sent_ns=self.sent_ns)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            answer = None
        if answer is None or answer.closes:
            await self.close()
        return answer

    async def _connected(self, node: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and (node != self._node or self._streams[0].at_eof()):
            await self.close()
        if self._streams is None:
            self._node = node
            self._streams = await connected(self._ports[node])
        return self._streams

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.transport.abort()
            await closed(writer)


@dataclass
class Slot:
    """An entity, as the clients that share it believe it to be; often wrong, as in life."""

    party: str
    entity: str
    mark: int = ABSENT
    ovn: str = ""


class Crowd:
    """Clients at running nodes, and the history of what they did.

    Attributes
    ----------
    history
        Filled as answers come.
    """

    def __init__(self, nodes: Sequence[Service], clients: int, seed: int) -> None:
        self.history = History()
        self.nodes = nodes
        self._chance = random.Random(seed)
        self._start = datetime.now(UTC) + timedelta(hours=1)
        self._marks = 0
        self._more = asyncio.Condition()
        self.answered = 0
        self.met: dict[str, set[str]] = {party: set() for party in PARTIES}
        """Entities of each party that others met and did not know."""
        self._slots = [Slot(PARTIES[number % len(PARTIES)], "") for number in range(SLOTS)]
        for slot in self._slots:
            self._renew(slot)
        tokens = {party: nodes[0].token(party) for party in PARTIES}
        self._clients = [
            Client(
                self,
                number,
                Caller(
                    nodes,
                    tokens[PARTIES[number // len(nodes) % len(PARTIES)]],
                    PATIENT_S if number % 4 else IMPATIENT_S,
                ),
                PARTIES[number // len(nodes) % len(PARTIES)],
            )
            for number in range(clients)
        ]
        self._stopping = False

    async def during(self, disturbance: Callable[[Crowd], Awaitable[None]]) -> None:
        """Have all clients at it while something goes on, then hear their last answers."""
        async with asyncio.TaskGroup() as group:
            for client in self._clients:
                group.create_task(client.go_on())
            await disturbance(self)
            self.disperse()

    def disperse(self) -> None:
        """Have no client send more."""
        self._stopping = True

    async def more(self, answers: int) -> None:
        """Wait until so many more requests were answered with success."""
        wanted = self.answered + answers
        async with asyncio.timeout(STANDSTILL_S), self._more:
            await self._more.wait_for(lambda: self.answered >= wanted)

    async def look_everywhere(self) -> list[Look]:
        """Return what each node shows of each entity to its party now."""
        before = len(self.history.looks)
        for client in self._clients[: len(self.nodes) * len(PARTIES)]:
            try:
                for entity, party in self.history.parties.items():
                    if party == client.party:
                        assert await client.look(entity) is not None, (
                            "a node that is up gives no answer"
                        )
            finally:
                await client.close()
        return self.history.looks[before:]

    @property
    def going_on(self) -> bool:
        """Whether clients send more."""
        return not self._stopping

    async def count(self) -> None:
        """Take note of an answer."""
        async with self._more:
            self.answered += 1
            self._more.notify_all()

    def mark(self) -> int:
        """Return a new mark."""
        self._marks += 1
        return self._marks

    def _renew(self, slot: Slot) -> None:
        slot.entity = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        self.history.parties[slot.entity] = slot.party

    def choose(self, party: str | None = None) -> Slot:
        """Return a slot, of a party or of anybody."""
        return self._chance.choice([slot for slot in self._slots if party in {None, slot.party}])

    def slot_of(self, entity: str) -> Slot | None:
        """Return the slot that an entity has; ``None`` if clients have left it."""
        return next((slot for slot in self._slots if slot.entity == entity), None)

    def heard(self, slot: Slot, entity: str, mark: int, ovn: str) -> None:
        """Tell all clients what one of them was shown."""
        if slot.entity == entity:
            slot.mark, slot.ovn = mark, ovn
            if mark == ABSENT and self._chance.random() < 0.5:
                self._renew(slot)  # else the same entity is created again

    def key(self) -> frozenset[str]:
        """Return all OVNs that clients know of."""
        return frozenset(slot.ovn for slot in self._slots if slot.ovn)

    def body(self, cells: frozenset[int], key: frozenset[str], mark: int) -> bytes:
        """Return a request to plan there."""
        west, east = 10 + min(cells) * 0.01, 10 + max(cells) * 0.01 + 0.005
        corners = ((50.0, west), (50.0, east), (50.005, east), (50.005, west))
        ring = ",".join(f'{{"lat":{lat:.4f},"lng":{lon:.4f}}}' for lat, lon in corners)
        height = '"reference":"W84","units":"M"'
        start, end = (
            f'{{"value":"{self._start + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}",'
            '"format":"RFC3339"}'
            for hours in (0, 2)
        )
        return (
            f'{{"extents":[{{"volume":{{"outline_polygon":{{"vertices":[{ring}]}},'
            f'"altitude_lower":{{"value":50,{height}}},"altitude_upper":{{"value":90,{height}}}}},'
            f'"time_start":{start},"time_end":{end}}}],"state":"Accepted",'
            f'"key":[{",".join(f"{chr(34)}{ovn}{chr(34)}" for ovn in sorted(key))}],'
            f'"uss_base_url":"{BASE_URL}{mark}"}}'
        ).encode()


class Client:
    """Creates, changes, looks and deletes as its seed says."""

    def __init__(self, crowd: Crowd, number: int, caller: Caller, party: str) -> None:
        self.party = party
        self._crowd = crowd
        self._history = crowd.history
        self._home = self._node = number % len(crowd.nodes)
        self._caller = caller
        self._chance = random.Random(number)
        self._key = frozenset[str]()

    async def go_on(self) -> None:
        """Send one request after another until the crowd is dispersed."""
        try:
            while self._crowd.going_on:
                await self._step()
        finally:
            await self.close()

    async def close(self) -> None:
        """Hang up."""
        await self._caller.close()

    async def _step(self) -> None:
        if met := self._crowd.met[self.party]:
            await self._clear_up(met.pop())
            return
        dice = self._chance.random()
        if dice < 0.15:
            slot = self._crowd.choose()  # of another party, most often
            await self.look(slot.entity, slot)
            return
        slot = self._crowd.choose(self.party)
        if dice < 0.3:
            await self.look(slot.entity, slot)
        elif slot.mark == ABSENT or dice < 0.8:
            await self._put(slot)
        else:
            await self._write(slot, slot.entity, slot.mark, slot.ovn, frozenset(), deletes=True)

    async def _put(self, slot: Slot) -> None:
        first = self._chance.randrange(CELLS)
        cells = frozenset(range(first, min(first + self._chance.randint(1, 2), CELLS)))
        entity, used, ovn = slot.entity, slot.mark, slot.ovn
        for _ in range(3):  # with what is known by then
            outcome = await self._write(slot, entity, used, ovn, cells, deletes=False)
            if outcome != "key":
                break

    async def _clear_up(self, entity: str) -> None:
        """Look at what others met; delete it if it was left there by mistake."""
        slot = self._crowd.slot_of(entity)
        look = await self.look(entity, slot)
        if slot is None and look is not None and look.mark != ABSENT:
            left = Slot(self.party, entity)  # nobody else's
            await self._write(left, entity, look.mark, look.ovn, frozenset(), deletes=True)

    async def look(self, entity: str, slot: Slot | None = None) -> Look | None:
        """Read an entity; ``None`` if that was not answered."""
        answer = await self._ask("GET", f"{INTENTS}/{entity}")
        if answer is None:
            return None
        if answer.status == 503:
            self._history.outcomes["look refused"] += 1
            return None
        assert answer.status in {200, 404}, (answer.status, answer.body)
        if answer.status == 404:
            look = Look(entity, ABSENT, 0, "", answer.sent_ns, answer.received_ns)
        else:
            mark, version, ovn = _shown(answer)
            hidden = self._history.parties[entity] != self.party
            look = Look(
                entity, mark, version, "" if hidden else ovn, answer.sent_ns, answer.received_ns
            )
        self._history.looks.append(look)
        self._history.outcomes["look"] += 1
        if slot is not None and slot.party == self.party:
            self._crowd.heard(slot, entity, look.mark, look.ovn)
        await self._crowd.count()
        return look

    async def _write(
        self,
        slot: Slot,
        entity: str,
        used: int,
        used_ovn: str,
        cells: frozenset[int],
        *,
        deletes: bool,
    ) -> str:
        mark = self._crowd.mark()
        if self._chance.random() < 0.8:
            self._key = self._crowd.key()
        key = self._key - {used_ovn}
        path = f"{INTENTS}/{entity}" + (f"/{used_ovn}" if used else "")
        body = b"" if deletes else self._crowd.body(cells, key, mark)
        answer = await self._ask("DELETE" if deletes else "PUT", path, body)
        if answer is None and self._caller.sent_ns == 0:
            return "unsent"
        outcome = "unknown" if answer is None else _outcome(answer, used)
        shown, version, ovn = _shown(answer) if outcome == "done" else (0, 0, "")
        if outcome == "done":
            assert shown == (used if deletes else mark), "another's version was answered"
        self._history.outcomes[f"{'delete' if deletes else 'put'} {outcome}"] += 1
        self._history.writes.append(
            Write(
                entity,
                mark,
                used,
                deletes,
                cells,
                key,
                outcome,
                ovn,
                version,
                self._caller.sent_ns,
                FOR_EVER if outcome == "unknown" else answer.received_ns,
            )
        )
        if outcome == "done":
            self._crowd.heard(slot, entity, ABSENT if deletes else mark, "" if deletes else ovn)
            await self._crowd.count()
        elif outcome == "key":
            for each in answer.json["missing_operational_intents"]:
                self._crowd.met[self._history.parties[each["id"]]].add(each["id"])
        elif outcome in {"unknown", "exists", "stale", "absent"}:
            await self.look(entity, slot)
        return outcome

    async def _ask(self, method: str, path: str, body: bytes = b"") -> Answer | None:
        """Ask a node; another one next time if this one gave no answer."""
        self._caller.sent_ns = 0
        try:
            answer = await self._caller.ask(self._node, method, path, body)
        except UnsentError:
            answer = None
        if answer is None or answer.status == 503:
            self._node = (self._node + 1) % len(self._crowd.nodes)
            await asyncio.sleep(0.02)  # a node that is down refuses at once
        elif self._node != self._home and self._chance.random() < 0.1:
            self._node = self._home
        return answer


def _shown(answer: Answer) -> tuple[int, int, str]:
    reference = answer.json["operational_intent_reference"]
    mark = int(reference["uss_base_url"].removeprefix(BASE_URL))
    return mark, reference["version"], reference["ovn"]


def _outcome(answer: Answer, used: int) -> str:
    match answer.status:
        case 200 | 201:
            return "done"
        case 503:
            sentence = answer.json["message"]
            if sentence in {NO_ANSWER, NOT_KNOWN}:
                return "unknown"
            assert sentence == STOPPING or "nothing of this was written" in sentence, sentence
            return "refused"
        case 409 if "missing_operational_intents" in answer.json:
            return "key"
        case 409:
            return "stale" if used else "exists"
        case 400 | 404 if used:
            assert b"there is no operation" in answer.body, answer.body
            return "absent"
    raise AssertionError((answer.status, answer.body))


class Checkpoints:
    """What nodes signed at many moments.

    Attributes
    ----------
    roots
        By size.
    seen
        How many each node showed.
    """

    def __init__(self) -> None:
        self.roots: dict[int, bytes] = {}
        self.seen: Counter[int] = Counter()
        self._by_size: dict[int, set[int]] = defaultdict(set)

    @property
    def shared(self) -> int:
        """How many sizes were shown by several nodes."""
        return sum(len(nodes) > 1 for nodes in self._by_size.values())

    @asynccontextmanager
    async def gathered(self, crowd: Crowd) -> AsyncIterator[None]:
        """Gather those of all nodes while the crowd is at it."""
        async with asyncio.TaskGroup() as group:
            for node in range(len(crowd.nodes)):
                group.create_task(self._gather(crowd, node))
            try:
                yield
            finally:
                crowd.disperse()

    async def _gather(self, crowd: Crowd, node: int) -> None:
        caller = Caller(crowd.nodes, crowd.nodes[0].token(PARTIES[0]), PATIENT_S)
        try:
            while crowd.going_on:
                try:
                    answer = await caller.ask(node, "GET", "/log/checkpoint")
                except UnsentError:
                    answer = None
                if answer is not None and answer.status == 200:
                    self._take(node, answer.body)
                await asyncio.sleep(0.05)  # so that the load has its turn
        finally:
            await caller.close()

    def _take(self, node: int, note: bytes) -> None:
        _, size, root, *_ = note.decode().splitlines()
        found = base64.b64decode(root)
        assert self.roots.setdefault(int(size), found) == found, "two trees of one size were signed"
        self._by_size[int(size)].add(node)
        self.seen[node] += 1


def sequencer(nodes: Sequence[Service]) -> Service:
    """Return the node that decides, as the newest line about it says."""
    said = [json.loads(line) for node in nodes for line in node.lines() if 'node decides"' in line]
    address = max(said, key=lambda line: line["timestamp"])["address"]
    return next(node for node in nodes if node.base_url == address)
