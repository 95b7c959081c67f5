"""Joining: a data folder that is new to a shared journal gets its log from another node.

What comes over is the folder ``log`` (the last checkpoint, and the tiles, without which the proofs
of pruned entries can't be made) and the newest snapshot, so that only the tail of the journal is
read. The log is checked against the journal when it is opened, like one's own; an own checkpoint
that is older has to be one that the other's tree extends.
"""

from __future__ import annotations

import io
import re
import shutil
import ssl
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import structlog

from deconflict.journal.checkpoint import Checkpoint
from deconflict.journal.durable import make_folder, replace_durably
from deconflict.journal.engine import Engine, Lease
from deconflict.journal.errors import LogError
from deconflict.journal.opening import CHECKPOINT_FILE, read_checkpoint
from deconflict.server.nodes.role import LEASE_S, asked
from deconflict.server.nodes.wire import BASE_PATH, HEADER, PURPOSE, Seal
from deconflict.server.sealed_snapshot import snapshot_files

if TYPE_CHECKING:
    from deconflict.journal.keys import Keys

LOG: Final = "log"
BEFORE: Final = "log.before"
"""Where the last own checkpoint is kept until another node's log was found to extend it."""
SNAPSHOTS: Final = "snapshots"
_TIMEOUT_S: Final = 60.0
_MOST_BYTES: Final = 64 * 2**30
"""Of all files together: tiles of two thousand million entries."""
_NAME: Final = re.compile(r"(?:log|snapshots)(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+")
PROBE: Final = "(a node that joins)"


class NoNodeError(LogError):
    """No other node answers that this one could join; one may in a while."""


def joined(
    *, trust: bool, tls: ssl.SSLContext | None = None
) -> Callable[[Engine, Path, Keys], Checkpoint | None]:
    """Return what sees to a data folder's log before it is opened.

    It returns the checkpoint that the log has to extend, if another node's took its place.

    Parameters
    ----------
    trust
        Whether an operator said to take the journal as it stands if no node can be asked.
    tls
        How certificates of nodes are verified.
    """

    def join(engine: Engine, data: Path, keys: Keys) -> Checkpoint | None:
        signed = read_checkpoint(data / LOG, keys.public_key)
        own = None if signed is None else signed[1]
        # One that another's log took the place of, and that was not found to be extended yet.
        before = read_checkpoint(data / BEFORE, keys.public_key)
        old = None if before is None else before[1]
        if engine.head() == 0 or (own is not None and engine.first() <= own.size):
            return old
        if signed is not None and before is None:
            make_folder(data / BEFORE)
            replace_durably(data / BEFORE / CHECKPOINT_FILE, signed[0])
            old = own
        # Whoever holds the lease answers. If nobody does, it is given to us and back at once.
        holder = engine.lease(PROBE, "", LEASE_S)
        if holder.node != PROBE:
            try:
                _fetch(holder, data, keys, tls)
            except NoNodeError:
                if asked(engine, PROBE).node != PROBE:
                    raise
            else:
                return old
        engine.release(PROBE)
        _without_others(engine, data, keys, trust=trust)
        said = structlog.get_logger("deconflict.nodes")
        said.warning("joined without another node", entries=engine.head())
        return old

    return join


def base(data: Path) -> Iterator[bytes]:
    """Yield a tar of what a new node needs: the log first, then the newest snapshot."""
    log = data / LOG
    # The checkpoint first: tiles are only added while it is read.
    files = [log / CHECKPOINT_FILE, *sorted(path for path in log.rglob("*") if path.is_file())]
    files += snapshot_files(data / SNAPSHOTS)[:1]
    sent = set()
    for path in files:
        name = path.relative_to(data).as_posix()
        if name in sent or path.name.startswith("."):
            continue
        sent.add(name)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a snapshot that a newer one replaced
        head = tarfile.TarInfo(name)
        head.size = len(content)
        head.mode = 0o600
        yield head.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _fetch(holder: Lease, data: Path, keys: Keys, tls: ssl.SSLContext | None) -> None:
    """Put the log of the node that decides in the place of one's own."""
    address = holder.address
    if not address:
        raise NoNodeError(
            f"the command {holder.node} works on the journal at the moment, and a node that "
            "has the log must run before this one; start it when the command has ended"
        )
    structlog.get_logger("deconflict.nodes").info("joining", node=holder.node, address=address)
    seal = Seal(keys.derived(PURPOSE), "")
    got = data / "joining"
    shutil.rmtree(got, ignore_errors=True)
    got.mkdir(mode=0o700)
    try:
        with (
            httpx.Client(trust_env=False, verify=tls or True, timeout=_TIMEOUT_S) as client,
            client.stream(
                "GET",
                address + BASE_PATH,
                headers={HEADER: seal.header(BASE_PATH, b"", to=address)},
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                refused = answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
                raise (LogError if refused else NoNodeError)(
                    f"the node at {address} does not let this one join (status "
                    f"{answer.status_code}): both need the same keys, and clocks within half a "
                    "minute of each other"
                )
            _unpack(answer.iter_raw(), got)
        for name in (SNAPSHOTS, LOG):  # the log last: with it the folder counts as joined
            if (got / name).is_dir():
                shutil.rmtree(data / name, ignore_errors=True)
                (got / name).rename(data / name)
    except (httpx.HTTPError, tarfile.TarError, EOFError) as error:
        raise NoNodeError(
            f"the node at {address} could not be asked for the log ({type(error).__name__}); start "
            "this node again when it can be reached"
        ) from error
    finally:
        shutil.rmtree(got, ignore_errors=True)


def _unpack(chunks: Iterator[bytes], folder: Path) -> None:
    size = 0
    with tarfile.open(fileobj=io.BufferedReader(_Stream(chunks)), mode="r|") as tar:
        for member in tar:
            size += member.size
            content = tar.extractfile(member)
            if content is None or size > _MOST_BYTES or not _NAME.fullmatch(member.name):
                raise tarfile.TarError("something comes over that is no file of a log")
            path = folder / member.name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as stream:
                path.chmod(0o600)
                shutil.copyfileobj(content, stream)


class _Stream(io.RawIOBase):
    """The chunks of an answer as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            try:
                self._left = next(self._chunks)
            except StopIteration:
                return 0
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _without_others(engine: Engine, data: Path, keys: Keys, *, trust: bool) -> None:
    """Take the journal as it stands, if an operator says so: nobody vouches for its end."""
    first = engine.first()
    if first:
        raise NoNodeError(
            f"the journal begins with entry {first}, {data / LOG} lacks the tiles of those before "
            "it, which were pruned, and no other node can be asked for them; start a node that "
            "has them first, or put its folder log there (--join can't help with that)"
        )
    if not trust:
        raise NoNodeError(
            f"the journal has {engine.head()} entries, {data / LOG} has no checkpoint that goes "
            "with them, and no other node can be asked for one; start another node first, put the "
            "folder log back from a backup, or start with --join to take the journal as it stands, "
            "which can't tell whether its newest entries are missing"
        )
    from deconflict.journal.log import begin_log

    begin_log(engine, data / LOG, keys)
