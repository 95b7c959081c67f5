"""Work over large bodies: beside the loop, a party's in turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from deconflict.identity.caller import Caller
from deconflict.server.aside import LIGHT_BYTES, Aside
from deconflict.standards.service import Call


def call(party: str = "a", size: int = LIGHT_BYTES + 1) -> Call:
    return Call(Caller(party, frozenset(), "test", 0), "PUT /x", body=b"x" * size)


def test_work_over_a_small_body_is_done_in_place_and_over_a_large_one_is_not() -> None:
    async def work() -> None:
        aside = Aside()
        assert await aside(call(size=LIGHT_BYTES), threading.get_ident) == threading.get_ident()
        assert await aside(call(), threading.get_ident) != threading.get_ident()

    asyncio.run(work())


def test_the_loop_goes_on_meanwhile() -> None:
    async def work() -> None:
        aside, release = Aside(), threading.Event()
        heavy = asyncio.create_task(aside(call(), lambda: release.wait(60)))
        await asyncio.sleep(0)
        assert await aside(call("b", 10), lambda: "light") == "light"
        release.set()
        assert await heavy

    asyncio.run(work())


def test_a_party_with_many_large_bodies_waits_behind_its_own() -> None:
    async def work() -> None:
        aside, done = Aside(), []
        release = threading.Event()

        def noted(name: str) -> Callable[[], None]:
            return lambda: (release.wait(60), done.append(name))[1]

        tasks = [asyncio.create_task(aside(call("a"), noted(f"a{number}"))) for number in range(3)]
        tasks.append(asyncio.create_task(aside(call("b"), noted("b"))))
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*tasks)
        assert done == ["a0", "b", "a1", "a2"]

    asyncio.run(work())


def test_a_refusal_reaches_the_asker_and_the_next_has_its_turn() -> None:
    async def work() -> None:
        aside = Aside()

        def refused() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await aside(call(), refused)
        assert await aside(call(), lambda: 1) == 1

    asyncio.run(work())
