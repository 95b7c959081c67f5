"""Nodes of which one prunes while another follows, is stopped, or is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.journal.checkpoint import parse_checkpoint
from deconflict.journal.engine import Engine
from deconflict.journal.location import location
from deconflict.journal.note import parse_note
from postgres_server import PostgresServer
from serving import Service

PROGRAM = Path(__file__).parents[1] / "pruning_program.py"
AT_ONCE = "0.0000001"
"""Days: all that is there is too old."""
SUBSCRIPTIONS = "/dss/v1/subscriptions"
INTENTS = "/dss/v1/operational_intent_references"
LOOKS = 100_000


class Pruning:
    """Nodes over one journal that prune while the switch is there."""

    def __init__(self, make_nodes: Callable, url: str, switch: Path, capsys) -> None:
        self._capsys = capsys
        self.url = url
        self.switch = switch
        self._nodes = make_nodes(url, "--retention-days", AT_ONCE, "--log-requests", "failed")
        self._engine: Engine | None = None

    def start(self) -> Service:
        """Start one more node."""
        node = self._nodes.add()
        node.program = (sys.executable, "-P", str(PROGRAM))
        self.again(node)
        if self._engine is None:
            self._engine = location(self.url).open_reader()
        return node

    def again(self, node: Service) -> None:
        """Start a node that was stopped."""
        node.start(PRUNE_NOW=str(self.switch))

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def prune(self, first: int) -> None:
        """Let the node that decides prune until the journal begins where it should."""
        self.switch.touch()
        until(lambda: self.engine.first() >= first)
        self.switch.unlink()

    def fill(self, node: Service, count: int = 300) -> None:
        """Make so many entries that consist of little, and wait until the node proves them."""
        with node.client("Filler") as client, ThreadPoolExecutor(8) as several:
            paths = [f"{INTENTS}/{uuid.uuid4()}/none-such-ovn-0000" for _ in range(count)]
            assert {answer.status_code for answer in several.map(client.delete, paths)} == {404}
        self.followed(node)

    def followed(self, node: Service) -> None:
        """Wait until a node's checkpoint covers all there is."""
        head = self.engine.head()
        until(lambda: covered(node) >= head)

    def journal(self, node: Service, *words: object) -> tuple[int, str]:
        """Run a command of the journal on a node's folder."""
        where = ("--data", str(node.data), "--journal", self.url)
        self._capsys.readouterr()
        status = run(["journal", *map(str, words), *where])
        return status, "".join(self._capsys.readouterr())

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()


@pytest.fixture
def pruning(make_nodes, postgres: PostgresServer, tmp_path: Path, capsys) -> Iterator[Pruning]:
    name = f"pruning_{os.urandom(6).hex()}"
    postgres.database(name)
    made = Pruning(make_nodes, postgres.url(name), tmp_path / "prune", capsys)
    yield made
    made.close()


def until(so: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if so():
            return
    raise AssertionError("it never became so")


def covered(node: Service) -> int:
    content = (node.data / "log/checkpoint").read_bytes()
    return parse_checkpoint(parse_note(content).text).size


def subscribe(node: Service) -> str:
    """Register what is live all the time, and return its path."""
    path = f"{SUBSCRIPTIONS}/{uuid.uuid4()}"
    circle = {"center": {"lat": 50, "lng": 10}, "radius": {"value": 500, "units": "M"}}
    body = {
        "extents": {"volume": {"outline_circle": circle}},
        "uss_base_url": "https://uss.example/utm",
        "notify_for_operational_intents": True,
    }
    with node.client("uss1") as client:
        assert client.put(path, json=body).status_code == 200
    return path


def get(node: Service, path: str) -> dict:
    with node.client("uss1") as client:
        answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def archives(node: Service) -> list[str]:
    return sorted(path.name[:20] for path in (node.data / "archive").glob("*.archive"))


def test_whoever_decides_prunes_and_a_node_that_was_away_takes_log_and_register_from_it(
    pruning: Pruning,
):
    one, other = pruning.start(), pruning.start()
    there = subscribe(one)
    pruning.fill(one)
    pruning.followed(other)
    pruning.prune(256)
    answer = get(other, there)
    assert get(one, there) == answer
    one.kill()
    pruning.fill(other)  # which decides by now
    pruning.prune(512)
    assert (len(archives(one)), len(archives(other))) == (1, 1)

    # Each holds what it pruned itself, and says what is not there.
    status, text = pruning.journal(other, "verify")
    assert (status, "the entries 0 to 255:" in text) == (0, True), text
    status, text = pruning.journal(other, "replay", "--json")
    assert json.loads(text)["first"] == 256
    assert "entries 0 to 255:" in json.loads(text)["absent"]
    status, text = pruning.journal(other, "show", "3")
    assert (status, "entries 0 to 255:" in text) == (2, True), text
    status, text = pruning.journal(one, "stats")
    assert (status, "takes the log of another" in text) == (2, True), text
    shutil.copytree(one.data / "archive", other.data / "archive", dirs_exist_ok=True)
    status, text = pruning.journal(other, "verify")
    assert (status, "no archive" in text) == (0, False), text
    status, text = pruning.journal(other, "replay", "--json")
    assert (json.loads(text)["first"], json.loads(text)["absent"]) == (0, "")
    assert there.rpartition("/")[2] in text
    assert pruning.journal(other, "show", "3")[0] == 0

    # The first lacks tiles that nobody has but the other.
    assert other.stop() == 0
    for word in ((), ("--join",)):
        status, lines = one.refused_start(*word, PRUNE_NOW=str(pruning.switch))
        assert status == ExitStatus.TRY_AGAIN  # a supervisor tries until one has
        assert "start a node that has them first" in " ".join(lines)
    pruning.again(other)
    pruning.again(one)
    assert any("joining" in line for line in one.lines())
    assert get(one, there) == get(other, there) == answer
    assert pruning.journal(one, "verify")[0] == 0


def test_a_running_node_that_was_left_behind_by_a_pruning_ends_to_be_started_again(
    pruning: Pruning,
):
    one, other = pruning.start(), pruning.start()
    there = subscribe(one)
    answer = get(other, there)
    other.process.send_signal(signal.SIGSTOP)
    try:
        pruning.fill(one)
        pruning.prune(256)
    finally:
        other.process.send_signal(signal.SIGCONT)
    assert other.ended() == ExitStatus.TRY_AGAIN
    assert "was pruned while it was stopped or cut off" in other.lines()[-1]
    pruning.again(other)
    assert get(other, there) == get(one, there) == answer
