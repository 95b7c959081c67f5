"""A line between two servers that can be cut, slow, and whole again."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

CHUNK = 65536


class Line:
    """Passes bytes on between a free port of loopback and a server.

    While it is cut nothing gets through and nobody is told, as where a cable is pulled: what was
    sent meanwhile comes when it is whole again.

    Parameters
    ----------
    server_port
        Where it leads to, on loopback.

    Attributes
    ----------
    port
        Where it begins.
    delay_s
        How long each piece takes; set it at any time.
    """

    def __init__(self, server_port: int) -> None:
        self.delay_s = 0.0
        self._server_port = server_port
        self._whole = threading.Event()
        self._whole.set()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._start(self._accept)

    def cut(self) -> None:
        """Let nothing through any more."""
        self._whole.clear()

    def mend(self) -> None:
        """Let all through again."""
        self._whole.set()

    def close(self) -> None:
        """End it. Closing twice is no error."""
        self._closed = True
        self.mend()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):  # ended already
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @staticmethod
    def _start(target, *arguments) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                self._start(self._connect, near)

    def _connect(self, near: socket.socket) -> None:
        self._whole.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:  # the server is not there
            near.close()
            return
        self._sockets.append(far)
        self._start(self._pass_on, near, far)
        self._start(self._pass_on, far, near)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):  # either end has gone
            while content := one.recv(CHUNK):
                time.sleep(self.delay_s)
                self._whole.wait()
                other.sendall(content)
        for each in (one, other):
            with suppress(OSError):  # ended already
                each.shutdown(socket.SHUT_RDWR)
