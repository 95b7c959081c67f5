"""Verifying a whole journal or archive: chain, records, signatures, parts, tree and checkpoints.

Nothing is believed but the keys and the checkpoints that are given: leaf hashes are computed from
the entries, and only for pruned ones taken from the log's tiles, which the root then proves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from deconflict.journal.archive import Archive
from deconflict.journal.bare import Bare, Damage
from deconflict.journal.checkpoint import ORIGIN_PREFIX, parse_checkpoint, verify_checkpoint
from deconflict.journal.engine import EngineError, Row
from deconflict.journal.entry_check import EntryCheck
from deconflict.journal.errors import AlteredLogError, ProofError
from deconflict.journal.findings import Findings, Proved
from deconflict.journal.kept_checkpoint import KeptCheckpoints
from deconflict.journal.leaf import key_hash
from deconflict.journal.merkle import HASH_BYTES, Frontier
from deconflict.journal.note import parse_note
from deconflict.journal.opening import hash_of
from deconflict.journal.row_checksum import GroupRow, first_chain, next_chain, row_checksum
from deconflict.journal.seal import Sealer
from deconflict.journal.tile import WIDTH, TileFiles

Progress: TypeAlias = Callable[[float], None]
"""Called now and then with the part that is done, 0 to 1."""
_PROGRESS_EVERY = 1_000


class Checkpoints:
    """The checkpoints that a tree is compared with.

    Parameters
    ----------
    notes
        Signed notes by the name of where they came from.
    public_key
        The log's, 32 bytes; without it their signatures are not checked.
    findings
        What is wrong with one is added here.

    Attributes
    ----------
    signer
        SHA-256 of the log's key, from the key or else from a checkpoint's origin.
    """

    def __init__(
        self, notes: Sequence[tuple[str, bytes]], public_key: bytes | None, findings: Findings
    ) -> None:
        self._findings = findings
        self._wanted: list[tuple[str, int, bytes, bool | None]] = []
        self.signer = None if public_key is None else key_hash(public_key)
        for name, content in notes:
            try:
                note = parse_checkpoint(parse_note(content).text)
                if public_key is not None:
                    verify_checkpoint(content, public_key)
            except ProofError as error:
                findings.add(None, f"the checkpoint {name} does not hold: {error}")
                continue
            if self.signer is None:
                self.signer = _signer_of(note.origin)
            self._wanted.append((name, note.size, note.root, None if public_key is None else True))

    def compare(self, head: int, tree: TreeOfTiles | None) -> None:
        """Compare with the tree over `head` entries; ``None`` if it can't be computed."""
        self._findings.root = None if tree is None else tree.root_at(head)
        for name, size, root, signed in self._wanted:
            agrees: bool | None = None
            if size > head:
                missing = size - head
                self._findings.add(
                    None,
                    f"the checkpoint {name} covers {size} entries and the journal holds {head}: "
                    f"{missing} {'is' if missing == 1 else 'are'} missing",
                )
                agrees = False
            elif tree is not None:
                found = tree.root_at(size)
                agrees = None if found is None else found == root
                if agrees is False:
                    self._findings.add(
                        None,
                        f"the first {size} entries do not give the root of the checkpoint {name}",
                    )
            self._findings.proved.append(Proved(name, size, agrees, signed))


def _signer_of(origin: str) -> bytes | None:
    try:
        found = bytes.fromhex(origin.removeprefix(ORIGIN_PREFIX))
    except ValueError:
        return None
    return found if len(found) == HASH_BYTES else None


class TreeOfTiles:
    """Leaf hashes in tiles, from which the root at any size follows."""

    def __init__(self) -> None:
        self._tiles: list[bytes] = []
        self._roots: list[bytes] = []

    def add(self, leaves: bytes) -> None:
        """Add a tile of leaf hashes; only the last may have fewer than 256."""
        self._tiles.append(leaves)
        self._roots.append(_root(leaves))

    def root_at(self, size: int) -> bytes | None:
        """Return the root over the first so many leaves; ``None`` if there are not so many."""
        full, rest = divmod(size, WIDTH)
        if full > len(self._roots) or (rest and full == len(self._roots)):
            return None
        outer = Frontier()
        for root in self._roots[:full]:
            outer.append(root)
        if rest:
            leaves = self._tiles[full][: rest * HASH_BYTES]
            if len(leaves) != rest * HASH_BYTES:
                return None
            outer.append(_root(leaves))
        return outer.root()


def _root(leaves: bytes) -> bytes:
    inner = Frontier()
    for at in range(0, len(leaves), HASH_BYTES):
        inner.append(leaves[at : at + HASH_BYTES])
    return inner.root()


