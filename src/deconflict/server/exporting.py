"""Exporting: entries as lines that can be verified alone, without secrets unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from deconflict.journal.checkpoint import parse_checkpoint
from deconflict.journal.errors import LogError
from deconflict.journal.exported import (
    EndLine,
    EntryLine,
    Line,
    LogLine,
    PartLine,
    leaf_of,
    part_line,
    time_text,
)
from deconflict.journal.note import parse_note
from deconflict.register.event import ReadBatch
from deconflict.server.replay import decided_of
from deconflict.server.secrets_within import redacted

if TYPE_CHECKING:
    from deconflict.journal.entry import Part
    from deconflict.journal.log import Opened
    from deconflict.server.record import Record

HOLDS_SECRETS: Final = "it holds secrets; --with-secrets gives it"
OF_OTHERS: Final = "it is not for this party"


class Audience(msgspec.Struct):
    """To whom a told part is addressed, and what was answered."""

    audience: str
    status: int
    body: msgspec.Raw


_AUDIENCE: Final = msgspec.json.Decoder(Audience)


def audience_of(part: Part) -> Audience:
    """Return what a told part says.

    Raises
    ------
    LogError
        If it was written by a later version.
    """
    try:
        return _AUDIENCE.decode(part.content)
    except msgspec.DecodeError as error:
        raise LogError(f"a told part can't be understood: {error}") from None


def export_lines(
    record: Record,
    *,
    start: int | None = None,
    stop: int | None = None,
    party: str = "",
    with_secrets: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[bytes]:
    """Yield the lines of an export, each with its line break.

    Parameters
    ----------
    record
        The record.
    start, stop
        The first position, and the one behind the last; without them, all that is kept and that
        the last checkpoint covers.
    party
        Only what this party said, was told and was shown, with the salts of these parts.
    with_secrets
        Give parts with secrets too.
    progress
        Told how far it got, 0 to 1.

    Raises
    ------
    LogError
        If there is no checkpoint, or an entry is altered or not kept any more.
    """
    note = record.log.checkpoint()
    if note is None:
        raise LogError("the journal has no checkpoint yet, so nothing of it can be proved")
    checkpoint = parse_checkpoint(parse_note(note).text)
    begin = record.first() if start is None else start
    end = min(checkpoint.size if stop is None else stop, checkpoint.size)
    if begin > end:
        raise LogError(
            f"the checkpoint covers {checkpoint.size} entries, so there is nothing to prove from "
            f"entry {begin} to {end}"
        )
    yield _encoded(
        LogLine(
            origin=record.log.origin,
            public_key=record.log.public_key.hex(),
            checkpoint=note.decode(),
            first=begin,
            stop=end,
            party=party,
            secrets=with_secrets,
        )
    )
    count = 0
    for opened in record.read(begin, end):
        parts = _Parts(opened, party, with_secrets=with_secrets)
        if parts.concern:
            count += 1
            yield _encoded(
                EntryLine(
                    position=opened.position,
                    time=time_text(opened.time_us),
                    subject=None if opened.subject is None else _text(opened.subject),
                    record=opened.record.decode(),
                    leaf=leaf_of(opened.record, opened.signature, record.log.public_key),
                    proof=[
                        each.hex()
                        for each in record.log.inclusion(opened.position, checkpoint.size)
                    ],
                    said=parts.said,
                    decided=parts.decided,
                    told=parts.told,
                    erased=opened.erased,
                )
            )
        if opened.position % 256 == 0:
            progress((opened.position - begin) / max(end - begin, 1))
    yield _encoded(EndLine(entries=count, size=checkpoint.size, root=checkpoint.root.hex()))


class _Parts:
    """The parts of one entry as an export shows them.

    Attributes
    ----------
    concern
        Whether any of them concerns the party; always without one.
    said, decided, told
        Their lines.
    """

    def __init__(self, opened: Opened, party: str, *, with_secrets: bool) -> None:
        self._with_secrets = with_secrets
        self._salted = bool(party)
        self.said: PartLine | None = None
        self.decided: PartLine | None = None
        self.told: list[PartLine] = []
        self.concern = not party
        if opened.decided is None:
            return
        decided = decided_of(opened)
        mine = not party or any(
            isinstance(event, ReadBatch) and event.party == party for event in decided.events
        )
        self.decided = self._line(opened.decided, mine=mine)
        if opened.said is not None:
            self.said = self._line(opened.said, mine=not party or decided.party == party)
        # In the order in which the record names them.
        for part in sorted(opened.told, key=lambda part: part.hash):
            mine = not party or audience_of(part).audience == party
            self.told.append(self._line(part, mine=mine))

    def _line(self, part: Part, *, mine: bool) -> PartLine:
        if not mine:
            return part_line(part, withheld=OF_OTHERS, salted=False)
        self.concern = True
        clean = None if self._with_secrets else redacted(part.content)
        if clean is None:
            return part_line(part)
        # A party has these bytes itself, and needs the salt to prove that they are the ones.
        return part_line(part, withheld=HOLDS_SECRETS, redacted=clean, salted=self._salted)


def _text(subject: bytes) -> str:
    return subject.decode(errors="backslashreplace")


def _encoded(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
