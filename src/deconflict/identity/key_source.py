"""Where the keys of authorities come from: files, and key sets that are fetched by URL.

A source only hands out keys that it has; fetching runs beside the requests and never within one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import structlog

from deconflict.geo.errors import InputError
from deconflict.identity.public_key import PublicKey, key_of_jwk, keys_of_pem

REFRESH_S = 300.0
"""Seconds between two fetches of a key set."""
LEAST_APART_S = 30.0
"""Seconds between two fetches at least, whatever tokens name; also the wait after a failure."""
TIMEOUT_S = 10.0
MOST_SET_BYTES = 262_144
MOST_KEYS = 32
_MOST_PEM_BYTES = 65_536


class KeySource(Protocol):
    """Keys of one authority."""

    @property
    def issuer(self) -> str | None:
        """The only issuer for whom these keys speak; ``None``: any."""
        ...

    def current(self) -> Sequence[PublicKey]:
        """Return the keys in force, never waiting."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever the keys have changed."""
        ...

    def missing(self) -> None:
        """Take note that a token names a key that isn't here."""
        ...

    def describe(self) -> dict[str, object]:
        """Return the state for operators: ``source``, ``keys``, ``ready``, and more."""
        ...

    async def run(self) -> None:
        """Keep the keys fresh until cancelled; returns at once if there is nothing to do."""
        ...


class FixedKeys:
    """Keys that never change while the service runs."""

    def __init__(self, name: str, keys: Sequence[PublicKey], *, issuer: str | None = None) -> None:
        self._name = name
        self._keys = tuple(keys)
        self._issuer = issuer

    @property
    def issuer(self) -> str | None:
        """The only issuer for whom these keys speak."""
        return self._issuer

    def current(self) -> Sequence[PublicKey]:
        """Return the keys."""
        return self._keys

    def watch(self, changed: Callable[[], None]) -> None:
        """Do nothing: these keys never change."""

    def missing(self) -> None:
        """Do nothing: there are no others."""

    def describe(self) -> dict[str, object]:
        """Return the state for operators."""
        return {"source": self._name, "keys": len(self._keys), "ready": True}

    async def run(self) -> None:
        """Return at once."""


