"""Waiting for what others append: woken by the server, and looking by itself now and then."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

import psycopg
from psycopg import sql

from deconflict.journal.engine import EngineError
from deconflict.journal.postgres.address import Address
from deconflict.journal.postgres.connection import ServerConnection

POLL_S: Final = 1.0
"""A notice can be lost with its connection, so who waits looks as often as this."""


class Waiting:
    """A connection of its own that listens, for one thread.

    Parameters
    ----------
    address
        Where to connect.
    channel
        What to listen to.
    visible_head
        Returns how far the journal goes, without a barrier.
    """

    def __init__(self, address: Address, channel: str, visible_head: Callable[[], int]) -> None:
        self._address = address
        self._channel = channel
        self._visible_head = visible_head
        self._connection: ServerConnection | None = None
        self._waiting = Lock()
        self._closed = False
        self._woken, self._waker = socket.socketpair()

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, after some seconds, or after `close`."""
        deadline = time.monotonic() + seconds
        with self._waiting:
            while not self._closed:
                try:
                    connection = self._listening()
                    _notices(connection)  # of what is seen now
                    if self._visible_head() > position:
                        return
                    self._sleep(min(POLL_S, deadline - time.monotonic()), connection)
                    if _notices(connection):
                        return
                except (EngineError, psycopg.Error):
                    # Whoever is woken learns from the engine what is wrong; here only time passes.
                    self._drop()
                    self._sleep(min(POLL_S, deadline - time.monotonic()))
                if time.monotonic() >= deadline:
                    return

    def _listening(self) -> ServerConnection:
        if self._connection is None:
            connection = self._address.connect()
            try:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _sleep(self, seconds: float, connection: ServerConnection | None = None) -> None:
        watched = [self._woken.fileno()]
        if connection is not None:
            watched.append(connection.pgconn.socket)
        poller = select.poll()
        for descriptor in watched:
            poller.register(descriptor, select.POLLIN)
        poller.poll(max(0.0, seconds) * 1000)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """End a wait that is under way, and every later one at once."""
        self._closed = True
        self._waker.close()
        with self._waiting:
            self._drop()
            self._woken.close()


def _notices(connection: ServerConnection) -> int:
    """Take all notices that have arrived; return how many."""
    connection.pgconn.consume_input()
    count = 0
    while connection.pgconn.notifies() is not None:
        count += 1
    return count
