"""`deconflict journal show`: entries in readable form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import DOUBTFUL, QUIET, TITLE, Writer, write_json
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deconflict.journal.entry import Part
    from deconflict.journal.log import Opened
    from deconflict.server.record import Record

_MOST_TEXT = 2_000
"""Characters of a part that are shown; --json gives all."""


@spoken
def show(
    *positions: Annotated[int, Parameter(name="POSITION")],
    entity: str | None = None,
    party: str | None = None,
    last: int | None = None,
    with_secrets: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    data: Path | None = None,
    journal: str | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Show entries in readable form, with their parts and proofs.

    Works beside a running server, and reads the archives too. OVNs, tokens and other secrets are
    left out unless they are asked for.

    Parameters
    ----------
    positions
        Positions of entries, counted from 0.
    entity
        Entries about this entity or subscription, and those whose parts name it.
    party
        Entries in which this party asked, was told or was shown something.
    last
        Of those found only the last so many; without anything else, of all.
    with_secrets
        Show OVNs, tokens and other secrets.
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    json
        Print a line of JSON for each entry.
    """
    from deconflict.cli.progress import progress
    from deconflict.geo.errors import InputError
    from deconflict.server.record import Record

    if not (positions or entity or party or last):
        raise InputError(
            "it is not said which entries to show",
            "give positions, --entity, --party, or --last such as --last 10",
        )
    if any(position < 0 for position in positions) or (last is not None and last < 1):
        raise InputError(
            "entries are counted from 0, and --last is at least 1", "write another number"
        )
    folder = data_folder(data)
    place = journal_location(folder, journal)
    with Record.open(folder, place) as record, progress("Reading the journal") as advance:
        found = list(_chosen(record, positions, entity, party, last=last, advance=advance))
        writer = None if json else Writer()
        for opened in found:
            if writer is None:
                write_json(_as_json(record, opened, with_secrets=with_secrets))
            else:
                _print(writer, record, opened, with_secrets=with_secrets)
        if writer is not None and not found:
            writer.line("No such entry is in the record.")
    return ExitStatus.CLEAR


def _chosen(
    record: Record,
    positions: tuple[int, ...],
    entity: str | None,
    party: str | None,
    *,
    last: int | None,
    advance: Callable[[float], None],
) -> Iterator[Opened]:
    from collections import deque

    from deconflict.journal.errors import LogError

    if positions:
        for position in positions:
            if position >= record.head():
                raise LogError(
                    f"there is no entry {position}: the record ends before entry {record.head()}"
                )
            yield from record.read(position, position + 1)
        return
    first, head = record.first(), record.head()
    if entity is None and party is None:
        yield from record.read(max(first, head - (last or 0)), head)
        return
    kept: deque[Opened] = deque(maxlen=last)
    for opened in record.read(first, head):
        if _concerns(opened, entity, party):
            kept.append(opened)
        if opened.position % 1_000 == 0:
            advance((opened.position - first) / max(head - first, 1))
    yield from kept


def _concerns(opened: Opened, entity: str | None, party: str | None) -> bool:
    from deconflict.register.event import ReadBatch
    from deconflict.server.exporting import audience_of
    from deconflict.server.replay import decided_of

    if entity is not None:
        named = entity.lower().encode()
        parts = [part.content.lower() for part in (opened.decided, *opened.told) if part]
        if opened.subject != named and not any(named in content for content in parts):
            return False
    if party is None:
        return True
    decided = decided_of(opened)
    return (
        decided.party == party
        or any(isinstance(one, ReadBatch) and one.party == party for one in decided.events)
        or any(audience_of(part).audience == party for part in opened.told)
    )


def _as_json(record: Record, opened: Opened, *, with_secrets: bool) -> object:
    from deconflict.journal.exported import leaf_of, time_text

    def part(one: Part | None) -> object:
        if one is None:
            return None
        content, clean = _content(one, with_secrets=with_secrets)
        return {"hash": one.hash.hex(), "content": content, "secrets_left_out": clean}

    size, proof = _proof(record, opened)
    return {
        "position": opened.position,
        "time": time_text(opened.time_us),
        "subject": None if opened.subject is None else _text(opened.subject),
        "record": opened.record.decode(),
        "leaf": leaf_of(opened.record, opened.signature, record.log.public_key),
        "checkpoint_size": size,
        "proof": proof,
        "erased": opened.erased,
        "said": part(opened.said),
        "decided": part(opened.decided),
        "told": [part(one) for one in opened.told],
    }


def _proof(record: Record, opened: Opened) -> tuple[int, list[str]]:
    from deconflict.journal.checkpoint import parse_checkpoint
    from deconflict.journal.note import parse_note

    note = record.log.checkpoint()
    size = 0 if note is None else parse_checkpoint(parse_note(note).text).size
    if opened.position >= size:
        return size, []
    return size, [each.hex() for each in record.log.inclusion(opened.position, size)]


def _content(part: Part, *, with_secrets: bool) -> tuple[str, bool]:
    """Return a part's content as text, and whether secrets were left out."""
    from deconflict.server.secrets_within import redacted

    clean = None if with_secrets else redacted(part.content)
    return _text(part.content if clean is None else clean), clean is not None


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")


def _print(writer: Writer, record: Record, opened: Opened, *, with_secrets: bool) -> None:
    from deconflict.journal.exported import time_text
    from deconflict.server.replay import decided_of
    from deconflict.server.secrets_within import redacted_text

    writer.line(f"entry {opened.position:,}  {time_text(opened.time_us)}", TITLE)
    if opened.erased:
        writer.pair("erased", "its text is gone; record and proof stand", DOUBTFUL)
    else:
        decided = decided_of(opened)
        writer.pair("party", decided.party or "(the service itself)")
        request = decided.request if with_secrets else redacted_text(decided.request)
        writer.pair("command", f"{decided.command}  {request}".rstrip())
        writer.pair("about", "" if opened.subject is None else _text(opened.subject))
        for name, part in (
            ("said", opened.said),
            ("decided", opened.decided),
            *(("told", part) for part in opened.told),
        ):
            if part is not None:
                _print_part(writer, name, part, with_secrets=with_secrets)
    size, proof = _proof(record, opened)
    writer.pair("record", opened.record.decode(), QUIET)
    writer.pair("signature", opened.signature.hex(), QUIET)
    if proof or size == 1:
        writer.pair("proof", f"of {len(proof)} hashes, in the tree of {size:,} entries", QUIET)
    else:
        writer.pair("proof", "none yet: no checkpoint covers it so far", DOUBTFUL)
    writer.line()


def _print_part(writer: Writer, name: str, part: Part, *, with_secrets: bool) -> None:
    content, clean = _content(part, with_secrets=with_secrets)
    content = _in_one_line(content)
    if len(content) > _MOST_TEXT:
        content = f"{content[:_MOST_TEXT]} ... and {len(content) - _MOST_TEXT:,} more characters"
    writer.pair(name, content or "(empty)")
    writer.pair("", f"sha256 {part.hash.hex()}" + (", secrets left out" if clean else ""), QUIET)


def _in_one_line(text: str) -> str:
    """Return JSON without its line breaks and indents, any other text with its breaks escaped."""
    import msgspec

    try:
        return msgspec.json.format(text, indent=-1)
    except msgspec.DecodeError:
        return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
