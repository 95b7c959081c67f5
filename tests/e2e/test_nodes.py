"""Several nodes over one journal, each started as a user starts it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from deconflict.cli.status import ExitStatus
from deconflict.journal.engine import Outcome
from deconflict.journal.entry import Entry, Part
from deconflict.journal.keys import Keys
from deconflict.journal.location import location
from deconflict.journal.log import Log
from deconflict.server import health
from deconflict.server.health import SENTENCES, State
from machine import preloaded
from postgres_server import PostgresServer
from serving import DECONFLICT, Service

INTENTS = "/dss/v1/operational_intent_references"
YEAR_S = 365 * 24 * 3600
LOOKS = 100_000


def _time(at: datetime) -> dict:
    return {"value": f"{at:%Y-%m-%dT%H:%M:%SZ}", "format": "RFC3339"}


def intent(lat: float, lon: float = 20.0, key: tuple[str, ...] = ()) -> dict:
    start = datetime.now(UTC) + timedelta(hours=2)
    return {
        "extents": [
            {
                "volume": {
                    "outline_circle": {
                        "center": {"lat": lat, "lng": lon},
                        "radius": {"value": 100, "units": "M"},
                    },
                    "altitude_lower": {"value": 50, "reference": "W84", "units": "M"},
                    "altitude_upper": {"value": 90, "reference": "W84", "units": "M"},
                },
                "time_start": _time(start),
                "time_end": _time(start + timedelta(minutes=20)),
            }
        ],
        "key": list(key),
        "state": "Accepted",
        "uss_base_url": "https://uss.example/utm",
    }


def put(node: Service, lat: float, party: str = "uss1", **more) -> httpx.Response:
    with node.client(party) as client:
        return client.put(f"{INTENTS}/{uuid.uuid4()}", json=intent(lat, **more))


def get(node: Service, identifier: str, party: str = "uss1") -> httpx.Response:
    with node.client(party) as client:
        return client.get(f"{INTENTS}/{identifier}")


def made(answer: httpx.Response) -> dict:
    assert answer.status_code == 201, answer.text
    return answer.json()["operational_intent_reference"]


def readiness(node: Service) -> list[str]:
    return httpx.get(f"{node.base_url}/readyz", trust_env=False, timeout=60).json()["reasons"]


def until(ready: bool, node: Service) -> list[str]:  # noqa: FBT001 - what is waited for
    for _ in range(LOOKS):
        why = readiness(node)
        if (not why) is ready:
            return why
    raise AssertionError(f"it never changed: {why}")


def sequencer(nodes: list[Service]) -> Service:
    """Return the node that decides, as the nodes themselves say."""
    for _ in range(LOOKS):
        for node in nodes:
            text = httpx.get(f"{node.base_url}/metrics", trust_env=False, timeout=60).text
            if 'deconflict_sequencer{kind="here"} 1.0' in text:
                return node
    raise AssertionError("no node decides")


@pytest.fixture
def journal(postgres: PostgresServer) -> str:
    """Return the URL of an empty database."""
    name = f"nodes_{os.urandom(6).hex()}"
    postgres.database(name)
    return postgres.url(name)


@pytest.fixture(params=["postgres", "jetstream"])
def either(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty journal in each of the engines that nodes can share."""
    return request.getfixturevalue(
        {"postgres": "journal", "jetstream": "stream_url"}[request.param]
    )


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Return a server that a test may stop."""
    server = PostgresServer().make()
    yield server
    server.close()


def test_whichever_node_is_asked_answers_the_same(make_nodes, either: str):
    nodes = make_nodes(either).start(3)
    references = [made(put(node, 10.0 + number)) for number, node in enumerate(nodes)]
    for reference in references:
        own = [get(node, reference["id"]).json() for node in nodes]
        assert all(answer["operational_intent_reference"] == reference for answer in own)
        others = [get(node, reference["id"], "uss2").json() for node in nodes]
        assert others[0] == others[1] == others[2]
        assert others[0]["operational_intent_reference"]["ovn"] == "Available from USS"


def test_what_one_node_took_is_met_at_every_other(make_nodes, either: str):
    nodes = make_nodes(either).start(3)
    first = made(put(nodes[1], 10.0))
    for node in nodes:
        refused = put(node, 10.0, party="uss2")
        assert refused.status_code == 409
        (missing,) = refused.json()["missing_operational_intents"]
        assert missing["id"] == first["id"]
    assert put(nodes[2], 10.0, key=(first["ovn"],)).status_code == 201


def test_subscribers_are_counted_on_whichever_node_writes(make_nodes, journal: str):
    nodes = make_nodes(journal).start(2)
    body = {
        "extents": intent(10.0)["extents"][0],
        "uss_base_url": "https://uss.example/utm",
        "notify_for_operational_intents": True,
    }
    with nodes[1].client("uss2") as client:
        answer = client.put(f"/dss/v1/subscriptions/{uuid.uuid4()}", json=body)
        assert answer.status_code == 200, answer.text
    counts = []
    key: tuple[str, ...] = ()
    for number in range(4):
        answer = put(nodes[number % 2], 10.0, key=key)
        key = (*key, made(answer)["ovn"])
        (subscriber,) = answer.json()["subscribers"]
        counts.append(subscriber["subscriptions"][0]["notification_index"])
    assert counts == [1, 2, 3, 4]


def test_another_node_takes_over_from_one_that_is_killed(make_nodes, either: str):
    nodes = make_nodes(either).start(2)
    before = made(put(nodes[1], 10.0))
    dead = sequencer(nodes)
    dead.kill()
    (left,) = [node for node in nodes if node is not dead]
    after = made(put(left, 11.0))
    dead.start()
    for node in nodes:
        assert get(node, before["id"]).status_code == get(node, after["id"]).status_code == 200
    assert put(dead, 10.0, party="uss2").status_code == 409


def test_a_node_that_joins_takes_log_and_snapshot_from_another(make_nodes, either: str):
    several = make_nodes(either)
    (first,) = several.start(1)
    there = made(put(first, 10.0))
    assert first.stop() == 0  # which writes a snapshot
    first.start()
    late = several.add().start()
    assert [path.name for path in (late.data / "snapshots").iterdir()]
    assert any("joining" in line for line in late.lines())
    assert get(late, there["id"]).status_code == 200
    assert late.stop() == 0
    late.start()  # with a log of its own by now
    assert get(late, there["id"]).status_code == 200


def test_a_node_without_the_keys_is_told_to_copy_them(make_nodes, journal: str, tmp_path: Path):
    make_nodes(journal).start(1)
    status, lines = Service(tmp_path / "other", "--journal", journal).refused_start()
    assert status == ExitStatus.START_REFUSED
    assert "copy the folder keys" in " ".join(lines)


def test_a_folder_in_which_a_node_runs_is_taken_by_nobody_else(
    make_nodes, journal: str, tmp_path: Path
):
    several = make_nodes(journal)
    (node,) = several.start(1)
    status, lines = Service(node.data, "--journal", journal).refused_start()
    assert (status, len(lines)) == (ExitStatus.START_REFUSED, 1)
    assert f"another process works with the folder {node.data}" in lines[0]
    backup = tmp_path / "backup"
    backup.mkdir()
    for done in (
        _run("configure", "most_volumes=10", "--data", node.data, "--journal", journal),
        _run("journal", "restore", backup, "--data", node.data),
    ):
        assert (done.returncode, done.stdout) == (ExitStatus.BAD_INPUT, "")
        assert f"another process works with the folder {node.data}" in done.stderr
    assert node.stop() == 0
    node.start()


def test_a_node_whom_nobody_can_vouch_for_the_journal_joins_only_on_a_word(
    make_nodes, journal: str
):
    several = make_nodes(journal)
    (first,) = several.start(1)
    there = made(put(first, 10.0))
    assert first.stop() == 0
    late = several.add()
    status, lines = late.refused_start()
    assert status == ExitStatus.TRY_AGAIN  # another node may start meanwhile
    assert "--join" in " ".join(lines)
    late.start("--join")
    assert get(late, there["id"]).status_code == 200
    # The one that was there before goes on from its own checkpoint.
    made(put(late, 12.0))
    first.start()
    assert get(first, there["id"]).status_code == 200


def test_without_the_engine_a_node_refuses_at_once_and_comes_back_by_itself(
    make_nodes, own_postgres: PostgresServer
):
    own_postgres.database("journal")
    several = make_nodes(own_postgres.url("journal"))
    node = several.add().start()
    stale = several.add("--stale-reads", "600s").start()
    there = made(put(node, 10.0))
    assert get(stale, there["id"]).status_code == 200
    own_postgres.stop("immediate")
    for each in (node, stale):
        why = until(ready=False, node=each)
        assert "password" not in " ".join(why)
    refused = put(stale, 11.0)
    assert (refused.status_code, SENTENCES[State.UNREACHABLE] in refused.text) == (503, True)
    unread = get(node, there["id"])
    assert (unread.status_code, health.NOT_CURRENT in unread.text) == (503, True)
    old = get(stale, there["id"])
    assert old.status_code == 200
    assert 0 <= float(old.headers["deconflict-stale-s"]) <= 600
    own_postgres.start()
    for each in (node, stale):
        until(ready=True, node=each)
    made(put(stale, 11.0))
    assert get(node, there["id"]).status_code == 200
    assert "deconflict-stale-s" not in get(node, there["id"]).headers


def test_an_entry_of_a_newer_version_is_refused_rather_than_skipped(make_nodes, journal: str):
    several = make_nodes(journal)
    nodes = several.start(2)
    node = nodes[0]
    there = made(put(node, 10.0))
    _append_unknown(journal, node)
    for each in nodes:
        why = " ".join(until(ready=False, node=each))
        assert "newer" in why
        assert "'later'" in why
        assert put(each, 11.0).status_code == 503
        assert get(each, there["id"]).status_code == 503
    _require_lease_free(journal)
    node.kill()
    status, lines = node.refused_start()
    assert status == ExitStatus.START_REFUSED
    assert "newer" in " ".join(lines)


def test_a_journal_that_lost_its_end_under_running_nodes_stops_them(make_nodes, journal: str):
    nodes = make_nodes(journal).start(2)
    kept = made(put(nodes[0], 10.0))
    made(put(nodes[0], 11.0))
    assert get(nodes[1], kept["id"]).status_code == 200
    # As if a server had become the primary that never had the last group.
    with psycopg.connect(journal, autocommit=True) as connection, connection.transaction():
        connection.execute(
            "DELETE FROM deconflict_groups WHERE first = (SELECT max(first) FROM deconflict_groups)"
        )
        connection.execute(
            "DELETE FROM deconflict_entries WHERE position >="
            " (SELECT max(first + count) FROM deconflict_groups)"
        )
    for node in nodes:
        assert "are missing" in " ".join(until(ready=False, node=node))
        assert put(node, 12.0).status_code == 503
        assert get(node, kept["id"]).status_code == 503


def _require_lease_free(journal: str) -> None:
    """Take the lease, as a node of the newer version does, and find that nobody else wants it."""
    engine = location(journal).open()
    try:
        for _ in range(LOOKS):
            if engine.lease("newer", "http://127.0.0.1:1", 1.0).node == "newer":
                return
            time.sleep(0.05)
        raise AssertionError("an older node goes on deciding")
    finally:
        engine.close()


def _append_unknown(journal: str, node: Service) -> None:
    """Append what a later version may: an event that this one has no name for."""
    folder = node.data.parent / "newer"
    shutil.copytree(node.data / "log", folder / "log")
    content = b'{"command":"Later","party":"","request":"","events":[{"event":"later"}]}'
    log = Log.open(
        location(journal).open(), folder / "log", Keys.load(node.data / "keys", create=False)
    )
    try:
        now_us = time.time_ns() // 1000
        entry = Entry(now_us, b"later", Part(os.urandom(16), content))
        while log.append(log.head(), [entry]) is not Outcome.ACCEPTED:
            pass
    finally:
        log.close()


def test_a_clock_that_is_a_year_ahead_stops_only_its_own_node(
    make_nodes, journal: str, tmp_path: Path
):
    shift = tmp_path / "shift"
    shift.write_bytes(struct.pack("=q", 0))
    environment = {
        "LD_PRELOAD": str(preloaded("shifted_clock.c", tmp_path)),
        "CLOCK_SHIFT": str(shift),
    }
    several = make_nodes(journal)
    wrong = several.add().start(**environment)
    right = several.add().start()
    there = made(put(right, 10.0))
    assert sequencer([wrong, right]) is wrong
    with shift.open("r+b") as stream:
        stream.write(struct.pack("=q", YEAR_S))
    assert "clock" in " ".join(until(ready=False, node=wrong))
    made(put(right, 11.0))  # it decides now
    assert sequencer([right]) is right
    assert get(right, there["id"]).status_code == 200  # nothing expired
    with shift.open("r+b") as stream:
        stream.write(struct.pack("=q", 0))
    until(ready=True, node=wrong)
    assert get(wrong, there["id"]).status_code == 200
    made(put(wrong, 12.0))


def test_clocks_some_seconds_apart_let_nothing_through(make_nodes, journal: str, tmp_path: Path):
    shift = tmp_path / "shift"
    shift.write_bytes(struct.pack("=q", 4))
    environment = {
        "LD_PRELOAD": str(preloaded("shifted_clock.c", tmp_path)),
        "CLOCK_SHIFT": str(shift),
    }
    several = make_nodes(journal)
    right = several.add().start()
    ahead = several.add().start(**environment)
    assert not readiness(ahead)
    first = made(put(right, 10.0))
    right.stop()  # the one that is ahead decides now, and writes times that are
    assert put(ahead, 10.0, party="uss2").status_code == 409
    second = made(put(ahead, 11.0))
    right.start()
    ahead.stop()
    assert put(right, 10.0, party="uss2").status_code == 409
    assert put(right, 11.0, party="uss2").status_code == 409
    assert put(right, 10.0, party="uss2", key=(first["ovn"],)).status_code == 201
    assert put(right, 11.0, party="uss2", key=(second["ovn"],)).status_code == 201


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DECONFLICT, *words], capture_output=True, text=True)


def test_a_policy_is_changed_beside_running_nodes(make_nodes, journal: str):
    several = make_nodes(journal)
    (node,) = several.start(1)
    made(put(node, 10.0))
    aside = several.add().start()
    assert aside.stop() == 0
    done = _run("configure", "most_volumes=10", "--data", aside.data, "--journal", journal)
    assert done.returncode == 0, done.stderr
    assert "most_volumes: " in done.stdout
    body = intent(11.0)
    body["extents"] *= 11
    with node.client("uss1") as client:
        for _ in range(LOOKS):
            answer = client.put(f"{INTENTS}/{uuid.uuid4()}", json=body)
            if answer.status_code != 201:
                break
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("postgresql://duty:hush@127.0.0.1:1/dss", ExitStatus.TRY_AGAIN, "127.0.0.1"),
        ("postgresql://duty:hush@127.0.0.1:1/dss?bogus=1", ExitStatus.START_REFUSED, "write it as"),
        ("mysql://duty:hush@127.0.0.1/dss", ExitStatus.BAD_INPUT, "write sqlite:PATH"),
    ],
)
def test_an_engine_that_is_not_there_is_named_without_its_password(
    make_nodes, address: str, status: int, words: str
):
    ended, lines = make_nodes(address).add().refused_start()
    assert (ended, "hush" in " ".join(lines)) == (status, False)
    assert words in " ".join(lines)


def test_strangers_find_nothing_where_nodes_talk(make_nodes, journal: str):
    (node,) = make_nodes(journal).start(1)
    for method, path in (("POST", "/nodes/v1/commands"), ("GET", "/nodes/v1/base")):
        for header in ("", "1.2.3.4", "é.ü"):
            answer = httpx.request(
                method,
                node.base_url + path,
                headers={"x-deconflict-node": header.encode()},
                content=b"{}" if method == "POST" else None,
                trust_env=False,
            )
            assert answer.status_code == 404
