"""Verifying journals and archives, one thing at a time made wrong."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from deconflict.journal.archive import Archive, write_archive
from deconflict.journal.bare import BareJournal
from deconflict.journal.engine import Row
from deconflict.journal.errors import AlteredLogError
from deconflict.journal.findings import Findings
from deconflict.journal.keys import Keys
from deconflict.journal.log import Log
from deconflict.journal.row_checksum import row_checksum
from deconflict.journal.seal import Sealer
from deconflict.journal.sqlite.engine import SqliteEngine
from deconflict.journal.verifying import verify_archive, verify_journal

ENTRIES = 600


@pytest.fixture
def data(tmp_path: Path, keys: Keys, fill, unsynced) -> Path:  # noqa: ARG001
    log = Log.open(SqliteEngine(tmp_path / "journal.db", create=True), tmp_path / "log", keys)
    fill(log, ENTRIES)
    log.close()
    return tmp_path


def verified(data: Path, keys: Keys | None = None, **options) -> Findings:
    note = (data / "log/checkpoint").read_bytes()
    with BareJournal(data / "journal.db") as journal:
        return verify_journal(
            journal,
            log=options.get("log", data / "log"),
            notes=[("log", note)],
            public_key=None if keys is None else keys.public_key,
            sealer=None if keys is None else Sealer(keys, journal.key),
        )


def change(data: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(data / "journal.db")
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_whole_journal_is_right(data: Path, keys: Keys) -> None:
    found = verified(data, keys)
    assert found.wrong == []
    assert not found.unchecked
    assert (found.entries, found.signatures, found.opened) == (ENTRIES,) * 3
    assert [(one.size, one.agrees, one.signed) for one in found.proved] == [(ENTRIES, True, True)]


def test_without_keys_records_and_leaves_are_proved_and_parts_stay_closed(data: Path) -> None:
    found = verified(data)
    assert found.wrong == []
    assert found.unchecked
    assert (found.signatures, found.closed) == (0, ENTRIES)
    assert [one.agrees for one in found.proved] == [True]


def test_an_altered_entry_is_named(data: Path, keys: Keys) -> None:
    change(data, "UPDATE entries SET record = CAST('{}' AS BLOB) WHERE position = 300")
    found = verified(data, keys)
    assert {one.position for one in found.wrong} == {300}
    assert found.entries == ENTRIES - 1


def test_an_entry_exchanged_with_its_checksum_does_not_deceive(data: Path, keys: Keys) -> None:
    with BareJournal(data / "journal.db") as journal:
        ((_, row),) = journal.rows(300, 301)
    assert isinstance(row, Row)
    forged = dataclasses.replace(row, record=row.record.replace(b"1", b"2"))
    change(
        data,
        "UPDATE entries SET record = ?, checksum = ? WHERE position = 300",
        forged.record,
        row_checksum(300, forged),
    )
    found = verified(data, keys)
    assert {one.position for one in found.wrong} == {300, 399, None}
    assert found.proved[0].agrees is False


def test_a_missing_entry_is_named_and_the_others_are_still_verified(data: Path, keys: Keys) -> None:
    change(data, "DELETE FROM entries WHERE position = 17")
    found = verified(data, keys)
    assert {one.position for one in found.wrong} == {17}
    assert found.opened == ENTRIES - 1


def test_entries_missing_at_the_end_are_counted(data: Path, keys: Keys) -> None:
    change(data, "DELETE FROM entries WHERE position >= 500")
    change(data, "DELETE FROM groups WHERE first >= 500")
    found = verified(data, keys)
    assert "100 are missing" in found.wrong[0].what


def test_a_broken_chain_is_found(data: Path, keys: Keys) -> None:
    change(data, "UPDATE groups SET chain = zeroblob(32) WHERE first = 200")
    assert {one.position for one in verified(data, keys).wrong} == {299, 399}


def test_an_erased_entry_is_told_from_a_damaged_one(data: Path, keys: Keys) -> None:
    change(data, "DELETE FROM keys WHERE id = (SELECT key_id FROM entries WHERE position = 3)")
    found = verified(data, keys)
    assert (found.erased, found.wrong) == (1, [])


def test_without_the_tiles_of_what_was_pruned_no_root_is_computed(data: Path, keys: Keys) -> None:
    log = Log.open(SqliteEngine(data / "journal.db"), data / "log", keys)
    assert log.prune(300) == 256
    log.close()
    assert verified(data, keys).proved[0].agrees is True
    found = verified(data, keys, log=None)
    assert (found.proved[0].agrees, found.wrong) == (None, [])
    assert found.unchecked


@pytest.fixture
def archive(data: Path, keys: Keys) -> Path:
    log = Log.open(SqliteEngine(data / "journal.db"), data / "log", keys)
    path = write_archive(log, data / "archive", 0, 512)
    log.close()
    return path


def test_an_archive_verifies_alone_and_opens_with_its_keys(archive: Path, keys: Keys) -> None:
    opened = Archive(archive)
    sealer = Sealer(keys, opened.key)
    found = verify_archive(opened, log=None, public_key=keys.public_key, sealer=sealer)
    assert (found.wrong, found.opened, found.unchecked) == ([], 512, False)


@pytest.mark.parametrize("part", range(0, 100, 7))
def test_no_byte_of_an_archive_can_be_changed_unseen(archive: Path, keys: Keys, part: int) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) * part // 100] ^= 0x40
    archive.write_bytes(content)
    try:
        opened = Archive(archive)
    except AlteredLogError:
        return
    found = verify_archive(opened, log=None, public_key=keys.public_key, sealer=None)
    assert found.wrong


def test_an_archive_that_is_cut_off_is_no_whole_one(archive: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(AlteredLogError, match="cut off"):
        list(Archive(archive).rows())


def test_a_key_erased_from_an_archive_opens_nothing_any_more(archive: Path, keys: Keys) -> None:
    opened = Archive(archive)
    _, row = next(iter(opened.rows()))
    opened.erase([row.key_id])
    again = Archive(archive)
    found = verify_archive(
        again, log=None, public_key=keys.public_key, sealer=Sealer(keys, again.key)
    )
    assert (found.erased, found.opened, found.wrong) == (1, 511, [])
