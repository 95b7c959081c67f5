"""The log on the engine that the service uses."""

from __future__ import annotations

import pytest

from deconflict.journal.checkpoint import verify_checkpoint
from deconflict.journal.engine import Outcome
from deconflict.journal.errors import RolledBackError
from deconflict.journal.log import Log
from deconflict.journal.opened import verify_opened
from deconflict.journal.sqlite.engine import SqliteEngine


@pytest.fixture
def open_log(unsynced, tmp_path, keys):  # noqa: ARG001 - its effect is meant
    opened = []

    def make(*, create=False, reader=False):
        path = tmp_path / "journal.db"
        engine = SqliteEngine.reader(path) if reader else SqliteEngine(path, create=create)
        opened.append(Log.open(engine, tmp_path / "log", keys))
        return opened[-1]

    yield make
    for log in opened:
        log.close()


def test_a_log_goes_on_after_a_restart(open_log, fill):
    log = open_log(create=True)
    fill(log, 300)
    log.close()
    again = open_log()
    fill(again, 300)
    assert verify_checkpoint(again.checkpoint(), again.public_key).size == 600
    read = list(again.read())
    assert [opened.position for opened in read] == list(range(600))
    for opened in read[::50]:
        verify_opened(opened, again.public_key)


def test_a_reader_beside_the_server_reads_and_proves_what_is_committed(open_log, fill):
    log = open_log(create=True)
    fill(log, 300)
    reader = open_log(reader=True)
    assert len(list(reader.read())) == 300
    assert reader.inclusion(7, 300) == log.inclusion(7, 300)
    fill(log, 1)
    assert len(list(reader.read())) == 301


def test_erased_and_pruned_entries_are_gone_and_the_rest_is_readable(open_log, make_entry, fill):
    log = open_log(create=True)
    fill(log, 600)
    log.erase(b"entity-590")
    assert log.prune(300) == 256
    again = [make_entry(600, b"entity-590"), make_entry(601, b"entity-3")]
    assert log.append(600, again) is Outcome.ACCEPTED
    log.advance()
    log.close()
    opened = list(open_log().read(256))
    assert [entry.position for entry in opened if entry.erased] == [590]
    assert [entry.subject for entry in opened[-2:]] == [b"entity-590", b"entity-3"]


def test_recovery_opens_the_engine_again_and_goes_on(open_log, make_entry, fill):
    log = open_log(create=True)
    fill(log, 3)
    assert log.recover() is True  # the last group is there
    assert log.append(3, [make_entry(3)]) is Outcome.ACCEPTED
    assert [opened.subject for opened in log.read(2)] == [b"entity-2", b"entity-3"]


def test_a_journal_and_head_file_put_back_from_yesterday_are_refused(open_log, tmp_path, fill):
    log = open_log(create=True)
    fill(log, 100)
    log.close()
    kept = {name: (tmp_path / name).read_bytes() for name in ("journal.db", "head")}
    log = open_log()
    fill(log, 100)
    log.close()
    for name, content in kept.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RolledBackError) as refusal:
        open_log()
    assert refusal.value.missing == 100
