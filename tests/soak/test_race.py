"""Fifty clients of five parties plan into one place at once.

The oracle is the history of answers alone, with boxes on a grid of integers: those that share a
cell meet, and those that don't are 20 m and more apart.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from asking import Answer, Asker

PARTIES = tuple(f"uss{number}" for number in range(1, 6))
CLIENTS = 50
RACING_S = {False: 10.0, True: 60.0}
HIDDEN = "Available from USS"
INTENTS = "/dss/v1/operational_intent_references"
LONG_AGO = -(2**62)
FOR_EVER = 2**62

Box = tuple[tuple[int, int], ...]
"""Cells from and to, both included, in latitude, longitude, altitude and time."""
GRID = (4, 4, 2, 2)
"""Cells in each direction: small enough that most plans meet."""


@dataclass(frozen=True)
class Plan:
    """A version of an operational intent that was accepted."""

    client: int
    party: str
    entity: str
    ovn: str
    version: int
    boxes: tuple[Box, ...]
    key: frozenset[str]
    used: str | None
    """The OVN that it replaced."""
    sent_ns: int
    received_ns: int


@dataclass(frozen=True)
class Deletion:
    entity: str
    used: str
    sent_ns: int
    received_ns: int


@dataclass(frozen=True)
class Look:
    """A GET of a party's own entity; without a version it was not there."""

    entity: str
    version: int | None
    ovn: str | None
    sent_ns: int
    received_ns: int


@dataclass
class History:
    """What was answered, in no order."""

    plans: list[Plan] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    asked: dict[str, list[Box]] = field(default_factory=dict)
    """The boxes of each entity, of refused requests too."""
    alarms: list[tuple[tuple[Box, ...], str]] = field(default_factory=list)
    """What was asked, and an entity that the refusal says it meets."""


def share_a_cell(a: Box, b: Box) -> bool:
    return all(
        low <= high2 and low2 <= high for (low, high), (low2, high2) in zip(a, b, strict=True)
    )


def meet(a: Iterable[Box], b: Iterable[Box]) -> bool:
    return any(share_a_cell(one, other) for one, other in product(a, b))


def unknown_overlaps(history: History) -> Iterator[str]:
    """Yield each pair that meets and was live together, neither knowing the other.

    A version surely lives from its answer until the request that ends it is sent.
    """
    ends = {each.used: each.sent_ns for each in history.deletions}
    ends |= {plan.used: plan.sent_ns for plan in history.plans if plan.used is not None}
    alive: list[Plan] = []
    for plan in sorted(history.plans, key=lambda plan: plan.received_ns):
        alive = [other for other in alive if ends.get(other.ovn, FOR_EVER) > plan.received_ns]
        for other in alive:
            if (
                ends.get(plan.ovn, FOR_EVER) > plan.received_ns
                and plan.entity != other.entity
                and meet(plan.boxes, other.boxes)
                and other.ovn not in plan.key
                and plan.ovn not in other.key
            ):
                yield f"{plan.entity} v{plan.version} and {other.entity} v{other.version}"
        alive.append(plan)


def broken_chains(history: History) -> Iterator[str]:
    """Yield each entity whose versions are no chain, in which each OVN is used up once."""
    known = Counter(plan.ovn for plan in history.plans)
    yield from (f"OVN given {number} times" for number in known.values() if number > 1)
    used = Counter(plan.used for plan in history.plans if plan.used is not None)
    used.update(deletion.used for deletion in history.deletions)
    yield from (f"OVN used up {number} times" for number in used.values() if number > 1)
    by_ovn = {plan.ovn: plan for plan in history.plans}
    created = Counter()
    for plan in history.plans:
        if plan.used is None:
            created[plan.entity] += 1
            if plan.version != 1:
                yield f"{plan.entity} begins with version {plan.version}"
            continue
        before = by_ovn.get(plan.used)
        if before is None or before.entity != plan.entity:
            yield f"{plan.entity} v{plan.version} follows what was never there"
        elif plan.version != before.version + 1 or plan.received_ns < before.sent_ns:
            yield f"{plan.entity} v{plan.version} follows v{before.version}"
    yield from (f"{entity} created twice" for entity, times in created.items() if times > 1)


