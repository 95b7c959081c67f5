"""The two advisory locks of a journal, each until the end of a transaction.

The first keeps appends apart: one that does not get it is refused. The second is held shared by
every append until it is committed or not, and alone by whoever has to know that none is under way:
who destroys keys, and who looks for a group of unknown outcome. An append may wait for these, never
for another append.
"""

from __future__ import annotations

import hashlib

from deconflict.journal.postgres.connection import ServerConnection


class Locks:
    """The numbers of a journal's locks, so that journals in one database do not meet.

    Parameters
    ----------
    journal
        Its identifier.
    """

    def __init__(self, journal: bytes) -> None:
        digest = hashlib.sha256(b"deconflict locks\0" + journal).digest()
        self.appending = int.from_bytes(digest[:8], signed=True)
        self.using = int.from_bytes(digest[8:16], signed=True)

    def exclude(self, connection: ServerConnection) -> None:
        """Wait until no append is under way, and let none begin; for `lock_timeout` at most."""
        connection.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [self.using])
