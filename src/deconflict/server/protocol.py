"""HTTP/1.1 connections with limits on what comes before a request reaches the application.

uvicorn's own protocol bounds neither headers nor the time that they take. Here each connection has
a deadline: until its next headers are there, until its body is there, until its reply is taken.
One sweep over all connections, twice a second, ends those that missed theirs; so a deadline costs
a request nothing but an assignment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from math import inf
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from deconflict.server.app import CONNECTION, Receive, Scope, Send
from deconflict.server.cycle import Cycle
from deconflict.server.limits import Connection, Limits, Refused
from deconflict.server.problem import PROBLEM, problem
from deconflict.server.settings import Settings

SWEEP_S: Final = 0.5
"""How often deadlines are looked at."""
_TOO_SLOW: Final = Refused(
    408, "too_slow", "the request took too long to arrive; send it again, at once", close=True
)
_NO_HTTP: Final = Refused(
    400, "no_http", "what came is no HTTP/1.1; send a request as RFC 9112 says", close=True
)

_WORTH_REPEATING: Final = frozenset({408, 429, 503})
"""Statuses after which the same bytes may be taken; what is no HTTP now will be none later."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    Parameters
    ----------
    config, server_state
        uvicorn's.
    loop
        The running loop.
    settings
        Sizes and times.
    limits
        Counts of connections.
    refused
        Called with the word for why a connection or a request's headers were refused.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        settings: Settings,
        limits: Limits,
        refused: Callable[[str], None],
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={}, _loop=loop)
        self.deadline_s = inf
        self._settings = settings
        self._limits = limits
        self._refused = refused
        self._connection: Connection | None = None
        self._answering: RequestResponseCycle | None = None
        self._turned_away = False
        self._in_head = False
        self._in_body = False
        self._head_bytes = 0
        self._chunk_bytes = 0
        self._beside_body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, or turn it away."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        connection = Connection(address)
        refused = self._limits.connect(connection)
        if refused is not None:
            self._turn_away(refused)
            return
        self._connection = connection
        self.deadline_s = self.loop.time() + self._settings.header_timeout_s

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection off."""
        if self._connection is not None:
            self._limits.disconnect(self._connection)
            self._connection = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrives; headers that are too long end the connection before they are whole."""
        if self._turned_away:
            return
        self._chunk_bytes = len(data)
        if self._in_head:
            self._head_bytes += len(data)
        self._beside_body_bytes += len(data)
        super().data_received(data)  # which may turn it away
        most = self._settings.most_header_bytes
        if self._in_head and self._head_bytes > most:
            self._turn_away(self._too_large())
        elif self._in_body and self._beside_body_bytes > most:
            # Trailers or a chunk's extensions that never end, which the parser would gather.
            self._turn_away(self._too_large())

    def eof_received(self) -> None:
        """Close: half a connection can't be told from one whose other end is gone."""

    def on_message_begin(self) -> None:
        """Begin to wait for a request's headers."""
        super().on_message_begin()
        self.scope[CONNECTION] = self._connection  # type: ignore[typeddict-unknown-key]
        self._in_head = True
        self._head_bytes = 0  # what came in the same piece may belong to the request before
        self.deadline_s = self.loop.time() + self._settings.header_timeout_s

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a field behind the body is none (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on, or have its headers refused."""
        self._in_head = False
        settings = self._settings
        too_large = len(self.headers) > settings.most_headers or (
            # Headers that came in small pieces are small; only else are they added up.
            self._head_bytes + self._chunk_bytes > settings.most_header_bytes
            and len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            > settings.most_header_bytes
        )
        self.deadline_s = self.loop.time() + settings.body_timeout_s
        app = self.app
        if too_large:
            self._refused("header_too_large")
            app = _refusing(self._too_large())
        before: RequestResponseCycle | None = self.cycle
        self.cycle = self._begun()
        self._in_body = True
        self._beside_body_bytes = 0
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:  # sent before the answer to the last one was there
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))

    def _begun(self) -> Cycle:
        """Complete the scope of the request whose headers are there."""
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        return Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._beside_body_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that the request is whole."""
        super().on_message_complete()
        self._in_body = False
        # One that was answered before it was whole leaves a connection that asks nothing.
        if not self._idle():
            self.deadline_s = inf

    def on_response_complete(self) -> None:
        """Begin to answer the next request, or to wait for it."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        # A reply that is not taken yet keeps the deadline of its reader.
        elif self._idle() and not self._in_head and not self.flow.write_paused:
            self.deadline_s = self.loop.time() + self._settings.keep_alive_s

    def pause_writing(self) -> None:
        """Begin to wait for a reader that takes its reply too slowly."""
        super().pause_writing()
        self.deadline_s = self.loop.time() + self._settings.body_timeout_s

    def resume_writing(self) -> None:
        """Take note that the reply is being taken."""
        super().resume_writing()
        self.deadline_s = self.loop.time() + self._settings.keep_alive_s if self._idle() else inf

    def expire(self) -> None:
        """End the connection: its deadline is over."""
        self.deadline_s = inf
        if self.flow.write_paused:
            self._refused("reads_too_slowly")
            self.transport.abort()
            return
        answering = not self._idle() and self.cycle.response_started
        if answering or (self._idle() and not self._in_head):
            self._close()
        else:
            self._turn_away(_TOO_SLOW)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser can't read."""
        del msg
        self._turn_away(_NO_HTTP)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _idle(self) -> bool:
        """Whether every request that was whole has its reply."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _too_large(self) -> Refused:
        return Refused(
            431,
            "header_too_large",
            f"the headers are larger than {self._settings.most_header_bytes:,} bytes or more than "
            f"{self._settings.most_headers}; send fewer",
            close=True,
        )

    def _turn_away(self, refused: Refused) -> None:
        """Write a refusal without asking the application, and close.

        A request before it on the connection, whole and not answered yet, may have been carried
        out; the refusal must not be taken for its answer. So its own answer is then the last.
        """
        if self._turned_away:
            return
        self._turned_away = True
        self._refused(refused.reason)
        self.pipeline.clear()
        earlier = self._answering
        if earlier is not None and not (earlier.more_body or earlier.response_complete):
            earlier.keep_alive = False
            return
        if not (self._in_body and self._idle()):  # else it was answered before it was whole
            self.transport.write(_plain(refused))
        self._close()

    def _close(self) -> None:
        """Close, and have nobody write to what is closed."""
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        self.transport.close()


def _plain(refused: Refused) -> bytes:
    reply = problem(refused.status, refused.sentence)
    again = (
        f"retry-after: {refused.retry_after_s}\r\n" if refused.status in _WORTH_REPEATING else ""
    )
    head = (
        f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}\r\n"
        f"content-type: {PROBLEM}\r\n"
        f"content-length: {len(reply.body)}\r\n{again}connection: close\r\n\r\n"
    )
    return head.encode() + reply.body


def _refusing(refused: Refused) -> Any:  # noqa: ANN401 - an ASGI application in uvicorn's words
    reply = problem(refused.status, refused.sentence)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [
            (b"content-type", PROBLEM.encode()),
            (b"content-length", b"%d" % len(reply.body)),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return application


async def sweep(state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
    """End connections that missed their deadline, until cancelled."""
    while True:
        await asyncio.sleep(SWEEP_S)
        now_s = loop.time()
        for connection in list(state.connections):
            if isinstance(connection, LimitedProtocol) and connection.deadline_s < now_s:
                connection.expire()