def impossible_looks(history: History) -> Iterator[str]:
    """Yield each look that saw what was over, or not yet there, whatever the order was."""
    by_ovn = {plan.ovn: plan for plan in history.plans}
    ends = {plan.used: plan.received_ns for plan in history.plans if plan.used is not None}
    deleted = {each.entity: each for each in history.deletions}
    begun: dict[str, int] = {}
    for plan in history.plans:
        begun[plan.entity] = min(begun.get(plan.entity, FOR_EVER), plan.received_ns)
    for look in history.looks:
        if look.version is None:
            gone = deleted.get(look.entity)
            if begun.get(look.entity, FOR_EVER) < look.sent_ns and (
                gone is None or gone.sent_ns > look.received_ns
            ):
                yield f"{look.entity} was not seen while it was there"
            continue
        gone = deleted.get(look.entity)
        if gone is not None and gone.received_ns < look.sent_ns:
            yield f"{look.entity} was seen after its deletion"
        plan = by_ovn.get(look.ovn)
        if plan is None or (plan.entity, plan.version) != (look.entity, look.version):
            yield f"{look.entity} v{look.version} was seen and never answered"
        elif plan.sent_ns > look.received_ns:
            yield f"{look.entity} v{look.version} was seen before it was asked for"
        elif ends.get(plan.ovn, FOR_EVER) < look.sent_ns:
            yield f"{look.entity} v{look.version} was seen after it was replaced"


def leaks(history: History, lines: Iterable[str]) -> Iterator[str]:
    """Yield each answer that holds another party's OVN, and each line of the log with any."""
    owner = {plan.ovn: plan.party for plan in history.plans}
    longest = re.compile(r"[\w-]{16,}")
    for party, body in history.bodies:
        for text in longest.findall(body.decode()):
            if owner.get(text, party) != party:
                yield f"an OVN of {owner[text]} was shown to {party}"
    for line in lines:
        for text in longest.findall(line):
            if text in owner:
                yield f"the log holds an OVN of {owner[text]}"


def false_alarms(history: History) -> Iterator[str]:
    """Yield each refusal that names an entity of which no version could meet what was asked."""
    for boxes, entity in history.alarms:
        if not meet(boxes, history.asked[entity]):
            yield f"{entity} is said to meet {boxes}"


