"""Reading a journal's tables: in short steps, and only what no change of primary can take back.

A primary whose synchronous standby took over goes on answering, and one that crashed and was
started again shows transactions that its standby never had. So where synchronous standbys are
configured, an answer counts only behind a barrier: a commit that writes nothing but a message into
the write-ahead log, and that the standby has to confirm like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, Final

import psycopg

from deconflict.journal.engine import DamagedError, EngineError, Row, UnreachableError
from deconflict.journal.postgres.commit import transaction
from deconflict.journal.postgres.connection import ByteaArray, ServerConnection, SilentError
from deconflict.journal.postgres.failure import failure
from deconflict.journal.postgres.locks import Locks
from deconflict.journal.postgres.pool import Pool
from deconflict.journal.row_checksum import GroupRow, first_chain, next_chain, row_checksum
from deconflict.journal.turn import Turns

BATCH_ROWS: Final = 256
BATCH_BYTES: Final = 4 * 1024 * 1024
"""A batch ends with the row that reaches this."""
BARRIER_S: Final = 3.0
"""How long standbys may take to confirm."""

_RESTORE: Final = "restore the newest copy of the database as a new log"
_HEAD: Final = (
    "coalesce((SELECT first + count FROM deconflict_groups ORDER BY first DESC LIMIT 1), 0)"
)
_BARRIER: Final = f"""
SELECT {_HEAD}, CASE WHEN current_setting('synchronous_standby_names') <> ''
    THEN pg_logical_emit_message(true, 'deconflict', ''::text) END
