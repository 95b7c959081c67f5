"""Nodes over one journal stay one service when the one that decides is stopped and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from crowd import Checkpoints, Crowd, names_that_differ, not_linearizable, sequencer
from verdict import require_one_line

NODES = 3
CLIENTS = 12


@pytest.fixture
def crowd_over(make_nodes, postgres) -> Callable:
    """Return a function that starts nodes and a crowd over one journal; returned with its URL."""

    def start() -> tuple[Crowd, str]:
        database = f"nodes_{os.urandom(8).hex()}"
        postgres.database(database)
        journal = postgres.url(database)
        made = make_nodes(journal, "--rate-per-party", "100000", "--log-requests", "failed")
        return Crowd(made.start(NODES), CLIENTS, seed=5), journal

    return start


def judged(
    crowd: Crowd, journal: str, disturbance: Callable[[Crowd], Awaitable[None]]
) -> Checkpoints:
    """Have a crowd at its nodes during a disturbance, and compare all it was answered."""
    checkpoints = Checkpoints()

    async def run() -> None:
        async with checkpoints.gathered(crowd):
            await crowd.during(disturbance)
        looks = await crowd.look_everywhere()
        stopped = [await asyncio.to_thread(node.stop) for node in crowd.nodes]
        assert stopped == [0] * len(crowd.nodes)
        require_one_line(crowd, journal, checkpoints, looks)

    asyncio.run(run())
    assert list(not_linearizable(crowd.history)) == []
    assert list(names_that_differ(crowd.history)) == []
    return checkpoints


@pytest.mark.slow
def test_a_sequencer_stopped_past_its_lease_goes_on_and_the_journal_is_one_line(
    crowd_over,
) -> None:
    crowd, journal = crowd_over()

    async def stopped_and_resumed(crowd: Crowd) -> None:
        for _ in range(2):
            await crowd.more(100)
            first = sequencer(crowd.nodes)
            first.process.send_signal(signal.SIGSTOP)  # with writes under way
            try:
                while sequencer(crowd.nodes) is first:
                    await crowd.more(1)
                await crowd.more(60)  # and another decides
            finally:
                first.process.send_signal(signal.SIGCONT)
        await crowd.more(200)

    judged(crowd, journal, stopped_and_resumed)
    assert crowd.history.outcomes["put done"] > 30, crowd.history.outcomes


@pytest.mark.slow
def test_nodes_never_sign_different_trees_of_one_size(crowd_over) -> None:
    crowd, journal = crowd_over()

    async def handed_over(crowd: Crowd) -> None:
        for how in (signal.SIGKILL, signal.SIGTERM):
            await crowd.more(250)
            node = sequencer(crowd.nodes)
            await asyncio.to_thread(node.stop if how == signal.SIGTERM else node.kill)
            await crowd.more(60)  # another signs meanwhile
            await asyncio.to_thread(node.start)
        await crowd.more(250)

    checkpoints = judged(crowd, journal, handed_over)
    assert len(checkpoints.seen) == NODES
    assert len(checkpoints.roots) > 10
    assert checkpoints.shared > 0, "no two nodes were heard to sign the same size"
