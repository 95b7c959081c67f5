"""Archives: pruned entries in a file that still proves them, sealed as they were.

A file ``FIRST-STOP.archive`` holds the entries from FIRST to before STOP, both multiples of 256. It
is a magic line and frames, each MessagePack after its length in four bytes, big-endian: a heading
with a signed checkpoint, then a frame for each tile of 256 entries with the proof that leads from
its root to the checkpoint's, and last a frame with SHA-256 of all before it.

The keys under which the entries are sealed stand, wrapped, in ``FIRST-STOP.keys`` beside it, so
that erasing one rewrites a small file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeVar

import msgspec

from deconflict.journal.checkpoint import Checkpoint, parse_checkpoint
from deconflict.journal.durable import PRIVATE_FILE, make_folder, replace_durably
from deconflict.journal.engine import Row
from deconflict.journal.errors import AlteredLogError, LogError, ProofError
from deconflict.journal.leaf import key_hash
from deconflict.journal.merkle import complete_root, verify_inclusion
from deconflict.journal.note import parse_note
from deconflict.journal.opening import hash_of
from deconflict.journal.tile import HEIGHT, WIDTH

MAGIC: Final = b"deconflict archive 1\n"
SUFFIX: Final = ".archive"
KEYS_SUFFIX: Final = ".keys"
_LENGTH_BYTES: Final = 4
_DIGEST_BYTES: Final = 32
_END: Final = b"end"
_TILES_A_SYNC: Final = 4

_Fields = tuple[int, bytes, bytes, bytes, bytes]
_T = TypeVar("_T")


class Heading(msgspec.Struct, frozen=True, array_like=True):
    """What an archive holds.

    Attributes
    ----------
    first, stop
        Its first position, and the one behind its last; multiples of 256.
    public_key
        The log's, 32 bytes.
    checkpoint
        A signed note, over at least `stop` entries.
    """

    first: int
    stop: int
    public_key: bytes
    checkpoint: bytes


class _Tile(msgspec.Struct, frozen=True, array_like=True):
    rows: list[_Fields]
    proof: list[bytes]


class _End(msgspec.Struct, frozen=True, array_like=True):
    digest: bytes
    word: bytes = _END


class Archivable(Protocol):
    """What is asked of a `deconflict.journal.log.Log`."""

    public_key: bytes

    def checkpoint(self) -> bytes | None:
        """Return the last signed note."""
        ...

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield sealed entries."""
        ...

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """Return the proof of an entry."""
        ...

    def wrapped_key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key."""
        ...


def archive_files(folder: Path) -> list[Path]:
    """Return the archives in a folder, the oldest entries first."""
    return sorted(folder.glob("*" + SUFFIX))


def tile_proof(path: list[bytes]) -> list[bytes]:
    """Return the proof of a full tile's root from that of one of its entries.

    A tree over entries is also one over the roots of its tiles, the last one perhaps partial, since
    RFC 6962 splits at powers of two.
    """
    return path[HEIGHT:]


def write_archive(
    log: Archivable,
    folder: Path,
    first: int,
    stop: int,
    step: Callable[[int], None] = lambda _: None,
) -> Path:
    """Write entries to an archive, durably, and read it back; nothing is there if that fails.

    Parameters
    ----------
    log
        The log, whose checkpoint covers `stop` entries.
    folder
        Where the archive goes; made if absent.
    first, stop
        The first position, and the one behind the last; multiples of 256.
    step
        Called after each tile with the entries done, to show progress or to let others go first.

    Raises
    ------
    OSError
        If it can't be written.
    LogError
        If an entry is altered, or what was written does not verify.
    """
    note = log.checkpoint()
    if note is None or first % WIDTH or stop % WIDTH or first >= stop:
        raise LogError(f"the entries {first} to {stop} can't be archived: no checkpoint holds them")
    size = parse_checkpoint(parse_note(note).text).size
    make_folder(folder)
    path = folder / f"{first:020d}-{stop:020d}{SUFFIX}"
    new = folder / f".new-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as stream:
            keys = _write(stream, log, Heading(first, stop, log.public_key, note), size, step)
            stream.flush()
            os.fsync(stream.fileno())
        replace_durably(path.with_suffix(KEYS_SUFFIX), msgspec.msgpack.encode(keys))
        for at, _ in enumerate(Archive(new, keys).tiles(), 1):
            step((stop - first) + at * WIDTH)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def _write(
    stream: BinaryIO,
    log: Archivable,
    heading: Heading,
    size: int,
    step: Callable[[int], None],
) -> dict[bytes, bytes]:
    """Write all frames, and return the wrapped keys of what is in them."""
    digest = hashlib.sha256()
    keys: dict[bytes, bytes] = {}

    def put(content: bytes) -> None:
        digest.update(content)
        stream.write(content)

    put(MAGIC)
    put(_frame(heading))
    for start in range(heading.first, heading.stop, WIDTH):
        rows: list[_Fields] = []
        for _, row in log.rows(start, start + WIDTH):
            rows.append((row.time_us, row.record, row.signature, row.key_id, row.sealed))
            if row.key_id not in keys:
                wrapped = log.wrapped_key(row.key_id)
                if wrapped is not None:
                    keys[row.key_id] = wrapped
        put(_frame(_Tile(rows, tile_proof(log.inclusion(start, size)))))
        if start // WIDTH % _TILES_A_SYNC == 0:
            # In small portions, so that a commit beside it does not wait for all of it.
            stream.flush()
            os.fsync(stream.fileno())
        step(start + WIDTH - heading.first)
    put(_frame(_End(digest.digest())))
    return keys


def _frame(content: object) -> bytes:
    encoded = msgspec.msgpack.encode(content)
    return len(encoded).to_bytes(_LENGTH_BYTES) + encoded


class Archive:
    """An archive as it is read.

    Parameters
    ----------
    path
        The file.
    keys
        Wrapped keys by identifier; without them, those of the file beside it.

    Attributes
    ----------
    path
        The file.
    heading
        What it holds.
    checkpoint
        That of its heading, its signature unchecked.

    Raises
    ------
    AlteredLogError
        If it is no archive, or damaged.
    OSError
        If it can't be read.
    """

    def __init__(self, path: Path, keys: dict[bytes, bytes] | None = None) -> None:
        self.path = path
        with path.open("rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise AlteredLogError(f"{path} is no archive of a journal; name another file")
            self.heading = self._decoded(self._next(stream), Heading)
        try:
            self.checkpoint: Checkpoint = parse_checkpoint(parse_note(self.heading.checkpoint).text)
        except ProofError as error:
            raise self._damaged(f"in its heading {error}") from None
        self._keys = self._kept_keys() if keys is None else keys

    def first(self) -> int:
        """Return its first position."""
        return self.heading.first

    def head(self) -> int:
        """Return the position behind its last."""
        return self.heading.stop

    def key(self, key_id: bytes) -> bytes | None:
        """Return a wrapped key; ``None`` if it was erased."""
        return self._keys.get(key_id)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield positions and sealed entries, each proved to stand in the checkpoint's tree.

        Raises
        ------
        AlteredLogError
            If something in it is not what it was.
        """
        for rows in self.tiles():
            yield from rows

    def tiles(self) -> Iterator[list[tuple[int, Row]]]:
        """Yield the entries of a tile at a time, proved likewise; at the end also the digest."""
        hashed = hash_of(key_hash(self.heading.public_key))
        digest = hashlib.sha256(MAGIC)
        tiles = -(-self.checkpoint.size // WIDTH)
        with self.path.open("rb") as stream:
            stream.seek(len(MAGIC))
            digest.update(self._raw(self._next(stream)))
            for start in range(self.heading.first, self.heading.stop, WIDTH):
                content = self._next(stream)
                tile = self._decoded(content, _Tile)
                rows = [(at, Row(*fields)) for at, fields in enumerate(tile.rows, start)]
                root = complete_root(b"".join([hashed(row) for _, row in rows]))
                if len(rows) != WIDTH:
                    raise self._damaged(f"{len(rows)} entries stand where {WIDTH} belong")
                try:
                    verify_inclusion(root, start // WIDTH, tiles, tile.proof, self.checkpoint.root)
                except ProofError as error:
                    raise self._damaged(
                        f"of the entries {start} to {start + WIDTH - 1} at least one is not what "
                        f"it was: {error}"
                    ) from None
                yield rows
                digest.update(self._raw(content))
            end = self._decoded(self._next(stream), _End)
            if end.digest != digest.digest() or stream.read(1):
                raise self._damaged("its last frame does not fit what is before it")

    def erase(self, key_ids: Collection[bytes]) -> None:
        """Destroy wrapped keys, so that nobody can open what is sealed under them.

        Raises
        ------
        OSError
            If the file of the keys can't be written.
        """
        left = {key_id: key for key_id, key in self._keys.items() if key_id not in key_ids}
        if len(left) != len(self._keys):
            replace_durably(self.path.with_suffix(KEYS_SUFFIX), msgspec.msgpack.encode(left))
            self._keys = left

    def _kept_keys(self) -> dict[bytes, bytes]:
        try:
            content = self.path.with_suffix(KEYS_SUFFIX).read_bytes()
        except FileNotFoundError:
            return {}
        return self._decoded(content, dict[bytes, bytes])

    def _next(self, stream: BinaryIO) -> bytes:
        length = stream.read(_LENGTH_BYTES)
        size = int.from_bytes(length)
        left = os.fstat(stream.fileno()).st_size - stream.tell()
        if len(length) != _LENGTH_BYTES or size > left:
            raise self._damaged("it is cut off")
        return stream.read(size)

    @staticmethod
    def _raw(content: bytes) -> bytes:
        return len(content).to_bytes(_LENGTH_BYTES) + content

    def _decoded(self, content: bytes, kind: type[_T]) -> _T:
        try:
            return msgspec.msgpack.decode(content, type=kind)
        except msgspec.MsgspecError:
            raise self._damaged("a frame can't be understood") from None

    def _damaged(self, what: str) -> AlteredLogError:
        return AlteredLogError(
            f"the archive {self.path} is damaged or altered: {what}; put a good copy back"
        )
