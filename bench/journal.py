"""Appending groups to the journal's engines and reading them back, and how that grows with it.

SQLite's engine writes beside a bare SQLite table with the same settings, that takes the same bytes
as one blob a row and a key: what the disk and SQLite cost by themselves. Where the programs of
PostgreSQL and NATS are installed, their engines write the same groups as SQLite's, over TCP on the
same disk; NATS with one server and with three. All write in turns within the same run.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deconflict.journal.engine import Engine, Group, Outcome, Row
from deconflict.journal.sqlite.engine import SqliteEngine

RECORD_BYTES, SEALED_BYTES, WRAPPED_BYTES = 330, 1590, 60
"""An operational intent's entry is about 2 KB in all."""
HEADS = 100
"""Asked for one by one: each is a barrier of its own where the engine is shared."""
TURN_ROWS = 1024
"""Rows that one of the two writes before it is the other's turn."""


@dataclass
class Spent:
    """Time that went into rows."""

    rows: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def run(self, rows: int, work: Callable[[], None]) -> None:
        """Do some work on so many rows and count its time."""
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        self.cpu_s += time.process_time() - cpu
        self.wall_s += time.perf_counter() - wall
        self.rows += rows

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU a row, the system's included."""
        return self.cpu_s / self.rows * 1e6

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.wall_s


class Bare:
    """A table, and nothing that notices what a disk did to it."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA page_size = 8192",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE entries (position INTEGER PRIMARY KEY, content BLOB) STRICT",
            "CREATE TABLE keys (id BLOB PRIMARY KEY, wrapped BLOB) STRICT, WITHOUT ROWID",
        ):
            self.connection.execute(statement).fetchall()

    def append(self, head: int, contents: list[bytes], group: Group) -> None:
        """Commit a group."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(contents, head))
        self.connection.executemany("INSERT INTO keys VALUES (?, ?)", group.keys)
        self.connection.execute("COMMIT")


def groups(size: int, head: int, count: int) -> Iterator[tuple[int, Group]]:
    """Yield heads and groups; a key's identifier begins with its time, as the log makes them."""
    dice = random.Random(head)
    for first in range(head, head + count, size):
        rows = tuple(
            Row(
                1_790_000_000_000_000 + position,
                dice.randbytes(RECORD_BYTES),
                dice.randbytes(64),
                position.to_bytes(8) + dice.randbytes(8),
                dice.randbytes(SEALED_BYTES),
            )
            for position in range(first, first + size)
        )
        keys = tuple((row.key_id, dice.randbytes(WRAPPED_BYTES)) for row in rows)
        yield first, Group(dice.randbytes(16), rows, keys)


def write(engine: SqliteEngine, bare: Bare, head: int, size: int, count: int) -> tuple[Spent, ...]:
    """Append so many rows to both, in turns."""
    ours, theirs = Spent(), Spent()
    for first in range(head, head + count, TURN_ROWS):
        made = list(groups(size, first, TURN_ROWS))
        contents = [
            [b"".join((r.record, r.signature, r.key_id, r.sealed)) for r in group.rows]
            for _, group in made
        ]

        def append(made: list[tuple[int, Group]] = made) -> None:
            for start, group in made:
                assert engine.append(start, group) is Outcome.ACCEPTED

        def append_bare(
            made: list[tuple[int, Group]] = made, contents: list[list[bytes]] = contents
        ) -> None:
            for (start, group), content in zip(made, contents, strict=True):
                bare.append(start, content, group)

        ours.run(TURN_ROWS, append)
        theirs.run(TURN_ROWS, append_bare)
    return ours, theirs


