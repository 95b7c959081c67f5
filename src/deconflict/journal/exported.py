"""Exports: entries as lines of JSON that anybody can verify who has nothing else.

The first line says which log, with a signed checkpoint. Then each line is an entry: its record, its
leaf, the proof that leads from the leaf to the checkpoint's root, and of each part the hash, and
unless it is withheld the salt and the content. The last line counts the entries and repeats the
root. Hashes and salts are in hexadecimal, so that `sha256sum` and `openssl` check them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec

from deconflict.journal.checkpoint import Checkpoint, origin, verify_checkpoint
from deconflict.journal.entry import Part
from deconflict.journal.entry_check import public_key_of
from deconflict.journal.errors import ProofError
from deconflict.journal.findings import Findings, Proved
from deconflict.journal.kept_checkpoint import KeptCheckpoints
from deconflict.journal.leaf import key_hash, leaf, verify_leaf
from deconflict.journal.merkle import leaf_hash, verify_inclusion

FORMAT: Final = "deconflict journal export 1"
MOST_LINE_BYTES: Final = 64 << 20
_PROGRESS_EVERY: Final = 1_000


class LogLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="log"):
    """The first line.

    Attributes
    ----------
    format
        `FORMAT`.
    origin, public_key, checkpoint
        The log, its Ed25519 key in hexadecimal, and a signed note.
    first, stop
        The positions among which the entries are; without a party all of them are here.
    party
        Whose entries these are; empty: everybody's.
    secrets
        Whether parts that hold secrets are given.
    """

    format: str = FORMAT
    origin: str
    public_key: str
    checkpoint: str
    first: int
    stop: int
    party: str = ""
    secrets: bool = False


class PartLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of an entry.

    Attributes
    ----------
    hash
        SHA-256 over salt and content.
    salt
        16 bytes; left out where the reader may not learn the content.
    content, content_base64
        The content as text if it is UTF-8, else in base64; neither, if it is withheld.
    signature
        The submitter's, in hexadecimal.
    withheld
        Why the content is not given.
    redacted
        What of a withheld content may be read; it can't be hashed any more.
    """

    hash: str
    salt: str | None = None
    content: str | None = None
    content_base64: str | None = None
    signature: str | None = None
    withheld: str | None = None
    redacted: str | None = None


class EntryLine(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="entry"
):
    """A line for an entry.

    Attributes
    ----------
    position
        Its place in the log.
    time
        Its time, UTC.
    subject
        What it is about.
    record
        The record's bytes as text.
    leaf
        The leaf, 128 bytes.
    proof
        The inclusion proof, from the leaf's sibling upward.
    said, decided, told
        The parts.
    erased
        Whether the parts were erased.
    """

    position: int
    time: str
    subject: str | None = None
    record: str
    leaf: str
    proof: list[str]
    said: PartLine | None = None
    decided: PartLine | None = None
    told: list[PartLine] = []
    erased: bool = False


class EndLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The last line: how many entries there are, and size and root of the checkpoint's tree."""

    entries: int
    size: int
    root: str


Line: TypeAlias = LogLine | EntryLine | EndLine


def part_line(
    part: Part, *, withheld: str | None = None, redacted: bytes | None = None, salted: bool = True
) -> PartLine:
    """Return the line of a part.

    Parameters
    ----------
    part
        The part.
    withheld
        Why its content is not given.
    redacted
        What of it may be read then.
    salted
        Whether the salt is given.
    """
    text: str | None = None
    encoded: str | None = None
    if withheld is None:
        try:
            text = part.content.decode()
        except UnicodeDecodeError:
            encoded = base64.b64encode(part.content).decode()
    return PartLine(
        hash=part.hash.hex(),
        salt=part.salt.hex() if salted else None,
        content=text,
        content_base64=encoded,
        signature=part.signature.hex() or None,
        withheld=withheld,
        redacted=None if redacted is None else redacted.decode(errors="backslashreplace"),
    )


def is_export(path: Path) -> bool:
    """Tell whether a file begins as an export does."""
    with path.open("rb") as stream:
        return stream.read(1) == b"{"


def verify_export(
    path: Path,
    *,
    public_key: bytes | None = None,
    notes: Sequence[tuple[str, bytes]] = (),
    progress: Callable[[float], None] = lambda _: None,
) -> Findings:
    """Verify an export with nothing but the export.

    Parameters
    ----------
    path
        The file.
    public_key
        The log's key as it is known from elsewhere, 32 bytes; without it the one that the export
        names is believed, which is remarked.
    notes
        Checkpoints to compare with, by the name of where they came from.
    progress
        Told how far it got, 0 to 1.

    Raises
    ------
    ProofError
        If it is no export.
    OSError
        If it can't be read.
    """
    with path.open("rb") as stream:
        lines = _lines(stream, path.stat().st_size, progress)
        begin = next(lines, None)
        if not isinstance(begin, LogLine) or begin.format != FORMAT:
            raise ProofError(f"{path} is no export of a journal in a form that is known here")
        return _Verification(str(path), begin, public_key, notes).run(lines)


def _lines(
    stream: BinaryIO, size: int, progress: Callable[[float], None]
) -> Iterator[Line | ProofError]:
    decoder = msgspec.json.Decoder(Line)
    done = number = 0
    while content := stream.readline(MOST_LINE_BYTES):
        done, number = done + len(content), number + 1
        if not content.endswith(b"\n"):
            yield ProofError(f"line {number} is cut off")
            return
        try:
            yield decoder.decode(content)
        except msgspec.DecodeError as error:
            yield ProofError(f"line {number} can't be understood: {error}")
        if number % _PROGRESS_EVERY == 0:
            progress(done / size)


