"""What the tests of the journal share: an engine in memory, keys, and entries."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest

from deconflict.journal.engine import EngineError, Group, KeyGoneError, Outcome, Row
from deconflict.journal.entry import Entry, Part, salts
from deconflict.journal.keys import Keys
from deconflict.journal.log import Log


@dataclass
class MemoryEngine:
    """An engine without a disk, whose content a test may alter, and which may fail once."""

    rows: dict[int, Row] = field(default_factory=dict)
    groups: dict[bytes, int] = field(default_factory=dict)
    keys: dict[bytes, bytes] = field(default_factory=dict)
    kept_from: int = 0
    fails_before_commit: bool = False
    fails_after_commit: bool = False
    reopened: int = 0
    shared: bool = False
    destroyed: set[bytes] = field(default_factory=set)

    def append(self, expected_head: int, group: Group) -> Outcome:
        brought = {key_id for key_id, _ in group.keys}
        if any(row.key_id in self.destroyed - brought for row in group.rows):
            raise KeyGoneError("not appended: a key was destroyed")
        if self.fails_before_commit:
            raise EngineError("the disk failed", outcome_known=False, must_reopen=True)
        if expected_head != self.head():
            return Outcome.REFUSED
        assert not set(dict(group.keys)) & set(self.keys)
        self.groups[group.id] = expected_head
        self.rows.update(enumerate(group.rows, expected_head))
        self.keys.update(group.keys)
        if self.fails_after_commit:
            raise EngineError("the disk failed", outcome_known=False, must_reopen=True)
        return Outcome.ACCEPTED

    def find(self, group_id: bytes) -> int | None:
        return self.groups.get(group_id)

    def read(self, start: int, stop: int | None = None):
        if start < self.kept_from:
            raise EngineError(f"entry {start} is not kept any more")
        head = self.head()
        for position in range(start, head if stop is None else min(stop, head)):
            yield position, self.rows[position]

    def head(self) -> int:
        return max(self.rows, default=self.kept_from - 1) + 1

    def first(self) -> int:
        return self.kept_from

    def key(self, key_id: bytes) -> bytes | None:
        return self.keys.get(key_id)

    def wrapped_keys(self, key_ids) -> dict[bytes, bytes]:
        return {key_id: self.keys[key_id] for key_id in key_ids if key_id in self.keys}

    def erase(self, key_ids) -> None:
        for key_id in key_ids:
            self.keys.pop(key_id, None)

    def prune(self, before: int, forgetting=None) -> None:  # noqa: ARG002 - nothing goes on beside it
        self.kept_from = max(before, self.kept_from)
        self.rows = {at: row for at, row in self.rows.items() if at >= before}
        used = {row.key_id for row in self.rows.values()}
        self.keys = {key_id: key for key_id, key in self.keys.items() if key_id in used}

    def reopen(self) -> None:
        self.reopened += 1
        self.fails_before_commit = self.fails_after_commit = False

    def close(self) -> None:
        pass


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def keys(tmp_path) -> Keys:
    return Keys.load(tmp_path / "keys", create=True)


@pytest.fixture
def unsynced(monkeypatch) -> None:
    """Wait for no disk: that files are synced is tested by itself."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def log(unsynced, engine, tmp_path, keys) -> Log:  # noqa: ARG001 - its effect is meant
    return Log.open(engine, tmp_path / "log", keys)


def entry(number: int, subject: bytes | None = None, told: int = 1) -> Entry:
    """Return an entry that differs from that of each other number."""
    drawn = salts(number.to_bytes(32), 2 + told)
    return Entry(
        time_us=1_800_000_000_000_000 + number,
        subject=b"entity-%d" % number if subject is None else subject,
        decided=Part(drawn[0], b'{"decided":%d}' % number),
        said=Part(drawn[1], b'{"said":%d}' % number, b"signature"),
        told=tuple(Part(salt, b'{"told":%d}' % number) for salt in drawn[2:]),
    )


@pytest.fixture
def make_entry():
    return entry


@pytest.fixture
def fill():
    """Return a function that appends entries behind the head, in groups, and advances."""

    def append(log: Log, count: int, **options) -> None:
        head = log.head()
        for start in range(head, head + count, 100):
            stop = min(start + 100, head + count)
            entries = [entry(number, **options) for number in range(start, stop)]
            assert log.append(start, entries) is Outcome.ACCEPTED
        log.advance()

    return append
