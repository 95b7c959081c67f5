"""The time without writes when PostgreSQL's primary under Patroni is killed, or hands over.

Groups of one entry are appended through the engine without a pause. Beside it, over the same change
of primary, a bare psycopg loop inserts rows with ``target_session_attrs=read-write`` and connects
again whenever it fails: what Patroni and libpq cost by themselves. The time is the longest between
two acknowledged writes.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which

import psycopg

from deconflict.journal.engine import EngineError, Group, Outcome, Row
from deconflict.journal.postgres import PostgresEngine

WRITES = 20
"""Acknowledged writes before a change of primary, and after it."""
PATIENCE_S = 120


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


class Bare:
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


def append(engine: PostgresEngine) -> bool:
    """Append a group; return whether that was acknowledged."""
    name = os.urandom(16)
    group = Group(name, (Row(0, name, bytes(64), name, b"sealed"),), ((name, b"wrapped"),))
    try:
        return engine.append(engine.head(), group) is Outcome.ACCEPTED
    except EngineError:
        return False


def without_writes(conninfo: str, change: Callable[[], str]) -> tuple[str, float, float]:
    """Return the old primary, and how long the engine and the bare loop wrote nothing."""
    engine, bare = PostgresEngine(conninfo, create=True), Bare(conninfo)
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


def main(*, quick: bool) -> None:
    """Kill the primary and switch it over, several times each."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from patroni_cluster import MANAGED, PatroniCluster
    from postgres_server import programs

    packages = {"patroni": which("patroni"), "etcd-server": which("etcd"), "postgresql": programs()}
    missing = [package for package, found in packages.items() if found is None]
    if missing:
        print(f"not measured: install {', '.join(missing)} (Debian's packages)")
        return
    cluster = PatroniCluster()
    try:
        cluster.start()
        runs = 3 if quick else 7
        print(f"PostgreSQL {cluster.version()}, {runs} runs of each, Patroni's", end=" ")
        print(", ".join(f"{key} {MANAGED[key]} s" for key in ("ttl", "loop_wait", "retry_timeout")))
        print(
            "seconds without writes      engine: median   least    most |"
            " bare: median   least    most"
        )
        changes = {
            "kill -9 of the primary": cluster.kill_primary,
            "switch-over": cluster.switch_over,
        }
        for name, change in changes.items():
            seen = []
            for _ in range(runs):
                old, *times = without_writes(cluster.conninfo(), change)
                seen.append(times)
                if change == cluster.kill_primary:
                    cluster.restart(old)
                cluster.wait_until_synchronous()
            ours, theirs = zip(*seen, strict=True)
            figures = [f(times) for times in (ours, theirs) for f in (statistics.median, min, max)]
            print(
                f"{name:27} {figures[0]:15.2f} {figures[1]:7.2f} {figures[2]:7.2f} | "
                f"{figures[3]:12.2f} {figures[4]:7.2f} {figures[5]:7.2f}",
                flush=True,
            )
    finally:
        cluster.close()
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(quick=True)
