from __future__ import annotations

import pytest

from deconflict.server.nodes import wire
from deconflict.server.nodes.wire import COMMANDS_PATH, MOST_APART_S, Seal, SeenError, body_matches

KEY = bytes(range(32))
HERE, THERE = "https://one.example", "https://two.example"
BODY = b"some commands"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_790_000_000.0]
    monkeypatch.setattr(wire.time, "time", lambda: now[0])
    return now


@pytest.mark.usefixtures("clock")
def test_a_node_takes_what_another_one_sends_it_once():
    header = Seal(KEY, THERE).header(COMMANDS_PATH, BODY, to=HERE)
    own = Seal(KEY, HERE)
    digest = own.digest(COMMANDS_PATH, header)
    assert body_matches(BODY, digest)
    assert not body_matches(BODY + b" ", digest)
    with pytest.raises(SeenError):
        own.digest(COMMANDS_PATH, header)


def test_nothing_is_taken_by_another_node_nor_after_a_new_start(clock):
    header = Seal(KEY, HERE).header(COMMANDS_PATH, BODY, to=HERE)
    assert Seal(KEY, THERE).digest(COMMANDS_PATH, header) is None
    clock[0] += 1
    assert Seal(KEY, HERE).digest(COMMANDS_PATH, header) is None


def test_what_is_too_old_for_another_path_or_of_another_service_is_refused(clock):
    own, other = Seal(KEY, HERE), Seal(bytes(32), THERE)
    assert own.digest(COMMANDS_PATH, other.header(COMMANDS_PATH, BODY, to=HERE)) is None
    header = own.header(COMMANDS_PATH, BODY, to=HERE)
    assert own.digest("/nodes/v1/base", header) is None
    clock[0] += MOST_APART_S + 1
    assert own.digest(COMMANDS_PATH, header) is None


@pytest.mark.parametrize("header", ["", ".", "1.2.3.4", "a" * 10_000, "é.ü.ß.x", "1..."])
def test_rubbish_in_place_of_a_header_is_no_nodes(header: str):
    assert Seal(KEY, HERE).digest(COMMANDS_PATH, header) is None
