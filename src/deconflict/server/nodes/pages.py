"""What a node answers other nodes: commands that they forward, and what a new one needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from deconflict.server.nodes.joining import base
from deconflict.server.nodes.receiving import Receiver
from deconflict.server.nodes.wire import (
    BASE_PATH,
    COMMANDS_PATH,
    HEADER,
    MOST_BATCH_BYTES,
    Seal,
    SeenError,
    body_matches,
)

_NO_STORE = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the pages for other nodes need.

    Attributes
    ----------
    seal
        By which nodes know each other.
    receiver
        Decides what is forwarded.
    data
        The data folder.
    """

    seal: Seal
    receiver: Receiver
    data: Path


def node_routes(nodes: Nodes) -> list[Route]:
    """Return the routes; to whoever is no node of this service there is nothing at them."""

    def digest(request: Request) -> str:
        try:
            found = nodes.seal.digest(request.url.path, request.headers.get(HEADER, ""))
        except SeenError:
            raise HTTPException(409, "the same request came before") from None
        if found is None:
            raise HTTPException(404)
        return found

    async def commands(request: Request) -> Response:
        wanted = digest(request)
        body = await request.body()
        if not body_matches(body, wanted):
            raise HTTPException(404)
        try:
            outcomes = await nodes.receiver.decide(body)
        except msgspec.DecodeError:
            raise HTTPException(
                400, "the other node runs a version that this one can't read"
            ) from None
        return Response(outcomes, 200, _NO_STORE, media_type="application/vnd.msgpack")

    async def everything(request: Request) -> Response:
        digest(request)
        return StreamingResponse(
            _aside(nodes.data), headers=_NO_STORE, media_type="application/x-tar"
        )

    return [
        Route(COMMANDS_PATH, commands, methods=["POST"], max_body_size=MOST_BATCH_BYTES),
        Route(BASE_PATH, everything),
    ]


async def _aside(data: Path) -> AsyncIterator[bytes]:
    """Read the files in a thread, so that no request waits for the disk."""
    pieces = base(data)
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
