"""Writing a journal's tables: appends that never wait for one another, keys, and the lease."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from deconflict.journal.engine import (
    EngineError,
    Group,
    GroupTooLargeError,
    KeyGoneError,
    Lease,
    Outcome,
)
from deconflict.journal.postgres.commit import commit, transaction
from deconflict.journal.postgres.connection import (
    PATIENCE_S,
    BigintArray,
    ByteaArray,
    ServerConnection,
    raise_if_failed,
)
from deconflict.journal.postgres.locks import Locks
from deconflict.journal.postgres.pool import Pool
from deconflict.journal.postgres.reading import Reading
from deconflict.journal.row_checksum import first_chain, next_chain, row_checksum

MOST_GROUP_BYTES: Final = 32 * 1024 * 1024
"""The server holds a statement several times over in memory."""
_SLOWEST_BYTES_S: Final = 2 * 1024 * 1024

_OPEN: Final = """
BEGIN;
SELECT CASE WHEN pg_try_advisory_xact_lock({appending})
    THEN pg_advisory_xact_lock_shared({using}) IS NOT NULL ELSE false END;
SELECT destroyed, start + count, chain FROM deconflict_journal
    LEFT JOIN (SELECT first, count, chain FROM deconflict_groups ORDER BY first DESC LIMIT 1)
    AS last (start, count, chain) ON true
