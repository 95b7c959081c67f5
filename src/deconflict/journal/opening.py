"""What is checked before a log is used: that journal, checkpoint and key belong together.

The last signed checkpoint stands outside the journal. The journal must go on from it: hold at
least as many entries, with the same tree. To hash a million entries anew at each start would take
minutes, so the tree is loaded from its tiles, compared with the signed root, and then compared
with the entries at both its ends; every other entry is compared with its leaf when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deconflict.journal.checkpoint import Checkpoint, origin, parse_checkpoint, verify_checkpoint
from deconflict.journal.engine import Engine, Row
from deconflict.journal.errors import (
    AlteredLogError,
    ForeignLogError,
    LogError,
    ProofError,
    RolledBackError,
)
from deconflict.journal.leaf import NAMESPACE, checksum, key_hash
from deconflict.journal.merkle import HASH_BYTES
from deconflict.journal.note import MAX_NOTE_BYTES, parse_note
from deconflict.journal.tile import WIDTH, TileFiles
from deconflict.journal.tree import LeafHashes, Tree

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHECKPOINT_FILE: Final = "checkpoint"
RESTORE: Final = "go on from what is left as a new log: deconflict journal restore"


def hash_of(signer: bytes) -> Callable[[Row], bytes]:
    """Return a function that hashes the leaf of a row as one signer's leaves are hashed."""

    def leaf_hash_of(row: Row) -> bytes:
        message = sha256(row.record).digest()
        return sha256(b"\x00" + sha256(message).digest() + row.signature + signer).digest()

    return leaf_hash_of


def leaf_hashes(engine: Engine, signer: bytes) -> LeafHashes:
    """Return the source of leaf hashes that computes them from an engine's entries."""
    hashed = hash_of(signer)

    def read(start: int, stop: int) -> bytes:
        first = engine.first()
        if start < first:
            raise AlteredLogError(
                f"the tile of the entries {start} to {stop - 1} is missing or damaged, and can't "
                f"be made again, because entries before {first} were pruned; put the folder "
                f"log/tile back from a backup, or {RESTORE}"
            )
        found = b"".join([hashed(row) for _, row in engine.read(start, stop)])
        if len(found) != (stop - start) * HASH_BYTES:
            raise AlteredLogError(
                f"the journal does not hold all entries from {start} to {stop - 1}; put a good "
                f"copy of it back, or {RESTORE}"
            )
        return found

    return read


def read_checkpoint(folder: Path, public_key: bytes) -> tuple[bytes, Checkpoint] | None:
    """Return the last signed checkpoint, once its signature is checked; ``None`` if none is there.

    Raises
    ------
    ForeignLogError
        If it was signed with another key.
    AlteredLogError
        If it is damaged.
    LogError
        If it can't be read.
    """
    path = folder / CHECKPOINT_FILE
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_NOTE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LogError(f"the checkpoint {path} can't be read: {error.strerror}") from None
    expected = origin(public_key)
    try:
        found = parse_checkpoint(parse_note(content).text)
        if found.origin != expected:
            raise ForeignLogError(
                f"the checkpoint {path} belongs to the log {found.origin}, but the signing key is "
                f"that of {expected}; put back the key files or the data folder that belong "
                f"together, or {RESTORE}"
            )
        return content, verify_checkpoint(content, public_key)
    except ProofError as error:
        raise AlteredLogError(
            f"the checkpoint {path} is damaged or was altered: {error}; put a good copy of it "
            f"back, or {RESTORE}"
        ) from None


