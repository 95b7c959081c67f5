"""Connections to lend to threads, each for a short time.

Of psycopg's own pool a caller that waits learns only that it waited: it connects again in the
background, so neither the reason nor the host is at hand. Here the caller connects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Final

import psycopg

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.postgres.address import Address
from deconflict.journal.postgres.connection import PATIENCE_S, ServerConnection, SilentError
from deconflict.journal.postgres.failure import failure

MOST: Final = 8
"""Connections in use at once."""
MOST_IDLE: Final = 4


class Pool:
    """Lends connections, and makes new ones in place of those that broke.

    Parameters
    ----------
    address
        Where to connect.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: list[ServerConnection] = []
        self._lock = Lock()
        self._places = BoundedSemaphore(MOST)
        self._closed = False

    @contextmanager
    def connection(
        self, doing: str, patience_s: float = PATIENCE_S, *, cancels: bool = False
    ) -> Iterator[ServerConnection]:
        """Lend a connection; what psycopg raises meanwhile becomes an engine's error.

        Parameters
        ----------
        doing
            What is not done if it fails, as in "the journal was not read".
        patience_s
            How long each statement may take.
        cancels
            Whether a statement that takes longer is cancelled on the server too. Never one that
            commits rows.

        Raises
        ------
        EngineError
            If the pool is closed, no server is reached, or the work fails.
        """
        self.refuse_if_closed()
        if not self._places.acquire(timeout=PATIENCE_S):
            raise UnreachableError(
                f"{doing}: PostgreSQL at {self.address.where} is too slow for all who ask it"
            )
        try:
            connection = self._take(doing)
            connection.patience_s = patience_s
            try:
                yield connection
            except psycopg.Error as error:
                if connection.closed or isinstance(error, SilentError):
                    self._drop_idle()
                if cancels and isinstance(error, SilentError):
                    connection.abandon()
                raise failure(error, connection.where, doing) from error
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def distrust(self, connection: ServerConnection) -> None:
        """Connect elsewhere if there is an elsewhere: this server could not keep a promise."""
        self.address.distrust(connection.where)
        self._drop_idle()
        connection.close()

    def refuse_if_closed(self) -> None:
        """Raise if nothing may be asked any more."""
        if self._closed:
            raise EngineError("the journal is closed: open it again")

    def close(self) -> None:
        """Close what is idle now, and the rest when it is given back."""
        with self._lock:
            self._closed = True
        self._drop_idle()

    def _take(self, doing: str) -> ServerConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                try:
                    return self.address.connect()
                except UnreachableError as error:
                    raise UnreachableError(f"{doing}: {error}") from error.__cause__
            if connection.is_fresh():
                return connection
            connection.close()

    def _give_back(self, connection: ServerConnection) -> None:
        if connection.rest():
            with self._lock:
                if not self._closed and len(self._idle) < MOST_IDLE:
                    self._idle.append(connection)
                    return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            dropped, self._idle = self._idle, []
        for connection in dropped:
            connection.close()
