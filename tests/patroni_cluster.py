"""Two PostgreSQL servers for tests that Patroni runs, with synchronous replication, and etcd."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from machine import free_port
from postgres_server import programs

PATIENCE_S = 90
NAMES = ("one", "two")
PASSWORD = "not-to-be-seen-anywhere"  # noqa: S105 - of servers on loopback
MANAGED = {
    "ttl": 5,
    "loop_wait": 1,
    "retry_timeout": 2,
    "synchronous_mode": True,
    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_receiver_timeout": "2s"}},
}
"""What Patroni is told for the whole cluster; times in seconds, so that it fails over quickly."""


class PatroniCluster:
    """An etcd server and two servers under Patroni, on loopback, in a folder of their own."""

    def __init__(self) -> None:
        for program in ("etcd", "patroni"):
            if shutil.which(program) is None:
                pytest.skip(f"there is no {program}: install it (Debian: etcd-server, patroni)")
        found = programs()
        if found is None:
            pytest.skip("there is no initdb: install PostgreSQL (Debian: postgresql)")
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="deconflict-patroni-"))
        self._etcd = free_port()
        self._ports = {name: free_port() for name in NAMES}
        self._rest = {name: free_port() for name in NAMES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> PatroniCluster:
        """Start all, and wait until a standby is synchronous."""
        for folder in (self.folder, *map(self.disk, NAMES)):
            folder.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                shutil.chown(folder, "postgres", "postgres")
        client, peer = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{free_port()}"
        self._spawn(
            "etcd",
            *("etcd", "--enable-v2", "--data-dir", str(self.folder / "etcd")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
        )
        for name in NAMES:
            self.restart(name)
        self.wait_until_synchronous()
        return self

    def disk(self, name: str) -> Path:
        """Return a server's folder; a disk may be mounted there before it starts."""
        return self.folder / name

    def restart(self, name: str) -> None:
        """Start a server's Patroni, which starts the server."""
        file = self.folder / f"{name}.yml"
        file.write_text(json.dumps(self._settings(name)))
        self._spawn(name, "patroni", str(file))

    def wait_until_synchronous(self) -> None:
        """Wait until there is a primary and a standby that confirms its commits."""
        _until(lambda: self._is("/primary") and self._is("/synchronous"), "a synchronous standby")

    def primary(self) -> str | None:
        """Return the name of the primary; ``None`` while there is none."""
        return next((name for name in NAMES if self._answers(name, "/primary")), None)

    def kill_primary(self) -> str:
        """Kill the primary and its Patroni without any last words; return its name."""
        name = self.primary()
        assert name is not None
        self._kill(name)
        return name

    def freeze_primary(self) -> str:
        """Stop the primary and its Patroni where they are; return its name."""
        name = self.primary()
        assert name is not None
        self._signal_manager(name, signal.SIGSTOP)
        self._signal_server(name, signal.SIGSTOP)
        return name

    def thaw_server(self, name: str) -> None:
        """Let a frozen server go on, while its Patroni can't tell it what has changed."""
        self._signal_server(name, signal.SIGCONT)

    def thaw_manager(self, name: str) -> None:
        """Let a frozen Patroni go on."""
        self._signal_manager(name, signal.SIGCONT)

    def wait_for_other_primary(self, than: str) -> None:
        """Wait until another server is the primary."""
        _until(lambda: self.primary() not in {None, than}, "another primary")

    def switch_over(self) -> str:
        """Have Patroni make the standby the primary; return who was it before."""
        old = self.primary()
        assert old is not None
        body = json.dumps({"leader": old}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._rest[old]}/switchover", body)
        with urllib.request.urlopen(request, timeout=PATIENCE_S):  # noqa: S310
            pass
        self.wait_for_other_primary(old)
        return old

    def conninfo(self, *names: str) -> str:
        """Return the address that names these servers, or both."""
        ports = [str(self._ports[name]) for name in names or NAMES]
        return make_conninfo(
            host=",".join("127.0.0.1" for _ in ports),
            port=",".join(ports),
            user="postgres",
            password=PASSWORD,
            dbname="postgres",
        )

    def version(self) -> str:
        """Return the primary's version."""
        with psycopg.connect(self.conninfo(), target_session_attrs="read-write") as connection:
            return connection.info.parameter_status("server_version") or ""

    def close(self) -> None:
        """Kill all, and remove their files. Closing twice is no error."""
        for name in list(self._running):
            self._kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _data(self, name: str) -> Path:
        return self.disk(name) / "data"

    def _settings(self, name: str) -> dict[str, object]:
        login = {"username": "postgres", "password": PASSWORD}
        return {
            "scope": "deconflict",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{self._rest[name]}"},
            # Not `etcd3`: through that one a Patroni 3.0.2 that had been frozen takes the lock back
            # from the server that was promoted meanwhile, with all that this one acknowledged.
            "etcd": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {"dcs": MANAGED, "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}]},
            "postgresql": {
                "listen": f"127.0.0.1:{self._ports[name]}",
                "data_dir": str(self._data(name)),
                "bin_dir": str(self._programs),
                "pgpass": str(self.folder / f"{name}.pgpass"),
                "authentication": {
                    "superuser": login,
                    "replication": {"username": "replicator", "password": PASSWORD},
                },
                "parameters": {"unix_socket_directories": str(self.folder)},
                "pg_hba": [
                    "local all all scram-sha-256",
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication all 127.0.0.1/32 scram-sha-256",
                ],
            },
        }

    def _spawn(self, name: str, *command: str) -> None:
        root = os.geteuid() == 0
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd="/",
                user="postgres" if root else None,
                group=pwd.getpwnam("postgres").pw_gid if root else None,
                extra_groups=[] if root else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _signal_manager(self, name: str, which: signal.Signals) -> None:
        os.killpg(self._running[name].pid, which)

    def _signal_server(self, name: str, which: signal.Signals) -> None:
        main = int((self._data(name) / "postmaster.pid").read_text().splitlines()[0])
        # The main process first: it starts no other while it stands still.
        os.kill(main, which)
        listed = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for child in map(int, listed):
            with suppress(ProcessLookupError):  # one that was about to end
                os.kill(child, which)

    def _kill(self, name: str) -> None:
        manager = self._running.pop(name)
        file = self._data(name) / "postmaster.pid"
        # First, so that it does not start the server again.
        os.killpg(manager.pid, signal.SIGKILL)
        manager.wait()
        if file.exists():
            main = int(file.read_text().splitlines()[0])
            if Path(f"/proc/{main}").exists():  # its processes end when they miss it
                os.kill(main, signal.SIGKILL)

    def _is(self, path: str) -> bool:
        return any(self._answers(name, path) for name in NAMES)

    def _answers(self, name: str, path: str) -> bool:
        address = f"http://127.0.0.1:{self._rest[name]}{path}"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < deadline, f"there is no {what} after {PATIENCE_S} s"
