"""A service that is told to stop, told twice, or left in the middle of a request."""

from __future__ import annotations

import json
import random
import signal
import socket
import struct
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deconflict.cli.status import ExitStatus
from deconflict.server.app import STOPPING
from deconflict.server.health import SENTENCES, State
from resting import Resting
from serving import PATIENCE_S
from witness import INTENTS, SUBSCRIPTIONS, Line

TOO_LATE = {STOPPING, SENTENCES[State.STOPPING]}


@pytest.mark.parametrize("signals", [1, 2])
def test_a_stop_under_load_answers_what_it_took_and_refuses_the_rest(court, signals) -> None:
    with court.load() as load:
        load.until(lambda load: load.carried_out > 50)
        for _ in range(signals):
            court.service.process.send_signal(signal.SIGTERM)
        load.ended()
    assert court.service.process.wait(PATIENCE_S) == ExitStatus.CLEAR
    assert {sentence for each in court.witnesses for sentence in each.refusals} <= TOO_LATE
    rest = Resting(court.service.data)
    rest.verify()
    assert rest.snapshot_head == rest.head  # the next start has nothing to replay
    assert rest.checkpoint()[0] == rest.head
    court.service.start()
    written = [witness.written for witness in court.witnesses]
    court.testify()
    # Whoever got no answer at all had not been heard: nothing of that was written.
    assert [witness.written for witness in court.witnesses] == written


def test_a_stop_while_it_starts_loses_nothing(court) -> None:
    with court.load() as load:
        load.until(lambda load: load.carried_out > 20)
        court.service.kill()
    court.service.launch()
    court.service.process.send_signal(signal.SIGTERM)
    assert court.service.process.wait(PATIENCE_S) in {ExitStatus.CLEAR, -signal.SIGTERM}
    court.service.start()
    court.testify()


@pytest.fixture
def end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_whoever_hangs_up_in_the_middle_leaves_a_whole_write_or_none(court, end) -> None:
    service = court.service
    line = end.enter_context(closing(Line(service, service.token("hasty"))))
    watch = str(uuid.uuid4())
    assert line.ask("PUT", f"{SUBSCRIPTIONS}/{watch}", watching())[0] == 200
    chance = random.Random(5)
    asked = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(60)]
    with court.load() as load:
        for number, identifier in enumerate(asked):
            request = raw(identifier, number, service.token("hasty"))
            # A third sends all and doesn't wait, the others stop anywhere.
            length = len(request) if number % 3 == 0 else chance.randrange(1, len(request))
            hang_up(service.base_url, request[:length])
        so_far = load.carried_out
        load.until(lambda load: load.carried_out > so_far + 20)
    there = [name for name in asked if line.ask("GET", f"{INTENTS}/{name}")[0] == 200]
    assert not {name for number, name in enumerate(asked) if number % 3} & set(there)
    _, answer = line.ask("GET", f"{SUBSCRIPTIONS}/{watch}")
    assert answer["subscription"]["notification_index"] == len(there)
    court.testify()
    assert httpx.get(f"{service.base_url}/readyz", trust_env=False).status_code == 200
    assert service.stop() == ExitStatus.CLEAR
    assert not [line for line in service.lines() if "fault" in line]
    rest = Resting(service.data)
    rest.verify()
    assert {name for name in asked if name in rest.versions} == set(there)


def hang_up(base_url: str, request: bytes) -> None:
    """Send what there is and cut the connection, as a lost link does."""
    host, _, port = base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request)


def raw(identifier: str, number: int, token: str) -> bytes:
    now = datetime.now(UTC)
    height = {"reference": "W84", "units": "M"}
    south, west = -10.0 + number * 0.002, 20.0
    body = json.dumps(
        {
            "extents": [
                {
                    "volume": {
                        "outline_polygon": square(south, west, 0.001),
                        "altitude_lower": {"value": 0, **height},
                        "altitude_upper": {"value": 50, **height},
                    },
                    "time_start": time(now + timedelta(minutes=1)),
                    "time_end": time(now + timedelta(minutes=30)),
                }
            ],
            "key": [],
            "state": "Accepted",
            "uss_base_url": "https://hasty.example.org",
        }
    )
    return (
        f"PUT {INTENTS}/{identifier} HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


def watching() -> dict:
    return {
        "extents": {"volume": {"outline_polygon": square(-10.01, 19.99, 0.2)}},
        "uss_base_url": "https://hasty.example.org",
        "notify_for_operational_intents": True,
    }


def square(south: float, west: float, side: float) -> dict:
    ring = ((0.0, 0.0), (0.0, side), (side, side), (side, 0.0))
    return {"vertices": [{"lat": south + a, "lng": west + b} for a, b in ring]}


def time(instant: datetime) -> dict:
    return {"value": instant.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"}
