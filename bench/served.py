"""A server under measurement: started as a user starts it, with a key and tokens of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Served:
    """A server process, stopped when the block ends.

    Parameters
    ----------
    command
        The words after the interpreter.
    port
        Where it listens.
    probe
        Path that answers once it is up.
    """

    def __init__(self, command: list[str], port: int, probe: str) -> None:
        self.port = port
        began = time.perf_counter()
        # A file, as a service manager has: a pipe that nobody reads would fill, and spare the log.
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it lasts as long as the server
        self.process = subprocess.Popen([sys.executable, *command], stderr=self.log)  # noqa: S603
        while True:
            try:
                httpx.get(f"http://{HOST}:{port}{probe}", timeout=5.0)
                break
            except httpx.TransportError:
                if self.process.poll() is not None:
                    self.log.seek(0)
                    sys.exit(self.log.read().decode())
                time.sleep(0.02)
        self.start_s = time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> float:
        """Stop it as a service manager does; return the seconds it took."""
        began = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=120)
        return time.perf_counter() - began

    def cpu_s(self) -> float:
        """Return the CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_bytes(self) -> int:
        """Return what of the server is in memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE


class Issuer:
    """An authority whose key the server is given, and tokens for some parties."""

    def __init__(self, folder: Path) -> None:
        private = generate_private_key(public_exponent=65537, key_size=2048)
        self.key = RSAKey.import_key(private)
        self.pem = folder / "issuer.pem"
        public = private.public_key()
        self.pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def token(self, party: str, scope: str = "utm.strategic_coordination") -> str:
        """Return a token that lasts nearly an hour."""
        claims = {
            "sub": party,
            "iss": "https://issuer.example",
            "aud": "localhost",
            "exp": int(time.time()) + 3_500,
            "scope": scope,
        }
        return jwt.encode({"alg": "RS256"}, claims, self.key)


def service(data: Path, issuer: Issuer, *more: str) -> Served:
    """Start the service on a folder."""
    port = free_port()
    command = ["-m", "deconflict", "serve", "--data", str(data), "--port", str(port)]
    command += ["--public-key", str(issuer.pem), "--audience", "localhost", *more]
    return Served(command, port, "/healthz")


def empty() -> Served:
    """Start the handler that does nothing."""
    port = free_port()
    return Served([str(HERE / "empty_handler.py"), str(port)], port, "/")


def load(served: Served, kind: str, *, tokens: list[str], clients: int, **more: object) -> dict:
    """Run the load generator in a process of its own; return its figures and the CPU it cost."""
    plan = {
        "kind": kind,
        "host": HOST,
        "port": served.port,
        "tokens": tokens,
        "clients": clients,
        **more,
    }
    before = served.cpu_s()
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps(plan).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    figures = json.loads(done.stdout)
    answered = sum(figures["statuses"].values())
    figures["cpu_us"] = (served.cpu_s() - before) / answered * 1e6
    return figures
