"""Wrapped keys: a stream beside the entries, a message each, that is destroyed to erase a key.

A key is there before the rows that are sealed under it, since it can't be written together with
them. One whose rows were refused stays, unused: to remove it could destroy the key of another
node that found it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from deconflict.journal.jetstream_failure import (
    RefusalError,
    failure,
)
from deconflict.journal.jetstream_link import Link
from deconflict.journal.jetstream_messages import MOST_AT_ONCE, Messages
from deconflict.journal.jetstream_stream import Names


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
            key_id: wrapped
            for key_id, wrapped in zip(distinct, found, strict=True)
            if wrapped is not None
        }

    async def put(self, keys: Sequence[tuple[bytes, bytes]], doing: str) -> bool:
        """Write keys; return whether each is there now with the value that is given."""
        return all(await asyncio.gather(*(self._put(*key, doing) for key in keys)))

    async def destroy(self, key_ids: Collection[bytes], doing: str) -> None:
        """Overwrite and remove keys."""
        await asyncio.gather(*(self._destroy(key_id, doing) for key_id in key_ids))

    async def _get(self, key_id: bytes) -> bytes | None:
        async with self._places:
            found = await self._messages.first(self._names.keys, self._names.key(key_id))
        return None if found is None else found.data

    async def _put(self, key_id: bytes, wrapped: bytes, doing: str) -> bool:
        """Write a key unless there is one; of two written at once the first one holds."""
        link, subject = self._link, self._names.key(key_id)
        found = await self._get(key_id)
        if found is not None:
            return found == wrapped
        async with self._places:
            try:
                await link.patiently(
                    lambda patience_s: link.publish(subject, wrapped, patience_s=patience_s)
                )
            except RefusalError as error:
                raise failure(error, link.where, doing) from error
            return (await self._messages.first_of_key(key_id)).data == wrapped

    async def _destroy(self, key_id: bytes, doing: str) -> None:
        """Overwrite all that there is of a key, up to a mark that a majority confirmed."""
        link, names, sequence = self._link, self._names, 0
        async with self._places:
            try:
                end = await link.patiently(
                    lambda patience_s: link.publish(names.key_end(key_id), patience_s=patience_s)
                )
                while sequence < end:
                    found = await self._messages.next_of_key(sequence + 1, key_id)
                    if found.sequence > end:  # another node removed the mark; a new key may be here
                        return
                    await self._messages.delete(names.keys, found.sequence, erase=True)
                    sequence = found.sequence
            except RefusalError as error:
                raise failure(error, link.where, doing) from error
