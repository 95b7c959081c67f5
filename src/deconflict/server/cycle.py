"""One request and its reply on a connection; a reply that is whole is written at once.

uvicorn writes the headers of a reply and its body apart: two system calls, a tenth of the time that
a small request costs. Its headers, too, are judged one by one by two patterns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not stand in a header, as in RFC 9110, section 5.5; a line break would begin another."""
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"connection"})


class Cycle(RequestResponseCycle):
    """uvicorn's, but for how a reply with a known length is written."""

    _head: bytes | None = None

    async def send(self, message: ASGISendEvent) -> None:
        """Take the reply: first its status and headers, then its body."""
        if not self.response_started:
            if message["type"] == "http.response.start" and self.scope["method"] != "HEAD":
                self._head = self._begun(message["status"], message.get("headers", ()))
                if self._head is not None:
                    return
        elif self._head is not None and not self.response_complete:
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            if self.disconnected:
                return
            head, self._head = self._head, None
            body: bytes = message.get("body", b"")  # type: ignore[assignment] # as ASGI has it
            if len(body) == self.expected_content_length and not message.get("more_body", False):
                self._reply(head, body)
                return
            self.transport.write(head)
        await super().send(message)

    def _begun(self, status: int, given: Any) -> bytes | None:  # noqa: ANN401 - as ASGI has it
        """Return the head of a reply, ``None`` if its length is not known."""
        parts = [STATUS_LINE[status]]
        length = None
        keep_alive = self.keep_alive
        for name, value in (*self.default_headers, *given):
            if name == b"content-length":
                length = int(value)
            elif name == b"connection" and value.lower() == b"close":
                keep_alive = False
                continue
            elif name in _UNUSUAL or _CONTROL.search(value):
                return None  # uvicorn's way knows what to do with it
            parts += (name, b": ", value, b"\r\n")
        if length is None:
            return None
        parts.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
        self.keep_alive = keep_alive
        self.expected_content_length = length
        self.chunked_encoding = False
        self.response_started = True
        self.waiting_for_100_continue = False
        return b"".join(parts)

    def _reply(self, head: bytes, body: bytes) -> None:
        self.transport.writelines((head, body) if body else (head,))
        self.expected_content_length = 0
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
