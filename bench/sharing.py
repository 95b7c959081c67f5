"""The engines that several nodes can share, started to be measured, and nodes over one of them."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from served import Issuer, Served, load, service

JETSTREAM_FLAGS = ("--trial",)
"""What a node has to be told before it serves on JetStream."""


@dataclass(frozen=True)
class Shared:
    """An engine that several nodes can share.

    Attributes
    ----------
    name
        For the tables.
    place
        Returns the address of an empty journal, given its name.
    flags
        What a node has to be told to serve on it.
    """

    name: str
    place: Callable[[str], str]
    flags: tuple[str, ...] = ()


def engines(stack: ExitStack, *clusters: int) -> Iterator[Shared]:
    """Start each engine that is installed when its turn comes; all end with the stack.

    Parameters
    ----------
    stack
        Ends them.
    clusters
        Of how many servers JetStream is to be, one after the other.
    """
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    import nats_servers
    import postgres_server

    if postgres_server.programs() is None:
        print("there is no initdb, so PostgreSQL is left out (Debian: postgresql)")
    else:
        server = postgres_server.PostgresServer()
        stack.callback(server.close)
        server.make()

        def place(name: str) -> str:
            server.database(name)
            return server.url(name)

        yield Shared("PostgreSQL", place)
    if nats_servers.program() is None:
        print("there is no nats-server, so JetStream is left out (Debian: nats-server)")
        return
    for count in clusters:
        servers = nats_servers.NatsServers(count)
        stack.callback(servers.close)
        yield Shared(f"JetStream of {count}", servers.url, JETSTREAM_FLAGS)


class Set:
    """Nodes over one journal, started one after the other.

    Parameters
    ----------
    folder
        Of their data folders; its name is the journal's.
    issuer
        Of the tokens that they take.
    shared
        What keeps the journal; ``None``: an own file.

    Attributes
    ----------
    address
        Of the journal; empty if it is an own file.
    nodes
        Those that were started.
    rest
        Seconds of CPU that they use in a second at rest, which no operation is charged with.
    """

    def __init__(self, folder: Path, issuer: Issuer, shared: Shared | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.issuer = folder, issuer
        self.address = "" if shared is None else shared.place(folder.name)
        self._flags = () if shared is None else ("--journal", self.address, *shared.flags)
        self.nodes: list[Served] = []
        self.rest = 0.0

    def data(self, place: int) -> Path:
        """Return the data folder of one node."""
        return self.folder / f"node{place}"

    def add(self, *more: str) -> Served:
        """Start one more, with the keys of the first."""
        data = self.data(len(self.nodes))
        if self.nodes:
            data.mkdir(mode=0o700)
            shutil.copytree(self.data(0) / "keys", data / "keys")
        self.nodes.append(service(data, self.issuer, *self._flags, *more))
        return self.nodes[-1]

    def again(self, place: int) -> Served:
        """Start one again that has ended."""
        self.nodes[place] = service(self.data(place), self.issuer, *self._flags)
        return self.nodes[place]

    def cpu_s(self) -> float:
        """Return the CPU seconds that all have used."""
        return sum(node.cpu_s() for node in self.nodes)

    def load(
        self, kind: str, at: Sequence[Served] = (), *, settle_s: float = 0.0, **more: object
    ) -> dict:
        """Load them; the CPU is that of all nodes for one operation.

        Parameters
        ----------
        kind
            Of requests.
        at
            The nodes that are asked; without any, all.
        settle_s
            How long after the last answer what they still do is counted.
        more
            Of the plan.
        """
        asked = at or self.nodes
        before, began = self.cpu_s(), time.perf_counter()
        figures = load(asked[0], kind, ports=[node.port for node in asked], **more)
        time.sleep(settle_s)
        spent = self.cpu_s() - before - self.rest * (time.perf_counter() - began)
        figures["first_us"] = figures["cpu_us"]
        figures["cpu_us"] = spent / sum(figures["statuses"].values()) * 1e6
        return figures

    def stop(self) -> None:
        """Stop them, the last first."""
        for node in reversed(self.nodes):
            node.stop()


def require(figures: dict, status: int) -> None:
    """Refuse figures of a run in which anything but the wanted status was answered."""
    if set(figures["statuses"]) != {str(status)}:
        sys.exit(f"answers {figures['statuses']}: {figures['failures']}")


def say(text: str) -> None:
    """Tell on stderr what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@contextmanager
def bench_folder() -> Iterator[tuple[ExitStack, Path]]:
    """Yield a stack, and a folder that is removed when all on the stack has ended."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="deconflict-bench-"))
        stack.callback(shutil.rmtree, folder)
        yield stack, folder