class _Record(msgspec.Struct):
    v: int
    time_us: int
    said: str | None
    decided: str
    told: list[str]


class _Verification:
    """One run over the lines of an export."""

    def __init__(
        self,
        source: str,
        begin: LogLine,
        public_key: bytes | None,
        notes: Sequence[tuple[str, bytes]],
    ) -> None:
        self._begin = begin
        self._findings = findings = Findings(source, begin.first, begin.stop, party=begin.party)
        self._next = begin.first
        self._key = _unhexed(begin.public_key)
        if public_key is None:
            findings.remarks.append(
                f"the key is the one that the export names, {begin.public_key}: compare it with "
                "the one that you have from the service itself"
            )
        elif public_key != self._key:
            findings.add(None, "the export is of a log with another key")
        self._checkpoint: Checkpoint | None = None
        try:
            self._public = public_key_of(self._key)
            if begin.origin != origin(self._key):
                raise ProofError("the origin is not that of the key")  # noqa: TRY301
            self._checkpoint = verify_checkpoint(begin.checkpoint.encode(), self._key)
        except (ProofError, ValueError) as error:
            findings.add(None, f"the checkpoint does not hold: {error}")
        self._kept = KeptCheckpoints(notes, public_key or self._key, findings)

    def run(self, lines: Iterator[Line | ProofError]) -> Findings:
        findings, end = self._findings, None
        for line in lines:
            if end is not None:
                findings.add(None, "lines follow behind the last one")
                break
            if isinstance(line, ProofError):
                findings.add(None, str(line))
            elif isinstance(line, EntryLine):
                self._entry(line)
            elif isinstance(line, EndLine):
                end = line
            else:
                findings.add(None, "a second first line stands within the file")
        self._end(end)
        return findings

    def _entry(self, line: EntryLine) -> None:
        findings, position = self._findings, line.position
        findings.entries += 1
        in_turn = position == self._next if not self._begin.party else position >= self._next
        if not in_turn or position >= self._begin.stop:
            findings.add(position, f"it stands where entry {self._next} belongs")
        self._next = position + 1
        if self._checkpoint is None:
            return
        record = line.record.encode()
        try:
            content = _unhexed(line.leaf)
            verify_leaf(content, record, self._key)
            findings.signatures += 1
            proof = [_unhexed(each) for each in line.proof]
            root, size = self._checkpoint.root, self._checkpoint.size
            hashed = leaf_hash(content)
            verify_inclusion(hashed, position, size, proof, root)
            self._kept.take(position, hashed)
            self._parts(line, msgspec.json.decode(record, type=_Record))
        except (ProofError, msgspec.DecodeError) as error:
            findings.add(position, str(error))

    def _parts(self, line: EntryLine, record: _Record) -> None:
        findings = self._findings
        if line.erased:
            findings.erased += 1
            return
        named = [*([] if record.said is None else [record.said]), record.decided, *record.told]
        given = [part for part in (line.said, line.decided, *line.told) if part is not None]
        by_hash = sorted(part.hash for part in given)
        if by_hash != sorted(named) or (line.said and line.said.hash != record.said):
            raise ProofError("its parts are not those that its record names")
        if line.time != time_text(record.time_us):
            raise ProofError("its time is not that of its record")
        for part in given:
            content = _content(part)
            if content is None:
                findings.withheld += 1
                findings.provable += part.salt is not None
            elif hashlib.sha256(_unhexed(part.salt or "") + content).hexdigest() != part.hash:
                raise ProofError("a part does not hash to what its record says")
        findings.opened += 1

    def _end(self, end: EndLine | None) -> None:
        findings, checkpoint = self._findings, self._checkpoint
        if end is None:
            findings.add(None, "the export is cut off: its last line is missing")
        elif end.entries != findings.entries:
            findings.add(
                None, f"it holds {findings.entries} entries, and its last line says {end.entries}"
            )
        if not self._begin.party and self._next != self._begin.stop:
            findings.add(None, f"the entries {self._next} to {self._begin.stop - 1} are missing")
        if checkpoint is not None:
            self._compare(end, checkpoint)
        self._kept.compare(checkpoint, "export")

    def _compare(self, end: EndLine | None, checkpoint: Checkpoint) -> None:
        findings = self._findings
        agrees = end is not None and (end.size, end.root) == (
            checkpoint.size,
            checkpoint.root.hex(),
        )
        if end is not None and not agrees:
            findings.add(None, "its last line names another tree than its checkpoint")
        proved = agrees and findings.wrong_count == 0
        findings.proved.append(Proved("in the export", checkpoint.size, proved, signed=True))


def _content(part: PartLine) -> bytes | None:
    if part.content is not None:
        return part.content.encode()
    if part.content_base64 is None:
        return None
    try:
        return base64.b64decode(part.content_base64, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("a part's content is no base64") from None


def _unhexed(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ProofError("a hash or key is not in hexadecimal") from None


def time_text(time_us: int) -> str:
    """Return an instant as text: UTC to the microsecond."""
    from datetime import UTC, datetime, timedelta

    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_of(record: bytes, signature: bytes, public_key: bytes) -> str:
    """Return a leaf in hexadecimal."""
    return leaf(record, signature, key_hash(public_key)).hex()
