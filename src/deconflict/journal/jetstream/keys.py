"""Wrapped keys: a stream beside the entries, a message each, that is destroyed to erase a key.

A key is there before the rows that are sealed under it, since it can't be written together with
them. One whose rows were refused stays, unused: to remove it could destroy the key of another
node that found it meanwhile.

A message says behind which message of entries its writer put it. That a key is destroyed is
announced among the entries first, and whoever put it behind the announcement knew of it, and means
a new one. So what is destroyed is what was put before, however late that is done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Self

from deconflict.journal.engine import UnreachableError
from deconflict.journal.jetstream.failure import (
    RefusalError,
    failure,
)
from deconflict.journal.jetstream.link import PATIENCE_S, PAUSE_S, Link
from deconflict.journal.jetstream.messages import MOST_AT_ONCE, Messages, Stored
from deconflict.journal.jetstream.stream import Names

_BEHIND_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """A wrapped key, and behind which message of entries it was put."""

    behind: int
    wrapped: bytes

    @classmethod
    def read(cls, message: Stored) -> Self:
        """Return what a message holds."""
        return cls(
            int.from_bytes(message.data[:_BEHIND_BYTES]),
            message.data[_BEHIND_BYTES:],
        )

    def packed(self) -> bytes:
        """Return the message's body."""
        return self.behind.to_bytes(_BEHIND_BYTES) + self.wrapped


class Keys:
    """The wrapped keys. For coroutines that the link runs.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    messages
        Reads them.
    """

    def __init__(self, link: Link, names: Names, messages: Messages) -> None:
        self._link = link
        self._names = names
        self._messages = messages
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def get(self, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return those of some wrapped keys that there are."""
        distinct = list(dict.fromkeys(key_ids))
        found = await asyncio.gather(*(self._get(key_id) for key_id in distinct))
        return {
            key_id: kept.wrapped
            for key_id, kept in zip(distinct, found, strict=True)
            if kept is not None
        }

    async def put(
        self, keys: Sequence[tuple[bytes, bytes]], behind: int, since: Sequence[int], doing: str
    ) -> bool:
        """Write keys; return whether each is there now with the value that is given.

        Parameters
        ----------
        keys
            Identifiers and wrapped keys.
        behind
            Sequence of the last message of entries.
        since
            For each key that of the last one that announced its destruction; 0: none.
        doing
            What is not done if it fails.
        """
        putting = [
            self._put(key_id, Kept(behind, wrapped), announced, doing)
            for (key_id, wrapped), announced in zip(keys, since, strict=True)
        ]
        return all(await asyncio.gather(*putting))

    async def destroy(self, key_ids: Collection[bytes], announced: int, doing: str) -> None:
        """Overwrite and remove keys, as far as they were put before that was announced."""
        await asyncio.gather(*(self._destroy(key_id, announced, doing) for key_id in key_ids))

    async def _get(self, key_id: bytes) -> Kept | None:
        async with self._places:
            found = await self._messages.first(self._names.keys, self._names.key(key_id))
        return None if found is None else Kept.read(found)

    async def _put(self, key_id: bytes, key: Kept, announced: int, doing: str) -> bool:
        """Write a key unless there is one; of two written at once the first one holds."""
        link, names = self._link, self._names
        found = await self._get(key_id)
        if found is not None and (found.behind >= announced or found.wrapped != key.wrapped):
            return found.wrapped == key.wrapped
        async with self._places:
            try:
                sequence = await link.patiently(
                    lambda patience_s: link.publish(
                        names.key(key_id), key.packed(), patience_s=patience_s
                    )
                )
            except RefusalError as error:
                raise failure(error, link.where, doing) from error
            there = await self._messages.first_as_of(sequence, names.keys, names.key(key_id))
            return there is not None and Kept.read(there).wrapped == key.wrapped

    async def _destroy(self, key_id: bytes, announced: int, doing: str) -> None:
        """Overwrite a key, up to a mark that a majority confirmed."""
        link, names = self._link, self._names
        until = time.monotonic() + PATIENCE_S
        async with self._places:
            try:
                while True:
                    end = await link.patiently(
                        lambda patience_s: link.publish(
                            names.key_end(key_id), patience_s=patience_s
                        )
                    )
                    if await self._destroyed(key_id, announced, end):
                        return
                    if time.monotonic() > until:
                        raise UnreachableError(
                            f"{doing}: the server of {link.where} that answers does not have what "
                            "was confirmed: it is cut off, or behind"
                        )
                    await asyncio.sleep(PAUSE_S)
            except RefusalError as error:
                raise failure(error, link.where, doing) from error

    async def _destroyed(self, key_id: bytes, announced: int, end: int) -> bool:
        """Overwrite a key; ``False`` if its mark was not come to.

        Another node that destroys the key may have removed that, or the server is behind.
        """
        names, sequence = self._names, 0
        while sequence < end:
            found = await self._messages.next_of(names.keys, sequence + 1, names.key_any(key_id))
            if found is None:
                return False
            sequence = found.sequence
            mark = found.subject == names.key_end(key_id)
            if sequence <= end and (mark or Kept.read(found).behind < announced):
                await self._messages.delete(names.keys, sequence, erase=True)
        return True
