"""The embedded engine: one SQLite file, one writer, and readers beside it.

The file is in WAL mode with ``synchronous=FULL``: a group is durable when its append returns.
SQLite alone would not notice that its write-ahead log lost acknowledged entries, nor that a file
was put back from yesterday; the head file beside it does (`deconflict.journal.head_file`).
"""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from deconflict.journal.engine import EngineError, Forgetting, Group, Lease, Outcome, Row
from deconflict.journal.head_file import HEAD_NAME, ID_BYTES, HeadFile, Mark, sync_folder
from deconflict.journal.sqlite.pruning import prune
from deconflict.journal.sqlite.reading import Reading
from deconflict.journal.sqlite.schema import make
from deconflict.journal.sqlite.writing import Writing


class SqliteEngine:
    """A journal engine on one SQLite file.

    Nobody else can append while it is open: the lock of its head file sees to that, so the lease
    is always given.

    `append`, `erase` and `prune` are for one thread each, and an append comes in between the
    steps of a pruning; all else may run in any thread. After an error with `must_reopen` it
    refuses everything until it is closed.

    Parameters
    ----------
    path
        The database. The file ``head`` in the same folder belongs to it, so a folder holds one
        journal.
    create
        Whether to make a journal where there is none.

    Raises
    ------
    EngineError
        If another process writes it, it is none, damaged, foreign or has lost entries: a sentence
        that says what to do. Nothing is changed then.
    NoSpaceError
        If the disk is so full that the write-ahead log can't be moved into the database; a
        reader can still open it.
    """

    shared: Final = False
    doubt: Final = ""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self._path = path
        self._appended = threading.Event()
        self._reads_only = False
        self._closed = True
        self._head_file = _locked_head(path, create=create)
        try:
            if self._head_file.is_new():
                _begin(path, self._head_file)
            self._open()
        except BaseException:
            self._head_file.close()
            raise

    @classmethod
    def reader(cls, path: Path) -> Self:
        """Open a journal to read it, beside its writer or alone, on a read-only disk too.

        Raises
        ------
        EngineError
            If there is none, or it is damaged, foreign or has lost entries.
        """
        engine = cls.__new__(cls)
        engine._begin_reader(path)  # noqa: SLF001  (its own class)
        return engine

    def _begin_reader(self, path: Path) -> None:
        self._path = path
        self._appended = threading.Event()
        self._reads_only = True
        self._closed = True
        self._head_file = _seen_head(path)
        try:
            self._open()
        except BaseException:
            self._head_file.close()
            raise

    def _open(self) -> None:
        # Verified through a connection that can't write: when one that can is closed, what a
        # damaged write-ahead log still holds is gone.
        reading = _verified(self._path, self._head_file)
        writing: Writing | None = None
        try:
            if not self._reads_only:
                writing = Writing(self._path, reading.journal, self._head_file)
                _catch_up(reading, self._head_file)
        except BaseException:
            reading.close()
            if writing is not None:
                writing.close()
            raise
        self._reading, self._writing, self._closed = reading, writing, False

    def append(self, expected_head: int, group: Group) -> Outcome:
        """Commit a group behind position `expected_head` - 1, durably; all of it or nothing."""
        outcome = self._writer("append").append(expected_head, group)
        self._appended.set()
        return outcome

    def find(self, group_id: bytes) -> int | None:
        """Return the position of a group's first entry, or ``None`` if it was never committed.

        Of groups that were pruned nothing is known any more.
        """
        self._usable()
        return self._reading.find(group_id)

    def read(self, start: int, stop: int | None = None) -> Iterator[tuple[int, Row]]:
        """Yield position and row from `start` to before `stop` (the head), committed ones only."""
        self._usable()
        first, head = self._reading.first(), self._reading.head()
        if start < first:
            raise EngineError(
                f"entry {start} is not kept any more: the journal begins with entry {first}; "
                "look for older ones in the archive"
            )
        until = head if stop is None else min(stop, head)
        return self._reading.entries(start, until, self._usable)

    def head(self) -> int:
        """Return a position no lower than that of any append acknowledged before the call."""
        self._usable()
        return self._reading.head()

    def wait(self, position: int, seconds: float) -> None:
        """Return when the head may lie beyond a position, or after some seconds."""
        if not self._closed and self.head() <= position:
            self._appended.wait(seconds)
        self._appended.clear()

    def lease(self, node: str, address: str, seconds: float) -> Lease:  # noqa: ARG002 - as an engine's
        """Take the lease, which nobody else can have: the file is locked."""
        self._writer("take the lease")
        return Lease(node, address)

    def release(self, node: str) -> None:
        """Do nothing: the lease goes with the lock."""

    def begin(self, first: int) -> None:
        """Have an empty journal begin at a position, as if all before it had been pruned."""
        self._writer("begin").begin(first)

    def first(self) -> int:
        """Return the first position that is still kept; 0 until entries were pruned."""
        self._usable()
        return self._reading.first()

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it never was or is erased."""
        self._usable()
        return self._reading.key(key_id)

    def wrapped_keys(self, key_ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return those of some wrapped keys that there are, found with one question."""
        self._usable()
        return self._reading.keys(key_ids)

    def erase(self, key_ids: Sequence[bytes]) -> None:
        """Destroy wrapped keys, in the database and in its write-ahead log."""
        writing = self._writer("erase")
        with writing.turns, writing.transaction("no key was erased") as connection:
            writing.delete_keys(connection, key_ids)
        writing.scrub("the keys were erased, but not to the last copy")

    def prune(self, before: int, forgetting: Forgetting | None = None) -> None:
        """Remove the rows before a position, and the keys that no row uses any more."""
        writing = self._writer("prune")
        head = self._reading.head()
        if before > head:
            raise EngineError(
                f"entries before {before} can't be pruned: the journal ends before entry {head}"
            )
        prune(self._reading, writing, before, forgetting)

    def reopen(self) -> None:
        """Close, open again and verify what is kept, so that appends may go on.

        The lock stays, so no other writer comes in between. If it fails, everything is refused
        until another try succeeds.
        """
        self._let_go()
        if not self._head_file.is_there():
            self._head_file.close()
            find = _seen_head if self._reads_only else _locked_head
            self._head_file = find(self._path)
        self._open()

    def close(self) -> None:
        """Let go of the engine. Closing twice is no error."""
        self._let_go()
        self._head_file.close()
        self._appended.set()  # whoever waits need not wait longer

    def _let_go(self) -> None:
        if self._closed:
            return
        self._closed = True
        # The connection that writes goes last: it then empties the write-ahead log.
        self._reading.close()
        if self._writing is not None:
            self._writing.close()

    def _usable(self) -> None:
        if self._closed:
            raise EngineError("the journal is closed: open it again")
        if self._writing is not None:
            self._writing.refuse_if_failed()

    def _writer(self, verb: str) -> Writing:
        self._usable()
        if self._writing is None:
            raise EngineError(f"the journal was opened to read it, so nothing can {verb} here")
        return self._writing