def bytes_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def beside_servers(count: int) -> None:
    """Write the same groups of 64 to each engine there is, in turns, and read them back."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    import nats_servers
    import postgres_server
    from deconflict.journal.jetstream.engine import JetStreamEngine
    from deconflict.journal.postgres.engine import PostgresEngine

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        engines: dict[str, Engine] = {
            "SQLite": SqliteEngine(Path(folder, "journal.db"), create=True)
        }
        if postgres_server.programs() is None:
            print("\nthere is no initdb, so PostgreSQL is left out (Debian: postgresql)")
        else:
            server = postgres_server.PostgresServer()
            stack.callback(server.close)
            engines["PostgreSQL"] = PostgresEngine(server.make().database("journal"), create=True)
        if nats_servers.program() is None:
            print("\nthere is no nats-server, so JetStream is left out (Debian: nats-server)")
        else:
            for number in (1, 3):
                servers = nats_servers.NatsServers(number)
                stack.callback(servers.close)
                engines[f"JetStream, {number}"] = JetStreamEngine(
                    servers.url("journal"), create=True
                )
        for engine in engines.values():
            stack.callback(engine.close)
        compare(engines, count)


def compare(engines: dict[str, Engine], count: int) -> None:
    written = {name: Spent() for name in engines}
    for first in range(0, count, TURN_ROWS):
        made = list(groups(64, first, TURN_ROWS))
        for name, engine in engines.items():

            def append(made: list[tuple[int, Group]] = made, engine: Engine = engine) -> None:
                for start, group in made:
                    assert engine.append(start, group) is Outcome.ACCEPTED

            written[name].run(TURN_ROWS, append)
    print("\ngroups of 64       rows/s  us CPU/row  of SQLite's rows/s | read rows/s  heads/s")
    for name, engine in engines.items():
        reading, heads = Spent(), Spent()
        reading.run(count, partial(deque, engine.read(0), 0))
        heads.run(HEADS, lambda engine=engine: [engine.head() for _ in range(HEADS)])
        ratio = written[name].rate / written["SQLite"].rate
        print(
            f"{name:12} {written[name].rate:12,.0f} {written[name].cpu_us:11.1f} {ratio:19.2f} | "
            f"{reading.rate:11,.0f} {heads.rate:8,.0f}"
        )
    print("the servers' own CPU is not counted; JetStream acknowledges before it syncs")


def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, beside = Path(name, "ours"), Path(name, "bare")
        folder.mkdir()
        beside.mkdir()
        engine = SqliteEngine(folder / "journal.db", create=True)
        bare = Bare(beside / "bare.db")
        count = 4_096 if quick else 16_384
        print("rows a group   rows/s   commits/s  us CPU/row | bare rows/s  us CPU/row | ratio")
        head = 0
        for size in (1, 16, 64, 256):
            ours, theirs = write(engine, bare, head, size, count)
            head += count
            print(
                f"{size:12} {ours.rate:8,.0f} {ours.rate / size:11,.0f} {ours.cpu_us:11.1f} | "
                f"{theirs.rate:11,.0f} {theirs.cpu_us:11.1f} | {ours.cpu_us / theirs.cpu_us:5.2f}"
            )
        engine.close()
        bare.connection.close()
    print("\nas it grows, groups of 64: each line writes from the size above it to its own")
    print("      rows   rows/s  us CPU/row  bare us  ratio  read us  bytes/row  open ms")
    with tempfile.TemporaryDirectory() as name:
        folder, beside = Path(name, "ours"), Path(name, "bare")
        folder.mkdir()
        beside.mkdir()
        engine = SqliteEngine(folder / "journal.db", create=True)
        bare = Bare(beside / "bare.db")
        head = 0
        for target in (1_024, 10_240, 30_720 if quick else 102_400):
            ours, theirs = write(engine, bare, head, 64, target - head)
            head = target
            reading = Spent()
            first = max(0, target - 10_240)
            reading.run(target - first, partial(deque, engine.read(first), 0))
            engine.close()
            size = bytes_of(folder)
            began = time.perf_counter()
            engine = SqliteEngine(folder / "journal.db")
            opened = time.perf_counter() - began
            assert engine.head() == target
            print(
                f"{target:10,} {ours.rate:8,.0f} {ours.cpu_us:11.1f} {theirs.cpu_us:8.1f} "
                f"{ours.cpu_us / theirs.cpu_us:6.2f} {reading.cpu_us:8.1f} {size / target:10,.0f} "
                f"{opened * 1e3:8.1f}"
            )
        engine.close()
        bare.connection.close()
    beside_servers(8_192 if quick else 32_768)
    print(f"content of a row: {RECORD_BYTES + 64 + 16 + SEALED_BYTES + WRAPPED_BYTES:,} bytes")
    print(f"load average {os.getloadavg()[0]:.1f}")
