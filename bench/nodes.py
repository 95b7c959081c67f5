"""Several nodes over one journal, beside one node on its own file and the empty handler.

64 clients of eight parties create and 16 query, spread over all nodes; nodes, engine and load
generator share this machine's cores, so three nodes show what they cost and not what three machines
give. Then a node joins, and the one that decides is killed until the next write is answered.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

import load as requests
from served import HOST, Issuer, Served, empty, load, service

CLIENTS = 64
PARTIES = 8


class Set:
    """Nodes that share a journal, started one after the other."""

    def __init__(self, folder: Path, issuer: Issuer, journal: str | None, *more: str) -> None:
        self.folder, self.issuer, self.more = folder, issuer, more
        self.journal = () if journal is None else ("--journal", journal)
        self.nodes: list[Served] = []

    def add(self) -> Served:
        """Start one more, with the keys of the first."""
        data = self.folder / f"node{len(self.nodes)}"
        if self.nodes:
            data.mkdir(mode=0o700)
            shutil.copytree(self.folder / "node0" / "keys", data / "keys")
        self.nodes.append(service(data, self.issuer, *self.journal, *self.more))
        return self.nodes[-1]

    def load(self, kind: str, **more: object) -> dict:
        """Load all of them; CPU is that of all nodes for one operation."""
        others = self.nodes[1:]
        before = sum(node.cpu_s() for node in others)
        ports = [node.port for node in self.nodes]
        figures = load(self.nodes[0], kind, ports=ports, **more)
        answered = sum(figures["statuses"].values())
        beside = sum(node.cpu_s() for node in others) - before
        figures["first_us"] = figures["cpu_us"]
        figures["cpu_us"] += beside / answered * 1e6
        return figures

    def stop(self) -> None:
        """Stop them, the last first."""
        for node in reversed(self.nodes):
            node.stop()


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
    embedded: list[float] = field(default_factory=list)

    def measure(self, nodes: Set, name: str, first: int = 0) -> None:
        """Create and query, and print both."""
        made = nodes.load(
            "spread", tokens=self.tokens, clients=CLIENTS, count=self.count, first=first, seed=name
        )
        _require(made, 201)
        asked = nodes.load("queries", tokens=self.tokens, clients=16, count=self.count, first=1)
        _require(asked, 200)
        if not self.embedded:
            self.embedded += [made["rate"], asked["rate"]]
        row(f"create, {name}", made, self.base, self.embedded[0])
        row(f"query, {name}", asked, self.base, self.embedded[1])


def _require(figures: dict, status: int) -> None:
    if set(figures["statuses"]) != {str(status)}:
        sys.exit(f"answers {figures['statuses']}: {figures['failures']}")


def fail_over(nodes: Set, token: str, rounds: int) -> None:
    """Kill the node that decides, and tell how long nobody wrote."""
    took: list[float] = []
    for _ in range(rounds):
        leading = next(node for node in nodes.nodes if '{kind="here"} 1.0' in _metrics(node))
        place = nodes.nodes.index(leading)
        other = nodes.nodes[(place + 1) % len(nodes.nodes)]
        began = time.perf_counter()
        leading.process.kill()
        leading.process.communicate()
        while not _writes(other, token):
            pass
        took.append(time.perf_counter() - began)
        data = nodes.folder / f"node{place}"
        nodes.nodes[place] = service(data, nodes.issuer, *nodes.journal, *nodes.more)
    print(
        f"\nkilled the node that decides {rounds} times; until the next write was answered: "
        f"median {statistics.median(took):.1f} s, worst {max(took):.1f} s"
    )


def _metrics(node: Served) -> str:
    return httpx.get(f"http://{HOST}:{node.port}/metrics", timeout=60).text


def _writes(node: Served, token: str) -> bool:
    start = datetime.now(UTC) + timedelta(hours=2)
    extents = requests.extent(requests.octagon(10.0, 10.0), 50.0, start, 20.0)
    answer = httpx.put(
        f"http://{HOST}:{node.port}/dss/v1/operational_intent_references/{uuid.uuid4()}",
        content=requests.intent(extents),
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    return answer.status_code in {201, 409}


def over(run: Run, nodes: Set, name: str) -> None:
    """Measure one node, then three, and the joining."""
    nodes.add()
    run.measure(nodes, f"{name}, one node")
    late = nodes.add()
    joined_s = late.start_s
    nodes.add()
    run.measure(nodes, f"{name}, three nodes", first=run.count)
    print(f"{'':>34} a node joined {run.count:,} entries in {joined_s:.1f} s, its start included")


def main(*, quick: bool) -> None:
    """Measure each engine that there is."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    import nats_servers
    import postgres_server

    count = 5_000 if quick else 20_000
    folder = Path(tempfile.mkdtemp(prefix="deconflict-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        issuer = Issuer(folder)
        tokens = [issuer.token(f"uss{number}") for number in range(PARTIES)]
        print(f"\n{'':>34} a second   median   p99 ms   CPU us  first's of empty of embedded")
        with empty() as served:
            figures = load(served, "empty", tokens=tokens, clients=CLIENTS, count=count)
            row("empty handler", figures, figures["rate"], figures["rate"])
            run = Run(tokens, count, figures["rate"])
        alone = Set(folder / "alone", issuer, None)
        alone.folder.mkdir()
        stack.callback(alone.stop)
        alone.add()
        run.measure(alone, "its own file")
        alone.stop()
        if postgres_server.programs() is None:
            print("there is no initdb, so PostgreSQL is left out (Debian: postgresql)")
        else:
            server = postgres_server.PostgresServer()
            stack.callback(server.close)
            server.make().database("journal")
            nodes = Set(folder / "postgres", issuer, server.url("journal"))
            nodes.folder.mkdir()
            stack.callback(nodes.stop)
            over(run, nodes, "PostgreSQL")
            fail_over(nodes, tokens[0], 3 if quick else 7)
            nodes.stop()
        if nats_servers.program() is None:
            print("there is no nats-server, so JetStream is left out (Debian: nats-server)")
        else:
            servers = nats_servers.NatsServers(1)
            stack.callback(servers.close)
            nodes = Set(folder / "nats", issuer, servers.url("journal"), "--trial")
            nodes.folder.mkdir()
            stack.callback(nodes.stop)
            over(run, nodes, "JetStream, one server")


if __name__ == "__main__":
    main(quick=True)
