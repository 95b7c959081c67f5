"""Where a PostgreSQL server, or one of several, is found, and what is said when it is not."""

from __future__ import annotations

import os
import re
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.postgres.connection import ServerConnection

_DEFAULTS: Final = {
    "connect_timeout": "3",
    # A server whose machine is gone is given up after some seconds instead of a quarter of an hour.
    "tcp_user_timeout": "5000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "application_name": "deconflict",
}
_BY_HOST: Final = ("host", "hostaddr", "port")
_USUAL_PORT: Final = "5432"
_ADVICE: Final = (
    "write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for @, %2F for / and "
    "%3A for : within a password"
)


class Address:
    """The servers that a connection string names.

    Parameters
    ----------
    conninfo
        As libpq takes it: a URI or ``key=value`` pairs.
    reads_only
        Whether a server that takes no writes by its settings is good enough.

    Raises
    ------
    EngineError
        If it can't be understood. The sentence repeats nothing of it, since a password that was
        not escaped can turn up anywhere in it.
    """

    def __init__(self, conninfo: str, *, reads_only: bool = False) -> None:
        try:
            given = conninfo_to_dict(conninfo)
        except psycopg.Error:
            raise EngineError(
                f"the address of the PostgreSQL server can't be read: {_ADVICE}"
            ) from None
        wanted = "primary" if reads_only else "read-write"
        environment = os.environ.get("PGTARGETSESSIONATTRS")
        self._settings = {
            **_DEFAULTS,
            **({} if environment else {"target_session_attrs": wanted}),
            **{key: str(value) for key, value in given.items() if key not in _BY_HOST},
            "client_encoding": "UTF8",
        }
        self._hosts = _hosts({key: str(given[key]) for key in _BY_HOST if key in given})
        self._reads_only = reads_only

    @property
    def where(self) -> str:
        """The servers as ``host:port``, for a sentence."""
        return ", ".join(map(_name, self._hosts))

    @property
    def count(self) -> int:
        """How many servers are named."""
        return len(self._hosts)

    @property
    def preferred(self) -> str:
        """The server that is tried first."""
        return _name(self._hosts[0])

    def connect(self) -> ServerConnection:
        """Return a connection to the first server that is willing, set up for a journal.

        Raises
        ------
        UnreachableError
            If there is none; the sentence names each with its reason.
        EngineError
            If a server is found that can't keep a journal.
        """
        reasons = []
        for host in self._hosts:
            try:
                connection = ServerConnection.connect(
                    make_conninfo(**self._settings, **host),
                    autocommit=True,
                    prepare_threshold=None,
                )
            except psycopg.Error as error:
                reasons.append(f"{_name(host)}: {_reason(error)}")
                continue
            try:
                connection.set_up(_name(host), reads_only=self._reads_only)
            except psycopg.Error as error:
                connection.close()
                reasons.append(f"{_name(host)}: {_reason(error)}")
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise UnreachableError(f"PostgreSQL can't be reached ({'; '.join(reasons)})")

    def distrust(self, where: str) -> None:
        """Try a server last from now on, since it could not promise what it was asked.

        A primary that was deposed and does not know goes on answering.
        """
        self._hosts = sorted(self._hosts, key=lambda host: _name(host) == where)


def _hosts(given: dict[str, str]) -> list[dict[str, str]]:
    lists = {key: value.split(",") for key, value in given.items()}
    count = max((len(lists[key]) for key in ("host", "hostaddr") if key in lists), default=1)
    ports = lists.get("port", [""])
    if any(port and not port.isdecimal() for port in ports) or any(
        "@" in host for host in lists.get("host", [])
    ):
        raise EngineError(f"the address of the PostgreSQL server can't be read: {_ADVICE}")
    if len(ports) == 1:
        lists["port"] = ports * count
    if any(len(each) != count for each in lists.values()):
        raise EngineError(
            "the address of the PostgreSQL server names another number of hosts than of ports"
        )
    return [
        {key: each[number] for key, each in lists.items() if each[number]}
        for number in range(count)
    ]


def _name(host: dict[str, str]) -> str:
    name = host.get("host") or host.get("hostaddr") or os.environ.get("PGHOST") or "localhost"
    return f"{name}:{host.get('port') or os.environ.get('PGPORT') or _USUAL_PORT}"


def _reason(error: psycopg.Error) -> str:
    """Return what libpq says in the end, without where: that is said already."""
    text = str(error).strip()
    line = text.splitlines()[0] if text else type(error).__name__
    return re.sub(r"^connection (failed|is bad): |connection to server .*? failed: ", "", line)