class Client:
    """Plans, changes, looks and deletes as its seed says, with what it happens to know.

    Parameters
    ----------
    number
        Its seed, too.
    asker
        Its connection.
    board
        What all clients exchange: of each live entity its OVN. It is often read late.
    shared
        Entities of this client's party, which its clients change against one another.
    """

    def __init__(
        self,
        number: int,
        asker: Asker,
        history: History,
        board: dict[str, str],
        shared: dict[str, Plan],
    ) -> None:
        self.number = number
        self.party = PARTIES[number % len(PARTIES)]
        self._asker = asker
        self._history = history
        self._board = board
        self._shared = shared
        self._seen = frozenset[str]()
        self._random = random.Random(number)
        self._start = datetime.now(UTC) + timedelta(minutes=2)

    async def race(self, until_s: float) -> None:
        while time.monotonic() < until_s:
            await self._step()

    async def _step(self) -> None:
        dice = self._random.random()
        mine = list(self._shared.values())
        plan = self._random.choice(mine) if mine else None
        if plan is None or (dice < 0.35 and len(mine) < 12):
            await self._plan(str(uuid.UUID(int=self._random.getrandbits(128), version=4)), None)
        elif dice < 0.75:
            await self._plan(plan.entity, plan)
        elif dice < 0.85:
            await self._look(plan.entity)
        else:
            await self._delete(plan)

    async def _plan(self, entity: str, before: Plan | None) -> None:
        boxes = tuple(self._box() for _ in range(self._random.randint(1, 2)))
        activate = before is not None and self._random.random() < 0.5
        if activate:
            boxes = before.boxes
        self._history.asked.setdefault(entity, []).extend(boxes)
        for _ in range(3):
            key = self._seen  # what was there when it last looked
            if self._random.random() < 0.7:
                key = self._seen = frozenset(self._board.values())
            await asyncio.sleep(0)  # and others go on meanwhile
            answer = await self._ask(
                "PUT",
                f"{INTENTS}/{entity}" + (f"/{before.ovn}" if before else ""),
                self._request(boxes, key, "Activated" if activate else "Accepted"),
            )
            if answer.status in {200, 201}:
                reference = answer.json["operational_intent_reference"]
                plan = Plan(
                    self.number,
                    self.party,
                    entity,
                    reference["ovn"],
                    reference["version"],
                    boxes,
                    key,
                    before.ovn if before else None,
                    answer.sent_ns,
                    answer.received_ns,
                )
                self._history.plans.append(plan)
                self._tell(plan)
                return
            if before is not None and answer.status == 400:
                assert b"there is no operation" in answer.body
                return  # another client of this party deleted it
            assert answer.status == 409, answer.body
            missing = answer.json.get("missing_operational_intents", ())
            self._history.alarms.extend((boxes, each["id"]) for each in missing)
            if not missing:
                return  # another client of this party was sooner

    def _tell(self, plan: Plan) -> None:
        """Tell the others, unless one told something later of the same entity."""
        held = self._shared.get(plan.entity)
        if held is None or held.version < plan.version:
            self._shared[plan.entity] = plan
            self._board[plan.entity] = plan.ovn

    async def _look(self, entity: str) -> None:
        answer = await self._ask("GET", f"{INTENTS}/{entity}")
        assert answer.status in {200, 404}
        seen = answer.json["operational_intent_reference"] if answer.status == 200 else {}
        self._history.looks.append(
            Look(entity, seen.get("version"), seen.get("ovn"), answer.sent_ns, answer.received_ns)
        )
        others = [each for each in self._board if each not in self._shared]
        if others:
            await self._ask("GET", f"{INTENTS}/{self._random.choice(others)}")
        await self._ask("POST", f"{INTENTS}/query", {"area_of_interest": self._volume(WHOLE)})

    async def _delete(self, plan: Plan) -> None:
        answer = await self._ask("DELETE", f"{INTENTS}/{plan.entity}/{plan.ovn}")
        assert answer.status in {200, 404, 409}
        if answer.status == 200:
            self._history.deletions.append(
                Deletion(plan.entity, plan.ovn, answer.sent_ns, answer.received_ns)
            )
            self._shared.pop(plan.entity, None)
            self._board.pop(plan.entity, None)

    async def _ask(self, method: str, path: str, content: object = None) -> Answer:
        answer = await self._asker.ask(method, path, content)
        self._history.bodies.append((self.party, answer.body))
        self._history.statuses[method, answer.status] += 1
        return answer

    def _box(self) -> Box:
        box = []
        for cells in GRID:
            low = self._random.randrange(cells)
            box.append((low, min(low + self._random.randint(0, 1), cells - 1)))
        return tuple(box)

    def _request(self, boxes: Iterable[Box], key: frozenset[str], state: str) -> dict:
        return {
            "extents": [self._volume(box) for box in boxes],
            "key": sorted(key),
            "state": state,
            "uss_base_url": f"https://{self.party}.example.org",
            "new_subscription": {"uss_base_url": f"https://{self.party}.example.org"},
        }

    def _volume(self, box: Box) -> dict:
        """Return a box whose faces are a tenth of a cell, 11 m and more, inside its cells."""
        (south, north), (west, east), (bottom, top), (first, last) = (
            (low + 0.1, high + 0.9) for low, high in box
        )
        corners = [(south, west), (south, east), (north, east), (north, west)]
        height = {"reference": "W84", "units": "M"}
        return {
            "volume": {
                "outline_polygon": {
                    "vertices": [
                        {"lat": round(46 + lat / 500, 6), "lng": round(-77 + lng / 500, 6)}
                        for lat, lng in corners
                    ]
                },
                "altitude_lower": {"value": 100 + 200 * bottom, **height},
                "altitude_upper": {"value": 100 + 200 * top, **height},
            },
            "time_start": self._time(first),
            "time_end": self._time(last),
        }

    def _time(self, hours: float) -> dict:
        instant = self._start + timedelta(hours=hours)
        return {"value": instant.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"}


WHOLE: Box = tuple((0, cells - 1) for cells in GRID)


@pytest.mark.slow
def test_of_two_that_meet_one_knew_the_other_whatever_the_race(make_service, long_form) -> None:
    service = make_service("--rate-per-party", "100000").start()
    history = History()
    tokens = {party: service.token(party) for party in PARTIES}
    port = int(service.base_url.rpartition(":")[2])
    asyncio.run(race(port, tokens, history, RACING_S[long_form]))
    assert service.process.poll() is None
    lines = service.lines()

    succeeded = sum(
        history.statuses[method, status]
        for method, status in history.statuses
        if method in {"PUT", "DELETE"} and status in {200, 201}
    )
    assert succeeded > 100, history.statuses
    assert history.statuses["PUT", 409] > 100, history.statuses
    assert len(history.looks) > 20
    assert list(unknown_overlaps(history)) == []
    assert list(broken_chains(history)) == []
    assert list(impossible_looks(history)) == []
    assert list(false_alarms(history)) == []
    assert list(leaks(history, lines)) == []
    assert any(HIDDEN in body.decode() for _, body in history.bodies)
    written = "\n".join(lines)
    assert not [party for party, token in tokens.items() if token in written]
    assert not re.search(r"-7[67]\.\d", written)  # a longitude, and no time or duration
    print(history.statuses, len(history.plans), len(history.alarms))  # noqa: T201


async def race(port: int, tokens: dict[str, str], history: History, seconds: float) -> None:
    board: dict[str, str] = {}
    shared: dict[str, dict[str, Plan]] = {party: {} for party in PARTIES}
    until_s = time.monotonic() + seconds
    askers = [Asker(port, tokens[PARTIES[number % 5]]) for number in range(CLIENTS)]
    clients = [
        Client(number, asker, history, board, shared[PARTIES[number % 5]])
        for number, asker in enumerate(askers)
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.race(until_s))
    finally:
        for asker in askers:
            await asker.close()


BOX: Box = ((1, 2), (1, 1), (0, 0), (0, 1))
APART: Box = ((3, 3), (1, 1), (0, 0), (0, 1))


def planned(entity: str, version: int, sent: int, received: int, **more) -> Plan:
    made = Plan(
        0,
        "uss1",
        entity,
        f"ovn-of-{entity}-{version}",
        version,
        (BOX,),
        frozenset(),
        None,
        sent,
        received,
    )
    return replace(made, **more)


def test_the_checker_finds_two_that_meet_and_did_not_know() -> None:
    first, second = planned("a", 1, 0, 1), planned("b", 1, 2, 3)
    assert list(unknown_overlaps(History([first, second])))
    assert not list(unknown_overlaps(History([first, replace(second, key=frozenset({first.ovn}))])))
    assert not list(unknown_overlaps(History([first, replace(second, boxes=(APART,))])))
    over = Deletion("a", first.ovn, 2, 4)
    assert not list(unknown_overlaps(History([first, second], [over])))
    assert list(unknown_overlaps(History([first, second], [replace(over, sent_ns=4)])))
    changed = planned("a", 2, 5, 6, used=first.ovn)
    knew = replace(second, key=frozenset({first.ovn}))
    assert list(unknown_overlaps(History([first, knew, changed])))


def test_the_checker_finds_versions_that_are_no_chain() -> None:
    first = planned("a", 1, 0, 1)
    second = planned("a", 2, 2, 3, used=first.ovn)
    assert not list(broken_chains(History([first, second])))
    assert list(broken_chains(History([first, second, replace(second, ovn="another-one-of-it")])))
    assert list(broken_chains(History([first, second], [Deletion("a", first.ovn, 4, 5)])))
    assert list(broken_chains(History([first, replace(second, version=3)])))
    assert list(broken_chains(History([first, replace(first, ovn="another-one-of-it")])))
    assert list(broken_chains(History([second])))


def test_the_checker_finds_what_can_not_have_been_seen() -> None:
    first = planned("a", 1, 10, 11)
    second = planned("a", 2, 20, 21, used=first.ovn)
    gone = Deletion("a", second.ovn, 30, 31)
    history = History([first, second], [gone])
    for look, wrong in (
        (Look("a", 1, first.ovn, 12, 13), False),
        (Look("a", 1, first.ovn, 20, 22), False),
        (Look("a", 1, first.ovn, 22, 23), True),
        (Look("a", 2, second.ovn, 12, 13), True),
        (Look("a", 2, second.ovn, 30, 32), False),
        (Look("a", 2, second.ovn, 32, 33), True),
        (Look("a", None, None, 12, 13), True),
        (Look("a", None, None, 32, 33), False),
        (Look("a", 3, "an-ovn-of-nobody", 22, 23), True),
    ):
        assert bool(list(impossible_looks(replace(history, looks=[look])))) == wrong, look


def test_the_checker_finds_an_ovn_where_it_must_not_be() -> None:
    plan = planned("a", 1, 0, 1, ovn="ovn-that-is-secret-1")
    told = b'{"message":"send ovn-that-is-secret-1 too"}'
    assert list(leaks(History([plan], bodies=[("uss2", told)]), []))
    assert not list(leaks(History([plan], bodies=[("uss1", told)]), []))
    assert list(leaks(History([plan]), ['{"path":"/x/ovn-that-is-secret-1"}']))
