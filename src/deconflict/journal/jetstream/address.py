"""Where NATS servers are found, and which stream on them is the journal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from deconflict.journal.engine import EngineError

DEFAULT_NAME: Final = "deconflict"
USUAL_PORT: Final = 4222
MOST_REPLICAS: Final = 5
"""JetStream's own limit."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What a stream may be called and a subject may begin with; the streams beside it get a suffix."""
_ADVICE: Final = (
    "write it as nats://USER:PASSWORD@HOST:PORT/NAME, with %40 for @, %2F for / and %3A for : "
    "within a password, and a NAME of letters, digits, _ and -"
)


@dataclass(frozen=True, slots=True)
class Address:
    """The servers and the stream that a URL names.

    Attributes
    ----------
    servers
        Each as ``host:port``.
    name
        Of the stream.
    replicas
        How many copies were asked for; ``None`` if it was not said.
    scheme
        ``nats`` or ``tls``.
    user, password, token
        How to sign in; empty if not at all.
    """

    servers: tuple[str, ...]
    name: str = DEFAULT_NAME
    replicas: int | None = None
    scheme: str = "nats"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        """The servers and the stream, for a sentence."""
        return f"{', '.join(self.servers)} (stream {self.name})"


def address(url: str) -> Address:
    """Return what a URL names.

    Raises
    ------
    EngineError
        If it can't be understood. The sentence repeats nothing of it, since a password that was
        not escaped can turn up anywhere in it.
    """
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    network, _, path = rest.partition("/")
    signing_in, _, hosts = network.rpartition("@")
    user, colon, password = signing_in.partition(":")
    name = unquote(path.strip("/")) or DEFAULT_NAME
    if scheme not in {"nats", "tls"} or not hosts or not _NAME.fullmatch(name):
        raise EngineError(f"the address of the NATS servers can't be read: {_ADVICE}")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    replicas = asked.pop("replicas", None)
    if asked:
        raise EngineError("behind the ? of a NATS address only replicas=NUMBER may stand")
    if replicas is not None and (
        not replicas.isdecimal() or not 1 <= int(replicas) <= MOST_REPLICAS
    ):
        raise EngineError(f"a stream has 1 to {MOST_REPLICAS} replicas: write ?replicas=3")
    return Address(
        tuple(_server(host) for host in hosts.split(",")),
        name,
        None if replicas is None else int(replicas),
        scheme,
        user=unquote(user) if colon else "",
        password=unquote(password),
        token="" if colon else unquote(user),
    )


def _server(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(USUAL_PORT)
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise EngineError(f"the address of the NATS servers can't be read: {_ADVICE}")
    return f"{host}:{port}"