"""
"""Each statement sees what was committed when it began, so the head is seen behind the locks."""
_APPEND: Final = """
WITH entries AS (
    INSERT INTO deconflict_entries
    SELECT %s + number - 1, time_us, record, signature, key_id, checksum, sealed
    FROM unnest(%s, %s, %s, %s, %s, %s)
    WITH ORDINALITY AS new (time_us, record, signature, key_id, checksum, sealed, number)
), keys AS (
    INSERT INTO deconflict_keys SELECT * FROM unnest(%s, %s)
)
INSERT INTO deconflict_groups VALUES (%s, %s, %s, %s, %s)
"""
_TAKE: Final = """
INSERT INTO deconflict_lease AS held (node, address, until)
VALUES (%(node)s, %(address)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (one) DO UPDATE SET node = excluded.node, address = excluded.address,
    until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE held.node = excluded.node OR held.until <= clock_timestamp()
RETURNING node, address
"""


class Writing:
    """What changes a journal. `append` is for one thread at a time; all else may run beside it.

    Parameters
    ----------
    pool
        Lends the connections.
    reading
        Told what is safely appended.
    journal
        The journal's identifier.
    """

    def __init__(self, pool: Pool, reading: Reading, journal: bytes) -> None:
        self._pool = pool
        self._reading = reading
        self._journal = journal
        self._locks = Locks(journal)
        self._open = _OPEN.format(appending=self._locks.appending, using=self._locks.using)
        self.channel = f"deconflict_{journal.hex()}"
        # Behind the commit and not in it: a queue of notices that another program lets grow full
        # would fail it, and a commit that notifies waits for all others in the cluster that do.
        # If it fails, whoever waits looks by itself within a second.
        self._wake = f"NOTIFY {self.channel}"
        (row,) = reading.rows("SELECT destroyed FROM deconflict_journal")
        self._destroyed = int(row[0])

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group as `deconflict.journal.engine.Engine.append` says."""
        rows = group.rows
        if not rows:
            raise ValueError("a group has at least one row")
        count = len(rows)
        doing = f"{count} {'entry was' if count == 1 else 'entries were'} not appended"
        size = sum(len(row.record) + len(row.sealed) for row in rows)
        if size > MOST_GROUP_BYTES:
            kind = GroupTooLargeError if count > 1 else EngineError
            raise kind(
                f"{doing}: they are {size:,} bytes, and PostgreSQL is given "
                f"{MOST_GROUP_BYTES:,} at once"
            )
        sums = [row_checksum(position, row) for position, row in enumerate(rows, expected_head)]
        columns = [
            BigintArray([row.time_us for row in rows]),
            ByteaArray([row.record for row in rows]),
            ByteaArray([row.signature for row in rows]),
            ByteaArray([row.key_id for row in rows]),
            ByteaArray(sums),
            ByteaArray([row.sealed for row in rows]),
            ByteaArray([key_id for key_id, _ in group.keys]),
            ByteaArray([wrapped for _, wrapped in group.keys]),
        ]
        key_ids = dict.fromkeys(row.key_id for row in rows)
        key_ids.update((key_id, None) for key_id, _ in group.keys)
        patience_s = PATIENCE_S + size / _SLOWEST_BYTES_S
        with self._pool.connection(doing, patience_s) as connection:
            opened = self._begin(connection)
            if opened is None or opened[1] != expected_head:
                return Outcome.REFUSED
            destroyed, _, chain = opened
            if destroyed != self._destroyed:
                self._require_keys(connection, group, doing)
            chain = next_chain(chain, expected_head, group.id, sums)
            connection.execute(
                _APPEND,
                [
                    *(expected_head, *columns),
                    *(expected_head, count, group.id, chain, b"".join(key_ids)),
                ],
                prepare=True,
                binary=True,
            )
            commit(connection, doing, self._wake)
            self._reading.cover(connection, expected_head + count)
        return Outcome.ACCEPTED

    def _begin(self, connection: ServerConnection) -> tuple[int, int, bytes] | None:
        """Begin a transaction that appends; ``None`` if another one is under way.

        Returns
        -------
        tuple
            How often keys were destroyed, the head, and the chain there.
        """
        results = connection.together(self._open)
        for result in results:
            raise_if_failed(connection, result)
        _, lock, last = results
        if lock.get_value(0, 0) != b"t":
            return None
        if not last.ntuples:
            raise _missing(connection)
        destroyed, head, chain = (last.get_value(0, column) for column in range(3))
        if head is None or chain is None:
            return int(destroyed or 0), 0, first_chain(self._journal)
        return int(destroyed or 0), int(head), bytes.fromhex(chain.decode()[2:])

    def _require_keys(self, connection: ServerConnection, group: Group, doing: str) -> None:
        """Refuse a group sealed under a key that is destroyed: nobody could ever open it."""
        brought = {key_id for key_id, _ in group.keys}
        used = {row.key_id for row in group.rows} - brought
        found = connection.execute(
            "SELECT count(*) FROM deconflict_keys WHERE id = ANY(%s)", [ByteaArray(list(used))]
        )
        if _one(found)[0] != len(used):
            raise KeyGoneError(
                f"{doing}: a key that they are sealed under was destroyed through another node; "
                "open the journal again, so that no such key is remembered"
            )

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned."""
        doing = f"the journal does not begin at entry {first}"
        with self._pool.connection(doing) as connection:
            opened = self._begin(connection)
            if opened is None:
                raise EngineError(f"{doing}: another node appends to it")
            row = _one(connection.execute("SELECT first FROM deconflict_journal"))
            _, head, chain = opened
            if head or row[0] or chain != first_chain(self._journal):
                raise EngineError(
                    f"{doing}: the database at {connection.where} holds or held entries"
                )
            group_id = os.urandom(16)
            connection.execute("UPDATE deconflict_journal SET first = %s", [first])
            connection.execute(
                "INSERT INTO deconflict_groups VALUES (0, %s, %s, %s, '')",
                [first, group_id, next_chain(chain, 0, group_id, ())],
            )
            commit(connection, doing, self._wake)

    @contextmanager
    def destroying(self, doing: str) -> Iterator[ServerConnection]:
        """Run a transaction that destroys keys: no append is under way meanwhile."""
        with self._pool.connection(doing) as connection, transaction(connection, doing):
            self._locks.exclude(connection)
            connection.execute("UPDATE deconflict_journal SET destroyed = destroyed + 1")
            yield connection

    def erase(self, key_ids: Sequence[bytes]) -> None:
        """Destroy wrapped keys."""
        with self.destroying("no key was erased") as connection:
            delete_keys(connection, key_ids)

    @contextmanager
    def changing(self, doing: str) -> Iterator[ServerConnection]:
        """Run a transaction beside the appends."""
        with self._pool.connection(doing) as connection, transaction(connection, doing):
            yield connection

    def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free or this node's, by the server's clock alone."""
        values = {"node": node, "address": address, "seconds": seconds}
        doing = "nobody knows which node decides"
        with self._pool.connection(doing, cancels=True) as connection:
            while True:
                with transaction(connection, doing):
                    row = connection.execute(_TAKE, values).fetchone()
                if row is None:
                    # Seen in a statement of its own: the one above saw the row as it was before
                    # another node took it, and that may have been this one's.
                    row = connection.execute(
                        "SELECT node, address FROM deconflict_lease"
                    ).fetchone()
                if row is not None:
                    return Lease(*row)

    def release(self, node: str) -> None:
        """Give the lease back if it is this node's."""
        with self.changing("the lease was not given back") as connection:
            connection.execute("DELETE FROM deconflict_lease WHERE node = %s", [node])


def delete_keys(connection: ServerConnection, key_ids: Sequence[bytes]) -> None:
    """Delete keys; within `Writing.destroying`."""
    connection.execute("DELETE FROM deconflict_keys WHERE id = ANY(%s)", [ByteaArray(key_ids)])


def _one(cursor: psycopg.Cursor[tuple[Any, ...]]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    if row is None:
        raise _missing(cursor.connection)
    return row


def _missing(connection: psycopg.Connection[tuple[Any, ...]]) -> EngineError:
    return EngineError(
        f"the row of deconflict_journal is missing from the database at {connection.info.host}: "
        "restore the newest copy of the database"
    )
