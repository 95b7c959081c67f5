"""What every journal engine promises, asked of each in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from deconflict.journal.engine import Engine, EngineError, Group, Outcome
from deconflict.journal.jetstream.engine import JetStreamEngine
from deconflict.journal.postgres.engine import PostgresEngine
from deconflict.journal.sqlite.engine import SqliteEngine


class Reopen(Protocol):
    """Open the engine under test again, as after a restart."""

    def __call__(self) -> Engine: ...


def _sqlite(request) -> Callable[[], Engine]:
    path = request.getfixturevalue("tmp_path") / "journal.db"
    return lambda: SqliteEngine(path, create=True)


def _postgres(request) -> Callable[[], Engine]:
    database = request.getfixturevalue("database")
    return lambda: PostgresEngine(database, create=True)


def _jetstream(request) -> Callable[[], Engine]:
    url = request.getfixturevalue("stream_url")
    return lambda: JetStreamEngine(url, create=True)


ENGINES = {"sqlite": _sqlite, "postgres": _postgres, "jetstream": _jetstream}


@pytest.fixture(params=list(ENGINES))
def reopen(request) -> Callable[[], Engine]:
    return ENGINES[request.param](request)


@pytest.fixture
def engine(reopen: Reopen) -> Iterator[Engine]:
    opened = reopen()
    yield opened
    opened.close()


Maker = Callable[..., Group]


def _is_certainly_not_appended(engine: Engine, head: int, group: Group) -> bool:
    try:
        return engine.append(head, group) is Outcome.REFUSED
    except EngineError as error:
        return error.outcome_known


def test_an_empty_journal_has_head_and_first_zero_and_no_rows(engine: Engine):
    assert (engine.head(), engine.first(), list(engine.read(0))) == (0, 0, [])


def test_what_is_appended_is_read_back_in_order_with_its_positions(engine: Engine, group: Maker):
    groups = [group("a", 3), group("b", 1), group("c", 5)]
    heads = [0, 3, 4]
    for head, each in zip(heads, groups, strict=True):
        assert engine.append(head, each) is Outcome.ACCEPTED
    rows = [row for each in groups for row in each.rows]
    assert list(engine.read(0)) == list(enumerate(rows))
    assert engine.head() == 9


def test_a_wrong_head_is_refused_and_nothing_is_written(engine: Engine, group: Maker):
    engine.append(0, group("a", 2))
    for wrong in (0, 1, 3, 100):
        refused = group(f"late {wrong}")
        assert engine.append(wrong, refused) is Outcome.REFUSED
        assert engine.find(refused.id) is None
        assert engine.key(refused.keys[0][0]) is None
    assert engine.head() == 2
    assert len(list(engine.read(0))) == 2


def test_a_group_is_found_by_its_identifier_at_its_first_position(engine: Engine, group: Maker):
    first, second = group("a", 4), group("b", 2)
    engine.append(0, first)
    engine.append(4, second)
    assert (engine.find(first.id), engine.find(second.id)) == (0, 4)
    assert engine.find(group("never").id) is None


def test_reading_starts_and_stops_where_it_is_told(engine: Engine, group: Maker):
    rows = group("a", 10)
    engine.append(0, rows)
    assert [position for position, _ in engine.read(4)] == [4, 5, 6, 7, 8, 9]
    assert list(engine.read(2, 4)) == [(2, rows.rows[2]), (3, rows.rows[3])]
    assert list(engine.read(8, 99)) == [(8, rows.rows[8]), (9, rows.rows[9])]
    assert list(engine.read(10)) == []
    assert list(engine.read(5, 5)) == []


def test_more_rows_than_one_batch_are_read_whole(engine: Engine, group: Maker):
    for number in range(9):
        engine.append(number * 100, group(f"g{number}", 100))
    assert [position for position, _ in engine.read(0)] == list(range(900))


def test_rows_of_megabytes_and_of_nothing_come_back_the_same(engine: Engine, group: Maker):
    large, empty = group("large", 3, size=3_000_000), group("empty", size=0)
    engine.append(0, large)
    engine.append(3, empty)
    assert [row for _, row in engine.read(0)] == [*large.rows, *empty.rows]


def test_a_group_that_cannot_be_written_whole_is_not_written_at_all(engine: Engine, group: Maker):
    first = group("a")
    engine.append(0, first)
    # The second of its keys is there already with another value.
    bad = group("b", 2)
    bad = Group(bad.id, bad.rows, (bad.keys[0], (first.keys[0][0], b"another")))
    assert _is_certainly_not_appended(engine, 1, bad)
    assert engine.head() == 1
    assert engine.find(bad.id) is None
    assert engine.key(first.keys[0][0]) == first.keys[0][1]
    if not isinstance(engine, JetStreamEngine):  # there it stays, unused
        assert engine.key(bad.keys[0][0]) is None
    assert engine.append(1, group("c")) is Outcome.ACCEPTED


def test_keys_come_back_until_they_are_erased(engine: Engine, group: Maker):
    rows = group("a", 3)
    engine.append(0, rows)
    assert [engine.key(key_id) for key_id, _ in rows.keys] == [wrapped for _, wrapped in rows.keys]
    engine.erase([rows.keys[0][0], rows.keys[2][0]])
    assert engine.key(rows.keys[0][0]) is None
    assert engine.key(rows.keys[1][0]) == rows.keys[1][1]
    assert engine.key(rows.keys[2][0]) is None
    engine.erase([rows.keys[0][0]])
    assert list(engine.read(0)) == list(enumerate(rows.rows))


def test_an_erased_key_identifier_may_come_again_with_another_key(engine: Engine, group: Maker):
    rows = group("a")
    engine.append(0, rows)
    key_id = rows.keys[0][0]
    engine.erase([key_id])
    later = group("b", key="a-0")
    again = Group(later.id, later.rows, ((key_id, b"another"),))
    assert engine.append(1, again) is Outcome.ACCEPTED
    assert engine.key(key_id) == b"another"


def test_an_engine_goes_on_after_it_is_opened_again_in_place(engine: Engine, group: Maker):
    rows = group("a", 3)
    engine.append(0, rows)
    running = engine.read(0)
    engine.reopen()
    assert list(engine.read(0)) == list(enumerate(rows.rows))
    assert engine.append(3, group("b")) is Outcome.ACCEPTED
    with pytest.raises(EngineError):
        list(running)
    engine.close()
    engine.reopen()
    assert engine.head() == 4


def test_pruned_entries_still_count_and_are_refused_by_position(engine: Engine, group: Maker):
    rows = [*group("a", 4).rows, *group("b", 4).rows]
    engine.append(0, group("a", 4))
    engine.append(4, group("b", 4))
    engine.prune(6)
    assert (engine.first(), engine.head()) == (6, 8)
    assert list(engine.read(6)) == [(6, rows[6]), (7, rows[7])]
    with pytest.raises(EngineError, match="entry 5"):
        list(engine.read(5))
    assert engine.append(8, group("c")) is Outcome.ACCEPTED


def test_pruning_everything_keeps_the_head_and_goes_on(
    engine: Engine, reopen: Reopen, group: Maker
):
    engine.append(0, group("a", 5))
    engine.append(5, group("b", 700))
    engine.prune(705)
    assert (engine.first(), engine.head(), list(engine.read(705))) == (705, 705, [])
    engine.close()
    again = reopen()
    try:
        assert (again.first(), again.head()) == (705, 705)
        assert again.append(0, group("c")) is Outcome.REFUSED
        assert again.append(705, group("c")) is Outcome.ACCEPTED
        assert [position for position, _ in again.read(705)] == [705]
    finally:
        again.close()


def test_pruning_less_than_before_changes_nothing_and_beyond_the_head_is_refused(
    engine: Engine, group: Maker
):
    engine.append(0, group("a", 5))
    engine.prune(3)
    engine.prune(1)
    assert engine.first() == 3
    with pytest.raises(EngineError):
        engine.prune(6)
    assert [position for position, _ in engine.read(3)] == [3, 4]


def test_pruning_removes_the_keys_that_no_kept_row_uses(engine: Engine, group: Maker):
    owner = group("owner", 3)
    engine.append(0, owner)
    engine.append(3, group("later", 2, key="owner-1"))
    engine.prune(2)
    # Of the first group's keys the first is unused now, the second is used later, the third by
    # the row at position 2.
    assert [engine.key(key_id) is not None for key_id, _ in owner.keys] == [False, True, True]
    engine.prune(5)
    assert [engine.key(key_id) for key_id, _ in owner.keys] == [None, None, None]


def test_everything_is_there_after_closing_and_opening(
    engine: Engine, reopen: Reopen, group: Maker
):
    rows = group("a", 7)
    engine.append(0, rows)
    engine.close()
    engine.close()
    again = reopen()
    try:
        assert list(again.read(0)) == list(enumerate(rows.rows))
        assert again.find(rows.id) == 0
        assert again.key(rows.keys[0][0]) == rows.keys[0][1]
    finally:
        again.close()


def test_a_closed_engine_refuses_everything(engine: Engine, group: Maker):
    engine.append(0, group("a", 2))
    running = engine.read(0)
    engine.close()
    for ask in (
        engine.head,
        engine.first,
        lambda: engine.append(2, group("b")),
        lambda: engine.read(0),
        lambda: engine.find(bytes(16)),
        lambda: engine.key(bytes(16)),
        lambda: engine.erase([]),
        lambda: engine.prune(1),
        lambda: next(running),
    ):
        with pytest.raises(EngineError):
            ask()


def test_reading_beside_appending_sees_whole_groups_in_order(engine: Engine, group: Maker):
    groups = [group(f"g{number}", 4) for number in range(150)]
    done = threading.Event()
    failures: list[str] = []

    def read_on() -> None:
        seen = 0
        while True:
            last = done.is_set()
            for position, row in engine.read(seen):
                if position != seen or row != groups[position // 4].rows[position % 4]:
                    failures.append(f"read {position} for {seen}")
                seen = position + 1
            if seen % 4:
                failures.append(f"half a group at {seen}")
            if last:
                break
        if seen != 600:
            failures.append(f"{seen} read in all")

    reader = threading.Thread(target=read_on)
    reader.start()
    for number, each in enumerate(groups):
        assert engine.append(number * 4, each) is Outcome.ACCEPTED
        assert engine.head() >= (number + 1) * 4
    done.set()
    reader.join()
    assert failures == []


def test_appends_come_in_while_another_thread_prunes(engine: Engine, group: Maker):
    for number in range(20):
        engine.append(number * 100, group(f"g{number}", 100))
    pruning = threading.Thread(target=engine.prune, args=(1900,))
    pruning.start()
    for number in range(20):
        assert engine.append(2000 + number, group(f"beside {number}")) is Outcome.ACCEPTED
    pruning.join()
    assert (engine.first(), engine.head()) == (1900, 2020)
    assert [position for position, _ in engine.read(1900)] == list(range(1900, 2020))
    assert all(engine.key(key_id) for key_id, _ in group("beside 3").keys)
    assert engine.key(group("g3", 100).keys[50][0]) is None


def test_an_unknown_outcome_is_resolved_by_looking_for_the_group(
    engine: Engine, reopen: Reopen, group: Maker
):
    written, lost = group("written", 2), group("lost", 2)
    engine.append(0, written)
    engine.close()
    again = reopen()
    try:
        assert again.find(written.id) == 0
        assert again.find(lost.id) is None
        # Appending the written one again is refused, so it is never there twice.
        assert again.append(0, written) is Outcome.REFUSED
        assert again.append(again.head(), lost) is Outcome.ACCEPTED
    finally:
        again.close()


def test_waiting_ends_when_something_is_appended_or_the_engine_closes(engine: Engine, group: Maker):
    engine.append(0, group("a", 2))
    engine.wait(1, 60.0)  # entry 1 is there: no wait
    ended = threading.Event()

    def wait_on() -> None:
        while not ended.is_set() and engine.head() < 3:
            engine.wait(2, 60.0)
        ended.set()

    waiting = threading.Thread(target=wait_on)
    waiting.start()
    engine.append(2, group("b"))
    waiting.join(30)
    assert ended.is_set()
    until_closed = threading.Thread(target=engine.wait, args=(3, 60.0))
    until_closed.start()
    engine.close()
    until_closed.join(30)
    assert not until_closed.is_alive()


def test_the_lease_stays_with_the_node_that_took_it(engine: Engine):
    first = engine.lease("one", "http://127.0.0.1:1", 60.0)
    assert (first.node, first.address) == ("one", "http://127.0.0.1:1")
    assert engine.lease("one", "http://127.0.0.1:2", 60.0).address == "http://127.0.0.1:2"
    if engine.shared:
        assert engine.lease("two", "http://127.0.0.1:3", 60.0).node == "one"
        engine.release("two")
        assert engine.lease("two", "http://127.0.0.1:3", 60.0).node == "one"
    engine.release("one")
    engine.release("one")
    assert engine.lease("two", "http://127.0.0.1:3", 60.0).node == "two"


def test_a_journal_can_begin_at_a_position_as_if_pruned(
    engine: Engine, reopen: Reopen, group: Maker
):
    engine.begin(768)
    assert (engine.first(), engine.head(), list(engine.read(768))) == (768, 768, [])
    with pytest.raises(EngineError):
        engine.begin(1024)
    with pytest.raises(EngineError, match="entry 767"):
        list(engine.read(767))
    engine.close()
    again = reopen()
    try:
        assert again.append(0, group("a", 2)) is Outcome.REFUSED
        assert again.append(768, group("a", 2)) is Outcome.ACCEPTED
        assert [position for position, _ in again.read(768)] == [768, 769]
    finally:
        again.close()


def test_a_journal_with_entries_begins_nowhere_else(engine: Engine, group: Maker):
    engine.append(0, group("a", 2))
    with pytest.raises(EngineError):
        engine.begin(256)
    assert (engine.first(), engine.head()) == (0, 2)
