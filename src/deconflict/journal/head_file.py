"""The head file: how far a journal had got, kept beside the database that holds it.

SQLite drops the end of a write-ahead log that has one flipped byte, and finds nothing wrong with
what is left. So after each commit, and before it is acknowledged, the position, the group and the
chain are written here. A database that is behind its head file has lost entries.

The file has a fixed size and two slots, written in turn, each with a checksum: if one is torn, the
other counts, and it is at most one group behind. The lock of the writer is on this file, since
SQLite's own locks go when any descriptor of the database is closed; it ends with the process.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from deconflict.journal.engine import EngineError
from deconflict.journal.lock_file import open_locked
from deconflict.journal.row_checksum import first_chain

HEAD_NAME: Final = "head"
ID_BYTES: Final = 16

_MAGIC: Final = b"deconflict head\n"
_slot: Final = struct.Struct(">16s16sQ16s32s8x")
_DIGEST_BYTES: Final = 32
SLOT_BYTES: Final = _slot.size + _DIGEST_BYTES
SLOT_OFFSETS: Final = (0, 4096)
"""Slots lie on different pages, so that no torn write reaches both."""
FILE_BYTES: Final = 8192
_ATTEMPTS: Final = 10
"""Readings of a slot that a writer may be writing at that moment."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal had got.

    Attributes
    ----------
    journal
        The journal's identifier, 16 random bytes made with it.
    position
        Its head: entries ever appended.
    group_id
        The last group; zeros if there is none.
    chain
        The chain behind it.
    """

    journal: bytes
    position: int
    group_id: bytes
    chain: bytes

    @classmethod
    def of_new(cls, journal: bytes) -> Self:
        """Return the mark of a journal without entries."""
        return cls(journal, 0, bytes(ID_BYTES), first_chain(journal))


class HeadFile:
    """An open head file.

    Attributes
    ----------
    path
        Where it is.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._turn = 0

    @classmethod
    def lock(cls, path: Path, *, create: bool) -> Self:
        """Open a head file for the one writer, until it is closed or the process ends.

        Raises
        ------
        EngineError
            If another process writes this journal, or the file can't be opened for writing.
        """
        busy = (
            f"another process writes the journal beside {path}, and only one may: "
            "stop that one first, or read beside it"
        )
        return cls(path, open_locked(path, create=create, busy=busy))

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Open a head file for reading, beside its writer or alone.

        Raises
        ------
        EngineError
            If it can't be opened.
        """
        try:
            return cls(path, os.open(path, os.O_RDONLY))
        except OSError as error:
            raise EngineError(
                f"{path} can't be read ({error.strerror}): "
                "put back the one that stood beside this database"
            ) from error

    def is_new(self) -> bool:
        """Whether nothing was ever written here: the journal was never made to its end."""
        return os.fstat(self._descriptor).st_size == 0

    def is_there(self) -> bool:
        """Whether the file is open and still stands in its folder."""
        return self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink > 0

    def begin(self, mark: Mark) -> None:
        """Write the first mark into both slots, durably."""
        os.pwrite(self._descriptor, bytes(FILE_BYTES), 0)
        self.write(mark)
        self.write(mark)
        os.fsync(self._descriptor)

    def write(self, mark: Mark) -> None:
        """Write a mark into the older slot.

        Not synchronised: after a power cut the file may be behind the database, never ahead of
        it, since the database is durable before this is called.

        Raises
        ------
        OSError
            If the disk refuses.
        """
        packed = _slot.pack(_MAGIC, mark.journal, mark.position, mark.group_id, mark.chain)
        slot = packed + hashlib.sha256(packed).digest()
        if os.pwrite(self._descriptor, slot, SLOT_OFFSETS[self._turn]) != SLOT_BYTES:
            raise OSError(f"{self.path} was written in part")
        self._turn = 1 - self._turn

    def read(self) -> Mark:
        """Return the newest mark, and let the next one be written over the other slot.

        Raises
        ------
        EngineError
            If neither slot can be read.
        """
        for _ in range(_ATTEMPTS):
            found = [
                (mark.position, number, mark)
                for number, offset in enumerate(SLOT_OFFSETS)
                if (mark := self._slot(offset)) is not None
            ]
            if found:
                _, number, mark = max(found, key=lambda each: each[0])
                self._turn = 1 - number
                return mark
        raise EngineError(
            f"{self.path} is damaged, so it can't be told whether the journal beside it is whole: "
            "put back the file that stood there, or restore the newest copy of both as a new log "
            "(deconflict journal restore)"
        )

    def _slot(self, offset: int) -> Mark | None:
        try:
            content = os.pread(self._descriptor, SLOT_BYTES, offset)
        except OSError as error:
            raise EngineError(f"{self.path} can't be read: {error.strerror}") from error
        packed = content[: _slot.size]
        if hashlib.sha256(packed).digest() != content[_slot.size :]:
            return None
        magic, journal, position, group_id, chain = _slot.unpack(packed)
        return Mark(journal, position, group_id, chain) if magic == _MAGIC else None

    def close(self) -> None:
        """Let go of the file and of its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
