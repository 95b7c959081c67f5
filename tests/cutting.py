"""A way to a server that cuts connections at a word."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import Enum


class When(Enum):
    """When a connection is cut."""

    NEVER = "never"
    BEFORE = "before"
    """The word does not reach the server."""
    AFTER = "after"
    """It does, and the answer does not come back."""


class CuttingProxy:
    """Passes bytes on between a free port of loopback and a server.

    Attributes
    ----------
    port
        Where it listens.
    when
        Set it at any time. It applies once, then it is never.
    """

    def __init__(self, server_port: int, word: bytes) -> None:
        self.when = When.NEVER
        self._word = word
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target, *arguments) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                self._start(self._pass_on, client, server)
                self._start(self._pass_back, server, client)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while content := client.recv(65536):
                when = self.when if self._word in content else When.NEVER
                if when is not When.NEVER:
                    self.when = When.NEVER
                    _end(client)
                if when is When.BEFORE:
                    break
                server.sendall(content)
        _end(server, socket.SHUT_WR)

    @staticmethod
    def _pass_back(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while content := server.recv(65536):
                client.sendall(content)
        _end(client)

    def close(self) -> None:
        _end(self._listener)
        self._listener.close()
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join(30)
        for each in self._sockets:
            each.close()


def _end(each: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with suppress(OSError):  # ended already
        each.shutdown(how)
