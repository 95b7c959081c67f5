"""The journal's log for those who check it: the last checkpoint and the tiles of its tree."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Final, Protocol

from deconflict.server.problem import problem
from deconflict.standards.service import Call, Endpoint, Family, Reply, RequestError, Service

_TILE: Final = re.compile(
    r"(\d{1,2}|entries)/((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII
)
"""A tile's path after `tile/` (C2SP tlog-tiles)."""
_FULL: Final = 256
_TEXT: Final = "text/plain; charset=utf-8"
_OCTETS: Final = "application/octet-stream"


class Tiled(Protocol):
    """What is asked of a `deconflict.journal.log.Log`."""

    def checkpoint(self) -> bytes | None:
        """Return the last signed note."""
        ...

    def tile(self, level: int, index: int, width: int = _FULL) -> bytes | None:
        """Return hashes."""
        ...

    def entries(self, index: int, width: int = _FULL) -> bytes | None:
        """Return leaves."""
        ...


def log_family(log: Tiled) -> Family:
    """Return the endpoints of a log; any valid token opens them."""
    turn = asyncio.Semaphore(1)

    async def checkpoint(_service: Service, _call: Call) -> Reply:
        note = log.checkpoint()
        if note is None:
            raise RequestError(404, "no checkpoint was signed yet; ask again in a second")
        return Reply(200, note, _TEXT)

    async def tile(_service: Service, call: Call) -> Reply:
        found = _TILE.fullmatch(call.path["path"])
        if found is None:
            raise RequestError(404, "this is no path of a tile; write one as in C2SP tlog-tiles")
        kind, digits, given = found.groups()
        index = int(digits.replace("x", "").replace("/", ""))
        width = int(given) if given else _FULL
        # In a thread, one at a time: a bundle is read from the disk, and its leaves are hashed.
        async with turn:
            content = await asyncio.to_thread(
                partial(log.entries, index, width)
                if kind == "entries"
                else partial(log.tile, int(kind), index, width)
            )
        if content is None:
            raise RequestError(
                404, "the log has no such tile; those that it has follow from its checkpoint"
            )
        return Reply(200, content, _OCTETS)

    return Family(
        name="Log",
        endpoints=(
            Endpoint(
                "GET",
                "/log/checkpoint",
                (),
                checkpoint,
                "getCheckpoint",
                summary="The last signed checkpoint of the journal's log (C2SP tlog-checkpoint).",
            ),
            Endpoint(
                "GET",
                "/log/tile/{*path}",
                (),
                tile,
                "getTile",
                summary="A tile of the log's tree, or a bundle of leaves (C2SP tlog-tiles).",
            ),
        ),
        error=problem,
        most_body_bytes=0,
    )
