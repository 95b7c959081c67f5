"""The time without writes when a server of the journal is killed, or another takes its place.

Groups of one entry are appended through the engine without a pause. Beside it a bare loop writes to
the same servers and connects again whenever it fails: what these and their client cost by
themselves. With PostgreSQL under Patroni it inserts rows by psycopg with
``target_session_attrs=read-write``; with NATS it adds messages by nats-py to the journal's own
stream, on the subject of its barriers, so that both have the same leader. The time is the longest
between two acknowledged writes.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Protocol

import nats
import nats.errors
import nats.js.errors
import psycopg
from nats.aio.client import Client

from deconflict.journal.engine import Engine, EngineError, Group, Outcome, Row
from deconflict.journal.jetstream.engine import JetStreamEngine
from deconflict.journal.postgres.engine import PostgresEngine

WRITES = 20
"""Acknowledged writes before a change of primary, and after it."""
PATIENCE_S = 120
SHOWN = ("ttl", "loop_wait", "retry_timeout")
"""Of Patroni's settings."""


class Loop:
    """Writes in a thread until it is told to end, and notes the longest time between two."""

    def __init__(self, write: Callable[[], bool]) -> None:
        self._write = write
        self._written = 0
        self._ended = False
        self._condition = threading.Condition()
        self._failure: Exception | None = None
        self.longest_s = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def more(self) -> None:
        """Return when so many more writes were acknowledged."""
        with self._condition:
            least = self._written + WRITES
            enough = self._condition.wait_for(
                lambda: self._failure or self._written >= least, PATIENCE_S
            )
        assert self._failure is None, self._failure
        assert enough, "no write is acknowledged any more"

    def end(self) -> None:
        """End it."""
        self._ended = True
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        try:
            last = time.monotonic()
            while not self._ended:
                if self._write():
                    now = time.monotonic()
                    with self._condition:
                        self.longest_s = max(self.longest_s, now - last)
                        self._written += 1
                        self._condition.notify_all()
                    last = now
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            with self._condition:
                self._failure = error
                self._condition.notify_all()


class Bare(Protocol):
    """What is measured beside the engine."""

    def write(self) -> bool:
        """Write; return whether that was acknowledged."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class BareRows:
    """Rows of a table, and a connection that is made again when it fails."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection | None = None
        with self._connect() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS bare (content bytea)")

    def write(self) -> bool:
        """Insert a row; return whether that was acknowledged."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute("INSERT INTO bare VALUES (%s)", [os.urandom(16)])
        except psycopg.Error:
            self.close()
            return False
        return True

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            target_session_attrs="read-write",
            connect_timeout=3,
            tcp_user_timeout=5000,
        )


class BareMessages:
    """Messages of a stream, over a connection that the client makes again when it fails."""

    def __init__(self, servers: list[str], subject: str) -> None:
        self._subject = subject
        self._runner = asyncio.Runner()
        self._client: Client = self._runner.run(self._connect(servers))
        self._stream = self._client.jetstream(timeout=1)

    def write(self) -> bool:
        """Add a message; return whether that was acknowledged."""
        try:
            self._runner.run(self._add())
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError):
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._client.close())
        self._runner.close()

    async def _add(self) -> None:
        await self._stream.publish(self._subject, os.urandom(16))

    async def _connect(self, servers: list[str]) -> Client:
        async def quiet(_error: Exception) -> None: ...

        return await nats.connect(
            servers,
            error_cb=quiet,
            reconnect_time_wait=0.1,
            max_reconnect_attempts=-1,
            ping_interval=1,
            max_outstanding_pings=2,
        )


def append(engine: Engine) -> bool:
    """Append a group; return whether that was acknowledged."""
    name = os.urandom(16)
    group = Group(name, (Row(0, name, bytes(64), name, b"sealed"),), ((name, b"wrapped"),))
    try:
        return engine.append(engine.head(), group) is Outcome.ACCEPTED
    except EngineError:
        return False


def without_writes(
    engine: Engine, bare: Bare, change: Callable[[], str]
) -> tuple[str, float, float]:
    """Return which server was changed, and how long the engine and the bare loop wrote nothing."""
    loops = Loop(lambda: append(engine)), Loop(bare.write)
    try:
        for loop in loops:
            loop.more()
        old = change()
        for loop in loops:
            loop.more()
    finally:
        for loop in loops:
            loop.end()
        engine.close()
        bare.close()
    return old, loops[0].longest_s, loops[1].longest_s


def show(name: str, seen: list[tuple[float, float]]) -> None:
    """Print a line of the table."""
    ours, theirs = zip(*seen, strict=True)
    figures = [f(times) for times in (ours, theirs) for f in (statistics.median, min, max)]
    print(
        f"{name:27} {figures[0]:15.2f} {figures[1]:7.2f} {figures[2]:7.2f} | "
        f"{figures[3]:12.2f} {figures[4]:7.2f} {figures[5]:7.2f}",
        flush=True,
    )


def main(*, quick: bool) -> None:
    """Kill the primary or the leader, and switch it over, several times each."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    runs = 3 if quick else 7
    over_postgres(runs)
    over_nats(runs)
    print(f"load average {os.getloadavg()[0]:.1f}")


