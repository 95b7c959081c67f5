"""Thousands of damaged requests over raw sockets, while a client in order goes on being served."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from asking import Answer, Asker, answered, closed, connected
from mutations import METHODS, PATHS, Mutator, Sent
from ordering import round_trip

REQUESTS = {False: 2_000, True: 100_000}
AT_ONCE = 24
SCOPES = (
    "utm.strategic_coordination",
    "utm.constraint_management",
    "utm.constraint_processing",
    "utm.conformance_monitoring_sa",
    "utm.availability_arbitration",
)
SETTINGS = (
    "--rate-per-party", "100000", "--token-rate-per-address", "100000",
    "--header-timeout-s", "1", "--body-timeout-s", "1", "--keep-alive-s", "3",
)  # fmt: skip
"""Whoever sends half a request, or less than it believes, is told so soon."""
MOST_GROWTH_BYTES = 96 * 2**20
"""What the process may grow by, beside what was registered: buffers, caches, the allocator."""
MOST_ENTITY_BYTES = 10_000
STATUSES = frozenset({200, 201, 302, 400, 401, 403, 404, 405, 408, 409, 412, 413, 431})
"""302 is `/`, which points to `/docs`."""
GUESSING = b"too many wrong secrets"
"""Stands in the 429 of whoever guessed at a party's secret too often."""


@dataclass
class Counted:
    """What became of what was sent."""

    answers: Counter = field(default_factory=Counter)
    closed_at_once: int = 0
    strange: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    ordered: int = 0


