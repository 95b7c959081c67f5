"""Three nodes over one journal are killed, stopped and started again while 32 clients write."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from crowd import Checkpoints, Crowd, Look, names_that_differ, not_linearizable, sequencer
from deconflict.server.nodes.role import LEASE_S
from nats_servers import NatsServers
from verdict import require_one_line

CLIENTS = 32
NODES = 3
LOAD_S = {False: 30.0, True: 600.0}
LEAST = 200
"""Puts that are done, however long that takes: without them nothing is shown."""
SERVER_FAULTS = 0.3
"""Of faults, where the journal is kept by servers of which one may be killed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the journal is, and the servers that keep it, if some of them may be killed."""

    url: str
    servers: NatsServers | None


@pytest.fixture(params=["postgres", "jetstream"])
def place(request: pytest.FixtureRequest) -> Place:
    name = f"nodes_{os.urandom(8).hex()}"
    if request.param == "jetstream":
        servers = request.getfixturevalue("nats_cluster")
        return Place(servers.url(name), servers)
    postgres = request.getfixturevalue("postgres")
    postgres.database(name)
    return Place(postgres.url(name), None)


@pytest.mark.slow
def test_whatever_becomes_of_nodes_nothing_answered_is_lost_or_doubled(
    make_nodes, place: Place, long_form
) -> None:
    made = make_nodes(place.url, "--rate-per-party", "100000", "--log-requests", "failed")
    nodes = made.start(NODES)
    crowd, checkpoints = Crowd(nodes, CLIENTS, seed=4), Checkpoints()
    faults: Counter[str] = Counter()
    load_s = LOAD_S[long_form]
    if place.servers is not None and not long_form:
        load_s /= 2
    until_s = time.monotonic() + load_s

    async def disturbed(crowd: Crowd) -> None:
        chance = random.Random(4)
        while time.monotonic() < until_s or crowd.history.outcomes["put done"] <= LEAST:
            if place.servers is not None and chance.random() < SERVER_FAULTS:
                await disturb_servers(crowd, chance, faults, place.servers)
            else:
                await disturb(crowd, chance, faults)

    async def run() -> list[Look]:
        async with checkpoints.gathered(crowd):
            await crowd.during(disturbed)
        return await crowd.look_everywhere()

    last_looks = asyncio.run(run())
    assert [node.stop() for node in nodes] == [0] * NODES
    print(faults, crowd.history.outcomes, len(checkpoints.roots))  # noqa: T201
    assert crowd.history.outcomes["put done"] > LEAST
    assert list(not_linearizable(crowd.history)) == []
    assert list(names_that_differ(crowd.history)) == []
    rest = require_one_line(crowd, place.url, checkpoints, last_looks)
    assert rest.checkpoint()[0] == rest.head
    assert len(checkpoints.seen) == NODES


async def disturb_servers(
    crowd: Crowd, chance: random.Random, faults: Counter[str], servers: NatsServers
) -> None:
    """Kill a server of the journal, and start it again."""
    await crowd.more(chance.randrange(20, 300))
    server = chance.choice(servers.servers)
    faults["server of the journal killed"] += 1
    server.kill()
    if chance.random() < 0.5:
        await crowd.more(chance.randrange(1, 60))
    server.start()
    await asyncio.to_thread(servers.until_ready)


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
