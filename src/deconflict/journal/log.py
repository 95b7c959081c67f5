"""The log: a journal engine whose entries are sealed, signed, and proved by a tree of hashes.

`Log.append` seals and signs a group and hands it to the engine. `Log.advance`, in a thread of its
own, reads back what was committed, adds it to the tree, and signs a checkpoint over it: so nothing
is ever signed that a crash could take back.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, Self

from deconflict.journal.checkpoint import Checkpoint, origin
from deconflict.journal.durable import make_folder, replace_durably
from deconflict.journal.engine import (
    Engine,
    EngineError,
    Group,
    KeyGoneError,
    NoSpaceError,
    Outcome,
    Row,
)
from deconflict.journal.entry import Entry
from deconflict.journal.envelope import NONCE_BYTES
from deconflict.journal.errors import AlteredLogError, LogError, RolledBackError
from deconflict.journal.keys import Keys
from deconflict.journal.leaf import NAMESPACE, checksum, key_hash, leaf
from deconflict.journal.merkle import EMPTY_ROOT
from deconflict.journal.opened import EntryReader, Opened
from deconflict.journal.opening import (
    CHECKPOINT_FILE,
    RESTORE,
    check_signatures,
    hash_of,
    leaf_hashes,
    open_tree,
    read_checkpoint,
)
from deconflict.journal.seal import FreshKeys, Sealer
from deconflict.journal.tile import WIDTH, TileFiles, bundle
from deconflict.journal.tree import Tree

__all__ = ["Log", "LogError", "Opened"]

GROUP_ID_BYTES: Final = 16
_BATCH: Final = 4096
"""Entries that are added to the tree at a time, so that proofs never wait long."""
_TILES: Final = 16
"""Tiles that are checked at a time before a pruning, so that checkpoints never wait long."""


class Log:
    """A journal that is sealed, signed and proved; open it with `Log.open`.

    `append` is for one thread, `advance` for another, all else for any.

    Attributes
    ----------
    origin
        The log's name in checkpoints.
    public_key
        The key with which its leaves and checkpoints are checked: 32 bytes.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        keys: Keys,
        tree: Tree,
        signed: tuple[bytes, Checkpoint] | None,
    ) -> None:
        self.public_key = keys.public_key
        self.origin = origin(self.public_key)
        self._engine = engine
        self._folder = folder
        self._signing = keys.signing
        self._key_hash = key_hash(self.public_key)
        self._sealer = Sealer(keys, engine.key)
        self._tree = tree
        self._signed = signed
        self._last_group: bytes | None = None
        # What this process appended and no checkpoint covers yet: record and signature.
        self._own: dict[int, tuple[bytes, bytes]] = {}
        self._covered_us = 0
        self._writing = (
            threading.Lock()
        )  # one of append, recover and erase, and each step of prune that destroys keys
        self._advancing = threading.Lock()
        self._sealing = threading.Lock()  # the opened keys
        self._reader = EntryReader(engine, tree, self._sealer, self._sealing, self.public_key)

    @classmethod
    def open(cls, engine: Engine, folder: Path, keys: Keys) -> Self:
        """Open the log of a journal; nothing is written by that.

        Parameters
        ----------
        engine
            The journal's engine, which the log closes.
        folder
            Where ``checkpoint`` and ``tile/`` stand: ``log`` in the data folder.
        keys
            The service's keys.

        Raises
        ------
        LogError
            If the journal does not extend the last checkpoint: rolled back, foreign or altered.
        EngineError
            If the engine fails.
        """
        public_key = keys.public_key
        # The checkpoint first: a writer beside us can only take the journal farther.
        signed = read_checkpoint(folder, public_key)
        tree = open_tree(engine, folder, public_key, signed and signed[1])
        return cls(engine, folder, keys, tree, signed)

    def head(self) -> int:
        """Return the number of entries ever appended."""
        return self._engine.head()

    def first(self) -> int:
        """Return the first position that is still kept."""
        return self._engine.first()

    def append(self, expected_head: int, entries: Sequence[Entry]) -> Outcome:
        """Seal, sign and commit entries: all of them or none.

        Parameters
        ----------
        expected_head
            The position of the first.
        entries
            At least one.

        Raises
        ------
        EngineError
            If it failed; where its outcome is not known, `recover` finds it.
        """
        with self._writing:
            self._last_group = None  # until there is one: a failure before that wrote nothing
            if self._signed is None:
                self._begin()
            try:
                return self._append(expected_head, entries)
            except KeyGoneError:
                # Another node pruned or erased it; under a fresh look at the keys it goes on.
                with self._sealing:
                    self._sealer.forget()
                return self._append(expected_head, entries)

    def _append(self, expected_head: int, entries: Sequence[Entry]) -> Outcome:
        fresh = FreshKeys()
        rows = self._rows(entries, fresh)
        group = Group(os.urandom(GROUP_ID_BYTES), rows, fresh.wrapped())
        self._last_group = group.id
        outcome = self._engine.append(expected_head, group)
        if outcome is Outcome.ACCEPTED:
            if self._engine.shared:
                for position, row in enumerate(rows, expected_head):
                    self._own[position] = (row.record, row.signature)
            with self._sealing:
                self._sealer.keep(fresh)
        return outcome

    def _rows(self, entries: Sequence[Entry], fresh: FreshKeys) -> tuple[Row, ...]:
        sign = self._signing.sign
        with self._sealing:
            subjects = [entry.subject for entry in entries]
            key_ids = self._sealer.look_up(subjects, self._engine.wrapped_keys, fresh)
        nonces = os.urandom(NONCE_BYTES * len(entries))
        rows = []
        for number, (entry, key_id) in enumerate(zip(entries, key_ids, strict=True)):
            record = entry.record()
            message = sha256(record).digest()
            signature = sign(NAMESPACE + sha256(message).digest())
            nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
            with self._sealing:
                sealed = self._sealer.seal(entry, key_id, message, nonce, fresh)
            rows.append(Row(entry.time_us, record, signature, key_id, sealed))
        return tuple(rows)

    def _begin(self) -> None:
        """Sign the empty tree before the first entry: without a checkpoint no journal is opened."""
        try:
            self._sign(Checkpoint(self.origin, 0, EMPTY_ROOT))
        except OSError as error:
            kind = NoSpaceError if error.errno == errno.ENOSPC else EngineError
            raise kind(
                f"nothing was appended: the first checkpoint can't be written to {self._folder}: "
                f"{error.strerror}"
            ) from None

    def recover(self) -> bool:
        """Close the engine, open it again, and verify it, after an append of unknown outcome.

        Returns
        -------
        bool
            Whether the last group was committed.

        Raises
        ------
        LogError
            If the journal does not extend what was read back of it before.
        EngineError
            If the engine can't be opened.
        """
        with self._writing, self._advancing:
            self._engine.reopen()
            with self._sealing:
                self._sealer.forget()
            size, head = self._tree.size, self._engine.head()
            if head < size:
                raise RolledBackError(
                    f"the journal holds {head} entries, but {size} were committed: "
                    f"{size - head} are missing; put the newest copy back, or {RESTORE}",
                    size - head,
                )
            for _ in self._reader.checked(max(size - 1, self._engine.first()), size):
                pass  # the last entry hashes to its leaf: nothing before it went another way
            check_signatures(self._engine, self.public_key, size)
            return self._last_group is not None and self._engine.find(self._last_group) is not None

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries, each compared with its leaf as far as checkpoints reach.

        Parameters
        ----------
        start, stop
            The first position, and the one behind the last; to the head if ``None``.

        Raises
        ------
        AlteredLogError
            If an entry is not what it was when it was committed.
        EngineError
            If the engine fails, or `start` was pruned.
        """
        return self._reader.read(start, stop)

    def advance(self) -> Checkpoint | None:
        """Read back what was committed since, add it to the tree, and sign a checkpoint.

        Returns
        -------
        Checkpoint or None
            The new one, stored durably; ``None`` if there was nothing new.

        Raises
        ------
        EngineError
            If the engine fails.
        LogError
            If tiles or checkpoint can't be stored; a later call tries again.
        """
        with self._advancing:
            hashed = hash_of(self._key_hash)
            rows = iter(self._engine.read(self._tree.size))
            while batch := list(islice(rows, _BATCH)):
                if self._engine.shared:
                    self._require_signed(batch)
                self._tree.extend(b"".join([hashed(row) for _, row in batch]))
            size = self._tree.size
            if size == (self._signed[1].size if self._signed else 0):
                return None
            checkpoint = Checkpoint(self.origin, size, self._tree.root())
            try:
                self._tree.store()
                self._sign(checkpoint)
            except OSError as error:
                raise LogError(
                    f"the checkpoint over {size} entries can't be written to {self._folder}: "
                    f"{error.strerror}; the entries are safe, and it is tried again"
                ) from None
            return checkpoint

    def _require_signed(self, batch: Sequence[tuple[int, Row]]) -> None:
        """Refuse entries that are neither the own ones nor signed with the service's key.

        Ed25519 gives one signature for one message, and to sign again takes half the time that
        verifying takes. A record holds no position, so one of ours that somebody put behind later
        ones is told by its time.
        """
        sign, since_us = self._signing.sign, self._covered_us
        for position, row in batch:
            own = self._own.get(position)
            if own is None:
                ours = sign(NAMESPACE + checksum(row.record)) == row.signature
            else:
                ours = own == (row.record, row.signature)
            if not ours or row.time_us < since_us:
                raise AlteredLogError(
                    f"entry {position} of the journal was not written there by a node of this "
                    "service: its signature or its time is wrong; find out who else can write to "
                    f"the engine, and {RESTORE}"
                )
            since_us = row.time_us
        self._covered_us = since_us
        for position in [each for each in list(self._own) if each <= batch[-1][0]]:
            del self._own[position]

    def _sign(self, checkpoint: Checkpoint) -> None:
        content = checkpoint.sign(self._signing)
        make_folder(self._folder)
        replace_durably(self._folder / CHECKPOINT_FILE, content)
        self._signed = content, checkpoint

    def checkpoint(self) -> bytes | None:
        """Return the last signed checkpoint, a signed note."""
        return None if self._signed is None else self._signed[0]

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """Return the proof that an entry stands in the tree of some size.

        Raises
        ------
        ProofError
            If it doesn't, or the tree is not that large yet.
        """
        return self._tree.inclusion(position, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of one size extends that of another.

        Raises
        ------
        ProofError
            If there is none, or the tree is not that large yet.
        """
        return self._tree.consistency(old, new)

    def tile(self, level: int, index: int, width: int = WIDTH) -> bytes | None:
        """Return the first hashes of a tile; ``None`` if it has no `width` hashes yet."""
        return self._tree.tile(level, index, width)

    def entries(self, index: int, width: int = WIDTH) -> bytes | None:
        """Return a bundle of leaves; ``None`` if there are no `width` yet, or one is pruned."""
        start = index * WIDTH
        stop = start + width
        if self._tree.tile(0, index, width) is None or start < self._engine.first():
            return None
        rows = self._engine.read(start, stop)
        return bundle([leaf(row.record, row.signature, self._key_hash) for _, row in rows])

    def extends(self, older: Checkpoint) -> bool:
        """Whether this log holds all that an older checkpoint covers, unaltered."""
        return older.size <= self._tree.size and self._tree.root_at(older.size) == older.root

    def erase(self, subject: bytes) -> None:
        """Destroy a subject's key: what its entries said is gone, and their proofs stay.

        A later entry about the same subject is sealed under a new key.
        """
        key_id = self._sealer.key_id(subject)
        with self._writing, self._sealing:
            self._sealer.forget(key_id)
            self._engine.erase([key_id])

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and sealed entries, each compared with its leaf as `read` does."""
        return self._reader.checked(start, stop)

    def wrapped_key(self, key_id: bytes) -> bytes | None:
        """Return the wrapped key under which entries are sealed; ``None`` if it was erased."""
        return self._engine.key(key_id)

    def prunable(self, before: int) -> int:
        """Return where `prune` would cut: a multiple of 256, at most `before`."""
        covered = self._signed[1].size if self._signed else 0
        return max(min(before, covered) // WIDTH * WIDTH, self._engine.first())

    def prune(self, before: int) -> int:
        """Remove entries before a position whose leaves stand in full tiles.

        Appends come in between its steps. What an interrupted pruning left is removed too.

        Returns
        -------
        int
            The first position that is kept then: a multiple of 256, at most `before`.

        Raises
        ------
        LogError
            If a tile is damaged or can't be stored.
        EngineError
            If the engine fails.
        """
        first, cut = self._engine.first(), self.prunable(before)
        try:
            for start in range(first // WIDTH * WIDTH, cut, _TILES * WIDTH):
                with self._advancing:
                    self._tree.ensure_stored(start, min(start + _TILES * WIDTH, cut))
        except OSError as error:
            raise LogError(
                f"nothing was pruned: a tile can't be written to {self._folder}: {error.strerror}"
            ) from None
        if cut:
            self._engine.prune(cut, self._forgetting)
        return cut

    @contextmanager
    def _forgetting(self, key_ids: Collection[bytes]) -> Iterator[None]:
        """Let nothing be sealed under keys while the engine destroys them."""
        with self._writing, self._sealing:
            for key_id in key_ids:
                self._sealer.forget(key_id)
            yield

    def close(self) -> None:
        """Let go of the journal. Closing twice is no error."""
        self._engine.close()


def begin_log(engine: Engine, folder: Path, keys: Keys) -> None:
    """Make the log of a journal that has entries and of which nobody has a checkpoint.

    Every signature is checked; whether the newest entries are missing can't be told.

    Raises
    ------
    AlteredLogError
        If an entry is not signed with the keys.
    EngineError, LogError
        If the engine fails, entries were pruned, or the log can't be stored.
    """
    check_signatures(engine, keys.public_key, 0)
    tree = Tree(TileFiles(folder), leaf_hashes(engine, key_hash(keys.public_key)))
    Log(engine, folder, keys, tree, None).advance()
