"""What one node sends another: commands to be decided, in MessagePack, each batch authenticated.

Nodes share the service's keys, and a key for this is derived from the sealing key. The header of
a batch holds its time, a nonce and a MAC over these, the addressee, the path and the body's hash.
So a stranger's body is refused before it is read, and nothing is taken twice: not by another node,
nor by the same one after it was started again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from typing import Final

import msgspec

from deconflict.register.event import ReadBatch

COMMANDS_PATH: Final = "/nodes/v1/commands"
BASE_PATH: Final = "/nodes/v1/base"
HEADER: Final = "x-deconflict-node"
MOST_BATCH_BYTES: Final = 16 * 2**20
MOST_APART_S: Final = 30
"""How far the clocks of two nodes may be apart, and how long a batch may be on its way."""
PURPOSE: Final = "nodes"
"""For which the key is derived (`deconflict.journal.keys.Keys.derived`)."""
_NONCE_BYTES: Final = 16
_MOST_NONCES: Final = 100_000


class ForwardedCall(msgspec.Struct, frozen=True, tag="call"):
    """An authenticated request; `request` is method and path as received."""

    party: str
    scopes: tuple[str, ...]
    issuer: str
    expires_s: int
    request: str
    query: dict[str, str]
    body: bytes


class ForwardedReads(msgspec.Struct, frozen=True, tag="reads"):
    """Reads that a node answered, to be journalled."""

    batch: ReadBatch


class ForwardedOverride(msgspec.Struct, frozen=True, tag="override"):
    """An operator's word that a node's clock is right."""

    words: str
    ahead_s: int


Forwarded = ForwardedCall | ForwardedReads | ForwardedOverride


class Replied(msgspec.Struct, frozen=True, tag="replied"):
    """The reply to the asker."""

    status: int
    body: bytes
    media_type: str


class RefusedThere(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing was written, or it is not known; in a sentence for the asker."""

    sentence: str


class NotLeading(msgspec.Struct, frozen=True, tag="not_leading"):
    """The node that was asked doesn't decide; nothing was written."""


Outcome = Replied | RefusedThere | NotLeading

COMMANDS: Final = msgspec.msgpack.Decoder(tuple[Forwarded, ...])
OUTCOMES: Final = msgspec.msgpack.Decoder(tuple[Outcome, ...])
ENCODER: Final = msgspec.msgpack.Encoder()


class SeenError(Exception):
    """A batch came twice: whoever sent it can't know whether the first was decided."""


class Seal:
    """Makes and checks the header by which nodes of one service know each other.

    Parameters
    ----------
    key
        32 secret bytes that all nodes have.
    address
        Of this node, as the lease names it; empty if it only sends.
    """

    def __init__(self, key: bytes, address: str) -> None:
        self._key = key
        self._address = address
        self._began_s = int(time.time())
        self._seen: OrderedDict[str, int] = OrderedDict()

    def header(self, path: str, body: bytes, *, to: str) -> str:
        """Return the header for a request to the node at an address."""
        digest = hashlib.sha256(body).hexdigest()
        said = f"{int(time.time())}.{secrets.token_hex(_NONCE_BYTES)}.{digest}"
        return f"{said}.{self._mac(to, path, said)}"

    def digest(self, path: str, header: str) -> str | None:
        """Return the hash that the body of a request must have; ``None`` if it is not a node's.

        Raises
        ------
        SeenError
            If the same request came before.
        """
        said, _, mac = header.rpartition(".")
        if not hmac.compare_digest(self._mac(self._address, path, said).encode(), mac.encode()):
            return None
        at_s, nonce, digest = said.split(".")  # its form is ours: the MAC was right
        now_s = int(time.time())
        if abs(now_s - int(at_s)) > MOST_APART_S or int(at_s) < self._began_s:
            return None
        if nonce in self._seen:
            raise SeenError
        self._seen[nonce] = int(at_s)
        while self._seen and (
            len(self._seen) > _MOST_NONCES
            or next(iter(self._seen.values())) < now_s - 2 * MOST_APART_S
        ):
            self._seen.popitem(last=False)
        return digest

    def _mac(self, to: str, path: str, said: str) -> str:
        return hmac.new(self._key, f"{to}\0{path}\0{said}".encode(), hashlib.sha256).hexdigest()


def body_matches(body: bytes, digest: str) -> bool:
    """Tell whether a body has the hash that its header states."""
    return hmac.compare_digest(hashlib.sha256(body).hexdigest(), digest)
