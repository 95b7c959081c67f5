"""The service under load, beside the same stack answering an empty handler.

Creations are durable, each with the key it needs, by 64 clients of eight parties; the load
generator has a process of its own, and server and generator share this machine's cores. The full
run grows one service to 1,000,000 live operational intents and takes about a quarter of an hour.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

import load as requests
from served import HOST, Issuer, Served, empty, load, service

CLIENTS = 64
PARTIES = 8
CHUNK = 20_000


def row(name: str, live: int, figures: dict, base: float, extra: str = "") -> None:
    """Print a line of figures."""
    print(
        f"{name:>22} {live:>10,} {figures['rate']:9,.0f} {figures['median_ms']:8.1f} "
        f"{figures['p99_ms']:8.1f} {figures['worst_ms']:8.0f} {figures['cpu_us']:8.0f} "
        f"{figures['rate'] / base:8.2f} {extra}",
        flush=True,
    )


def header() -> None:
    """Print the names of the columns."""
    print(
        f"\n{'':>22} {'live':>10} {'a second':>9} {'median':>8} {'p99 ms':>8} {'worst':>8} "
        f"{'CPU us':>8} {'of empty':>8}"
    )


def check(figures: dict, status: int) -> None:
    """Refuse figures of a run in which anything but the wanted status was answered."""
    if set(figures["statuses"]) != {str(status)}:
        raise SystemExit(f"answers {figures['statuses']}: {figures['failures']}")


def grown(
    served: Served, kind: str, tokens: list[str], sizes: list[int], base: float
) -> tuple[int, int]:
    """Create until each size is reached; return memory before and after."""
    at_first = served.memory_bytes()
    live = 0
    for size in sizes:
        while live < size:
            count = min(CHUNK, size - live)
            figures = load(
                served, kind, tokens=tokens, clients=CLIENTS, count=count, first=live, seed=kind
            )
            check(figures, 201)
            live += count
        each = (served.memory_bytes() - at_first) / live
        row(f"create, {kind}", live, figures, base, f"{each:7,.0f} B each")
        if kind == "spread":
            asked = load(
                served,
                "queries",
                tokens=tokens,
                clients=16,
                count=min(CHUNK, 10 * size),
                first=size,
            )
            check(asked, 200)
            row("query of 1 km", live, asked, base)
    return at_first, live


def crowd(served: Served, token: str) -> None:
    """Create 100 intents in one place, each with the key of all before it."""
    client = httpx.Client(
        base_url=f"http://{HOST}:{served.port}", headers={"Authorization": f"Bearer {token}"}
    )
    start = datetime.now(UTC) + timedelta(hours=2)
    extents = requests.extent(requests.octagon(20.0, 20.0), 50.0, start, 20.0)
    key: list[str] = []
    took: list[float] = []
    for _ in range(100):
        body = requests.intent(extents, key)
        path = f"/dss/v1/operational_intent_references/{uuid.uuid4()}"
        began = time.perf_counter()
        answer = client.put(path, content=body)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 201:
            raise SystemExit(f"answer {answer.status_code}: {answer.text[:300]}")
        key.append(answer.json()["operational_intent_reference"]["ovn"])
    print("\n100 that all meet, one after the other, each key holding the others:")
    for first in (0, 45, 90):
        part = sorted(took[first : first + 10])
        print(f"  number {first + 1:>3} to {first + 10:>3}: median {part[5]:6.2f} ms")


def main(*, quick: bool) -> None:
    """Measure the empty handler, both kinds of growth, the crowd, and the start."""
    sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000, 1_000_000]
    folder = Path(tempfile.mkdtemp(prefix="deconflict-bench-"))
    try:
        issuer = Issuer(folder)
        tokens = [issuer.token(f"uss{number}") for number in range(PARTIES)]
        header()
        with empty() as served:
            figures = load(served, "empty", tokens=tokens, clients=CLIENTS, count=CHUNK)
            check(figures, 201)
            row("empty handler", 0, figures, figures["rate"])
            base = figures["rate"]
        with service(folder / "square", issuer) as served:
            grown(served, "square", tokens, sizes[:3], base)
            crowd(served, tokens[0])
        header()
        with service(folder / "spread", issuer) as served:
            _, live = grown(served, "spread", tokens, sizes, base)
            stopped_s = served.stop()
        journal = sum(path.stat().st_size for path in (folder / "spread").glob("journal.db*"))
        print(f"\njournal: {journal / live:,.0f} bytes an operational intent")
        with service(folder / "spread", issuer) as served:
            print(
                f"stopped in {stopped_s:.1f} s; started from the snapshot in {served.start_s:.1f} s"
            )
        shutil.rmtree(folder / "spread" / "snapshots")
        with service(folder / "spread", issuer) as served:
            print(f"started from nothing but the journal in {served.start_s:.1f} s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(quick=True)