def verify_journal(
    journal: Bare,
    *,
    log: Path | None,
    notes: Sequence[tuple[str, bytes]],
    public_key: bytes | None,
    sealer: Sealer | None,
    progress: Progress = lambda _: None,
) -> Findings:
    """Verify all entries of a journal.

    Parameters
    ----------
    journal
        The journal.
    log
        The folder in which ``tile/`` stands, if there is one.
    notes
        Checkpoints by name, read before the journal was opened.
    public_key
        The log's key, 32 bytes.
    sealer
        Opens the parts.
    progress
        Told how far it got.

    Raises
    ------
    EngineError
        If the journal can't be read at all.
    """
    first, head = journal.first(), journal.head()
    findings = Findings(journal.name, first, head)
    checkpoints = Checkpoints(notes, public_key, findings)
    files = None if log is None else TileFiles(log)
    tree = _pruned(files, first, findings)
    if checkpoints.signer is None:
        tree = None
        findings.remarks.append("without a key or a checkpoint the tree can't be computed")
    elif not notes:
        findings.remarks.append("there is no checkpoint, so nothing outside proves the entries")
    check = EntryCheck(findings, public_key, sealer)
    chain = _Chain(journal, findings)
    hashed = hash_of(checkpoints.signer or bytes(HASH_BYTES))
    kept, leaves = b"", bytearray()
    for position, row in journal.rows(first, head):
        if position % WIDTH == 0 or position == first:
            kept = b"" if files is None else _kept(files, position // WIDTH)
        at = position % WIDTH * HASH_BYTES
        of_tile = kept[at : at + HASH_BYTES]
        chain.take(position, row)
        if isinstance(row, Damage):
            findings.add(position, row.why)
            leaf: bytes | None = of_tile or None
        else:
            check.check(position, row)
            leaf = hashed(row)
            if of_tile and checkpoints.signer is not None and leaf != of_tile:
                findings.add(position, "it is not the entry that the log's tile was made over")
        if leaf is None:
            tree = None
        else:
            leaves += leaf
        if len(leaves) == WIDTH * HASH_BYTES or position == head - 1:
            if tree is not None:
                tree.add(bytes(leaves))
            leaves.clear()
        if position % _PROGRESS_EVERY == 0:
            progress((position - first) / max(head - first, 1))
    checkpoints.compare(head, tree)
    return findings


def _pruned(files: TileFiles | None, first: int, findings: Findings) -> TreeOfTiles | None:
    """Return the tree of the entries that were pruned, as their tiles tell it."""
    tree = TreeOfTiles()
    for index in range(-(-first // WIDTH)):
        content = b"" if files is None else _kept(files, index)
        if not content or first % WIDTH:
            findings.remarks.append(
                f"the tiles of the {first} entries that were pruned are not at hand, so no root "
                "can be computed"
            )
            return None
        tree.add(content)
    return tree


def _kept(files: TileFiles, index: int) -> bytes:
    try:
        return files.read(0, index) or b""
    except OSError:
        return b""  # as if it were missing; the root shows whether it mattered


class _Chain:
    """Follows the chain of groups, by which the database itself holds together."""

    def __init__(self, journal: Bare, findings: Findings) -> None:
        self._groups = _readable(journal, findings)
        self._group = next(self._groups, None)
        self._findings = findings
        self._before = None if journal.first() else first_chain(journal.id)
        self._sums: list[bytes] | None = []

    def take(self, position: int, row: Row | Damage) -> None:
        """Take the next entry."""
        group = self._group
        if group is None or position < group.first:
            return
        if isinstance(row, Damage):
            self._sums = None
        elif self._sums is not None:
            self._sums.append(row_checksum(position, row))
        if position < group.stop - 1:
            return
        if self._before is not None and self._sums is not None:
            expected = next_chain(self._before, group.first, group.id, self._sums)
            if expected != group.chain:
                self._findings.add(
                    position,
                    f"the group of entries {group.first} to {position} does not follow the one "
                    "before it",
                )
        self._before = group.chain
        self._sums = []
        self._group = next(self._groups, None)


def _readable(journal: Bare, findings: Findings) -> Iterator[GroupRow]:
    try:
        yield from journal.groups(journal.first())
    except EngineError as error:
        findings.add(None, str(error))


def verify_archive(
    archive: Archive,
    *,
    log: Path | None,
    public_key: bytes | None,
    sealer: Sealer | None,
    notes: Sequence[tuple[str, bytes]] = (),
    progress: Progress = lambda _: None,
) -> Findings:
    """Verify an archive: each entry, its tile's proof, and the checkpoint in it.

    Parameters
    ----------
    archive
        The archive.
    log
        The folder in which ``tile/`` stands; its tiles are compared too.
    public_key
        The log's key; without it the one that the archive names, which proves less.
    notes
        Checkpoints to compare with besides its own.
    sealer, progress
        As for `verify_journal`.
    """
    first, stop = archive.first(), archive.head()
    findings = Findings(str(archive.path), first, stop)
    named = archive.heading.public_key
    if public_key is None:
        findings.remarks.append("the key is the one that the archive itself names; compare it")
    elif public_key != named:
        findings.add(None, "the archive is of a log with another key")
    signed = True
    try:
        verify_checkpoint(archive.heading.checkpoint, named)
    except ProofError as error:
        findings.add(None, f"its checkpoint does not hold: {error}")
        signed = False
    kept_ones = KeptCheckpoints(notes, public_key or named, findings)
    check = EntryCheck(findings, named, sealer)
    files = None if log is None else TileFiles(log)
    hashed = hash_of(key_hash(named))
    agrees = True
    try:
        for rows in archive.tiles():
            leaves = [hashed(row) for _, row in rows]
            for (position, row), leaf in zip(rows, leaves, strict=True):
                check.check(position, row)
                kept_ones.take(position, leaf)
            kept = b"" if files is None else _kept(files, rows[0][0] // WIDTH)
            if kept and kept != b"".join(leaves):
                findings.add(rows[0][0], "its tile is not the one that the log keeps")
            progress((rows[-1][0] - first) / (stop - first))
    except AlteredLogError as error:
        findings.add(None, str(error))
        agrees = False
    findings.proved.append(Proved("in the archive", archive.checkpoint.size, agrees, signed))
    kept_ones.compare(archive.checkpoint if agrees and signed else None, "archive")
    return findings
