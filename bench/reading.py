"""Reads that are current and reads that may be two seconds old, beside those of an own file.

Operational intents are asked for by their identifiers, and square kilometres are queried, by 1, 16
and 64 clients. The services of a table run at once and are measured in turns, so that the machine's
pace touches all of them alike. The CPU is that of all nodes of a set, with what they do within a
second after the last answer, for reads are journalled then, and without what they use at rest. The
engines' own CPU is not counted.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from load import READ
from served import Issuer, Served
from sharing import Set, Shared, bench_folder, engines, require, say

CLIENTS = (1, 16, 64)
PARTIES = 32
"""So many that no limit of one is reached."""
SEED = "reading"
STALE = ("--stale-reads", "2s")
SETTLE_S = 1.3
REST_S = 5.0
MOST_A_SECOND = 20_000
"""Requests that are prepared for a second; an own file answers fewer."""


@dataclass(frozen=True)
class Reader:
    """A node that is asked, and its set."""

    name: str
    nodes: Set
    node: Served


class Bench:
    """What all measurements of one run share."""

    def __init__(self, stack: ExitStack, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.issuer = Issuer(folder)
        self.tokens = [self.issuer.token(f"uss{number}") for number in range(PARTIES)]
        self._stack = stack

    def one(self, name: str, shared: Shared | None = None, *more: str) -> Reader:
        """Start a node that is alone, with something to read."""
        nodes = self._set(shared)
        return Reader(name, nodes, self._filled(nodes, *more))

    def followers(self, shared: Shared) -> list[Reader]:
        """Start three nodes; return the two that follow, of which one may be stale."""
        nodes = self._set(shared)
        self._filled(nodes)
        current, stale = nodes.add(), nodes.add(*STALE)
        return [
            Reader(f"{shared.name}, one of three follows", nodes, current),
            Reader("the same, 2 s stale", nodes, stale),
        ]

    def measure(self, readers: list[Reader]) -> None:
        """Measure all in turns, the first as the baseline, and print the figures."""
        say("at rest")
        _note_rest([reader.nodes for reader in readers])
        print()
        for reader in readers:
            at_rest = f"at rest {reader.nodes.rest * 1000:.0f} ms of CPU a second"
            print(f"{'':>13} {reader.name:>38} {at_rest}")
        print(
            f"{'':>5} {'clients':>7} {'':>38} a second   median   p99 ms   CPU us "
            "of embedded CPU more"
        )
        for kind, name in (("gets", "GET"), ("queries", "query")):
            for clients in CLIENTS:
                say(f"{name}, {clients} clients")
                base: dict | None = None
                for reader in readers:
                    figures = self._asked(reader, kind, clients)
                    base = base or figures
                    print(
                        f"{name:>5} {clients:7} {reader.name:>38} {figures['rate']:8,.0f} "
                        f"{figures['median_ms']:8.2f} {figures['p99_ms']:8.1f} "
                        f"{figures['cpu_us']:8.0f} {figures['rate'] / base['rate']:11.2f} "
                        f"{figures['cpu_us'] - base['cpu_us']:8.0f}",
                        flush=True,
                    )

    def _asked(self, reader: Reader, kind: str, clients: int) -> dict:
        figures = reader.nodes.load(
            kind,
            [reader.node],
            settle_s=SETTLE_S,
            tokens=self.tokens,
            clients=clients,
            count=int(self.seconds * MOST_A_SECOND),
            seconds=self.seconds,
            seed=SEED,
        )
        require(figures, 200)
        return figures

    def _set(self, shared: Shared | None) -> Set:
        nodes = Set(self.folder / f"set{len(list(self.folder.iterdir()))}", self.issuer, shared)
        self._stack.callback(nodes.stop)
        return nodes

    def _filled(self, nodes: Set, *more: str) -> Served:
        """Start a set's first node and create what is asked for afterwards."""
        node = nodes.add(*more)
        made = nodes.load("spread", tokens=self.tokens, clients=64, count=READ, seed=SEED)
        require(made, 201)
        return node


def _note_rest(sets: list[Set]) -> None:
    """Note what all use while nobody asks them."""
    time.sleep(SETTLE_S)
    began, before = time.perf_counter(), [nodes.cpu_s() for nodes in sets]
    time.sleep(REST_S)
    took = time.perf_counter() - began
    for nodes, used in zip(sets, before, strict=True):
        nodes.rest = (nodes.cpu_s() - used) / took


def _lone(engine: Shared) -> tuple[tuple[str, ...], ...]:
    return (f"{engine.name}, one node", engine), ("the same, 2 s stale", engine, *STALE)


def main(*, quick: bool) -> None:
    """Measure nodes that are alone, then followers."""
    with bench_folder() as (stack, folder):
        bench = Bench(stack, folder, 2.0 if quick else 6.0)
        alone = bench.one("its own file")
        shared = list(engines(stack, 1))
        lone = [bench.one(*given) for engine in shared for given in _lone(engine)]
        bench.measure([alone, *lone])
        for reader in lone:
            reader.nodes.stop()
        for engine in shared[:1]:
            bench.measure([alone, *bench.followers(engine)])
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(quick=True)
