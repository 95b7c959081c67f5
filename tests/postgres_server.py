"""PostgreSQL servers for tests: of their own, on loopback, and a standby beside one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from machine import free_port

PATIENCE_S = 120
USERS = ("postgres", "nobody")
"""Who runs the server where the tests are run by root, which PostgreSQL refuses."""
SETTINGS = """
unix_socket_directories = '{folder}'
listen_addresses = '127.0.0.1'
port = {port}
max_connections = 40
shared_buffers = 64MB
wal_level = replica
max_wal_senders = 5
wal_sender_timeout = 2s
wal_receiver_timeout = 2s
wal_retrieve_retry_interval = 200ms
hot_standby = on
logging_collector = off
autovacuum_naptime = 10s
"""


def programs() -> Path | None:
    """Return the folder of the newest server's programs; ``None`` if there are none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    path = shutil.which("initdb")
    return None if path is None else Path(path).resolve().parent


class PostgresServer:
    """A server with its files in a folder of its own.

    Attributes
    ----------
    folder
        Of its files, its socket and its log.
    port
        On loopback.
    """

    ADMINISTRATOR = "administrator"
    USER = "tester"
    """Owns databases, and may nothing else."""
    PASSWORD = "not-to-be-seen-anywhere"  # noqa: S105 - of a server on loopback

    def __init__(self, folder: Path | None = None) -> None:
        found = programs()
        if found is None:
            pytest.skip("there is no initdb: install PostgreSQL (Debian: postgresql)")
        self._programs = found
        # Not under the test's own folder: that one is closed to other users, and its path is too
        # long for a socket.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="deconflict-postgres-"))
        self._data = self.folder / "data"
        self.port = free_port()
        self._started = False
        self._standbys: list[PostgresServer] = []

    def make(self) -> PostgresServer:
        """Make an empty cluster and start it."""
        password = self.folder / "password"
        password.write_text(self.PASSWORD)
        self._own(self.folder)
        self._run(
            "initdb",
            *("--pgdata", self._data, "--username", self.ADMINISTRATOR, "--pwfile", password),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        self._append_settings(SETTINGS.format(folder=self.folder, port=self.port))
        self.start()
        with psycopg.connect(self.administration(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {self.USER} LOGIN PASSWORD '{self.PASSWORD}'")
        return self

    def start(self) -> PostgresServer:
        """Start it if it does not run, and wait until it answers."""
        if self._started:
            return self
        self._started = True  # before it is, so that one that starts too slowly is ended too
        self._run(
            *("pg_ctl", "start", "--wait", "--timeout", str(PATIENCE_S)),
            *("--pgdata", self._data, "--log", self.folder / "log"),
        )
        return self

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``smart``, ``fast``, or ``immediate`` as a crash of the program would."""
        if self._started:
            self._started = False
            self._run("pg_ctl", "stop", "--wait", "--mode", mode, "--pgdata", self._data)

    def kill(self) -> None:
        """Let all its processes die at once, without any last words."""
        self.stop("immediate")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let none of its processes run meanwhile: it is there and does not answer."""
        main = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(main, signal.SIGSTOP)  # before its children, so that it starts no more
        stopped = [main, *_children(main)]
        try:
            for process in stopped:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)

    def promote(self) -> None:
        """Make a standby a primary."""
        self._run(
            *("pg_ctl", "promote", "--wait", "--timeout", str(PATIENCE_S)),
            *("--pgdata", self._data),
        )

    def set(self, **settings: str) -> None:
        """Change settings that need no new start."""
        self._append_settings("".join(f"{key} = '{text}'\n" for key, text in settings.items()))
        self._run("pg_ctl", "reload", "--pgdata", self._data)

    def standby(self) -> PostgresServer:
        """Return a running standby, without which the server confirms no commit from now on."""
        other = PostgresServer()
        self._standbys.append(other)
        self._own(other.folder)
        self._run(
            "pg_basebackup",
            *("--pgdata", other._data, "--write-recovery-conf", "--checkpoint", "fast"),
            *("--dbname", self.administration(application_name="standby")),
        )
        other._append_settings(SETTINGS.format(folder=other.folder, port=other.port))
        other._append_settings("synchronous_standby_names = ''\n")
        other.start()
        self.set(synchronous_standby_names="standby")
        with psycopg.connect(self.administration(), autocommit=True) as connection:
            # Confirmed by the standby: so it streams, and the setting holds.
            connection.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        return other

    def conninfo(self, database: str = "postgres", **more: str) -> str:
        """Return the address of a database for an ordinary user."""
        given = {"user": self.USER, "password": self.PASSWORD, "dbname": database, **more}
        return make_conninfo(host="127.0.0.1", port=self.port, **given)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database for an ordinary user, as a URL."""
        return f"postgresql://{self.USER}:{self.PASSWORD}@127.0.0.1:{self.port}/{database}"

    def administration(self, **more: str) -> str:
        """Return the server's address for who may do everything."""
        return self.conninfo(user=self.ADMINISTRATOR, **more)

    def database(self, name: str, tablespace: str = "pg_default") -> str:
        """Make a database that the ordinary user owns; return its address."""
        with psycopg.connect(self.administration(), autocommit=True) as connection:
            connection.execute(
                f'CREATE DATABASE "{name}" OWNER {self.USER} TABLESPACE {tablespace}'
            )
        return self.conninfo(name)

    def version(self) -> str:
        """Return the running server's version."""
        with psycopg.connect(self.conninfo()) as connection:
            return connection.info.parameter_status("server_version") or ""

    def log(self) -> str:
        """Return what it wrote."""
        return (self.folder / "log").read_text()

    def close(self) -> None:
        """End it and its standbys, and remove their files."""
        for standby in self._standbys:
            standby.close()
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _append_settings(self, text: str) -> None:
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(text)

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", _user(), str(folder)], check=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        with tempfile.TemporaryFile("w+") as output:
            # To a file: the server that is started inherits it, so a pipe would not end.
            done = subprocess.run(
                command,
                cwd="/",
                user=_user() if os.geteuid() == 0 else None,
                group=pwd.getpwnam(_user()).pw_gid if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE_S,
            )
            output.seek(0)
            assert done.returncode == 0, f"{program}: {output.read()}"


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(number) for number in listed.split()]


def _user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in USERS if name in known)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a running server that the tests of a session share, each with a database."""
    server = PostgresServer()
    try:
        yield server.make()
    finally:
        server.close()


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """Return the address of an empty database."""
    return postgres.database(f"test_{os.urandom(8).hex()}")
