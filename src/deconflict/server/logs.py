"""The log: one line an event, JSON for programs and text for people, written beside the work.

A line holds the request's id, party, operation, status and milliseconds; never a body, a token, a
secret or a coordinate. Lines are handed to a thread, so that a reader of the log that stalls does
not stall the service; what can't be kept meanwhile is counted and said.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from deconflict.server.fault import described

MOST_WAITING: Final = 20_000
"""Lines that wait for the thread; further ones are counted and dropped."""
PATIENCE_S: Final = 3.0
_GATHERED_S: Final = 0.05
"""Lines that come within this time are written at once."""


class LineWriter:
    """Writes lines to a file descriptor in a thread of its own.

    Parameters
    ----------
    descriptor
        Where to; it is not closed.
    patience_s
        How long a stop waits for the reader of the last lines.
    """

    def __init__(self, descriptor: int, patience_s: float = PATIENCE_S) -> None:
        self._descriptor = descriptor
        self._patience_s = patience_s
        self._lines: deque[bytes] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread = self._begin(self._run)

    def stop(self) -> None:
        """Write what waits, and end. Stopping twice is no error.

        A reader that takes nothing is given up after some seconds: what it did not take is lost.
        """
        self._stopping.set()
        self._wake.set()
        deadline_s = time.monotonic() + self._patience_s
        if self._thread is not None:
            self._thread.join(self._patience_s)
            if self._thread.is_alive():
                return
        if self._lines:
            # Not in this thread: a write that nobody takes would hold it for ever.
            self._thread = self._begin(self._flush)
            self._thread.join(max(deadline_s - time.monotonic(), 0))

    @staticmethod
    def _begin(work: Callable[[], None]) -> threading.Thread:
        """Start a thread that does not keep the process from ending."""
        thread = threading.Thread(target=work, name="log", daemon=True)
        thread.start()
        return thread

    def write(self, line: bytes) -> None:
        """Hand over a line, without its end."""
        if len(self._lines) >= MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._stopping.wait(_GATHERED_S)
            self._wake.clear()
            self._flush()

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if not lines:
            return
        content = b"\n".join(lines) + b"\n"
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError:  # nobody reads the log any more; the service goes on without
            self.dropped += len(lines)


class _Logger:
    """What structlog's processors hand the finished line to."""

    def __init__(self, writer: LineWriter) -> None:
        self._write = writer.write

    def msg(self, line: str) -> None:
        self._write(line.encode("utf-8", "backslashreplace"))

    log = debug = info = warning = warn = error = critical = fatal = exception = msg


_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


def _without_data(logger: object, name: str, event: MutableMapping[str, Any]) -> Any:  # noqa: ANN401
    """Put a fault's kind and place where its traceback was: that may show bodies and secrets."""
    del logger, name
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = described(error)
    return event


def _json(logger: object, name: str, event: MutableMapping[str, Any]) -> str:
    del logger, name
    return _ENCODER.encode(event).decode()


class _RequestLine(msgspec.Struct, omit_defaults=True):
    timestamp: datetime
    level: str
    request_id: str
    method: str
    operation: str
    status: int
    ms: float
    party: str = ""
    reason: str = ""
    event: str = "request"


_UNAVAILABLE: Final = 503
_LEAST_STATUS: Final = {"all": 0, "refused": 400, "failed": 500}


class RequestLog:
    """One line a request; written without structlog's chain, which costs three times as much.

    Parameters
    ----------
    writer
        Where the lines go.
    which
        As the setting `log_requests`.
    level
        As the setting `log_level`: a request is "info", one that was refused because of the
        service's state "warning" (503: what is wrong with it has a line of its own), and another
        from status 500 up "error".
    json
        JSON, or text for people.
    """

    def __init__(self, writer: LineWriter, *, which: str, level: str, json: bool) -> None:
        least = _LEAST_STATUS[which]
        if logging.getLevelNamesMapping()[level.upper()] > logging.INFO:
            least = _LEAST_STATUS["failed"]
        self._least = least
        self._only_errors = level == "error"
        self._write = writer.write
        self._json = json

    def write(
        self,
        request_id: str,
        method: str,
        operation: str,
        status: int,
        seconds: float,
        *,
        party: str = "",
        reason: str = "",
    ) -> None:
        """Log one answered request; `reason` is a word for why it was refused."""
        if status < self._least or (status == _UNAVAILABLE and self._only_errors):
            return
        level = "info"
        if status >= 500:
            level = "warning" if status == _UNAVAILABLE else "error"
        line = _RequestLine(
            datetime.now(UTC),
            level,
            request_id,
            method,
            operation,
            status,
            int(seconds * 1e6) / 1e3,
            party,
            reason,
        )
        self._write(_ENCODER.encode(line) if self._json else _text(line))


def _text(line: _RequestLine) -> bytes:
    words = [
        f"{line.timestamp:%Y-%m-%dT%H:%M:%S.%fZ} {line.status} {line.ms:9.3f} ms",
        f"{line.method:6} {line.operation}",
        line.party,
        line.reason,
        line.request_id,
    ]
    return "  ".join(word for word in words if word).encode("utf-8", "backslashreplace")


def configure_logs(writer: LineWriter, *, level: str, json: bool, colour: bool) -> None:
    """Route the lines of this program and of its libraries to a writer.

    Parameters
    ----------
    writer
        Where the lines go.
    level
        The least that is logged: "info".
    json
        JSON, or text for people.
    colour
        Whether text is coloured.
    """
    least = getattr(logging, level.upper())
    shared: list[Callable[..., Any]] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Callable[..., Any]] = (
        [_json] if json else [structlog.dev.ConsoleRenderer(colors=colour)]
    )
    last.insert(0, _without_data)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Logger(writer),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(least, logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
    # How a library starts and stops is told by the service itself.
    logging.getLogger("uvicorn.error").setLevel(max(least, logging.WARNING))
    logging.getLogger("httpx").setLevel(max(least, logging.WARNING))


class _Handler(logging.Handler):
    """Hands the lines of libraries to the writer."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._write = writer.write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record).encode("utf-8", "backslashreplace"))


def is_terminal() -> bool:
    """Whether the log is read by a person."""
    return sys.stderr.isatty()
