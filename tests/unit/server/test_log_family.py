"""The endpoints of the log."""

from __future__ import annotations

import asyncio
import threading

import pytest

from deconflict.identity.caller import NOBODY
from deconflict.server.log_family import log_family
from deconflict.standards.service import Call, RequestError

PATIENCE_S = 20


class SlowLog:
    """A log that gives a tile only when others had their turn meanwhile."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.others = threading.Event()

    def checkpoint(self) -> bytes | None:
        return None

    def tile(self, _level: int, _index: int, _width: int = 256) -> bytes | None:
        self.asked.set()
        return b"tile" if self.others.wait(PATIENCE_S) else None

    def entries(self, index: int, width: int = 256) -> bytes | None:
        return self.tile(0, index, width)


@pytest.mark.parametrize("path", ["0/000", "entries/000", "entries/x001/000.p/7"])
def test_others_are_served_while_a_tile_is_read(path: str) -> None:
    log = SlowLog()
    endpoint = log_family(log).endpoints[1]

    async def work() -> bytes:
        call = Call(NOBODY, "", {"path": path})
        reading = asyncio.get_running_loop().create_task(endpoint.handle(None, call))  # type: ignore[arg-type]
        await asyncio.to_thread(log.asked.wait, PATIENCE_S)
        log.others.set()
        return (await reading).body

    assert asyncio.run(work()) == b"tile"


@pytest.mark.parametrize("path", ["", "0/1", "0/000.p/0", "entries/../key", "0/000\n", "٠/000"])
def test_what_is_no_path_of_a_tile_is_not_found(path: str) -> None:
    endpoint = log_family(SlowLog()).endpoints[1]
    with pytest.raises(RequestError, match="no path of a tile") as refused:
        asyncio.run(endpoint.handle(None, Call(NOBODY, "", {"path": path})))  # type: ignore[arg-type]
    assert refused.value.status == 404
