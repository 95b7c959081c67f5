"""The PostgreSQL engine: one database, and any number of nodes.

An append is one short transaction that is refused, rather than waits, when another one is under
way. What is read has reached the synchronous standbys, where there are any
(`deconflict.journal.postgres.reading`). Any plain server from version 15 on will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Self

from deconflict.journal.engine import (
    EngineError,
    Forgetting,
    Group,
    Lease,
    Outcome,
    Row,
    UnreachableError,
)
from deconflict.journal.postgres.address import Address
from deconflict.journal.postgres.pool import Pool
from deconflict.journal.postgres.pruning import prune
from deconflict.journal.postgres.reading import Reading
from deconflict.journal.postgres.schema import migrate, recognise
from deconflict.journal.postgres.waiting import Waiting
from deconflict.journal.postgres.writing import Writing
from deconflict.journal.row_checksum import GroupRow


class PostgresEngine:
    """A journal engine on a PostgreSQL database.

    `append` and `prune` are for one thread each; all else may run in any thread.

    Parameters
    ----------
    conninfo
        The address as libpq takes it. With several hosts the one that takes writes is used.
    create
        Whether to make the tables, or bring them up to date, in the connection's current schema.
    verify
        Whether to read the last group back; without it, what is damaged can be looked at.

    Raises
    ------
    UnreachableError
        If no server is reached; the sentence names each.
    EngineError
        If it holds no journal, one of a newer program, or a damaged one, or is too old.
    """

    shared: Final = True
    doubt: Final = ""

    def __init__(self, conninfo: str, *, create: bool = False, verify: bool = True) -> None:
        self._begin(Address(conninfo), create=create, verify=verify)

    @classmethod
    def reader(cls, conninfo: str, *, verify: bool = True) -> Self:
        """Open a journal to read it; no table is made or changed, and every write is refused.

        Raises
        ------
        EngineError
            As for the constructor.
        """
        engine = cls.__new__(cls)
        address = Address(conninfo, reads_only=True)
        engine._begin(address, create=False, verify=verify, reads_only=True)  # noqa: SLF001  (its own class)
        return engine

    def _begin(
        self, address: Address, *, create: bool, verify: bool, reads_only: bool = False
    ) -> None:
        self._address = address
        self._verifies = verify
        self._reads_only = reads_only
        self._open(create=create)

    def _open(self, *, create: bool = False) -> None:
        for _ in range(self._address.count - 1):
            preferred = self._address.preferred
            try:
                return self._open_preferred(create=create)
            except UnreachableError:
                if preferred == self._address.preferred:
                    raise
                # That server could not keep a promise, so another one comes first now.
        return self._open_preferred(create=create)

    def _open_preferred(self, *, create: bool) -> None:
        pool = Pool(self._address)
        try:
            if create:
                migrate(pool)
            journal = recognise(pool)
            reading = Reading(pool, journal)
            if self._verifies:
                reading.verify_end()
            writing = Writing(pool, reading, journal)
        except BaseException:
            pool.close()
            raise
        self._pool, self._reading, self._writing = pool, reading, writing
        self._waiting = Waiting(self._address, writing.channel, reading.visible_head)

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group behind position `expected_head` - 1, durably; all of it or nothing."""
        return self._writer("append").append(expected_head, group)

    def find(self, group_id: bytes) -> int | None:
        """Return the position of a group's first entry, or ``None`` if it was never committed.

        Of groups that were pruned nothing is known any more.
        """
        return self._reading.find(group_id)

    def read(self, start: int, stop: int | None = None) -> Iterator[tuple[int, Row]]:
        """Yield position and row from `start` to before `stop` (the head), committed ones only."""
        first, head = self._reading.bounds()
        if start < first:
            raise EngineError(
                f"entry {start} is not kept any more: the journal begins with entry {first}; "
                "look for older ones in the archive"
            )
        return self._reading.entries(start, head if stop is None else min(stop, head))

    def head(self) -> int:
        """Return a position no lower than that of any append acknowledged before the call."""
        self._pool.refuse_if_closed()
        return self._reading.head()

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, or after some seconds."""
        self._waiting.wait(position, seconds)

    def lease(self, node: str, address: str, seconds: float) -> Lease:
        """Take the lease if it is free or already this node's, for some seconds from now on.

        It is judged by the server's clock alone.
        """
        return self._writer("take the lease").lease(node, address, seconds)

    def release(self, node: str) -> None:
        """Give the lease back if it is this node's, so that another need not wait for its end."""
        self._writer("give the lease back").release(node)

    @property
    def journal(self) -> bytes:
        """The journal's identifier, 16 bytes."""
        return self._reading.journal

    def groups(self, start: int) -> Iterator[GroupRow]:
        """Yield the groups that begin at a position or behind it."""
        return self._reading.groups(start)

    def size_bytes(self) -> int:
        """Return the bytes of the tables with their indices and dead rows."""
        return self._reading.size_bytes()

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned."""
        self._writer("begin").begin(first)

    def first(self) -> int:
        """Return the first position that is still kept; 0 until entries were pruned."""
        return self._reading.first()

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        return self._reading.key(key_id)

    def wrapped_keys(self, key_ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return those of some wrapped keys that there are, found with one question."""
        return self._reading.keys(key_ids)

    def erase(self, key_ids: Sequence[bytes]) -> None:
        """Destroy wrapped keys, as far as the database has its files in its hands.

        Copies stay in its write-ahead log and backups until these are thrown away.
        """
        self._writer("erase").erase(key_ids)

    def prune(self, before: int, forgetting: Forgetting | None = None) -> None:
        """Remove the rows before a position, and the keys that no row uses any more."""
        writing = self._writer("prune")
        head = self._reading.head()
        if before > head:
            raise EngineError(
                f"entries before {before} can't be pruned: the journal ends before entry {head}"
            )
        prune(self._reading, writing, before, forgetting)

    def reopen(self) -> None:
        """Close, open again and verify what is kept, so that appends may go on."""
        self.close()
        self._open()

    def close(self) -> None:
        """Let go of the engine. Closing twice is no error."""
        self._pool.close()
        self._waiting.close()

    def _writer(self, verb: str) -> Writing:
        self._pool.refuse_if_closed()
        if self._reads_only:
            raise EngineError(f"the journal was opened to read it, so nothing can {verb} here")
        return self._writing
