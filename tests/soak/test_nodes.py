"""Three nodes over one journal are killed, stopped and started again while 32 clients write."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter

import pytest

from crowd import Checkpoints, Crowd, Look, names_that_differ, not_linearizable, sequencer
from deconflict.server.nodes.role import LEASE_S
from verdict import require_one_line

CLIENTS = 32
NODES = 3
LOAD_S = {False: 30.0, True: 600.0}


@pytest.mark.slow
def test_whatever_becomes_of_nodes_nothing_answered_is_lost_or_doubled(
    make_nodes, postgres, long_form
) -> None:
    database = f"nodes_{os.urandom(8).hex()}"
    postgres.database(database)
    journal = postgres.url(database)
    made = make_nodes(journal, "--rate-per-party", "100000", "--log-requests", "failed")
    nodes = made.start(NODES)
    crowd, checkpoints = Crowd(nodes, CLIENTS, seed=4), Checkpoints()
    faults: Counter[str] = Counter()
    until_s = time.monotonic() + LOAD_S[long_form]

    async def disturbed(crowd: Crowd) -> None:
        chance = random.Random(4)
        while time.monotonic() < until_s:
            await disturb(crowd, chance, faults)

    async def run() -> list[Look]:
        async with checkpoints.gathered(crowd):
            await crowd.during(disturbed)
        return await crowd.look_everywhere()

    last_looks = asyncio.run(run())
    assert [node.stop() for node in nodes] == [0] * NODES
    print(faults, crowd.history.outcomes, len(checkpoints.roots))  # noqa: T201
    assert crowd.history.outcomes["put done"] > 200, crowd.history.outcomes
    assert list(not_linearizable(crowd.history)) == []
    assert list(names_that_differ(crowd.history)) == []
    rest = require_one_line(crowd, journal, checkpoints, last_looks)
    assert rest.checkpoint()[0] == rest.head
    assert len(checkpoints.seen) == NODES


async def disturb(crowd: Crowd, chance: random.Random, faults: Counter[str]) -> None:
    """Do something to one or two nodes, the sequencer more often than not, and undo it."""
    await crowd.more(chance.randrange(20, 300))
    leader = sequencer(crowd.nodes)
    others = [node for node in crowd.nodes if node is not leader]
    node = leader if chance.random() < 0.65 else chance.choice(others)
    who = "sequencer" if node is leader else "node"
    dice = chance.random()
    if dice < 0.25:
        faults[f"{who} paused"] += 1
        node.process.send_signal(signal.SIGSTOP)
        # Shorter than the lease, or longer: what was under way goes on in either case.
        await asyncio.sleep(chance.uniform(0.5, 1.6) * LEASE_S)
        node.process.send_signal(signal.SIGCONT)
        return
    if dice < 0.45:
        faults[f"{who} stopped"] += 1
        assert await asyncio.to_thread(node.stop) == 0
        ended = [node]
    else:
        faults[f"{who} killed"] += 1
        ended = [node]
        if dice > 0.85:
            faults["second killed"] += 1
            ended.append(chance.choice([other for other in crowd.nodes if other is not node]))
        for each in ended:
            await asyncio.to_thread(each.kill)
    if chance.random() < 0.5:
        await crowd.more(chance.randrange(1, 60))
    for each in ended:
        await asyncio.to_thread(each.start)
