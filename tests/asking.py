"""An HTTP/1.1 client that sends bytes exactly as given, and reads whatever comes back.

It shares no code with the server, or with the library that other tests ask with.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass

PATIENCE_S = 60.0
"""A server that says nothing for so long has stalled."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; times are of a clock that never goes back, nanoseconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent_ns: int = 0
    received_ns: int = 0

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class Asker:
    """One party's connection, opened again when the server closed it.

    Parameters
    ----------
    port
        Of loopback.
    token
        Sent with each request.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"host: localhost\r\nauthorization: Bearer {token}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, content: object = None) -> Answer:
        """Send one request and return its answer."""
        body = b"" if content is None else json.dumps(content).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}content-length: {len(body)}\r\n\r\n"
        if self._streams is None:
            self._streams = await connected(self._port)
        reader, writer = self._streams
        sent_ns = time.monotonic_ns()
        writer.write(head.encode() + body)
        answer = await answered(reader, sent_ns=sent_ns)
        assert answer is not None, "the server closed the connection without an answer"
        if answer.closes:
            await self.close()
        return answer

    async def close(self) -> None:
        if self._streams is not None:
            await closed(self._streams[1])
            self._streams = None


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=2**24)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return  # the server closed first


async def answered(
    reader: asyncio.StreamReader, *, sent_ns: int = 0, head_only: bool = False
) -> Answer | None:
    """Return the next final answer on a connection; ``None`` if it was closed instead.

    Raises
    ------
    asyncio.IncompleteReadError
        If an answer was cut off.
    TimeoutError
        If nothing came.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except ConnectionError:
                return None
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
                return None
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            status = int(first.split(" ")[1])
            headers = {
                name.lower(): text.strip() for name, _, text in (x.partition(":") for x in lines)
            }
            if status >= 200:
                break
        length = 0 if head_only else int(headers.get("content-length", 0))
        body = await reader.readexactly(length)
    return Answer(status, headers, body, sent_ns, time.monotonic_ns())