def pem_keys(path: Path, *, issuer: str | None = None) -> FixedKeys:
    """Return the public keys of a PEM file.

    Raises
    ------
    InputError
        If it can't be read, or holds anything but public keys that are taken.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_PEM_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the key can't be read ({error.strerror})",
            "give a file with a public key in PEM",
            field=str(path),
        ) from error
    if len(content) > _MOST_PEM_BYTES:
        raise InputError(
            "it is too large for a key", "give a file with a public key in PEM", field=str(path)
        )
    return FixedKeys(str(path), keys_of_pem(content, str(path)), issuer=issuer)


class FetchError(Exception):
    """A key set that could not be fetched, in a sentence."""


class JwksKeys:
    """The key set of an authority (RFC 7517, section 5), fetched by URL.

    Parameters
    ----------
    url
        Where it is; https, or http on this machine. Redirects are not followed.
    issuer
        The only issuer for whom these keys speak.
    refresh_s
        Seconds between two fetches.
    least_apart_s
        Seconds between two fetches at least.
    timeout_s
        Seconds that a fetch may take as a whole.
    clock
        Monotonic seconds.

    Raises
    ------
    InputError
        If the URL is of another kind.
    """

    def __init__(
        self,
        url: str,
        *,
        issuer: str | None = None,
        refresh_s: float = REFRESH_S,
        least_apart_s: float = LEAST_APART_S,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_url(url)
        self._url = url
        self._issuer = issuer
        self._refresh_s = refresh_s
        self._least_apart_s = least_apart_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._keys: tuple[PublicKey, ...] = ()
        self._content = b""
        self._fault: str | None = "not fetched yet"
        self._fetched_at: float | None = None
        self._watchers: list[Callable[[], None]] = []
        self._wanted = asyncio.Event()
        self._log = structlog.get_logger("deconflict.identity")

    @property
    def issuer(self) -> str | None:
        """The only issuer for whom these keys speak."""
        return self._issuer

    def current(self) -> Sequence[PublicKey]:
        """Return the last good set."""
        return self._keys

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever the set has changed."""
        self._watchers.append(changed)

    def missing(self) -> None:
        """Have the set fetched soon, since a token names a key that isn't in it."""
        self._wanted.set()

    def describe(self) -> dict[str, object]:
        """Return the state for operators; ``fault`` says what went wrong last."""
        age = None if self._fetched_at is None else round(self._clock() - self._fetched_at)
        return {
            "source": self._url,
            "keys": len(self._keys),
            "ready": bool(self._keys),
            "age_s": age,
            "fault": self._fault,
        }

    async def run(self) -> None:
        """Fetch the set at once, then at each interval and soon after a key was missing."""
        import httpx

        async with httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client:
            while True:
                began = self._clock()
                fetched = await self.refresh(client)
                wait_s = self._refresh_s if fetched else self._least_apart_s
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), wait_s)
                # Tokens with invented identifiers must not make us flood the authority.
                await asyncio.sleep(max(0.0, began + self._least_apart_s - self._clock()))
                self._wanted.clear()

    async def refresh(self, client: Any) -> bool:  # noqa: ANN401 - httpx is loaded when it is used
        """Fetch the set once with an `httpx.AsyncClient`; a failure keeps the last good one.

        Returns
        -------
        bool
            Whether it was fetched.
        """
        try:
            content = await self._fetch(client)
            changed = content != self._content
            keys, skipped = read_set(content) if changed else (self._keys, 0)
        except FetchError as error:
            self._fault = str(error)
            self._log.warning(
                "key set not fetched", url=self._url, reason=str(error), keys_kept=len(self._keys)
            )
            return False
        self._fault, self._fetched_at = None, self._clock()
        if changed:
            self._keys, self._content = keys, content
            self._log.info("key set in force", url=self._url, keys=len(keys), skipped=skipped)
            for tell in self._watchers:
                tell()
        return True

    async def _fetch(self, client: Any) -> bytes:  # noqa: ANN401 - httpx is loaded when it is used
        import httpx

        content = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                client.stream("GET", self._url, headers={"Accept": "application/json"}) as reply,
            ):
                if reply.status_code != httpx.codes.OK:
                    raise FetchError(f"the authority answered with status {reply.status_code}")
                async for piece in reply.aiter_bytes():
                    content += piece
                    if len(content) > MOST_SET_BYTES:
                        raise FetchError(f"the set is larger than {MOST_SET_BYTES} bytes")
        except TimeoutError:
            raise FetchError(f"no whole answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise FetchError(f"the authority can't be reached ({type(error).__name__})") from error
        return bytes(content)


def read_set(content: bytes) -> tuple[tuple[PublicKey, ...], int]:
    """Return the keys of a JWK set that are taken, and the number of those that are not.

    Raises
    ------
    FetchError
        If it is no JWK set, holds more than `MOST_KEYS` keys, a private one, or none that is taken.
    """
    try:
        jwks = json.loads(content)
    except (ValueError, RecursionError):
        raise FetchError("the answer is no JSON") from None
    members = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise FetchError("the answer is no JWK set")
    if len(members) > MOST_KEYS:
        raise FetchError(f"the set holds more than {MOST_KEYS} keys")
    if any("d" in member or member.get("kty") == "oct" for member in members):
        raise FetchError("the set publishes a secret key; its authority must replace it at once")
    keys = []
    for member in members:
        with contextlib.suppress(InputError):  # sets also hold keys for other uses: RFC 7517, 5
            keys.append(key_of_jwk(member))
    if not keys:
        raise FetchError("the set holds no key of a kind that is taken")
    return tuple(keys), len(members) - len(keys)


def check_url(url: str) -> None:
    """Refuse a URL of a key set that others on the way could replace.

    Raises
    ------
    InputError
        If it is neither https nor http on this machine, or holds a password.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", None
    if parts is None or not host or parts.scheme not in {"https", "http"}:
        raise InputError(
            "the URL of a key set is no web address",
            "write one such as https://authority.example/.well-known/jwks.json",
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "the URL of a key set holds a user or password", "write it without: the set is public"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"the key set of {host} would be fetched without TLS",
            "write https; http is only for this machine",
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host of a URL is this machine, without asking any name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
