"""Nothing that was acknowledged is lost while appenders race and servers of NATS fail."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from appending import FIRST, Race, Seen, group
from deconflict.journal.engine import EngineError, Row
from deconflict.journal.jetstream.engine import JetStreamEngine
from nats_servers import NatsServer, NatsServers

pytestmark = pytest.mark.slow
APPENDERS = 3
FAILURES = ("kill", "slow", *(("freeze", "cut") if os.environ.get("DECONFLICT_SOAK") else ()))
"""Of a leader that is deposed while it stands still NATS 2.9 makes what docs/decisions/0015 tells:
readers stop at it, and the short form is no place to wait for that."""
LONG = 25
"""Failures of a server in the long form."""
PATIENCE_S = 120
MOST_S = 6.0
"""How long a failure lasts; a leader is deposed after two to four seconds."""
SLOW_S = 0.15


@pytest.fixture
def cluster() -> Iterator[NatsServers]:
    """Return three servers whose lines can be cut."""
    servers = NatsServers(3, lined=True)
    yield servers
    servers.close()


class Failing:
    """Servers of a cluster that fail one after the other, as a seed has it.

    Parameters
    ----------
    cluster, name
        The servers, and the journal.
    seed
        Of which server fails and for how long.
    """

    def __init__(self, cluster: NatsServers, name: str, seed: int) -> None:
        self._cluster = cluster
        self._name = name
        self._chance = random.Random(seed)

    def kill(self) -> None:
        """Kill a server, and start it again."""
        server = self._chance.choice(self._cluster.servers)
        server.kill()
        time.sleep(self._chance.uniform(0, MOST_S / 4))
        server.start()

    def freeze(self) -> None:
        """Let the leader stand still for a while."""
        self._during(self._leader().paused())

    def cut(self) -> None:
        """Cut the leader off, and heal it."""
        self._during(self._cluster.cut_off(self._leader()))

    def slow(self) -> None:
        """Have the leader's lines be slow for a while."""
        self._during(self._cluster.slowed(self._leader(), SLOW_S))

    def _during(self, failure: AbstractContextManager[None]) -> None:
        with failure:
            time.sleep(self._chance.uniform(MOST_S / 2, MOST_S))

    def _leader(self) -> NatsServer:
        return _insistently(lambda: self._cluster.leader(self._name))


def _insistently(ask):
    """Ask until there is an answer: servers that just started may have no leader."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except (EngineError, KeyError) as error:
            if time.monotonic() > until:
                raise AssertionError("nobody answers any more") from error
            time.sleep(0.1)


def _more(race: Race, count: int) -> None:
    """Return when so many more groups were acknowledged."""
    least, until = race.acknowledged() + count, time.monotonic() + PATIENCE_S
    while race.acknowledged() < least:
        assert time.monotonic() < until, "no append is accepted any more"
        time.sleep(0.05)


def _raced(cluster: NatsServers, folder: Path, failures: list[str], seed: int) -> Seen:
    """Have appenders race while servers fail; return what they saw, once it was judged."""
    name = f"race_{os.urandom(6).hex()}"
    servers = cluster.servers
    urls = [cluster.url(name, *servers[n:], *servers[:n]) for n in range(APPENDERS)]
    engine = JetStreamEngine(urls[0], create=True)
    engine.append(0, group(FIRST))
    engine.close()
    failing = Failing(cluster, name, seed)
    with Race(folder, urls, seed) as race:
        for failure in failures:
            _more(race, 20)
            getattr(failing, failure)()
        _more(race, 20)
        cluster.until_ready()
        seen = race.seen()
    assert list(seen.heads_that_went_back()) == []
    led = set()
    for _ in servers:
        led.add(_insistently(lambda: cluster.leader(name)).name)
        assert list(seen.contradicted(_insistently(lambda: _rows(cluster.url(name))))) == []
        cluster.asked(f"STREAM.LEADER.STEPDOWN.{name}")
    print(f"{failures}: {dict(seen.counts)}, read through {sorted(led)}")  # noqa: T201
    return seen


def _rows(url: str) -> list[Row]:
    engine = JetStreamEngine(url)
    try:
        return [row for _, row in engine.read(0)]
    finally:
        engine.close()


@pytest.mark.parametrize("failure", FAILURES)
def test_appenders_that_race_lose_nothing_while_servers_fail(
    cluster: NatsServers, tmp_path: Path, long_form, failure: str
):
    failures = [failure] * (LONG if long_form else 3 if failure == "kill" else 2)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")  # noqa: T201 - shown if it fails
    seen = _raced(cluster, tmp_path, failures, seed)
    assert seen.counts["done"] > 20 * len(failures)


def test_what_is_lost_or_twice_is_found():
    first, second = group("1-0-0"), group("1-1-0")
    lines = (
        {
            "what": "done",
            "name": "1-0-0",
            "at": 0,
            "count": len(first.rows),
            "began": 0,
            "ended": 1,
        },
        {"what": "head", "head": 0, "began": 2, "ended": 3},
    )
    seen = Seen(lines)
    assert list(seen.contradicted(first.rows)) == []
    assert list(seen.contradicted(second.rows)) != []
    assert list(seen.contradicted((*first.rows, *first.rows))) != []
    assert list(seen.heads_that_went_back()) != []
