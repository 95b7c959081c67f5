"""A running service for tests that meet it as its users do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deconflict.identity.authority import KEY_PATH, LOCAL_AUDIENCE, Authority
from deconflict.server.banner import STARTED

DECONFLICT = Path(sys.executable).with_name("deconflict")
STRATEGIC = "utm.strategic_coordination"
PATIENCE_S = 300.0
"""After which a service that neither starts nor stops fails a test.

The first start on a machine compiles what the geometry needs: a minute and more when it is busy.
"""


class Service:
    """`deconflict serve` in a process of its own, on a free port of loopback.

    Attributes
    ----------
    data
        The data folder.
    base_url
        Where it answers.
    program
        What is run, with the arguments in front of ``serve``.
    """

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.base_url = ""
        self.program: tuple[str, ...] = (str(DECONFLICT),)
        self._arguments = arguments
        self._lines: list[str] = []
        self._answers = False
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self, *more: str, **environment: str) -> Service:
        """Start it, and wait until it answers."""
        self.launch(*more, **environment)
        assert self.ready(), "\n".join(self._lines)
        return self

    def launch(self, *more: str, **environment: str) -> None:
        """Start it, and don't wait for anything."""
        self._lines, self._ready, self._answers = [], threading.Event(), False
        port = self.base_url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [
                *self.program,
                "serve",
                "--data",
                str(self.data),
                "--port",
                port,
                *self._arguments,
                *more,
            ],
            stderr=subprocess.PIPE,
            text=True,
            env={**own_environment(), **environment},
        )
        self._reader = threading.Thread(target=self._read, args=[self._process], daemon=True)
        self._reader.start()

    def ready(self) -> bool:
        """Wait until it answers or has ended; return whether it answers."""
        assert self._ready.wait(PATIENCE_S), "it never got ready"
        return self._answers

    def refused_start(self, *more: str, **environment: str) -> tuple[int, list[str]]:
        """Start it where it must not start; return its exit status and what it wrote."""
        self.launch(*more, **environment)
        if self.ready():
            self.kill()
            raise AssertionError("\n".join(self._lines))
        return self.ended(), self.lines()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                self._lines.append(line.rstrip("\n"))
                if STARTED in line:
                    self.base_url = json.loads(line)["address"]
                    self._answers = True
                    self._ready.set()
        self._ready.set()  # it ended, so nobody need wait any more

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def lines(self) -> list[str]:
        """Return what it wrote on stderr so far."""
        return list(self._lines)

    def token(
        self, party: str, *scopes: str, lifetime_s: int = 3600, now_s: float | None = None
    ) -> str:
        """Return a token of the built-in authority."""
        authority = Authority.open(self.data, create=False)
        now_s = time.time() if now_s is None else now_s
        return authority.issue(
            party, scopes or (STRATEGIC,), LOCAL_AUDIENCE, int(now_s), lifetime_s
        )

    def client(self, party: str, *scopes: str, **options) -> httpx.Client:
        """Return an HTTP client with a party's token; close it."""
        headers = {"authorization": f"Bearer {self.token(party, *scopes)}"}
        return httpx.Client(
            base_url=self.base_url, headers=headers, timeout=PATIENCE_S, trust_env=False, **options
        )

    def stop(self) -> int:
        """Stop it as a supervisor does, and return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self, *more: str) -> Service:
        """Stop it if it runs, and start it again on the same port and folder."""
        if self.process.poll() is None:
            self.stop()
        return self.start(*more)

    def close(self) -> None:
        """End it whatever became of it."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """Return its exit status once it ended."""
        status = self.process.wait(PATIENCE_S)
        assert self._reader is not None
        self._reader.join(PATIENCE_S)
        return status


def own_environment() -> dict[str, str]:
    """Return the environment without settings of whoever runs the tests."""
    return {name: text for name, text in os.environ.items() if not name.startswith("DECONFLICT_")}


@pytest.fixture(scope="session")
def authority_key() -> bytes:
    key = generate_private_key(65537, 2048)  # made once: it is the slowest part of a first start
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def service_in(data: Path, authority_key: bytes, *arguments: str) -> Service:
    """Return a service, not started yet, whose authority has its key already."""
    key = data / KEY_PATH
    key.parent.mkdir(parents=True, mode=0o700)
    data.chmod(0o700)
    key.touch(0o600)
    key.write_bytes(authority_key)
    return Service(data, *arguments)


@pytest.fixture
def make_service(tmp_path: Path, authority_key: bytes) -> Iterator:
    """Return a function that makes a service with further arguments, not started yet."""
    made: list[Service] = []

    def make(*arguments: str) -> Service:
        made.append(service_in(tmp_path / f"data{len(made)}", authority_key, *arguments))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service) -> Service:
    """Return a service of its own for a test, with the default settings, running."""
    return make_service().start()


@pytest.fixture(scope="session")
def shared_service(
    tmp_path_factory: pytest.TempPathFactory, authority_key: bytes
) -> Iterator[Service]:
    """Return a running service that all tests of a session share: nobody stops or fills it."""
    service = service_in(tmp_path_factory.mktemp("shared") / "data", authority_key).start()
    yield service
    service.close()