"""
_ROWS: Final = """
SELECT position, time_us, record, signature, key_id, sealed, checksum FROM (
    SELECT *, sum(octet_length(record) + octet_length(sealed)) OVER (ORDER BY position
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM deconflict_entries WHERE position >= %s AND position < %s
) AS entries WHERE before IS NULL OR before < %s ORDER BY position
"""
_BOUNDS: Final = f"SELECT first, {_HEAD} FROM deconflict_journal"  # noqa: S608 - ours
_SIZE: Final = """
SELECT sum(pg_total_relation_size(name::regclass))::bigint
FROM unnest(ARRAY['deconflict_entries', 'deconflict_groups', 'deconflict_keys']) AS name
"""
_GROUPS: Final = "SELECT first, count, id, chain FROM deconflict_groups"


class Reading:
    """What is asked of a journal. Safe to use from several threads.

    Parameters
    ----------
    pool
        Lends the connections.
    journal
        The journal's identifier.

    Attributes
    ----------
    journal
        The same.
    """

    def __init__(self, pool: Pool, journal: bytes) -> None:
        self._pool = pool
        self.journal = journal
        self._locks = Locks(journal)
        self._turns = Turns(self._certain_head)
        self._covered: dict[str, int] = {}
        self._covering = Lock()

    def head(self) -> int:
        """Return the number of entries ever committed, behind a barrier."""
        return self._turns.ask()

    def visible_head(self) -> int:
        """Return the number of entries as the server that is asked sees it."""
        return int(self.rows(f"SELECT {_HEAD}")[0][0])

    def first(self) -> int:
        """Return the first position that is kept."""
        return int(self.rows("SELECT first FROM deconflict_journal")[0][0])

    def size_bytes(self) -> int:
        """Return the bytes of the tables of entries, groups and keys, indices included."""
        return int(self.rows(_SIZE)[0][0])

    def bounds(self) -> tuple[int, int]:
        """Return the first position that is kept, and the visible head."""
        first, head = self.rows(_BOUNDS)[0]
        return int(first), int(head)

    def find(self, group_id: bytes) -> int | None:
        """Return the first position of a group, or ``None``, for good."""
        doing = "it can't be told yet whether a group was committed"
        with self._pool.connection(doing) as connection:
            # Before the lock too: on a primary that was deposed an append waits for ever for its
            # standby, and whoever waits for that append would never look elsewhere.
            self._barrier(connection, doing)
            with transaction(connection, doing):
                # Whoever appends holds it shared until the end of its transaction.
                connection.execute("SET LOCAL lock_timeout = '2s'")
                self._locks.exclude(connection)
                found = connection.execute(
                    f"{_GROUPS} WHERE id = %s", [group_id], binary=True
                ).fetchone()
            self._barrier(connection, doing)
        return None if found is None else int(found[0])

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key, or ``None``."""
        return self.keys([key_id]).get(key_id)

    def keys(self, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return those of some wrapped keys that there are."""
        return dict(
            self.rows(
                "SELECT id, wrapped FROM deconflict_keys WHERE id = ANY(%s)", ByteaArray(key_ids)
            )
        )

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield rows from `start` to before `stop`, which all have to be there.

        Raises
        ------
        EngineError
            If one is damaged, missing or pruned meanwhile; the sentence names its position.
        """
        position = start
        while position < stop:
            batch = self._batch(position, stop)
            for found, time_us, record, signature, key_id, sealed, checksum in batch:
                row = Row(time_us, record, signature, key_id, sealed)
                if found != position:
                    raise self._gap(position)
                if row_checksum(position, row) != checksum:
                    raise DamagedError(
                        f"entry {position} in the database at {self._pool.address.where} is "
                        f"damaged: its checksum does not match; {_RESTORE}"
                    )
                self._pool.refuse_if_closed()
                yield position, row
                position += 1
            if not batch:
                raise self._gap(position)

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups that begin at a position or behind it."""
        while rows := self.rows(
            f"{_GROUPS} WHERE first >= %s ORDER BY first LIMIT {BATCH_ROWS}", start
        ):
            for row in rows:
                yield GroupRow(*row)
            start = rows[-1][0] + 1

    def verify_end(self) -> None:
        """Read the last group back, and make sure that it follows the one before.

        Raises
        ------
        EngineError
            If it is damaged.
        """
        found = self.rows(f"{_GROUPS} ORDER BY first DESC LIMIT 2")
        if not found:
            return
        last = GroupRow(*found[0])
        if len(found) > 1:
            chain = found[1][3]
        elif last.first == 0:
            chain = first_chain(self.journal)
        else:
            return  # what it follows was pruned
        if self.first() > last.first:
            return  # of a group that was cut in two the sums are gone
        sums = [
            row_checksum(position, row) for position, row in self.entries(last.first, last.stop)
        ]
        if next_chain(chain, last.first, last.id, sums) != last.chain:
            raise DamagedError(
                f"the group of entries {last.first} to {last.stop - 1} in the database at "
                f"{self._pool.address.where} is damaged: it does not follow the one before; "
                f"{_RESTORE}"
            )

    def cover(self, connection: ServerConnection, head: int) -> None:
        """Note that a server's standbys have all entries before a position."""
        with self._covering:
            self._covered[connection.server] = max(head, self._covered.get(connection.server, 0))

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a short query."""
        with self._pool.connection("the journal was not read", cancels=True) as connection:
            return connection.execute(
                statement.encode(), values, prepare=True, binary=True
            ).fetchall()

    def _batch(self, start: int, stop: int) -> list[tuple[Any, ...]]:
        doing = f"entry {start} was not read"
        with self._pool.connection(doing, cancels=True) as connection:
            batch = connection.execute(
                _ROWS,
                [start, min(stop, start + BATCH_ROWS), BATCH_BYTES],
                prepare=True,
                binary=True,
            ).fetchall()
            if batch and batch[-1][0] >= self._covered.get(connection.server, 0):
                self._barrier(connection, doing)
        return batch

    def _certain_head(self) -> int:
        doing = "it is not certain how far the journal goes"
        with self._pool.connection(doing) as connection:
            return self._barrier(connection, doing)

    def _barrier(self, connection: ServerConnection, doing: str) -> int:
        """Return the head; that and all that was read before is on the standbys then."""
        connection.patience_s = BARRIER_S
        connection.warnings.clear()
        try:
            row = connection.execute(_BARRIER, prepare=True, binary=True).fetchone()
        except SilentError as error:
            connection.abandon()
            self._pool.distrust(connection)
            raise self._unconfirmed(connection, doing, str(error)) from error
        except psycopg.Error as error:
            raise failure(error, connection.where, doing) from error
        if connection.warnings or row is None:
            self._pool.distrust(connection)
            raise self._unconfirmed(connection, doing, "; ".join(connection.warnings))
        self.cover(connection, row[0])
        return int(row[0])

    def _unconfirmed(self, connection: ServerConnection, doing: str, why: str) -> EngineError:
        return UnreachableError(
            f"{doing}: PostgreSQL at {connection.where} can't confirm that it still is the primary "
            f"({why}): it is stuck, or its synchronous standbys are away or follow another server"
        )

    def _gap(self, position: int) -> EngineError:
        first = self.first()
        where = self._pool.address.where
        if position < first:
            return EngineError(
                f"entry {position} was pruned: the journal at {where} begins with entry {first}; "
                "look for older ones in the archive"
            )
        return DamagedError(f"entry {position} is missing from the database at {where}: {_RESTORE}")