def _catch_up(reading: Reading, head_file: HeadFile) -> None:
    """Bring the head file to the database's end, which a crash may have left ahead."""
    last = reading.last_group()
    if last is None:
        return
    mark = Mark(reading.journal, last.stop, last.id, last.chain)
    if mark != head_file.read():
        try:
            head_file.write(mark)
        except OSError as error:
            raise EngineError(
                f"{head_file.path} can't be written ({error.strerror}): see to the disk"
            ) from error


def _require(path: Path) -> None:
    if not path.exists():
        head_path = path.with_name(HEAD_NAME)
        told = ""
        if head_path.exists():
            head_file = HeadFile.read_only(head_path)
            try:
                count = 0 if head_file.is_new() else head_file.read().position
            finally:
                head_file.close()
            told = f", although {head_path} says that {count} entries were committed"
        raise EngineError(
            f"there is no journal at {path}{told}: name the right folder, put the file back, or "
            "restore the newest copy as a new log (deconflict journal restore)"
        )


def _seen_head(path: Path) -> HeadFile:
    _require(path)
    head_path = path.with_name(HEAD_NAME)
    if not head_path.exists():
        raise _copied(path)
    return HeadFile.read_only(head_path)


def _copied(path: Path) -> EngineError:
    """Return the refusal of a database without its head file, as a backup leaves it."""
    folder = shlex.quote(str(path.parent))
    return EngineError(
        f"{path.with_name(HEAD_NAME)} is missing, so {path} looks like a copy, which may lack what "
        "was answered after it was made: put back the file head if it is the original, or let "
        f"the copy go on as a new log: deconflict journal restore {folder} --data {folder}"
    )


def _locked_head(path: Path, *, create: bool = False) -> HeadFile:
    """Take the lock; make the head file where a journal is to be made."""
    head_path = path.with_name(HEAD_NAME)
    if not create:
        _require(path)
    if not head_path.exists() and path.exists():
        raise _copied(path)
    head_file = HeadFile.lock(head_path, create=create)
    try:
        if not path.exists() and not head_file.is_new():
            _require(path)
    except BaseException:
        head_file.close()
        raise
    return head_file


def _begin(path: Path, head_file: HeadFile) -> None:
    """Make a journal, or end the making of one that a crash interrupted."""
    try:
        sync_folder(path.parent)
        if not path.exists():
            make(path, os.urandom(ID_BYTES))
        reading = Reading(path)
        try:
            if reading.head():
                raise EngineError(
                    f"{head_file.path} is empty, although {path} holds entries: put back the file "
                    "that stood there, or restore the newest copy of both as a new log "
                    "(deconflict journal restore)"
                )
            head_file.begin(Mark.of_new(reading.journal))
        finally:
            reading.close()
    except OSError as error:
        raise EngineError(f"no journal was made: {path} ({error.strerror})") from error


def _verified(path: Path, head_file: HeadFile) -> Reading:
    """Return a reading connection to a journal that is whole as far as its head file knows."""
    if head_file.is_new():
        raise EngineError(f"the journal at {path} was not made to its end: start the service once")
    # The head file first: a writer beside us can only take the database farther.
    mark = head_file.read()
    reading = Reading(path)
    try:
        reading.verify_end(mark, head_file.path)
    except BaseException:
        reading.close()
        raise
    return reading
