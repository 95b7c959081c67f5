"""A load generator: connections that each send the next request once the last one is answered.

    python bench/load.py < plan.json > figures.json

It speaks just enough HTTP/1.1 to keep a server busy without being busy itself (about 20 µs a
request). The plan names host, port, token, number of clients and what to send; the figures are
counts by status, the rate, and latencies in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

import numpy as np
import uvloop

SECOND = timedelta(seconds=1)
VERTICES = 8
SIZE_DEG = 0.001
"""Half a side of an intent: about 100 m."""
READ = 2_000
"""How many of the first creations of `spread` are asked for by `gets`."""


def octagon(lat: float, lon: float) -> str:
    """Return eight vertices around a place as JSON."""
    turns = np.linspace(0.0, 2.0 * np.pi, VERTICES, endpoint=False)
    lats, lons = lat + SIZE_DEG * np.sin(turns), lon + SIZE_DEG * np.cos(turns)
    points = ",".join(f'{{"lat":{a:.7f},"lng":{b:.7f}}}' for a, b in zip(lats, lons, strict=True))
    return f'{{"vertices":[{points}]}}'


def extent(outline: str, lower_m: float, start: datetime, minutes: float) -> str:
    """Return one extent as JSON: an outline, 50 m high, some minutes long."""
    end = start + timedelta(minutes=minutes)
    times = ",".join(
        f'"{name}":{{"value":"{at:%Y-%m-%dT%H:%M:%S.%f}Z","format":"RFC3339"}}'
        for name, at in (("time_start", start), ("time_end", end))
    )
    heights = ",".join(
        f'"altitude_{name}":{{"value":{value},"reference":"W84","units":"M"}}'
        for name, value in (("lower", lower_m), ("upper", lower_m + 50.0))
    )
    return f'{{"volume":{{"outline_polygon":{outline},{heights}}},{times}}}'


def intent(extents: str, key: list[str] | None = None) -> bytes:
    """Return the body that creates an operational intent."""
    return (
        f'{{"extents":[{extents}],"key":{json.dumps(key or [])},"state":"Accepted",'
        '"uss_base_url":"https://uss.example/utm"}'
    ).encode()


def spread(seed: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield creations spread over a country and a day, hardly any of which meet."""
    chance = random.Random(f"{seed} {first}")
    noon = datetime.now(UTC) + timedelta(hours=1)
    # A lattice of places keeps them apart; 3,600 x 3,600 places of 200 m, shuffled by a stride.
    number = first
    while True:
        place = (number * 7_368_787) % (3_600 * 3_600)
        lat, lon = 36.0 + (place // 3_600) * 0.0025, 30.0 + (place % 3_600) * 0.003
        start = noon + timedelta(seconds=chance.randrange(86_400))
        yield (
            "PUT",
            f"/dss/v1/operational_intent_references/{_uuid(chance)}",
            intent(extent(octagon(lat, lon), 50.0, start, 20.0)),
        )
        number += 1


def square(seed: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield creations in one square kilometre, each a minute after the one below or before it."""
    chance = random.Random(f"{seed} {first}")
    noon = datetime.now(UTC) + timedelta(hours=1)
    number = first
    while True:
        # Sixteen places by ten heights share a minute; then comes the next minute.
        minute, slot = divmod(number, 160)
        place, height = divmod(slot, 10)
        lat, lon = 39.0 + (place // 4) * 0.0025, 33.0 + (place % 4) * 0.003
        yield (
            "PUT",
            f"/dss/v1/operational_intent_references/{_uuid(chance)}",
            intent(extent(octagon(lat, lon), 60.0 * height, noon + minute * 60 * SECOND, 0.9)),
        )
        number += 1


def queries(seed: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield queries of a square kilometre somewhere in the country, all heights and times."""
    chance = random.Random(f"{seed} {first}")
    while True:
        lat, lon = chance.uniform(36.0, 45.0), chance.uniform(30.0, 40.8)
        corners = ((0, 0), (0, 0.0115), (0.009, 0.0115), (0.009, 0))
        points = ",".join(f'{{"lat":{lat + a:.6f},"lng":{lon + b:.6f}}}' for a, b in corners)
        body = (
            f'{{"area_of_interest":{{"volume":{{"outline_polygon":{{"vertices":[{points}]}}}}}}}}'
        )
        yield "POST", "/dss/v1/operational_intent_references/query", body.encode()


def gets(seed: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield reads of what `spread` created, over and over."""
    for _, path, _ in cycle(list(islice(spread(seed, first), READ))):
        yield "GET", path, b""


def empty(seed: int, first: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield the bodies of `spread` for a handler that does nothing with them."""
    for _, path, body in spread(seed, first):
        yield "PUT", path.replace("/dss/v1/operational_intent_references", "/empty"), body


KINDS: dict[str, Callable[[int, int], Iterator[tuple[str, str, bytes]]]] = {
    "spread": spread,
    "square": square,
    "queries": queries,
    "gets": gets,
    "empty": empty,
}


def _uuid(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


@dataclass
class Figures:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    bytes_read: int = 0
    began: float = 0.0
    ended: float = 0.0
    failures: list[str] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, take: Callable[[], bytes | None], figures: Figures) -> None:
        self.take, self.figures = take, figures
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = transport
        self.send()

    def send(self) -> None:
        """Send the next request, or hang up."""
        request = self.take()
        if request is None:
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note the answer once it is whole, and go on."""
        self.buffer = self.buffer + data if self.buffer else data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        low = self.buffer[:head].lower()
        at = low.find(b"content-length:")
        length = int(low[at + 15 :].split(b"\r\n", 1)[0])
        if len(self.buffer) < head + 4 + length:
            return
        figures = self.figures
        figures.latencies_s.append(time.perf_counter() - self.sent)
        status = int(self.buffer[9:12])
        figures.statuses[status] += 1
        figures.bytes_read += len(self.buffer)
        if status >= 400 and len(figures.failures) < 3:
            figures.failures.append(self.buffer[head + 4 :][:300].decode(errors="replace"))
        self.buffer = b""
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        """Say that this client has ended."""
        if not self.done.done():
            self.done.set_result(None)


async def run(plan: dict) -> Figures:
    """Send what a plan says."""
    figures = Figures()
    make = KINDS[plan["kind"]](plan.get("seed", 1), plan.get("first", 0))
    host = f"{plan['host']}:{plan['port']}"
    tokens = plan["tokens"]
    requests = []
    for number in range(plan["count"]):
        method, path, body = next(make)
        token = tokens[number % len(tokens)]
        requests.append(
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    requests.reverse()
    until = time.perf_counter() + plan.get("seconds", 1e9)

    def take() -> bytes | None:
        return requests.pop() if requests and time.perf_counter() < until else None

    loop = asyncio.get_running_loop()
    figures.began = time.perf_counter()
    ports = plan.get("ports") or [plan["port"]]
    clients = [
        await loop.create_connection(
            lambda: Client(take, figures), plan["host"], ports[number % len(ports)]
        )
        for number in range(plan["clients"])
    ]
    for _, client in clients:
        await client.done
    figures.ended = time.perf_counter()
    return figures


def main() -> None:
    """Read a plan, carry it out and print its figures."""
    figures = uvloop.run(run(json.load(sys.stdin)))
    took = figures.ended - figures.began
    sorted_ms = np.sort(np.array(figures.latencies_s)) * 1000
    json.dump(
        {
            "seconds": took,
            "rate": len(sorted_ms) / took,
            "median_ms": float(np.percentile(sorted_ms, 50)),
            "p99_ms": float(np.percentile(sorted_ms, 99)),
            "worst_ms": float(sorted_ms[-1]),
            "bytes_read": figures.bytes_read,
            "statuses": figures.statuses,
            "failures": figures.failures,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
