"""Reading the messages of a journal's stream.

The leader's answers can be old: one that was frozen or cut off answers for a while as if nothing
had happened. What it says is there, is there; that something is not there, it may not know yet.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.jetstream.failure import (
    GONE,
    NO_MESSAGE,
    RefusalError,
    UnansweredError,
    failure,
)
from deconflict.journal.jetstream.link import FIRST_ANSWER_S, PATIENCE_S, PAUSE_S, Link
from deconflict.journal.jetstream.message import Entries, unpacked
from deconflict.journal.jetstream.stream import Names

MOST_AT_ONCE: Final = 64
"""Questions under way at a time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as a stream keeps it."""

    subject: str
    sequence: int
    data: bytes


class Messages:
    """What is in the streams. For coroutines that the link runs.

    Parameters
    ----------
    link
        Asks the servers.
    names
        Of the streams.
    """

    def __init__(self, link: Link, names: Names) -> None:
        self._link = link
        self._names = names

    async def some(self, sequences: Sequence[int]) -> list[Stored | None]:
        """Return messages by their sequences, from any replica, ``None`` for each it lacks."""
        return await asyncio.gather(*(self._direct(sequence) for sequence in sequences))

    async def next_certainly(self, sequence: int) -> Stored:
        """Return the next message of a subject of any kind, which is known to be there.

        Raises
        ------
        UnreachableError
            If no server that has it answers.
        """
        return await self._certainly(self._names.journal, sequence, self._names.any)

    async def first_as_of(self, sequence: int, stream: str, subject: str) -> Stored | None:
        """Return a subject's first message as of a sequence, which is known to be there.

        ``None`` if it has none any more: a message may have been removed.

        Raises
        ------
        UnreachableError
            If no server that has come so far answers.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            found = await self.first(stream, subject)
            if found is not None:
                return found
            if await self.last_sequence(stream) >= sequence:
                return await self.first(stream, subject)
            if time.monotonic() > until:
                raise self._behind(stream, sequence)
            await asyncio.sleep(PAUSE_S)

    async def last_sequence(self, stream: str) -> int:
        """Return a stream's last sequence, as far as the answering server knows."""
        info = await self._link.api(f"STREAM.INFO.{stream}")
        return int(info["state"]["last_seq"])

    async def next_of(self, stream: str, sequence: int, subject: str) -> Stored | None:
        """Return the next message of a subject, as far as the answering server knows."""
        return await self._get(stream, seq=sequence, next_by_subj=subject)

    async def next_entries(self, sequence: int) -> Entries | None:
        """Return the next group from a sequence on, as far as the answering server knows."""
        names = self._names
        return self.opened(await self.next_of(names.journal, sequence, names.entries))

    async def next_entries_certainly(self, sequence: int) -> Entries:
        """Return the next group from a sequence on, which is known to be there.

        Raises
        ------
        UnreachableError
            If no server that has it answers.
        """
        found = await self._certainly(self._names.journal, sequence, self._names.entries)
        return unpacked(found.sequence, found.data, self._link.where)

    async def chain(self, behind: int, until: int) -> AsyncIterator[Entries]:
        """Yield the accepted groups behind an accepted one, up to one that is known to be.

        Each message names the accepted one that its writer took for the last. It is accepted if
        nothing else was in between; whoever reads in order finds the same. A message that names
        a later one than any that is there follows upon what was pruned.

        Parameters
        ----------
        behind
            Sequence of an accepted message; 0: from the oldest that is kept.
        until
            Sequence of the last one to look at, which is there.
        """
        sequence = behind
        while sequence < until:
            found = await self.next_entries_certainly(sequence + 1)
            sequence = found.sequence
            if found.behind >= behind and sequence <= until:
                behind = sequence
                yield found

    async def accepted(self, found: Entries) -> bool:
        """Return whether a message was the first to go behind what it goes behind."""
        sequence = found.behind
        while True:
            first = await self.next_entries_certainly(sequence + 1)
            if first.behind >= found.behind:
                return first.sequence == found.sequence
            sequence = first.sequence

    async def last_entries(self) -> Entries | None:
        """Return the last group, as far as the answering server knows."""
        return self.opened(await self.last(self._names.journal, self._names.entries))

    async def first(self, stream: str, subject: str) -> Stored | None:
        """Return a subject's first message, as far as the answering server knows."""
        return await self.next_of(stream, 1, subject)

    async def last(self, stream: str, subject: str) -> Stored | None:
        """Return a subject's last message, as far as the answering server knows."""
        return await self._get(stream, last_by_subj=subject)

    def opened(self, message: Stored | None) -> Entries | None:
        """Return the group that a message holds, or ``None`` if it holds none.

        Raises
        ------
        EngineError
            If it is damaged.
        """
        if message is None or message.subject != self._names.entries:
            return None
        return unpacked(message.sequence, message.data, self._link.where)

    async def delete(self, stream: str, sequence: int, *, erase: bool) -> None:
        """Remove a message that is known to have been there.

        Parameters
        ----------
        stream, sequence
            Which.
        erase
            Whether each server overwrites it.

        Raises
        ------
        RefusalError
            If it stays.
        """
        request = {"seq": sequence, "no_erase": not erase}
        try:
            await self._link.api(f"STREAM.MSG.DELETE.{stream}", request)
        except RefusalError as error:
            if error.code not in GONE:
                raise

    async def _certainly(self, stream: str, sequence: int, subject: str) -> Stored:
        until = time.monotonic() + PATIENCE_S
        while True:
            found = await self.next_of(stream, sequence, subject)
            if found is not None:
                return found
            if time.monotonic() > until:
                raise self._behind(stream, sequence)
            await asyncio.sleep(PAUSE_S)

    def _behind(self, stream: str, sequence: int) -> UnreachableError:
        return UnreachableError(
            f"message {sequence} of {stream} is confirmed, but the server of {self._link.where} "
            "that answers does not have it: it is cut off, or behind"
        )

    async def _get(self, stream: str, **request: int | str) -> Stored | None:
        try:
            found = (await self._link.api(f"STREAM.MSG.GET.{stream}", request))["message"]
        except RefusalError as error:
            if error.code == NO_MESSAGE:
                return None
            raise failure(error, self._link.where, "the journal was not read") from error
        return Stored(
            found["subject"], int(found["seq"]), base64.b64decode(found.get("data") or "")
        )

    async def _direct(self, sequence: int) -> Stored | None:
        request = json.dumps({"seq": sequence}).encode()
        subject = f"$JS.API.DIRECT.GET.{self._names.journal}"
        try:
            answer = await self._link.ask(subject, request, patience_s=FIRST_ANSWER_S)
        except UnansweredError:
            return None  # asked again of the leader
        headers = answer.headers or {}
        if "Nats-Sequence" not in headers:
            return None
        return Stored(headers["Nats-Subject"], int(headers["Nats-Sequence"]), answer.data)


def missing(position: int, where: str) -> EngineError:
    """Return the error of an entry that must be there and is not."""
    return EngineError(
        f"entry {position} is missing from the journal at {where}: restore the newest copy as a "
        "new log"
    )
