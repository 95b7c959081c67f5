"""The parties of the built-in authority: names, scopes, and secrets of which a hash is kept.

The file is small and replaced as a whole. Whoever changes it holds a lock beside it; a server that
runs sees the change at its next look.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import argon2
import msgspec

from deconflict.geo.errors import InputError
from deconflict.identity.party_name import name_fault
from deconflict.identity.private_file import (
    FILE_MODE,
    make_folder,
    read_private,
    replace_private,
)
from deconflict.identity.scope import F3548, is_scope

FILE_NAME = "parties.json"
SECRET_BYTES = 32
MOST_SECRET_CHARACTERS = 256

_MOST_FILE_BYTES = 16_777_216
_NOT_IN_CLIENT_IDS = ":%+/"
"""Clients differ in how they encode them in a Basic header (RFC 6749, 2.3.1) and in a path."""
# The smallest of OWASP's sets for argon2id that needs one lane: 19 MiB, 2 passes; some 30 ms.
_MEMORY_KIB = 19_456
_PASSES = 2
_LANES = 1


@dataclass(frozen=True, slots=True)
class Party:
    """A party that may ask for tokens.

    Attributes
    ----------
    name
        Its name, which is also its client id.
    scopes
        What its tokens may allow.
    secret_hash
        The argon2id hash of its secret.
    """

    name: str
    scopes: tuple[str, ...]
    secret_hash: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    parties: list[Party]


class Parties:
    """The parties in a data folder.

    Parameters
    ----------
    data
        The data folder.
    """

    def __init__(self, data: Path) -> None:
        self._path = data / FILE_NAME
        self._seen: tuple[int, int, int] | None = None
        self._parties: dict[str, Party] = {}

    def add(self, name: str, scopes: Iterable[str]) -> str:
        """Add a party and return its secret, which is kept nowhere.

        Raises
        ------
        InputError
            If the name or a scope is unfit, the party is there already, or the file fails.
        """
        fault = name_fault(name)
        if fault is None and any(mark in name for mark in _NOT_IN_CLIENT_IDS):
            fault = f"it holds one of {' '.join(_NOT_IN_CLIENT_IDS)}"
        if fault:
            raise InputError(fault, "write another name for the party", field="name")
        allowed = _checked(scopes)
        secret, digest = self._new_secret()

        def change(parties: dict[str, Party]) -> None:
            if name in parties:
                raise InputError(
                    "a party of this name is there already",
                    "write another name, or give it a new secret with `deconflict party rotate`",
                    field=name,
                )
            parties[name] = Party(name, allowed, digest)

        self._change(change)
        return secret

    def remove(self, name: str) -> None:
        """Remove a party; tokens that it has stay valid until they expire.

        Raises
        ------
        InputError
            If there is no such party, or the file fails.
        """

        def change(parties: dict[str, Party]) -> None:
            del parties[_existing(parties, name).name]

        self._change(change)

    def rotate(self, name: str) -> str:
        """Give a party a new secret in place of the old one, and return it.

        Raises
        ------
        InputError
            If there is no such party, or the file fails.
        """
        secret, digest = self._new_secret()

        def change(parties: dict[str, Party]) -> None:
            parties[name] = replace(_existing(parties, name), secret_hash=digest)

        self._change(change)
        return secret

    def all(self) -> tuple[Party, ...]:
        """Return the parties, ordered by name.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        self._refresh()
        return tuple(self._parties[name] for name in sorted(self._parties))

    def find(self, name: str) -> Party | None:
        """Return a party, or ``None``.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        self._refresh()
        return self._parties.get(name)

    def verify(self, name: str, secret: str) -> Party | None:
        """Return the party if the secret is its own; slow on purpose, and as slow if it is not.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        party = self.find(name)
        nobodys = self._nobodys_hash  # made before it is known whether it is needed
        known = party.secret_hash if party else nobodys
        fits = len(secret) <= MOST_SECRET_CHARACTERS
        try:
            # argon2 recomputes the hash and compares in constant time.
            self._hasher.verify(known, secret if fits else "")
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return None
        return party if fits else None

    @cached_property
    def _hasher(self) -> argon2.PasswordHasher:
        return argon2.PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)

    @cached_property
    def _nobodys_hash(self) -> str:
        """A hash of a secret that nobody knows: an unknown party takes as long as a known one."""
        return self._new_secret()[1]

    def _new_secret(self) -> tuple[str, str]:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        return secret, self._hasher.hash(secret)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._parties, self._seen = {}, None
            return
        except OSError as error:
            raise InputError(
                f"the parties can't be read ({error.strerror})",
                "run this as the user whom the data folder belongs to",
                field=str(self._path),
            ) from error
        # Each change is a new file: its inode, size and time tell.
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if seen != self._seen:
            self._parties, self._seen = self._read(), seen

    def _read(self) -> dict[str, Party]:
        content = read_private(self._path, _MOST_FILE_BYTES)
        if content is None:
            return {}
        try:
            file = msgspec.json.decode(content, type=_File)
        except msgspec.DecodeError as error:
            raise InputError(
                "it is no list of parties", "put back the last good copy", field=str(self._path)
            ) from error
        if file.version != 1:
            raise InputError(
                f"it was written in version {file.version}, which a newer program did",
                "use the newer program",
                field=str(self._path),
            )
        return {party.name: party for party in file.parties}

    def _change(self, change: Callable[[dict[str, Party]], None]) -> None:
        with self._locked():
            parties = self._read()
            change(parties)
            file = _File(1, [parties[name] for name in sorted(parties)])
            content = msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"
            replace_private(self._path, content)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        make_folder(self._path.parent)
        try:
            lock = os.open(
                self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE
            )
        except OSError as error:
            raise InputError(
                f"the parties can't be changed ({error.strerror})",
                "run this as the user whom the data folder belongs to",
                field=str(self._path),
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held for milliseconds, and freed if its holder dies
            yield
        finally:
            os.close(lock)


def _checked(scopes: Iterable[str]) -> tuple[str, ...]:
    allowed = tuple(sorted(set(scopes)))
    if not allowed or not all(map(is_scope, allowed)):
        raise InputError(
            "it names no scope" if not allowed else "it is no scope",
            f"write one such as {F3548[0]}",
            field="scope",
        )
    return allowed


def _existing(parties: dict[str, Party], name: str) -> Party:
    if name not in parties:
        raise InputError(
            f"there is no party called {name!r}", "deconflict party list shows those that are there"
        )
    return parties[name]