@pytest.mark.slow
def test_no_damaged_request_ends_stalls_or_fills_the_service(make_service, long_form) -> None:
    service = make_service(*SETTINGS).start()
    port = int(service.base_url.rpartition(":")[2])
    tokens = (
        service.token("fuzz", *SCOPES),
        service.token("fuzz", *SCOPES, now_s=datetime.now(UTC).timestamp() - 7200),
        service.token("fuzz", "no.such.scope"),
    )
    process = Process(service.process.pid)
    with service.client("witness", *SCOPES) as witness:
        asyncio.run(fuzz(port, tokens, witness_token(witness), REQUESTS[long_form] // 10, seed=1))
        before = process.measured()  # with its caches filled
        counted = asyncio.run(
            fuzz(port, tokens, witness_token(witness), REQUESTS[long_form], seed=2)
        )
        quiet(service)
        after = process.measured()
        print(counted.answers, counted.closed_at_once, counted.ordered, before, after)  # noqa: T201
        assert service.process.poll() is None
        assert not counted.strange, counted.strange[:3]
        assert set(counted.answers) <= STATUSES | {429}, counted.answers
        assert sum(counted.answers.values()) + counted.closed_at_once >= REQUESTS[long_form]
        assert counted.answers[200] + counted.answers[201] > REQUESTS[long_form] // 50
        assert counted.answers[400] > REQUESTS[long_form] // 5
        assert counted.ordered > 20
        registered = sum(gauge(service, "registered").values())
        growth = after.resident - before.resident
        assert growth < MOST_GROWTH_BYTES + registered * MOST_ENTITY_BYTES, (before, after)
        assert after.files <= before.files + 2, (before, after)
        assert after.threads <= before.threads + 2, (before, after)
    assert service.stop() == 0
    written = "\n".join(service.lines())
    assert '"level":"error"' not in written
    assert "Traceback" not in written
    assert not [token for token in tokens if token in written]
    for line in service.lines():
        json.loads(line)
    service.start()  # which reads back and verifies what it wrote


@pytest.mark.slow
def test_every_method_on_every_path_is_answered(make_service) -> None:
    service = make_service(*SETTINGS).start()
    port = int(service.base_url.rpartition(":")[2])
    token = service.token("fuzz", *SCOPES)
    described = httpx.get(f"{service.base_url}/openapi.json").json()["paths"]
    paths = [*PATHS, *(re.sub(r"\{[^}]*\}", "x", path) for path in described)]

    async def ask_all() -> Counter:
        statuses = Counter()
        for path in paths:
            for method in METHODS:
                data = (
                    f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
                    "content-length: 2\r\n\r\n{}"
                ).encode()
                for answer in await exchanged(port, Sent(data, head_only=method == "HEAD")):
                    statuses[answer.status] += 1
                    assert answer.status in STATUSES, (method, path, answer)
        return statuses

    statuses = asyncio.run(ask_all())
    assert sum(statuses.values()) >= len(paths) * len(METHODS) * 0.9
    assert statuses[405] > statuses[200] > 0
    assert not [line for line in service.lines() if '"level":"error"' in line]


def test_what_is_malformed_is_counted_and_never_in_the_journal(make_service) -> None:
    service = make_service(*SETTINGS).start()
    port = int(service.base_url.rpartition(":")[2])
    token = service.token("fuzz", *SCOPES)
    entity = f"/dss/v1/operational_intent_references/{uuid.uuid4()}"
    bodies = (b"", b"{", b"[]", b"\xff", b"NaN", b'{"a":1,"a":2}', b'{"extents":"\\ud800"}', b"{}")

    async def ask_all() -> list[int]:
        statuses = []
        for kind in ("dss/v1/reports", entity[1:], "dss/v1/subscriptions/x"):
            for body in bodies:
                method = "POST" if kind.endswith("reports") else "PUT"
                head = (
                    f"{method} /{kind} HTTP/1.1\r\nauthorization: Bearer {token}\r\n"
                    f"content-length: {len(body)}\r\n\r\n"
                )
                sent = Sent(head.encode() + body)
                statuses += [answer.status for answer in await exchanged(port, sent)]
        return statuses

    before = gauge(service, "journal_entries")["head"]
    statuses = asyncio.run(ask_all())
    assert statuses == [400] * 3 * len(bodies)
    assert gauge(service, "journal_entries")["head"] == before
    metrics = httpx.get(f"{service.base_url}/metrics").text
    assert f'deconflict_refused_total{{reason="malformed"}} {len(statuses)}.0' in metrics


async def fuzz(
    port: int, tokens: tuple[str, ...], witness: str, requests: int, *, seed: int
) -> Counted:
    """Send so many damaged requests, some at once, while a client in order asks and is served."""
    counted = Counted()
    mutator = Mutator(seed, tokens)
    left = iter(range(requests))
    over = asyncio.Event()

    async def damage() -> None:
        for _ in left:
            sent = mutator.make()
            try:
                answers = await exchanged(port, sent)
            except TimeoutError:
                counted.strange.append((sent.data[:3000], 0, b"it stalled"))
                continue
            counted.closed_at_once += not answers
            for answer in answers:
                counted.answers[answer.status] += 1
                if answer.status not in STATUSES and GUESSING not in answer.body:
                    counted.strange.append((sent.data[:3000], answer.status, answer.body))

    async def keep_order() -> None:
        asker = Asker(port, witness)
        while not over.is_set():
            await round_trip(asker)
            counted.ordered += 1
            await asyncio.sleep(0.02)  # so that it asks during all of it, and not all the time
        await asker.close()

    order = asyncio.create_task(keep_order())
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(damage())
    over.set()
    await order
    return counted


async def exchanged(port: int, sent: Sent) -> list[Answer]:
    """Send bytes on a connection of their own, and return its answers once it is quiet or closed.

    Whoever asked for less than it announced is told so by the server, after its own time limit.
    """
    reader, writer = await connected(port)
    try:
        size = -(-len(sent.data) // sent.pieces)
        try:
            for start in range(0, len(sent.data), size):
                writer.write(sent.data[start : start + size])
                await writer.drain()
        except ConnectionError:
            pass  # it was refused before it was whole; what was said is read below
        begun = requests_in(sent.data)
        answers: list[Answer] = []
        while len(answers) < begun or not begun:
            answer = await final(reader, head_only=sent.head_only)
            if answer is None:
                break
            answers.append(answer)
            if answer.closes:
                break
        return answers
    finally:
        await closed(writer)


async def final(reader: asyncio.StreamReader, *, head_only: bool) -> Answer | None:
    """Return the next answer; ``None`` if the connection was reset in the midst of one."""
    try:
        return await answered(reader, head_only=head_only)
    except (ConnectionError, asyncio.IncompleteReadError):
        return None


def requests_in(data: bytes) -> int:
    """Return how many requests a sane reader sees at the most: more answers are not waited for."""
    return len(re.findall(rb"(?<!\S)\S+ \S+ HTTP/1\.[01]\r\n", data))


@dataclass(frozen=True)
class Measured:
    resident: int
    files: int
    threads: int


class Process:
    """Figures of a process, as the kernel tells them."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def measured(self) -> Measured:
        status = (self._folder / "status").read_text(encoding="ascii")
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        return Measured(
            resident,
            len(list((self._folder / "fd").iterdir())),
            len(list((self._folder / "task").iterdir())),
        )


def quiet(service) -> None:
    """Ask until nobody else is connected and nothing waits; each answer is a look of its own."""
    for _ in range(10_000):
        found = gauge(service, "open")
        if found["connections"] <= 1 and found["requests"] == 0 and found["commands"] == 0:
            return
    raise AssertionError(f"connections, requests or commands stay: {found}")


def gauge(service, name: str) -> dict[str, float]:
    text = httpx.get(f"{service.base_url}/metrics", trust_env=False).text
    found = re.findall(rf'^deconflict_{name}{{kind="(\w+)"}} (\S+)$', text, re.MULTILINE)
    return {kind: float(figure) for kind, figure in found}


def witness_token(client: httpx.Client) -> str:
    return client.headers["authorization"].split()[1]
