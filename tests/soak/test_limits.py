"""One party floods the service in every way that its limits are for; another goes on being served.

What is counted decides, and no time: each of the other party's requests has to succeed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from asking import Asker, answered, closed, connected
from ordering import round_trip
from serving import Service, service_in

SETTINGS = (
    "--rate-per-party", "200", "--burst-per-party", "200", "--most-connections-per-party", "40",
    "--most-connections", "300", "--most-in-flight-per-party", "16", "--header-timeout-s", "1",
    "--body-timeout-s", "2",
)  # fmt: skip
TRIPS = {False: 8, True: 1_000}
"""Round trips of three requests each that the other party makes under each flood."""
BODY = b'{"extents": [' + b"[" * 10 + b" " * 3_999_000
LARGEST = 4_000_000
MOST_GROWTH_BYTES = 160 * 2**20
"""Above what 40 connections with 4 MB each hold, if none were freed before the next."""

AREA = {
    "area_of_interest": {
        "volume": {
            "outline_polygon": {
                "vertices": [
                    {"lat": 46.0, "lng": 7.0},
                    {"lat": 46.0, "lng": 7.1},
                    {"lat": 46.1, "lng": 7.0},
                ]
            }
        }
    }
}
Flood = Callable[["Flooder"], Awaitable[None]]


class Flooder:
    """A party that asks for too much, again and again, until told to stop."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.head = f"host: localhost\r\nauthorization: Bearer {token}\r\n"
        self.answers: Counter[int] = Counter()
        self.over = asyncio.Event()

    async def send(self, *pieces: bytes) -> None:
        """Send pieces on a connection of their own, and count the answer."""
        reader, writer = await connected(self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            answer = await answered(reader)
            if answer is not None:
                self.answers[answer.status] += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            self.answers[0] += 1  # closed before all was sent: the refusal may be lost
        finally:
            await closed(writer)

    def put(self, length: int) -> bytes:
        path = "/dss/v1/operational_intent_references/2f8343be-6482-4d1b-a474-16847e01af1e"
        return f"PUT {path} HTTP/1.1\r\n{self.head}content-length: {length}\r\n\r\n".encode()


async def too_often(flooder: Flooder) -> None:
    asker = Asker(flooder.port, flooder.head.partition("Bearer ")[2].strip())
    answer = await asker.ask("GET", "/dss/v1/uss_availability/x")
    flooder.answers[answer.status] += 1
    while not flooder.over.is_set():
        answer = await asker.ask("GET", "/dss/v1/uss_availability/x")
        flooder.answers[answer.status] += 1
    await asker.close()


async def too_many_connections(flooder: Flooder) -> None:
    opened = [await connected(flooder.port) for _ in range(60)]
    try:
        for reader, writer in opened:
            writer.write(f"GET /healthz HTTP/1.1\r\n{flooder.head}\r\n".encode())
            writer.write(f"GET /dss/v1/uss_availability/x HTTP/1.1\r\n{flooder.head}\r\n".encode())
            for _ in range(2):
                answer = await answered(reader)
                if answer is None:
                    break
                flooder.answers[answer.status] += 1
    finally:
        for _, writer in opened:
            await closed(writer)


async def slow_headers(flooder: Flooder) -> None:
    await flooder.send(b"GET /dss/v1/uss_availability/x HTTP/1.1\r\n", b"host: ", b"local")


async def slow_bodies(flooder: Flooder) -> None:
    await flooder.send(flooder.put(1000), b"{", b'"extents"')


async def bodies_too_large(flooder: Flooder) -> None:
    await flooder.send(flooder.put(LARGEST + 1), BODY)


async def bodies_as_large_as_may_be(flooder: Flooder) -> None:
    await flooder.send(flooder.put(len(BODY)), BODY)


@pytest.fixture(scope="module")
def limited(tmp_path_factory, authority_key) -> Iterator[Service]:
    """Return a service with small limits, which all floods go over."""
    service = service_in(tmp_path_factory.mktemp("limits") / "data", authority_key, *SETTINGS)
    yield service.start()
    service.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flood", "at_once", "refused"),
    [
        (too_often, 8, {429}),
        (too_many_connections, 4, {429}),
        (slow_headers, 60, {408}),
        (slow_bodies, 60, {408, 429}),
        (bodies_too_large, 20, {413}),
        (bodies_as_large_as_may_be, 20, {400}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_flood_is_refused_and_another_party_is_served(
    limited, flood: Flood, at_once: int, refused: set[int], *, long_form: bool
) -> None:
    service = limited
    port = int(service.base_url.rpartition(":")[2])
    flooder = Flooder(port, service.token(flood.__name__))
    status = Path(f"/proc/{service.process.pid}/status")

    async def run() -> int:
        other = Asker(port, service.token("other"))
        served = 0
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(flooding(flooder, flood))
            while served < TRIPS[long_form] or not refused <= set(flooder.answers):
                await round_trip(other)
                served += 1
                await asyncio.sleep(0.02)  # which keeps it below its own rate
            flooder.over.set()
        await other.close()
        return served

    asyncio.run(warm(port, service.token("other")))
    before = resident(status)
    served = asyncio.run(run())
    assert served >= TRIPS[long_form]
    assert refused <= set(flooder.answers)
    assert max(flooder.answers) < 500 or set(flooder.answers) <= {*range(500), 503}
    assert resident(status) - before < MOST_GROWTH_BYTES, (before, resident(status))
    assert not [line for line in service.lines() if '"level":"error"' in line]


async def warm(port: int, token: str) -> None:
    """Have the service load what it loads when it is first asked."""
    asker = Asker(port, token)
    await round_trip(asker)
    await asker.ask("POST", "/dss/v1/operational_intent_references/query", AREA)
    await asker.close()


async def flooding(flooder: Flooder, flood: Flood) -> None:
    while not flooder.over.is_set():
        await flood(flooder)


def resident(status: Path) -> int:
    for line in status.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):  # the most that it ever was
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel tells no VmHWM")