def open_tree(engine: Engine, folder: Path, public_key: bytes, signed: Checkpoint | None) -> Tree:
    """Return the tree that a checkpoint covers, once the journal was found to extend it.

    Parameters
    ----------
    engine
        Where the entries are; asked for its head after the checkpoint was read.
    folder
        The log's folder.
    public_key
        The log's public key, 32 bytes.
    signed
        The last checkpoint.

    Raises
    ------
    LogError
        If the journal lacks entries, is foreign or altered: how many, and what to do.
    EngineError
        If the engine fails.
    """
    head = engine.head()
    if signed is None:
        if head:
            raise LogError(
                f"the journal holds {head} entries, but {folder / CHECKPOINT_FILE} is missing, so "
                "it can't be told whether entries are missing too; put the folder log back from "
                f"where it was, or {RESTORE}"
            )
        return Tree(TileFiles(folder), leaf_hashes(engine, key_hash(public_key)))
    if head < signed.size:
        missing = signed.size - head
        raise RolledBackError(
            f"the journal holds {head} entries, but its last checkpoint covers {signed.size}: "
            f"{missing} {'is' if missing == 1 else 'are'} missing; an older copy was put back, or "
            f"the newest part was lost; put the newest copy back, or {RESTORE}",
            missing,
        )
    first = engine.first()
    if engine.shared and first > signed.size:
        raise LogError(
            f"the log in {folder} ends before entry {signed.size}, and the journal begins with "
            f"entry {first}: what lies between was pruned while no node ran on this folder; start "
            "the node on it, which takes the log of another, or name the folder of one that ran"
        )
    tree = _extended(engine, folder, public_key, signed)
    check_signatures(engine, public_key, signed.size)
    return tree


def _extended(engine: Engine, folder: Path, public_key: bytes, signed: Checkpoint) -> Tree:
    files = TileFiles(folder)
    source = leaf_hashes(engine, key_hash(public_key))
    first = engine.first()
    tree = Tree.load(files, source, signed.size)
    if tree.root() != signed.root or not _ends_agree(tree, source, first):
        # Either a tile or an entry is not what it was; the entries alone decide.
        tree = Tree.rebuild(files, source, signed.size, first)
    if tree.root() != signed.root:
        _refuse(engine, public_key, first, signed)
    return tree


def _ends_agree(tree: Tree, source: LeafHashes, first: int) -> bool:
    """Tell whether the entries in the first and last tile of what is kept hash to their leaves.

    A journal that went another way from some entry on differs in all entries behind that one.
    """
    if first >= tree.size:
        return True
    for index in {first // WIDTH, (tree.size - 1) // WIDTH}:
        start = max(first, index * WIDTH)
        stop = min(tree.size, (index + 1) * WIDTH)
        kept = tree.leaf_tile(index)[(start - index * WIDTH) * HASH_BYTES :]
        if source(start, stop) != kept[: (stop - start) * HASH_BYTES]:
            return False
    return True


def _refuse(engine: Engine, public_key: bytes, first: int, signed: Checkpoint) -> None:
    public = _verifier(public_key)
    ends = {first, signed.size - 1} if first < signed.size else set()
    rows = [row for at in ends for _, row in engine.read(at, at + 1)]
    if rows and not any(_is_signed(public, row) for row in rows):
        raise ForeignLogError(
            "the journal belongs to another log: its entries are signed with another key; put back "
            "the journal and the folder log that belong together, or " + RESTORE
        )
    raise AlteredLogError(
        f"the journal is not the one over which its last checkpoint was signed: of the first "
        f"{signed.size} entries at least one is altered, exchanged or damaged; put a good copy "
        f"back (deconflict journal verify finds the entry), or {RESTORE}"
    )


def check_signatures(engine: Engine, public_key: bytes, start: int) -> None:
    """Check the signatures of the entries from a position on, which no checkpoint covers yet.

    Raises
    ------
    AlteredLogError
        If one is not the log's.
    """
    public = _verifier(public_key)
    for position, row in engine.read(start):
        if not _is_signed(public, row):
            raise AlteredLogError(
                f"entry {position} of the journal is altered, or was signed with another key; put "
                f"a good copy back, or {RESTORE}"
            )


def _verifier(public_key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public_key)


def _is_signed(public: Ed25519PublicKey, row: Row) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(row.signature, NAMESPACE + checksum(row.record))
    except InvalidSignature:
        return False
    return True
