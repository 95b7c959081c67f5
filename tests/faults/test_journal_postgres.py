"""The PostgreSQL engine when servers, networks, disks and other nodes do not behave."""

from __future__ import annotations

import hashlib
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cutting import CuttingProxy, When
from deconflict.journal.engine import (
    EngineError,
    Group,
    GroupTooLargeError,
    NoSpaceError,
    Outcome,
    Row,
    UnreachableError,
)
from deconflict.journal.postgres.engine import PostgresEngine
from deconflict.journal.postgres.locks import Locks
from machine import fill, mounted
from postgres_server import PostgresServer


def group(name: str, count: int = 1, *, size: int = 100, key: str | None = None) -> Group:
    def made(label: str, length: int) -> bytes:
        return hashlib.shake_128(f"{name} {label}".encode()).digest(length)

    key_id = hashlib.shake_128((key or name).encode()).digest(16)
    rows = tuple(
        Row(number, made(f"record {number}", 50), bytes(64), key_id, made(f"{number}", size))
        for number in range(count)
    )
    return Group(made("id", 16), rows, () if key else ((key_id, b"wrapped"),))


@pytest.fixture
def opened() -> Iterator:
    """Return a function that opens an engine, to be closed behind the test."""
    made: list[PostgresEngine] = []

    def open_(conninfo: str, *, create: bool = True) -> PostgresEngine:
        made.append(PostgresEngine(conninfo, create=create))
        return made[-1]

    yield open_
    for engine in made:
        engine.close()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Return a server of its own, that a test may stop."""
    made = PostgresServer()
    try:
        yield made.make()
    finally:
        made.close()


def _locks(database: str) -> Locks:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT id FROM deconflict_journal").fetchone()
    return Locks(row[0])


def test_an_append_that_meets_another_under_way_is_refused_at_once(database: str, opened):
    engine = opened(database)
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_locks(database).appending])
        assert engine.append(0, group("late")) is Outcome.REFUSED
        other.rollback()
    assert engine.append(0, group("late")) is Outcome.ACCEPTED


def test_nodes_that_append_at_once_make_one_sequence_and_lose_nothing(database: str, opened):
    engines = [opened(database) for _ in range(3)]
    accepted: dict[int, Group] = {}

    def write(number: int) -> None:
        engine = engines[number]
        for each in (group(f"{number}-{step}", 1 + step % 3) for step in range(25)):
            while True:
                head = engine.head()
                if engine.append(head, each) is Outcome.ACCEPTED:
                    accepted[head] = each
                    break

    threads = [threading.Thread(target=write, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(accepted) == 75
    rows = [row for head in sorted(accepted) for row in accepted[head].rows]
    assert list(engines[0].read(0)) == list(enumerate(rows))
    assert all(engines[1].find(each.id) == head for head, each in accepted.items())


def test_a_key_that_another_node_goes_on_using_outlives_a_pruning(database: str, opened):
    one, two = opened(database), opened(database)
    owners = [group(f"owner {number}") for number in range(300)]
    for number, owner in enumerate(owners):
        one.append(number, owner)
    pruning = threading.Thread(target=two.prune, args=(300,))
    pruning.start()
    used, refusals = [], []
    for number in range(300):
        try:
            one.append(one.head(), group(f"later {number}", key=f"owner {number}"))
        except EngineError as error:  # destroyed a moment before
            refusals.append(str(error))
            continue
        used.append(owners[number].rows[0].key_id)
    pruning.join(60)
    assert all("destroyed" in refusal for refusal in refusals)
    rows = list(one.read(300))
    assert [row.key_id for _, row in rows] == used
    assert all(one.key(key_id) is not None for key_id in used)


def test_a_server_that_does_not_sync_is_refused(server: PostgresServer):
    server.set(fsync="off")
    with pytest.raises(EngineError, match="fsync = on"):
        PostgresEngine(server.database("journal"), create=True)


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_a_commit_whose_connection_is_cut_is_unknown_and_then_found(
    postgres: PostgresServer, database: str, opened, when: When
):
    proxy = CuttingProxy(postgres.port, b"COMMIT; NOTIFY")
    try:
        engine = opened(make_conninfo(database, port=proxy.port))
        engine.append(0, group("a"))
        proxy.when = when
        cut = group("cut", 3)
        with pytest.raises(EngineError) as caught:
            engine.append(1, cut)
        assert not caught.value.outcome_known
        assert engine.find(cut.id) == (None if when is When.BEFORE else 1)
        head = engine.head()
        assert head == (1 if when is When.BEFORE else 4)
        assert engine.append(head, group("next")) is Outcome.ACCEPTED
    finally:
        proxy.close()


def test_a_connection_that_is_cut_before_the_commit_wrote_nothing_for_certain(
    postgres: PostgresServer, database: str, opened
):
    proxy = CuttingProxy(postgres.port, b"deconflict_groups VALUES")
    try:
        engine = opened(make_conninfo(database, port=proxy.port))
        proxy.when = When.AFTER
        with pytest.raises(UnreachableError) as caught:
            engine.append(0, group("cut"))
        assert caught.value.outcome_known
        assert engine.append(0, group("next")) is Outcome.ACCEPTED
    finally:
        proxy.close()


def test_it_is_not_said_that_a_group_is_lost_while_an_append_is_under_way(database: str, opened):
    engine = opened(database)
    locks = _locks(database)
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_xact_lock_shared(%s::bigint)", [locks.using])
        with pytest.raises(EngineError):
            engine.find(group("maybe").id)
        other.rollback()
    assert engine.find(group("maybe").id) is None


@pytest.mark.slow
def test_a_node_that_is_stopped_in_an_append_holds_nobody_up_for_ever(database: str, opened):
    stopped, other = opened(database), opened(database)
    with stopped._pool.connection("nothing") as connection:
        assert stopped._writing._begin(connection) is not None
        while other.append(0, group("beside")) is Outcome.REFUSED:
            pass  # the server ends the session after some seconds
    assert stopped.append(0, group("late")) is Outcome.REFUSED
    assert stopped.append(1, group("later")) is Outcome.ACCEPTED


@pytest.mark.slow
def test_a_server_that_comes_back_is_used_again(server: PostgresServer, opened):
    engine = opened(server.database("journal"))
    engine.append(0, group("a"))
    waiting = threading.Thread(target=_wait_beyond, args=(engine, 1))
    waiting.start()
    server.stop()
    for ask in (engine.head, engine.first, lambda: engine.append(1, group("b"))):
        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{server.port}") as caught:
            ask()
        assert caught.value.outcome_known
    server.start()
    assert engine.append(1, group("b")) is Outcome.ACCEPTED
    waiting.join(60)
    assert not waiting.is_alive()


def _wait_beyond(engine: PostgresEngine, position: int) -> None:
    while True:
        engine.wait(position, 60.0)
        try:
            if engine.head() > position:
                return
        except UnreachableError:
            continue


@pytest.mark.slow
def test_a_server_that_hangs_is_given_up_and_used_again_when_it_goes_on(
    server: PostgresServer, opened
):
    engine = opened(server.database("journal"))
    engine.append(0, group("a"))
    with server.paused():
        with pytest.raises(UnreachableError):
            engine.head()
        with pytest.raises(UnreachableError) as caught:  # through a new connection
            engine.append(1, group("b"))
        assert caught.value.outcome_known
    assert engine.append(1, group("b")) is Outcome.ACCEPTED
    assert engine.head() == 2


def test_waiting_survives_the_loss_of_its_connection(database: str, opened):
    engine = opened(database)
    waiting = threading.Thread(target=_wait_beyond, args=(engine, 0))
    waiting.start()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    opened(database).append(0, group("a"))
    waiting.join(60)
    assert not waiting.is_alive()


def _all_unconfirmed(*asks: Callable[[], object]) -> None:
    """Ask at the same time, since each waits for seconds."""
    with ThreadPoolExecutor() as threads:
        for asked in [threads.submit(ask) for ask in asks]:
            with pytest.raises(UnreachableError, match="can't confirm"):
                asked.result()


@pytest.mark.slow
def test_a_deposed_primary_does_not_say_how_far_the_journal_goes(server: PostgresServer, opened):
    standby = server.standby()
    address = server.database("journal")
    both_named = make_conninfo(
        address, host="127.0.0.1,127.0.0.1", port=f"{server.port},{standby.port}"
    )
    old, both = opened(address), opened(both_named)
    old.append(0, group("a", 2))
    assert (old.head(), both.head()) == (2, 2)
    standby.promote()
    new = opened(standby.conninfo("journal"))
    assert new.append(2, group("b", 3)) is Outcome.ACCEPTED
    # Who names both finds the new one, though the old one still answers and takes writes.
    _all_unconfirmed(old.head, lambda: old.find(group("b").id), both.head)
    assert both.head() == 5
    assert opened(both_named).head() == 5


@pytest.mark.slow
def test_whoever_looks_for_an_append_that_hangs_on_a_deposed_primary_looks_elsewhere(
    server: PostgresServer, opened
):
    standby = server.standby()
    both_named = make_conninfo(
        server.database("journal"), host="127.0.0.1,127.0.0.1", port=f"{server.port},{standby.port}"
    )
    engine = opened(both_named)
    engine.append(0, group("a", 2))
    standby.promote()
    with pytest.raises(EngineError) as caught:
        engine.append(2, group("b"))
    assert not caught.value.outcome_known
    # On the old primary it holds the locks of an append for as long as nobody stops it.
    _all_unconfirmed(lambda: engine.find(group("b").id))
    assert engine.find(group("b").id) is None
    assert engine.append(2, group("c")) is Outcome.ACCEPTED


@pytest.mark.slow
def test_what_no_standby_has_is_neither_read_nor_counted(server: PostgresServer, opened):
    standby = server.standby()
    engine = opened(server.database("journal"))
    engine.append(0, group("a", 2))
    standby.stop()
    alone = group("alone", 3)
    with pytest.raises(EngineError) as caught:
        engine.append(2, alone)
    assert not caught.value.outcome_known
    with pytest.raises(EngineError):
        engine.find(alone.id)
    server.kill()
    server.start()  # after a crash the server shows what it never confirmed
    assert engine._reading.visible_head() == 5
    _all_unconfirmed(engine.head, lambda: list(engine.read(2)), lambda: engine.find(alone.id))
    standby.start()
    while True:
        try:
            engine.reopen()
            break
        except UnreachableError:
            continue
    assert engine.head() == 5
    assert [position for position, _ in engine.read(2)] == [2, 3, 4]
    assert engine.find(alone.id) == 2


def test_a_commit_that_is_cancelled_while_it_waits_for_a_standby_is_unknown(
    server: PostgresServer, opened
):
    engine = opened(server.database("journal"))
    server.set(synchronous_standby_names="nobody")
    cancelled = threading.Thread(target=_cancel_commit, args=(server,))
    cancelled.start()
    with pytest.raises(EngineError, match="perhaps") as caught:
        _append_on_and_on(engine)  # the server's processes learn of the setting one by one
    cancelled.join(30)
    assert not caught.value.outcome_known


def _append_on_and_on(engine: PostgresEngine) -> None:
    for head in range(1000):
        engine.append(head, group(f"g{head}"))


def _cancel_commit(server: PostgresServer) -> None:
    with psycopg.connect(server.administration(), autocommit=True) as connection:
        cancelled = None
        while cancelled is None:
            cancelled = connection.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            ).fetchone()


def test_a_full_disk_refuses_an_append_and_room_lets_it_go_on(server: PostgresServer, opened):
    with mounted(server.folder / "small", "-t", "tmpfs", "-o", "size=24m", "tmpfs") as disk:
        server._own(disk)
        with psycopg.connect(server.administration(), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        engine = opened(server.database("journal", "small"))
        ballast = disk / "ballast"
        fill(ballast, but=100_000)
        with pytest.raises(NoSpaceError) as caught:
            engine.append(0, group("a", 3, size=300_000))
        assert caught.value.outcome_known
        ballast.unlink()
        assert engine.append(0, group("a", 3, size=300_000)) is Outcome.ACCEPTED
        engine.close()
        server.stop()


def test_a_migration_whose_file_was_changed_is_refused(database: str, opened):
    opened(database)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE deconflict_migrations SET checksum = 'another'")
    for create in (True, False):
        with pytest.raises(EngineError, match=r"another 0001_journal\.sql"):
            opened(database, create=create)


def test_tables_of_a_newer_program_are_refused(database: str, opened):
    opened(database)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO deconflict_migrations VALUES (99, '0099_new.sql', '')")
    for create in (True, False):
        with pytest.raises(EngineError, match="newer program"):
            opened(database, create=create)


def test_nodes_that_make_the_tables_at_the_same_moment_make_one_journal(database: str):
    engines: list[PostgresEngine] = []
    together = threading.Barrier(4)

    def make() -> None:
        together.wait(30)
        engines.append(PostgresEngine(database, create=True))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({engine._writing.channel for engine in engines}) == 1
    for engine in engines:
        engine.close()
    assert len(engines) == 4


def test_a_database_without_a_journal_is_no_journal(database: str, opened):
    with pytest.raises(EngineError, match="there is no journal"):
        opened(database, create=False)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:not-to@be-seen-anywhere@127.0.0.1:1/journal",
        "postgresql://user:not-to/be-seen-anywhere@127.0.0.1:1/journal",
        "postgresql//user:not-to-be-seen-anywhere@127.0.0.1",
        "host=127.0.0.1 port=1 password=not-to-be-seen-anywhere surprise=1",
        "host=127.0.0.1 port=1 user=x password='not-to-be-seen-anywhere",
        "host=127.0.0.1 port=1 user=x password=not-to-be-seen-anywhere",
        "host=127.0.0.1 port=1 user=x password=not-to-be-seen-anywhere connect_timeout=soon",
    ],
)
def test_no_error_shows_a_password(address: str):
    with pytest.raises(EngineError) as caught:
        PostgresEngine(address)
    shown = "".join(traceback.format_exception(caught.value))
    assert "seen" not in shown.replace(address, "")


def test_a_wrong_password_is_refused_without_showing_it(postgres: PostgresServer):
    wrong = "wrong-and-secret"
    address = make_conninfo(postgres.conninfo(), password=wrong)
    with pytest.raises(EngineError, match="password authentication failed") as caught:
        PostgresEngine(address)
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_nobody_there_is_said_with_host_and_port():
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1: Connection refused"):
        PostgresEngine("postgresql://user@127.0.0.1:1/journal")


def test_a_reader_reads_and_refuses_every_write(database: str, opened):
    engine = opened(database)
    engine.append(0, group("a", 2))
    reader = PostgresEngine.reader(database)
    try:
        assert (reader.head(), reader.first(), len(list(reader.read(0)))) == (2, 0, 2)
        assert reader.find(group("a").id) == 0
        for write in (
            lambda: reader.append(2, group("b")),
            lambda: reader.erase([bytes(16)]),
            lambda: reader.prune(1),
            lambda: reader.begin(5),
            lambda: reader.lease("one", "http://127.0.0.1:1", 5.0),
            lambda: reader.release("one"),
        ):
            with pytest.raises(EngineError, match="opened to read"):
                write()
        with (
            reader._pool.connection("nothing") as connection,
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        ):
            connection.execute("DELETE FROM deconflict_entries")
    finally:
        reader.close()


def test_the_lease_passes_on_by_the_servers_clock(database: str, opened, monkeypatch):
    one, two = opened(database), opened(database)
    assert one.lease("one", "http://127.0.0.1:1", 3600.0).node == "one"
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 4e9)  # this node's clock is decades ahead
        assert two.lease("two", "http://127.0.0.1:2", 3600.0).node == "one"
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE deconflict_lease SET until = now()")
    assert two.lease("two", "http://127.0.0.1:2", 3600.0).node == "two"
    assert one.lease("one", "http://127.0.0.1:1", 3600.0).node == "two"


def test_nothing_is_appended_under_a_key_that_another_node_destroyed(database: str, opened):
    one, two = opened(database), opened(database)
    one.append(0, group("a"))
    assert one.append(1, group("b", key="a")) is Outcome.ACCEPTED
    two.erase([group("a").rows[0].key_id])
    with pytest.raises(EngineError, match="destroyed") as caught:
        one.append(2, group("c", key="a"))
    assert caught.value.outcome_known
    assert one.append(2, group("a again")) is Outcome.ACCEPTED


def test_a_group_over_the_limit_is_refused_whole(database: str, opened):
    engine = opened(database)
    with pytest.raises(GroupTooLargeError):
        engine.append(0, group("large", 5, size=9_000_000))
    assert engine.head() == 0


def test_a_damaged_row_is_named(database: str, opened):
    engine = opened(database)
    engine.append(0, group("a", 3))
    engine.append(3, group("b"))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE deconflict_entries SET time_us = 7 WHERE position = 1")
        connection.execute("UPDATE deconflict_groups SET chain = '' WHERE first = 0")
    with pytest.raises(EngineError, match=r"entry 1 .*damaged"):
        list(engine.read(0))
    with pytest.raises(EngineError, match="does not follow"):
        engine.reopen()


def test_many_threads_that_ask_for_the_head_get_one_no_older_than_their_question(
    server: PostgresServer, opened
):
    server.standby()
    engine = opened(server.database("journal"))
    failures: list[str] = []
    acknowledged = 0

    def ask() -> None:
        while acknowledged < 40:
            least = acknowledged
            if engine.head() < least:
                failures.append(f"a head below {least}")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        assert engine.append(number, group(f"g{number}")) is Outcome.ACCEPTED
        acknowledged = number + 1
    for thread in threads:
        thread.join(60)
    assert failures == []
    reader = PostgresEngine.reader(server.conninfo("journal"))
    try:
        assert (reader.head(), len(list(reader.read(0)))) == (40, 40)
    finally:
        reader.close()
