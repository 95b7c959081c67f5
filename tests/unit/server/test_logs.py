"""The log: what stalls with its reader, and what a fault may show."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from deconflict.server.logs import LineWriter, RequestLog, configure_logs

PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Return both ends of a pipe that holds little."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = before[0], before[1]


def test_lines_come_in_their_order_and_all_of_them_before_a_stop(pipe) -> None:
    writer = LineWriter(pipe[1])
    writer.start()
    for number in range(100):
        writer.write(b"%d" % number)
    writer.stop()
    assert os.read(pipe[0], PIPE_BYTES).split() == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("started", [True, False])
def test_a_reader_that_takes_nothing_does_not_hold_up_a_stop_for_ever(pipe, started) -> None:
    writer = LineWriter(pipe[1], patience_s=0.05)
    if started:
        writer.start()
    for _ in range(3):
        writer.write(b"x" * PIPE_BYTES)
    writer.stop()
    writer.stop()
    # Now it is read, so that the thread which still waits for that ends.
    left = 3 * (PIPE_BYTES + 1)
    while left:
        left -= len(os.read(pipe[0], left))


def test_a_reader_that_went_away_costs_its_lines_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer.start()
    writer.write(b"lost")
    writer.stop()
    os.close(writing)
    assert writer.dropped == 1


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("info", [(200, "info"), (404, "info"), (500, "error"), (503, "warning")]),
        ("warning", [(500, "error"), (503, "warning")]),
        ("error", [(500, "error")]),
    ],
)
def test_a_request_that_the_state_refused_is_a_warning_and_a_fault_an_error(
    pipe, level, written
) -> None:
    writer = LineWriter(pipe[1])
    log = RequestLog(writer, which="all", level=level, json=True)
    for status in (200, 404, 500, 503):
        log.write("id", "GET", "operation", status, 0.001)
    writer.stop()
    lines = [json.loads(line) for line in os.read(pipe[0], PIPE_BYTES).splitlines()]
    assert [(line["status"], line["level"]) for line in lines] == written


@pytest.mark.usefixtures("_logging_restored")
@pytest.mark.parametrize("json_lines", [True, False])
def test_a_fault_in_the_log_is_its_kind_and_place_and_not_its_data(pipe, json_lines) -> None:
    writer = LineWriter(pipe[1])
    configure_logs(writer, level="info", json=json_lines, colour=False)
    latitude = "46.123"
    try:
        raise RuntimeError(f"at {latitude}")  # noqa: TRY301 - only what is raised has a place
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("it failed")
        structlog.get_logger("ours").exception("it failed as well")
    writer.stop()
    said = os.read(pipe[0], PIPE_BYTES).decode()
    assert latitude not in said
    assert len(said.splitlines()) == 2
    for line in said.splitlines():
        assert "RuntimeError in test_logs.py:" in (
            json.loads(line)["error"] if json_lines else line
        )
