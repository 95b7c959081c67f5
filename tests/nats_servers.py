"""NATS servers for tests: one, or a cluster of three, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from lines import Line
from machine import free_port

PATIENCE_S = 60
SETTINGS = """
server_name: {name}
host: 127.0.0.1
port: {port}
max_payload: 32MB
ping_interval: "1s"
ping_max: 2
jetstream {{ store_dir: "{folder}", max_memory_store: 64MB, max_file_store: {disk} }}
"""
CLUSTER = """
cluster {{ name: tests, host: 127.0.0.1, port: {port}, routes: [{routes}], no_advertise: true }}
"""


def program() -> str | None:
    """Return the server's program; ``None`` if there is none."""
    return shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class NatsServer:
    """A server with its files in a folder.

    Attributes
    ----------
    port
        For clients, on loopback.
    """

    def __init__(self, folder: Path, name: str, more: str = "", disk: str = "1GB") -> None:
        found = program()
        if found is None:
            pytest.skip("there is no nats-server (Debian: nats-server)")
        self._program = found
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.port = free_port()
        settings = SETTINGS.format(name=name, port=self.port, folder=self.folder, disk=disk)
        (self.folder / "settings").write_text(settings + more)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "settings")], stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it at once, without any last words."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it not run meanwhile: it is there and does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


class NatsServers:
    """One server, or several that are a cluster.

    Parameters
    ----------
    count
        How many.
    disk
        How much each may store.
    lined
        Whether they talk to one another over lines that a test can cut.
    """

    def __init__(self, count: int, disk: str = "1GB", *, lined: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="deconflict-nats-"))
        ports = [free_port() for _ in range(count)]
        self._lines: dict[tuple[int, int], Line] = {}
        if lined:
            self._lines = {
                (one, other): Line(ports[other]) for one, other in permutations(range(count), 2)
            }
        try:
            self.servers = [
                NatsServer(self.folder, f"n{number}", self._cluster(number, ports), disk)
                for number in range(count)
            ]
            for server in self.servers:
                server.start()
            self.until_ready()
        except BaseException:
            self.close()
            raise

    def _cluster(self, number: int, ports: list[int]) -> str:
        if len(ports) == 1:
            return ""
        others = [
            self._lines[number, other].port if self._lines else port
            for other, port in enumerate(ports)
            if other != number
        ]
        routes = ", ".join(f"nats-route://127.0.0.1:{port}" for port in others)
        return CLUSTER.format(port=ports[number], routes=routes)

    def lines(self, server: NatsServer) -> list[Line]:
        """Return the lines between a server and the others."""
        number = self.servers.index(server)
        return [line for ends, line in self._lines.items() if number in ends]

    @contextmanager
    def cut_off(self, server: NatsServer) -> Iterator[None]:
        """Let a server and the others not hear of one another meanwhile."""
        for line in self.lines(server):
            line.cut()
        try:
            yield
        finally:
            for line in self.lines(server):
                line.mend()

    @contextmanager
    def slowed(self, server: NatsServer, delay_s: float) -> Iterator[None]:
        """Let each piece between a server and the others take so long meanwhile."""
        for line in self.lines(server):
            line.delay_s = delay_s
        try:
            yield
        finally:
            for line in self.lines(server):
                line.delay_s = 0.0

    def until_ready(self) -> None:
        """Wait until JetStream takes streams with a copy on each server."""
        until = time.monotonic() + PATIENCE_S
        config = {"name": "ready", "subjects": ["ready"], "num_replicas": len(self.servers)}
        while "error" in self.asked("STREAM.CREATE.ready", config | {"storage": "memory"}):
            assert time.monotonic() < until, (self.servers[0].folder / "log").read_text()
        self.asked("STREAM.DELETE.ready")

    def url(self, name: str, *order: NatsServer) -> str:
        """Return the address of a journal; with the servers in an order, or all."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in order or self.servers)
        return f"nats://{hosts}/{name}?replicas={len(self.servers)}"

    def versions(self) -> dict[str, str]:
        """Return the version of the program under the address of each server."""
        said = subprocess.run(
            [self.servers[0]._program, "--version"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return {f"127.0.0.1:{each.port}": said.split("v")[-1].strip() for each in self.servers}

    def leader(self, stream: str) -> NatsServer:
        """Return the server that leads a stream."""
        name = self.asked(f"STREAM.INFO.{stream}")["cluster"]["leader"]
        return next(server for server in self.servers if server.name == name)

    def asked(self, verb: str, request: Any = None) -> dict[str, Any]:
        """Return what JetStream answers to a question, or ``{"error": ...}``."""
        return asyncio.run(
            self._ask(verb, b"" if request is None else json.dumps(request).encode())
        )

    async def _ask(self, verb: str, data: bytes) -> dict[str, Any]:
        for server in self.servers:
            client = Client()

            async def quiet(_error: Exception) -> None: ...

            try:
                await client.connect(
                    f"nats://127.0.0.1:{server.port}",
                    error_cb=quiet,
                    allow_reconnect=False,
                    max_reconnect_attempts=3,
                    reconnect_time_wait=0.1,
                )
                answer = await client.request(f"$JS.API.{verb}", data, timeout=2)
                return json.loads(answer.data)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller asks again
                failed = error
            finally:
                await client.close()
        return {"error": str(failed)}

    def close(self) -> None:
        """End all and remove their files."""
        try:
            for server in getattr(self, "servers", []):
                server.kill()
        finally:
            for line in self._lines.values():
                line.close()
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServers]:
    """Return a running server that the tests of a session share, each with a journal."""
    servers = NatsServers(1)
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def module_cluster() -> Iterator[NatsServers]:
    """Return three running servers that are one cluster, whatever tests did to them."""
    servers = NatsServers(3)
    yield servers
    servers.close()


@pytest.fixture
def nats_cluster(module_cluster: NatsServers) -> NatsServers:
    """Return three servers that have a leader again after what the test before did to them."""
    module_cluster.until_ready()
    return module_cluster


@pytest.fixture
def stream_url(nats_server: NatsServers) -> str:
    """Return the address of a journal that is not there yet."""
    return nats_server.url(f"test_{os.urandom(8).hex()}")
