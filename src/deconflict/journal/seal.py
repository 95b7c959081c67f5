"""Subjects' keys: made, wrapped, opened and forgotten.

Each subject has a key of its own, which the engine keeps wrapped under a key that is derived from
the sealing key; what the engine calls the key is a keyed hash of the subject, so that a stolen
journal doesn't tell whom its entries are about. When a subject's key was erased and the subject
comes up again, a new key takes its place under the same identifier. An envelope therefore also
names the key itself: the older ones name a key that is gone, and stay closed.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deconflict.journal.entry import Entry
from deconflict.journal.envelope import (
    KEY_BYTES,
    KEY_ID_BYTES,
    NONCE_BYTES,
    Parts,
    SubjectKey,
    key_name,
    opened,
    plain,
    seal,
)
from deconflict.journal.errors import AlteredLogError
from deconflict.journal.keys import Keys

MAX_SUBJECT_BYTES: Final = 200
OPENED_KEYS: Final = 16_384
"""How many subjects' keys are kept open: at most about 12 MB."""
_NEW_KEY_BYTES: Final = KEY_BYTES + NONCE_BYTES


@dataclass(slots=True)
class _Fresh:
    key: SubjectKey
    wrapped: bytes


class FreshKeys:
    """Keys made for one group, which count only once the group is committed."""

    def __init__(self) -> None:
        self.by_id: dict[bytes, _Fresh] = {}
        self.absent: set[bytes] = set()
        """Identifiers of which it is known that the engine has no key."""
        self._unpredictable = b""

    def unpredictable(self) -> bytes:
        """Return as many unpredictable bytes as a new key takes; each are given once.

        They are drawn for all absent keys at once: each draw lets other threads run.
        """
        if len(self._unpredictable) < _NEW_KEY_BYTES:
            self._unpredictable = os.urandom(_NEW_KEY_BYTES * max(len(self.absent), 1))
        drawn = self._unpredictable[:_NEW_KEY_BYTES]
        self._unpredictable = self._unpredictable[_NEW_KEY_BYTES:]
        return drawn

    def wrapped(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return identifiers and wrapped keys, as a group holds them."""
        return tuple([(key_id, fresh.wrapped) for key_id, fresh in self.by_id.items()])


class Sealer:
    """Seals and opens entries. One thread at a time.

    Parameters
    ----------
    keys
        The service's keys.
    wrapped_key
        Returns the wrapped key that the engine keeps under an identifier.
    capacity
        How many opened keys are kept.
    """

    def __init__(
        self,
        keys: Keys,
        wrapped_key: Callable[[bytes], bytes | None],
        capacity: int = OPENED_KEYS,
    ) -> None:
        self._wrapped_key = wrapped_key
        self._capacity = capacity
        self._subject_key = keys.derived("subject")
        self._wrapping_key = keys.derived("wrapping")
        self._header_key = keys.derived("header")
        self._opened: OrderedDict[bytes, SubjectKey] = OrderedDict()

    def key_id(self, subject: bytes) -> bytes:
        """Return the identifier of a subject's key: 16 bytes that tell nothing without the keys.

        Raises
        ------
        ValueError
            If the subject is empty or longer than `MAX_SUBJECT_BYTES`.
        """
        if not 0 < len(subject) <= MAX_SUBJECT_BYTES:
            raise ValueError(f"a subject has 1 to {MAX_SUBJECT_BYTES} bytes, not {len(subject)}")
        return blake2b(subject, key=self._subject_key, digest_size=KEY_ID_BYTES).digest()

    def look_up(
        self,
        subjects: Iterable[bytes],
        wrapped_keys: Callable[[Sequence[bytes]], Mapping[bytes, bytes]],
        fresh: FreshKeys,
    ) -> list[bytes]:
        """Open the keys of a group's subjects with one question, and note those without any.

        A question for each would let other threads run, and wait for its turn, as often.

        Returns
        -------
        list of bytes
            The identifier of each subject's key, in order.
        """
        key_ids = list(map(self.key_id, subjects))
        left = [key_id for key_id in dict.fromkeys(key_ids) if key_id not in self._opened]
        if not left:
            return key_ids
        found = wrapped_keys(left)
        for key_id in left:
            if key_id in found:
                self._remember(key_id, self._unwrap(key_id, found[key_id]))
            else:
                fresh.absent.add(key_id)
        return key_ids

    def open_keys(
        self,
        key_ids: Iterable[bytes],
        wrapped_keys: Callable[[Sequence[bytes]], Mapping[bytes, bytes]],
    ) -> None:
        """Open keys that are about to be used with one question; at most a few hundred.

        One that is damaged is left for `open` to refuse.
        """
        left = [key_id for key_id in dict.fromkeys(key_ids) if key_id not in self._opened]
        if not left:
            return
        for key_id, wrapped in wrapped_keys(left).items():
            with suppress(AlteredLogError):
                self._remember(key_id, self._unwrap(key_id, wrapped))

    def seal(
        self, entry: Entry, key_id: bytes, message: bytes, nonce: bytes, fresh: FreshKeys
    ) -> bytes:
        """Return the envelope of an entry's parts.

        Parameters
        ----------
        entry
            The entry.
        key_id
            The identifier of its subject's key.
        message
            SHA-256 of its record.
        nonce
            12 random bytes.
        fresh
            Where a key is found and put that this group makes.
        """
        key = None if key_id in fresh.absent else self._key(key_id)
        if key is None:
            made = fresh.by_id.get(key_id)
            if made is None:
                made = fresh.by_id[key_id] = self._make(key_id, fresh.unpredictable())
            key = made.key
        return seal(
            plain(entry),
            key=key,
            nonce=nonce,
            header_key=self._header_key,
            belongs_to=key_id + message,
        )

    def open(self, key_id: bytes, record: bytes, envelope: bytes) -> Parts | None:
        """Return what an entry's envelope holds; ``None`` if its key was erased.

        Raises
        ------
        AlteredLogError
            If it is damaged.
        """
        belongs_to = key_id + sha256(record).digest()
        name = key_name(envelope, header_key=self._header_key, belongs_to=belongs_to)
        key = self._key(key_id)
        if key is None or key.name != name:
            return None
        return opened(envelope, key=key, belongs_to=belongs_to)

    def keep(self, fresh: FreshKeys) -> None:
        """Keep the keys of a group that was committed."""
        for key_id, made in fresh.by_id.items():
            self._remember(key_id, made.key)

    def forget(self, key_id: bytes | None = None) -> None:
        """Forget an opened key, or all of them."""
        if key_id is None:
            self._opened.clear()
        else:
            self._opened.pop(key_id, None)

    def _key(self, key_id: bytes) -> SubjectKey | None:
        key = self._opened.get(key_id)
        if key is not None:
            self._opened.move_to_end(key_id)
            return key
        wrapped = self._wrapped_key(key_id)
        if wrapped is None:
            return None
        key = self._unwrap(key_id, wrapped)
        self._remember(key_id, key)
        return key

    def _remember(self, key_id: bytes, key: SubjectKey) -> None:
        self._opened[key_id] = key
        if len(self._opened) > self._capacity:
            self._opened.popitem(last=False)

    def _make(self, key_id: bytes, unpredictable: bytes) -> _Fresh:
        content, nonce = unpredictable[:KEY_BYTES], unpredictable[KEY_BYTES:]
        wrapped = nonce + AESGCM(self._wrapping(key_id)).encrypt(nonce, content, key_id)
        return _Fresh(_subject_key(content), wrapped)

    def _unwrap(self, key_id: bytes, wrapped: bytes) -> SubjectKey:
        nonce, content = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return _subject_key(AESGCM(self._wrapping(key_id)).decrypt(nonce, content, key_id))
        except (InvalidTag, ValueError):
            raise AlteredLogError(
                "the key under which it is sealed is damaged, or was wrapped by another sealing key"
            ) from None

    def _wrapping(self, key_id: bytes) -> bytes:
        """Return the key that wraps one identifier's keys, so few that random nonces never meet."""
        return blake2b(key_id, key=self._wrapping_key, digest_size=KEY_BYTES).digest()


def _subject_key(content: bytes) -> SubjectKey:
    name = blake2b(content, digest_size=KEY_ID_BYTES, person=b"deconflict key 1").digest()
    return SubjectKey(name, AESGCM(content))
