"""Copying a history from one engine to another, so that its proof goes on.

Rows are copied as they are, sealed and signed, with the wrapped keys that are left of them. So
every leaf, root and checkpoint stays what it was. A copy may run beside the service, may be
interrupted, and goes on where it ended. What the target holds already is compared first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from deconflict.journal.durable import make_folder
from deconflict.journal.engine import (
    Engine,
    EngineError,
    Group,
    GroupTooLargeError,
    Outcome,
    Row,
)
from deconflict.journal.errors import AlteredLogError, LogError
from deconflict.journal.keys import Keys
from deconflict.journal.leaf import key_hash
from deconflict.journal.location import Location
from deconflict.journal.merkle import HASH_BYTES
from deconflict.journal.opening import hash_of, leaf_hashes, open_tree, read_checkpoint
from deconflict.journal.seal import Sealer
from deconflict.journal.tile import WIDTH, TileFiles
from deconflict.journal.tree import Tree
from deconflict.server.record import ARCHIVE, KEYS, LOG, absent, archives_of, opened_row

BATCH_ROWS: Final = 256
BATCH_BYTES: Final = 4 * 2**20
_GROUP_ID_BYTES: Final = 16

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to.

    Attributes
    ----------
    source, target
        Where from, and where to; without passwords.
    first, stop
        The first position that both keep, and the one behind the last.
    copied
        How many entries this run copied; the others were there already.
    keys
        How many wrapped keys were looked up in both and were the same; one that is used all
        through the history counts once a batch.
    checkpoint
        Size of the last signed checkpoint, which both extend.
    root
        Root of the tree over all entries, in hexadecimal.
    pruned
        How many entries this run removed from the target, since the source pruned them.
    older
        How many the target keeps that the source pruned, since the data folder has no archive of
        them.
    """

    source: str
    target: str
    first: int
    stop: int
    copied: int
    keys: int
    checkpoint: int
    root: str
    pruned: int
    older: int


def copy_journal(source: Location, target: Location, data: Path, progress: Progress) -> Copied:
    """Copy a history, and compare every entry, every key and the roots.

    Parameters
    ----------
    source, target
        Where from, read beside whoever writes it, and where to.
    data
        The data folder whose keys and log belong to the history.
    progress
        Takes the part that is done.

    Raises
    ------
    EngineError, LogError
        If an engine fails, the target holds something else, or the two do not agree.
    """
    if source == target:
        raise LogError("a journal can't be copied to itself: name another place")
    keys = Keys.load(data / KEYS, create=False)
    public_key = keys.public_key
    with ExitStack() as stack:
        there = source.open_reader()
        stack.callback(there.close)
        # The checkpoint first: who writes beside us only takes the journal farther.
        signed = read_checkpoint(data / LOG, public_key)
        tree = open_tree(there, data / LOG, public_key, signed and signed[1])
        if signed is None:
            raise LogError(f"{source} holds no entries, so there is nothing to copy")
        if target.file is not None:
            make_folder(target.file.parent)
        here = target.open(create=True)
        stack.callback(here.close)
        begun = _begun(there, here, source, target)
        # Before anything is written: entries behind another history would spoil that one.
        _require_pruned_same(tree, here, target, min(begun, there.first()), public_key)
        for _ in _pairs(there, here, (source, target), begun):
            pass
        copied = _copied(there, here, target, keys, lambda part: progress(part / 2))
        stop = here.head()
        seen = _compared(there, here, (source, target), stop, lambda part: progress((1 + part) / 2))
        _extend(tree, there, public_key, stop)
        size = signed[1].size
        source_of = leaf_hashes(here, key_hash(public_key))
        made = Tree.rebuild(TileFiles(data / LOG), source_of, size, here.first())
        if made.root() != signed[1].root:
            raise AlteredLogError(
                f"the entries in {target} do not give the root of the checkpoint over {size} "
                "entries; do not use it, and copy again to an empty place"
            )
        _extend(made, here, public_key, stop)
        if made.root() != tree.root():
            raise AlteredLogError(f"{source} and {target} differ behind entry {size}")
        pruned = _pruned(there, here, data, public_key)
        return Copied(
            source=str(source),
            target=str(target),
            first=max(here.first(), there.first()),
            stop=stop,
            copied=stop - begun if copied else 0,
            keys=seen,
            checkpoint=size,
            root=made.root().hex(),
            pruned=pruned,
            older=max(0, there.first() - here.first()),
        )


def _begun(there: Engine, here: Engine, source: Location, target: Location) -> int:
    """Return how far the target holds the history already."""
    head = here.head()
    if head == 0 and there.first():
        here.begin(there.first())
        return here.head()
    if head > there.head():
        raise LogError(
            f"{target} holds {head:,} entries, more than {source} with {there.head():,}: it is "
            "ahead of it, or another history; name an empty place, or swap the two"
        )
    if head < there.first():
        raise LogError(
            f"{target} ends before entry {head:,}, and {source} begins with entry "
            f"{there.first():,}: what lies between was pruned meanwhile; copy to an empty place"
        )
    return head


def _require_pruned_same(
    tree: Tree, here: Engine, target: Location, stop: int, public_key: bytes
) -> None:
    """Refuse a target that holds other entries than those of which the source kept the leaves."""
    hashed = hash_of(key_hash(public_key))
    for position, row in here.read(here.first(), stop) if here.first() < stop else ():
        index, at = divmod(position, WIDTH)
        if hashed(row) != tree.leaf_tile(index)[at * HASH_BYTES : (at + 1) * HASH_BYTES]:
            raise _another(position, target, "over which the log's tiles were made")


