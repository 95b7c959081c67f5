"""Several nodes over one journal, beside one node on its own file and the empty handler.

64 clients of eight parties create and 16 query, spread over all nodes; nodes, engine and load
generator share this machine's cores, so three nodes show what they cost and not what three machines
give. Then the one that decides is killed, or stopped, and the time without a write is measured.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from signal import SIGKILL, SIGTERM

import httpx

import load as requests
from served import HOST, Issuer, Served, empty, load
from sharing import Set, bench_folder, engines, require, say

CLIENTS = 64
PARTIES = 8
AT_REST = 50
"""Writes while no node ends: what the longest of them takes is the baseline."""
APART = 10_000_000
"""Number of the first creation of a failover: none of the others lies near it."""


def row(name: str, figures: dict, base: float, embedded: float) -> None:
    """Print a line of figures."""
    print(
        f"{name:>34} {figures['rate']:8,.0f} {figures['median_ms']:8.1f} {figures['p99_ms']:8.1f} "
        f"{figures['cpu_us']:8.0f} {figures.get('first_us', figures['cpu_us']):8.0f} "
        f"{figures['rate'] / base:8.2f} {figures['rate'] / embedded:8.2f}",
        flush=True,
    )


@dataclass
class Run:
    """What all measurements of one run share."""

    tokens: list[str]
    count: int
    base: float
    embedded: tuple[float, float] | None = None

    def measure(self, nodes: Set, name: str, first: int = 0) -> tuple[float, float]:
        """Create and query, print both and return their rates."""
        say(name)
        made = nodes.load(
            "spread", tokens=self.tokens, clients=CLIENTS, count=self.count, first=first, seed=name
        )
        require(made, 201)
        asked = nodes.load("queries", tokens=self.tokens, clients=16, count=self.count, first=1)
        require(asked, 200)
        embedded = self.embedded or (made["rate"], asked["rate"])
        row(f"create, {name}", made, self.base, embedded[0])
        row(f"query, {name}", asked, self.base, embedded[1])
        return made["rate"], asked["rate"]

    def beside(self, alone: Set, first: int) -> None:
        """Measure the own file again: a machine's pace changes within minutes."""
        self.embedded = None
        self.embedded = self.measure(alone, "its own file", first)


def over(run: Run, nodes: Set, name: str) -> None:
    """Measure one node, then three."""
    nodes.add()
    run.measure(nodes, f"{name}, one node")
    nodes.add()
    nodes.add()
    run.measure(nodes, f"{name}, three nodes", first=run.count)


def fail_over(nodes: Set, token: str, rounds: int) -> list[tuple[str, list[float]]]:
    """Return how long nobody wrote when the node that decides was killed, and when it stopped."""
    writes = requests.spread(1, APART)
    with _client(nodes.nodes[-1], token) as client:
        took = [_timed(client, writes) for _ in range(AT_REST)]
    seen = [("no node ends", took)]
    for name, number in (("kill -9", SIGKILL), ("SIGTERM", SIGTERM)):
        took = []
        for _ in range(rounds):
            place = _deciding(nodes)
            leading, other = nodes.nodes[place], nodes.nodes[(place + 1) % len(nodes.nodes)]
            with _client(other, token) as client:
                took.append(_without_writes(client, writes, leading, number))
            leading.stop()
            nodes.again(place)
        seen.append((name, took))
    return seen


def _without_writes(
    client: httpx.Client, writes: Iterator[tuple[str, str, bytes]], leading: Served, number: int
) -> float:
    """End the node that decides; return the longest time between two answered writes.

    One that stops goes on deciding for a while, so what counts ends with the first write that
    began when it was gone.
    """
    _timed(client, writes)
    longest_s, last = 0.0, time.perf_counter()
    leading.process.send_signal(number)
    ended = False
    while not ended:
        ended = leading.process.poll() is not None
        _timed(client, writes)
        now = time.perf_counter()
        longest_s, last = max(longest_s, now - last), now
    return longest_s


def _timed(client: httpx.Client, writes: Iterator[tuple[str, str, bytes]]) -> float:
    """Write until a write is answered; return the seconds that it took."""
    began = time.perf_counter()
    created = False
    while not created:
        method, path, body = next(writes)
        created = client.request(method, path, content=body).status_code == httpx.codes.CREATED
    return time.perf_counter() - began


def _client(node: Served, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://{HOST}:{node.port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )


def _deciding(nodes: Set) -> int:
    """Return the place of the node that decides, once one does."""
    while True:
        for place, node in enumerate(nodes.nodes):
            metrics = httpx.get(f"http://{HOST}:{node.port}/metrics", timeout=60).text
            if '{kind="here"} 1.0' in metrics:
                return place


def failovers(seen: list[tuple[str, str, list[float]]]) -> None:
    """Print how long nobody wrote."""
    print(f"\n{'seconds without an answered write':>34}   median    worst       of")
    for engine, name, took in seen:
        print(
            f"{f'{engine}, {name}':>34} {statistics.median(took):8.2f} {max(took):8.2f} "
            f"{len(took):8}"
        )


def main(*, quick: bool) -> None:
    """Measure each engine that there is."""
    count = 5_000 if quick else 20_000
    seen: list[tuple[str, str, list[float]]] = []
    with bench_folder() as (stack, folder):
        issuer = Issuer(folder)
        tokens = [issuer.token(f"uss{number}") for number in range(PARTIES)]
        print(f"\n{'':>34} a second   median   p99 ms   CPU us  first's of empty of embedded")
        with empty() as served:
            figures = load(served, "empty", tokens=tokens, clients=CLIENTS, count=count)
            row("empty handler", figures, figures["rate"], figures["rate"])
            run = Run(tokens, count, figures["rate"])
        alone = Set(folder / "alone", issuer)
        stack.callback(alone.stop)
        alone.add()
        for number, engine in enumerate(engines(stack, 1, 3)):
            nodes = Set(folder / f"nodes{number}", issuer, engine)
            stack.callback(nodes.stop)
            run.beside(alone, number * count)
            over(run, nodes, engine.name)
            say(f"{engine.name}, failing over")
            took = fail_over(nodes, tokens[0], 3 if quick else 7)
            seen += [(engine.name, name, times) for name, times in took]
            nodes.stop()
        failovers(seen)
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(quick=True)
