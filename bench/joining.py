"""Copying a journal to an engine, and a node that joins it, as the journal grows.

One service on its own file creates operational intents. At each size its journal is copied with
`deconflict journal copy` to another file, which is the baseline, and to each engine. Over the copy
a node starts that has the log; then one joins that has nothing but the keys, once while no node has
a snapshot and once while that one has. The baseline starts from the own file. A journal of one
creation gives what a start or a copy costs whatever the size; the figures for an entry are what
comes on top of that. Times are the shortest of a few; the engines' own CPU is not counted.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from served import HOST, Issuer, Served, service
from sharing import Set, Shared, bench_folder, engines, require, say

CLIENTS = 64
PARTIES = 8
FEW = 2_000
"""Up to so many entries a start is mostly the program's own, so it is measured more often."""
TIMES = 2
SIZES = (1, 2_000, 20_000, 100_000)


@dataclass(frozen=True)
class Cost:
    """What something took."""

    wall_s: float
    cpu_s: float


@dataclass
class Table:
    """Costs by what was done and how many entries there were; the first is the baseline."""

    title: str
    costs: dict[str, dict[int, Cost]] = field(default_factory=dict)

    def add(self, name: str, entries: int, cost: Cost) -> None:
        """Note a cost; of several the shortest counts."""
        say(f"{self.title} {name}, {entries:,}: {cost.wall_s:.2f} s, of CPU {cost.cpu_s:.2f}")
        known = self.costs.setdefault(name, {})
        known[entries] = min(known.get(entries, cost), cost, key=lambda each: each.wall_s)

    def show(self) -> None:
        """Print the costs, and what an entry adds to those of the smallest journal."""
        print(
            f"\n{self.title:>38}  entries  seconds    CPU s | entry: us   CPU us a second "
            "of the first   growth"
        )
        first = [cpu_us for _, _, cpu_us in _slopes(next(iter(self.costs.values())))]
        for name, costs in self.costs.items():
            before_us = 0.0
            for base_us, (entries, wall_us, cpu_us) in zip(first, _slopes(costs), strict=True):
                cost = costs[entries]
                print(
                    f"{name:>38} {entries:8,} {cost.wall_s:8.2f} {cost.cpu_s:8.2f} | "
                    f"{_ratio(wall_us, 1.0, 9, 0)} {_ratio(cpu_us, 1.0, 8, 0)} "
                    f"{_ratio(1e6, wall_us, 8, 0)} {_ratio(cpu_us, base_us, 12, 2)} "
                    f"{_ratio(cpu_us, before_us, 8, 2)}"
                )
                before_us = cpu_us
        print("of the first, growth: of the CPU for an entry", flush=True)


def _ratio(above: float, below: float, width: int, digits: int) -> str:
    """Return a ratio as text; a dash where one of the two is not above the noise."""
    text = f"{above / below:,.{digits}f}" if above > 0 and below > 0 else "-"
    return f"{text:>{width}}"


def _slopes(costs: dict[int, Cost]) -> Iterator[tuple[int, float, float]]:
    """Yield sizes, and the microseconds and those of CPU that an entry adds to the smallest."""
    least = min(costs)
    for entries, cost in costs.items():
        more = max(entries - least, 1)
        yield (
            entries,
            (cost.wall_s - costs[least].wall_s) / more * 1e6,
            (cost.cpu_s - costs[least].cpu_s) / more * 1e6,
        )


class Grown:
    """A service's own folder, whose journal grows while it runs and is copied while it does not."""

    def __init__(self, folder: Path, issuer: Issuer) -> None:
        self.folder = folder
        self._issuer = issuer
        self._tokens = [issuer.token(f"uss{number}") for number in range(PARTIES)]
        self.nodes = Set(folder, issuer)
        self._live = 0
        self.data = self.nodes.data(0)

    def to(self, size: int) -> None:
        """Create until there are so many."""
        say(f"creating {size:,}")
        self.nodes.add()
        made = self.nodes.load(
            "spread",
            tokens=self._tokens,
            clients=CLIENTS,
            count=size - self._live,
            first=self._live,
            seed="joining",
        )
        require(made, 201)
        self._live = size
        self.nodes.stop()
        self.nodes.nodes.clear()

    def start(self) -> Served:
        """Start it."""
        return service(self.data, self._issuer)


def copied(data: Path, target: str) -> tuple[int, Cost]:
    """Copy the journal of a data folder; return how many entries it has, and the cost."""
    command = [sys.executable, "-m", "deconflict", "journal", "copy", f"sqlite:{data}", target]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=True)  # noqa: S603
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout)["copied"], Cost(wall_s, cpu_s)


def ready(start: Callable[[], Served]) -> tuple[Served, Cost]:
    """Start a node; return what it cost until it was ready."""
    began = time.perf_counter()
    node = start()
    while httpx.get(f"http://{HOST}:{node.port}/readyz", timeout=60).status_code != httpx.codes.OK:
        time.sleep(0.02)
    return node, Cost(time.perf_counter() - began, node.cpu_s())


def started(table: Table, grown: Grown, entries: int) -> None:
    """Start from the own file, without a snapshot and then with one."""
    for name in ("own file", "own file, a snapshot"):
        for _ in range(TIMES if entries <= FEW else 1):
            if name == "own file":
                shutil.rmtree(grown.data / "snapshots")
            node, cost = ready(grown.start)
            node.stop()
            table.add(name, entries, cost)


def joined(table: Table, nodes: Set, source: Path, entries: int, name: str) -> None:
    """Let nodes join, without a snapshot and then with one."""
    shutil.copytree(source / "keys", nodes.data(0) / "keys")
    shutil.copytree(source / "log", nodes.data(0) / "log")
    nodes.data(0).chmod(0o700)
    nodes.add()
    for kind in (name, f"{name}, a snapshot"):
        for _ in range(TIMES if entries <= FEW else 1):
            node, cost = ready(nodes.add)
            node.stop()
            table.add(kind, entries, cost)
        nodes.stop()  # so the first writes a snapshot
        nodes.again(0)
    nodes.stop()


def main(*, quick: bool) -> None:
    """Copy and join at each size."""
    copies, starts = Table("copy from an own file to"), Table("a start, or a joining over")
    with bench_folder() as (stack, folder):
        issuer = Issuer(folder)
        grown = Grown(folder / "grown", issuer)
        stack.callback(grown.nodes.stop)
        shared: list[Shared] = list(engines(stack, 1))
        for size in SIZES[:3] if quick else SIZES:
            grown.to(size)
            times = TIMES if size <= FEW else 1
            for again in range(times):
                entries, cost = copied(grown.data, f"sqlite:{folder}/copy{size}_{again}/")
                copies.add("another file", entries, cost)
            started(starts, grown, entries)
            for number, engine in enumerate(shared):
                for again in range(1, times):
                    _, cost = copied(grown.data, engine.place(f"copied{number}_{size}_{again}"))
                    copies.add(engine.name, entries, cost)
                nodes = Set(folder / f"joined{number}_{size}", issuer, engine)
                stack.callback(nodes.stop)
                copies.add(engine.name, entries, copied(grown.data, nodes.address)[1])
                joined(starts, nodes, grown.data, entries, engine.name)
                shutil.rmtree(nodes.folder)
        copies.show()
        starts.show()
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(quick=True)
