"""Pruning a journal's database, in steps between which appends come in.

First the journal's first position moves, in one transaction: from then on the older entries are
not given out. Then their keys, rows and groups go. Whatever interrupts that, the groups that are
still there say what is left to do, and the next pruning does it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Final

from deconflict.journal.engine import Forgetting
from deconflict.journal.sqlite.reading import Reading
from deconflict.journal.sqlite.schema import PAGE_BYTES
from deconflict.journal.sqlite.writing import Writing

STEP_ROWS: Final = 256
STEP_KEYS: Final = 64
"""Each key stands on a page of its own, and an append waits meanwhile."""
STEP_PAGES: Final = 256
"""2 MB; what one step gives back to the file system."""
CHUNK_KEYS: Final = 100_000
"""Keys looked for in all kept groups at a time."""
_ID_BYTES: Final = 16
_DOING: Final = "the journal was not pruned"


def prune(
    reading: Reading, writing: Writing, before: int, forgetting: Forgetting | None = None
) -> None:
    """Remove the rows before a position, and the keys that no row uses any more.

    Raises
    ------
    EngineError
        If the engine fails; what is left to do is done by the next pruning.
    """
    with writing.turns, writing.transaction(_DOING) as connection:
        connection.execute("UPDATE journal SET first = max(first, ?)", (before,))
    first = reading.first()
    while True:
        candidates, stop = _candidates(reading, first)
        _remove_keys(reading, writing, candidates, first, forgetting or _nothing_kept)
        _remove_rows(writing, stop)
        if stop >= first:
            break
    _give_back(writing)
    writing.scrub("the journal was pruned, but not to the last copy")


def _candidates(reading: Reading, first: int) -> tuple[set[bytes], int]:
    """Return keys of pruned groups, and the position up to which these are all of them."""
    found: set[bytes] = set()
    stop = -1
    while len(found) < CHUNK_KEYS:
        groups = reading.rows(
            "SELECT first, first + count, key_ids FROM groups WHERE first > ? AND first < ? "
            "ORDER BY first LIMIT 256",
            stop,
            first,
        )
        if not groups:
            return found, first
        for begin, _end, key_ids in groups:
            found.update(_split(key_ids))
            stop = begin
    return found, min(int(groups[-1][1]), first)


def _remove_keys(
    reading: Reading,
    writing: Writing,
    candidates: set[bytes],
    first: int,
    forgetting: Forgetting,
) -> None:
    """Remove those of the keys that no entry from `first` on uses."""
    # Of a group that was cut in two, only the rows that are kept count.
    cut = reading.rows(
        "SELECT key_id FROM entries WHERE position >= ? AND position < "
        "(SELECT first + count FROM groups WHERE first < ? ORDER BY first DESC LIMIT 1)",
        first,
        first,
    )
    candidates.difference_update(key_id for (key_id,) in cut)
    seen = _keep_used(reading, candidates, first)
    left = iter(candidates)
    while step := set(islice(left, STEP_KEYS)):
        with forgetting(step), writing.turns, writing.transaction(_DOING) as connection:
            # Nothing is appended now; what was since the last look counts as well.
            _keep_used(reading, step, seen)
            writing.delete_keys(connection, step)


def _nothing_kept(_key_ids: Collection[bytes]) -> AbstractContextManager[None]:
    return nullcontext()


def _keep_used(reading: Reading, candidates: set[bytes], start: int) -> int:
    """Take out the keys that groups from a position on use; return the position behind these."""
    while groups := reading.rows(
        "SELECT first, key_ids FROM groups WHERE first >= ? ORDER BY first LIMIT 256", start
    ):
        for first, key_ids in groups:
            candidates.difference_update(_split(key_ids))
            start = first + 1
    return start


def _split(key_ids: bytes) -> list[bytes]:
    return [key_ids[at : at + _ID_BYTES] for at in range(0, len(key_ids), _ID_BYTES)]


def _remove_rows(writing: Writing, stop: int) -> None:
    """Remove the rows before a position and the groups that end before it, but the last group.

    The last one stays, since the head is counted from it.
    """
    while True:
        with writing.turns, writing.transaction(_DOING) as connection:
            (last,) = connection.execute(
                "SELECT max(position) FROM (SELECT position FROM entries WHERE position < ? "
                "ORDER BY position LIMIT ?)",
                (stop, STEP_ROWS),
            ).fetchone()
            until = stop if last is None else last + 1
            connection.execute("DELETE FROM entries WHERE position < ?", (until,))
            _remove_groups(connection, until)
        if last is None:
            return


def _remove_groups(connection: sqlite3.Connection, until: int) -> None:
    connection.execute(
        "DELETE FROM groups WHERE first < ? AND first + count <= ? "
        "AND first < (SELECT max(first) FROM groups)",
        (until, until),
    )


def _give_back(writing: Writing) -> None:
    while True:
        with writing.turns:
            free = writing.pages("PRAGMA freelist_count")
            if not free:
                return
            writing.pages(f"PRAGMA incremental_vacuum({STEP_PAGES})")
            # Each page given back moves another one from the file's end.
            writing.count(STEP_PAGES * PAGE_BYTES)