def _another(position: int, target: Location, which: str) -> AlteredLogError:
    return AlteredLogError(
        f"entry {position:,} in {target} is not the one {which}: it is another history, or "
        "damaged; copy to an empty place"
    )


def _copied(there: Engine, here: Engine, target: Location, keys: Keys, progress: Progress) -> bool:
    """Copy until nothing is left; return whether anything was."""
    begun = at = here.head()
    sealer = Sealer(keys, there.key)
    while at < (head := there.head()):
        for batch in _batches(there.read(at, head)):
            _renew_keys(there, here, sealer, at, batch)
            _append(there, here, target, at, batch)
            at += len(batch)
            progress((at - begun) / (head - begun))
    return at > begun


def _batches(rows: Iterator[tuple[int, Row]]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for _, row in rows:
        batch.append(row)
        size += len(row.record) + len(row.sealed)
        if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _renew_keys(there: Engine, here: Engine, sealer: Sealer, at: int, rows: list[Row]) -> None:
    """Erase keys at the target in whose place the source has new ones, which come with these rows.

    A subject that was erased and is written about again has another key under the same identifier.
    That it is no damaged one is shown by a row that it opens.
    """
    wanted = list(dict.fromkeys(row.key_id for row in rows))
    kept, known = there.wrapped_keys(wanted), here.wrapped_keys(wanted)
    other = {key_id for key_id, key in known.items() if kept.get(key_id, key) != key}
    if not other:
        return
    for key_id in other:
        sealer.forget(key_id)
    old = {
        row.key_id
        for position, row in enumerate(rows, at)
        if row.key_id in other and not opened_row(sealer, position, row).erased
    }
    if old:
        here.erase(list(old))
        here.reopen()  # so that it asks for no key of which all know that it was destroyed


def _append(there: Engine, here: Engine, target: Location, at: int, rows: list[Row]) -> None:
    wanted = list(dict.fromkeys(row.key_id for row in rows))
    known = here.wrapped_keys(wanted)
    new = {key_id: key for key_id, key in there.wrapped_keys(wanted).items() if key_id not in known}
    group = Group(os.urandom(_GROUP_ID_BYTES), tuple(rows), tuple(new.items()))
    try:
        outcome = here.append(at, group)
    except GroupTooLargeError:
        if len(rows) == 1:
            raise
        middle = len(rows) // 2
        _append(there, here, target, at, rows[:middle])
        _append(there, here, target, at + middle, rows[middle:])
        return
    except EngineError as error:
        if error.outcome_known:
            raise
        here.reopen()
        if here.find(group.id) is None:
            raise
        return
    if outcome is not Outcome.ACCEPTED:
        raise EngineError(
            f"somebody else writes to {target}: no node may use it while it is copied to"
        )


def _compared(
    there: Engine,
    here: Engine,
    names: tuple[Location, Location],
    stop: int,
    progress: Progress,
) -> int:
    """Compare all entries and their keys; return how many keys there are.

    A key that was erased at the source since it was copied is erased at the target as well.
    """
    start = max(here.first(), there.first())
    seen = 0
    for at, batch in _pairs(there, here, names, stop):
        wanted = list(dict.fromkeys(row.key_id for row in batch))
        kept, copied = there.wrapped_keys(wanted), here.wrapped_keys(wanted)
        erased = [key_id for key_id in copied if key_id not in kept]
        if erased:
            here.erase(erased)
        if any(copied.get(key_id) != key for key_id, key in kept.items()):
            raise AlteredLogError(
                f"a key of the entries {at:,} to {at + len(batch) - 1:,} is missing from "
                f"{names[1]} or another one: if it was destroyed and made anew in {names[0]} while "
                "this ran, run it again; else copy to an empty place"
            )
        seen += len(kept)
        progress((at + len(batch) - start) / max(stop - start, 1))
    return seen


def _pruned(there: Engine, here: Engine, data: Path, public_key: bytes) -> int:
    """Remove from the target what the source pruned and an archive holds; return how many."""
    first, cut = here.first(), there.first()
    archives = archives_of(data / ARCHIVE, public_key)
    if first >= cut or any(gap.stop > first for gap in absent(archives, cut)):
        return 0  # nobody else may have it
    for archive in archives:
        if first < archive.head():
            for _ in archive.tiles():
                pass  # read to its end: the target may be the last that has what is damaged there
    here.prune(cut)
    return cut - first


def _pairs(
    there: Engine, here: Engine, names: tuple[Location, Location], stop: int
) -> Iterator[tuple[int, list[Row]]]:
    """Yield positions and batches that both keep, once they were found to be the same."""
    at = max(here.first(), there.first())
    if at >= stop:
        return
    ours = iter(here.read(at, stop))
    for batch in _batches(there.read(at, stop)):
        same = [row for _, row in islice(ours, len(batch))]
        for number, (row, copy) in enumerate(zip(batch, same, strict=False)):
            if row != copy:
                raise _another(at + number, names[1], f"in {names[0]}")
        if len(same) != len(batch):
            raise AlteredLogError(f"{names[1]} lacks entries behind {at + len(same):,}")
        yield at, batch
        at += len(batch)


def _extend(tree: Tree, engine: Engine, public_key: bytes, stop: int) -> None:
    hashed = hash_of(key_hash(public_key))
    rows = iter(engine.read(tree.size, stop)) if tree.size < stop else iter(())
    while batch := list(islice(rows, BATCH_ROWS)):
        tree.extend(b"".join([hashed(row) for _, row in batch]))