def over_postgres(runs: int) -> None:
    """Measure PostgreSQL under Patroni."""
    from patroni_cluster import MANAGED, PatroniCluster
    from postgres_server import programs

    packages = {"patroni": which("patroni"), "etcd-server": which("etcd"), "postgresql": programs()}
    if not there(packages):
        return
    cluster = PatroniCluster()
    try:
        cluster.start()
        managed = ", ".join(f"{key} {MANAGED[key]} s" for key in MANAGED if key in SHOWN)
        head(f"PostgreSQL {cluster.version()}, {runs} runs of each, Patroni's {managed}")
        changes = {
            "kill -9 of the primary": cluster.kill_primary,
            "switch-over": cluster.switch_over,
        }
        for name, change in changes.items():
            seen = []
            for _ in range(runs):
                conninfo = cluster.conninfo()
                engine = PostgresEngine(conninfo, create=True)
                old, *times = without_writes(engine, BareRows(conninfo), change)
                seen.append((times[0], times[1]))
                if change == cluster.kill_primary:
                    cluster.restart(old)
                cluster.wait_until_synchronous()
            show(name, seen)
    finally:
        cluster.close()


def over_nats(runs: int) -> None:
    """Measure three servers of NATS."""
    from nats_servers import NatsServer, NatsServers, program

    if not there({"nats-server": program()}):
        return
    servers = NatsServers(3)
    name = "bench"

    def leader() -> NatsServer:
        return servers.leader(name)

    def kill() -> str:
        server = leader()
        server.kill()
        return server.name

    def step_down() -> str:
        old = leader().name
        servers.asked(f"STREAM.LEADER.STEPDOWN.{name}")
        return old

    try:
        version = next(iter(servers.versions().values()))
        head(f"NATS {version}, three servers, {runs} runs of each")
        for what, change in {"kill -9 of the leader": kill, "leader steps down": step_down}.items():
            seen = []
            for _ in range(runs):
                urls = [f"nats://127.0.0.1:{server.port}" for server in servers.servers]
                engine = JetStreamEngine(servers.url(name), create=True)
                bare = BareMessages(urls, f"{name}.barrier")
                old, *times = without_writes(engine, bare, change)
                seen.append((times[0], times[1]))
                if change is kill:
                    next(server for server in servers.servers if server.name == old).start()
                    servers.until_ready()
            show(what, seen)
    finally:
        servers.close()


def there(packages: dict[str, object]) -> bool:
    """Return whether programs are there; say which are not."""
    missing = [package for package, found in packages.items() if not found]
    if missing:
        print(f"not measured: install {', '.join(missing)} (Debian's packages)")
    return not missing


def head(text: str) -> None:
    """Print the head of a table."""
    print(text)
    print(
        "seconds without writes      engine: median   least    most | bare: median   least    most"
    )


if __name__ == "__main__":
    main(quick=True)
