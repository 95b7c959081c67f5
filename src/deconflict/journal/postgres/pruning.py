"""Pruning a journal's tables, in steps between which appends come in, of this node and of others.

The order is that of `deconflict.journal.sqlite.pruning`: the first position moves, then keys, rows
and groups go, and whatever interrupts that, the groups that are still there say what is left.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any, Final

from deconflict.journal.engine import Forgetting
from deconflict.journal.postgres.connection import ServerConnection
from deconflict.journal.postgres.reading import Reading
from deconflict.journal.postgres.writing import Writing, delete_keys

STEP_ROWS: Final = 1024
STEP_KEYS: Final = 256
"""An append waits while these are destroyed."""
CHUNK_KEYS: Final = 100_000
"""Keys looked for in all kept groups at a time."""
_ID_BYTES: Final = 16
_DOING: Final = "the journal was not pruned"
_NEXT_GROUPS: Final = (
    "SELECT first, key_ids FROM deconflict_groups WHERE first >= %s ORDER BY first LIMIT 256"
)


def prune(
    reading: Reading, writing: Writing, before: int, forgetting: Forgetting | None = None
) -> None:
    """Remove the rows before a position, and the keys that no row uses any more.

    Raises
    ------
    EngineError
        If the engine fails; what is left to do is done by the next pruning.
    """
    with writing.changing(_DOING) as connection:
        connection.execute("UPDATE deconflict_journal SET first = greatest(first, %s)", [before])
    first = reading.first()
    while True:
        candidates, stop = _candidates(reading, first)
        _remove_keys(reading, writing, candidates, first, forgetting or _nothing_kept)
        _remove_rows(writing, stop)
        if stop >= first:
            break


def _candidates(reading: Reading, first: int) -> tuple[set[bytes], int]:
    """Return keys of pruned groups, and the position up to which these are all of them."""
    found: set[bytes] = set()
    stop = -1
    while len(found) < CHUNK_KEYS:
        groups = reading.rows(
            "SELECT first, first + count, key_ids FROM deconflict_groups "
            "WHERE first > %s AND first < %s ORDER BY first LIMIT 256",
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
        "SELECT key_id FROM deconflict_entries WHERE position >= %s AND position < (SELECT "
        "first + count FROM deconflict_groups WHERE first < %s ORDER BY first DESC LIMIT 1)",
        first,
        first,
    )
    candidates.difference_update(key_id for (key_id,) in cut)
    seen = first
    while groups := reading.rows(_NEXT_GROUPS, seen):
        seen = _keep_used(candidates, groups)
    left = iter(candidates)
    while step := set(islice(left, STEP_KEYS)):
        with forgetting(step), writing.destroying(_DOING) as connection:
            # Nobody appends now; what was appended since the last look counts as well.
            later = seen
            while groups := _groups(connection, later):
                later = _keep_used(step, groups)
            delete_keys(connection, list(step))


def _nothing_kept(_key_ids: Collection[bytes]) -> AbstractContextManager[None]:
    return nullcontext()


def _groups(connection: ServerConnection, start: int) -> list[tuple[Any, ...]]:
    return connection.execute(_NEXT_GROUPS, [start], binary=True).fetchall()


def _keep_used(candidates: set[bytes], groups: list[tuple[Any, ...]]) -> int:
    """Take out the keys that groups use; return the position behind the last one's first."""
    for _, key_ids in groups:
        candidates.difference_update(_split(key_ids))
    return int(groups[-1][0]) + 1


def _split(key_ids: bytes) -> list[bytes]:
    return [key_ids[at : at + _ID_BYTES] for at in range(0, len(key_ids), _ID_BYTES)]


def _remove_rows(writing: Writing, stop: int) -> None:
    """Remove the rows before a position and the groups that end before it, but the last group.

    The last one stays, since the head is counted from it.
    """
    while True:
        with writing.changing(_DOING) as connection:
            row = connection.execute(
                "SELECT max(position) FROM (SELECT position FROM deconflict_entries "
                "WHERE position < %s ORDER BY position LIMIT %s) AS step",
                [stop, STEP_ROWS],
            ).fetchone()
            last = None if row is None else row[0]
            until = stop if last is None else last + 1
            connection.execute("DELETE FROM deconflict_entries WHERE position < %s", [until])
            connection.execute(
                "DELETE FROM deconflict_groups WHERE first < %s AND first + count <= %s "
                "AND first < (SELECT max(first) FROM deconflict_groups)",
                [until, until],
            )
        if last is None:
            return
