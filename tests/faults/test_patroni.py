"""Nothing that was acknowledged is lost when Patroni makes another server the primary."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Self

import psycopg
import pytest

from deconflict.journal.engine import (
    EngineError,
    Group,
    NoSpaceError,
    Outcome,
    Row,
    UnreachableError,
)
from deconflict.journal.postgres.engine import PostgresEngine
from machine import mounted
from patroni_cluster import NAMES, PatroniCluster

pytestmark = pytest.mark.slow
READ_WRITE = {"target_session_attrs": "read-write"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[PatroniCluster]:
    """Return two servers under Patroni."""
    made = PatroniCluster()
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture(scope="module")
def small() -> Iterator[PatroniCluster]:
    """Return two others, each on a small disk of its own."""
    made = PatroniCluster()
    with ExitStack() as stack:
        stack.callback(made.close)  # once more, when nothing is mounted in its folder
        for name in NAMES:
            disk = made.disk(name)
            stack.enter_context(mounted(disk, "-t", "tmpfs", "-o", "size=400m", "tmpfs"))
        stack.callback(made.close)
        yield made.start()


def _group() -> Group:
    name = os.urandom(16)
    rows = tuple(Row(number, name, bytes(64), name, b"sealed") for number in range(3))
    return Group(name, rows, ((name, b"wrapped"),))


class Writer:
    """Appends groups in a thread, and remembers what became of each."""

    def __init__(self, engine: PostgresEngine) -> None:
        self.engine = engine
        self.acknowledged: dict[int, bytes] = {}
        self.unknown: dict[bytes, int | None] = {}
        self.longest_s = 0.0
        self.no_space = threading.Event()
        self.failure: Exception | None = None
        self._stopped = threading.Event()
        self._accepted = threading.Condition()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(120)

    def more(self, count: int) -> None:
        """Return when so many more groups were acknowledged."""
        least = len(self.acknowledged) + count
        with self._accepted:
            enough = self._accepted.wait_for(
                lambda: self.failure or len(self.acknowledged) >= least, 120
            )
        assert enough, "no append is accepted any more"
        assert self.failure is None

    def _write(self) -> None:
        try:
            last = monotonic()
            while not self._stopped.is_set():
                if self._append():
                    self.longest_s = max(self.longest_s, monotonic() - last)
                    last = monotonic()
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            with self._accepted:
                self.failure = error
                self._accepted.notify_all()

    def _append(self) -> bool:
        try:
            head = self.engine.head()
        except EngineError:
            return False
        made = _group()
        try:
            accepted = self.engine.append(head, made) is Outcome.ACCEPTED
        except EngineError as error:
            if not error.outcome_known:
                self.unknown[made.id] = self._find(made.id)
            if isinstance(error, NoSpaceError):
                self.no_space.set()
            return False
        if accepted:
            assert head not in self.acknowledged, "a position was acknowledged twice"
            with self._accepted:
                self.acknowledged[head] = made.id
                self._accepted.notify_all()
        return accepted

    def _find(self, name: bytes) -> int | None:
        deadline = monotonic() + 90
        while True:
            try:
                return self.engine.find(name)
            except EngineError:
                if monotonic() > deadline:
                    raise


def _check(writer: Writer, earlier: int) -> None:
    """Require that all is there, once and in order, and that `find` agrees with what is read."""
    assert writer.failure is None
    engine = writer.engine
    engine.reopen()
    read = list(engine.read(0))
    assert [position for position, _ in read] == list(range(engine.head()))
    found: dict[bytes, list[int]] = {}
    for position, row in read[earlier:]:
        found.setdefault(row.record, []).append(position)
    known = {name: head for head, name in writer.acknowledged.items()}
    for name, head in {**writer.unknown, **known}.items():
        assert engine.find(name) == head
        assert found.pop(name, []) == ([] if head is None else [head, head + 1, head + 2])
    assert not found, "there is something that was never accepted"


def _fill(ballast: Path) -> None:
    """Fill a disk that others write to as well, until it takes nothing more."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _use_log_up(connection: psycopg.Connection, ballast: Path) -> None:
    """Begin a new file of the log again and again, until the server ends for want of one."""
    while True:
        connection.execute("SELECT pg_logical_emit_message(false, 'test', '')")
        connection.execute("SELECT pg_switch_wal()")
        _fill(ballast)


def _under_load(
    cluster: PatroniCluster, change: Callable[[Writer], str], record: Callable[[str, object], None]
) -> str:
    engine = PostgresEngine(cluster.conninfo(), create=True)
    try:
        earlier = engine.head()
        with Writer(engine) as writer:
            writer.more(20)
            changed = change(writer)
            writer.more(20)
        _check(writer, earlier)
    finally:
        engine.close()
    record("seconds_without_writes", round(writer.longest_s, 2))
    print(  # noqa: T201  (for who runs it to measure)
        f"{writer.longest_s:.2f} s without writes, {len(writer.acknowledged)} acknowledged,"
        f" {len(writer.unknown)} unknown, {cluster.version()}"
    )
    return changed


def test_nothing_acknowledged_is_lost_when_the_primary_is_killed(
    cluster: PatroniCluster, record_property, long_form
):
    for _ in range(5 if long_form else 1):
        cluster.restart(_under_load(cluster, lambda _: cluster.kill_primary(), record_property))
        cluster.wait_until_synchronous()


def test_nothing_acknowledged_is_lost_in_a_switch_over(cluster: PatroniCluster, record_property):
    _under_load(cluster, lambda _: cluster.switch_over(), record_property)
    cluster.wait_until_synchronous()


def test_a_deposed_primary_that_lives_on_neither_loses_nor_invents_anything(
    cluster: PatroniCluster, record_property
):
    def depose(writer: Writer) -> str:
        name = cluster.freeze_primary()
        cluster.wait_for_other_primary(name)
        # Now both say that they are the primary, and only the other one has a majority.
        cluster.thaw_server(name)
        writer.more(20)
        # What no standby confirms any more is not even opened: its end may be an old one.
        with pytest.raises(UnreachableError, match="still is the primary"):
            PostgresEngine(cluster.conninfo(name)).close()
        cluster.thaw_manager(name)
        return name

    _under_load(cluster, depose, record_property)
    cluster.wait_until_synchronous()


def test_a_primary_whose_disk_is_full_refuses_and_goes_on_once_there_is_room(
    small: PatroniCluster, record_property
):
    def fill_up(writer: Writer) -> str:
        name = small.primary()
        assert name is not None
        ballast = small.disk(name) / "ballast"
        _fill(ballast)
        assert writer.no_space.wait(120)
        ballast.unlink()
        return name

    _under_load(small, fill_up, record_property)
    small.wait_until_synchronous()


def test_nothing_acknowledged_is_lost_when_the_primary_has_no_room_for_its_log(
    small: PatroniCluster, record_property
):
    def fill_up(_: Writer) -> str:
        name = small.primary()
        assert name is not None
        ballast = small.disk(name) / "ballast"
        _fill(ballast)
        with psycopg.connect(small.conninfo(), autocommit=True, **READ_WRITE) as connection:
            with pytest.raises(psycopg.OperationalError):
                _use_log_up(connection, ballast)
            assert connection.broken, "the server went on without a log"
        ballast.unlink()
        return name

    _under_load(small, fill_up, record_property)
    small.wait_until_synchronous()
