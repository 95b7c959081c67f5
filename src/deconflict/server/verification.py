"""What is verified when a path is named: a folder, a journal, an archive or an export."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deconflict.journal.archive import MAGIC, Archive, archive_files
from deconflict.journal.bare import Bare
from deconflict.journal.checkpoint import parse_checkpoint
from deconflict.journal.engine import DamagedError, EngineError
from deconflict.journal.errors import AlteredLogError, KeyFileError, LogError, ProofError
from deconflict.journal.exported import is_export, verify_export
from deconflict.journal.findings import Findings
from deconflict.journal.head_file import HEAD_NAME, HeadFile
from deconflict.journal.keys import Keys
from deconflict.journal.location import Location, in_folder
from deconflict.journal.note import MAX_NOTE_BYTES, parse_note
from deconflict.journal.opening import CHECKPOINT_FILE
from deconflict.journal.seal import Sealer
from deconflict.journal.verifying import verify_archive, verify_journal
from deconflict.server.record import ARCHIVE, KEYS, LOG, absent, lacking

_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
Progress = Callable[[float], None]


def read_public_key(text: str) -> bytes:
    """Return a log's public key: 64 hexadecimal digits, or a PEM file.

    Raises
    ------
    LogError
        If it is neither.
    """
    if _HEX_KEY.fullmatch(text):
        return bytes.fromhex(text)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(Path(text).read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise LogError(
            f"{text} is no public key: give 64 hexadecimal digits or a PEM file (Ed25519)"
        )
    return key.public_bytes_raw()


def verify_path(
    path: Path,
    *,
    keys: Path | None = None,
    public_key: bytes | None = None,
    checkpoints: Sequence[Path] = (),
    journal: Location | None = None,
    progress: Progress = lambda _: None,
) -> list[Findings]:
    """Verify what is at a path; of a data folder its journal and each of its archives.

    Parameters
    ----------
    path
        A data folder, a journal's database, an archive or an export.
    keys
        The folder of the service's keys; else the one that belongs to the path.
    public_key
        The log's key as it is known from elsewhere, 32 bytes.
    checkpoints
        Files of checkpoints to compare with, besides the log's own.
    journal
        Where the journal of a data folder is, if it is not in there.
    progress
        Told how far it got, 0 to 1.

    Raises
    ------
    EngineError, LogError, OSError
        If there is nothing that can be verified, or one of `checkpoints` is none.
    """
    given = [_checkpoint(each) for each in checkpoints]
    if path.is_dir():
        verification = _Verification(path, keys, public_key, progress)
        # The journal has every root; an archive by itself would have to leave some open.
        found = verification.journal(journal or in_folder(path), given)
        of_archives = [verification.archive(each) for each in archive_files(path / ARCHIVE)]
        gaps = absent(verification.archives, found.first)
        if gaps:
            found.remarks.append(lacking(gaps, path / ARCHIVE))
        return [found, *of_archives]
    if journal is not None:
        raise LogError(f"{path} is no data folder, to which a journal elsewhere could belong")
    if not path.exists():
        raise LogError(f"there is nothing at {path}; name a data folder, a journal or an export")
    with path.open("rb") as stream:
        start = stream.read(len(MAGIC))
    if start == MAGIC:
        # The archive lies in a folder of the data folder.
        folder = path.absolute().parent.parent
        return [_Verification(folder, keys, public_key, progress).archive(path, given)]
    if is_export(path):
        if public_key is None and keys is not None:
            public_key = Keys.load(keys, create=False).public_key
        return [verify_export(path, public_key=public_key, notes=given, progress=progress)]
    file = _Verification(path.parent, keys, public_key, progress)
    return [file.journal(Location(path), given)]


def _checkpoint(path: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of a checkpoint's file."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_NOTE_BYTES + 1)
        parse_checkpoint(parse_note(content).text)
    except FileNotFoundError:
        raise LogError(f"there is no checkpoint at {path}; name one that is there") from None
    except OSError as error:
        raise LogError(f"the checkpoint {path} can't be read: {error.strerror}") from None
    except ProofError as error:
        raise LogError(
            f"{path} is no checkpoint: {error}; name a file as /log/checkpoint gives it"
        ) from None
    return str(path), content


class _Verification:
    """Verifies what belongs to one log.

    Attributes
    ----------
    archives
        Those of this log that were verified and could be read.
    """

    def __init__(
        self,
        folder: Path,
        keys: Path | None,
        public_key: bytes | None,
        progress: Progress,
    ) -> None:
        self._log = folder / LOG if (folder / LOG).is_dir() else None
        self._progress = progress
        self._remarks: list[str] = []
        self._keys: Keys | None = None
        try:
            self._keys = Keys.load(folder / KEYS if keys is None else keys, create=False)
        except KeyFileError as error:
            if keys is not None:
                raise
            self._remarks.append(f"the parts stay closed: {error}")
        own = None if self._keys is None else self._keys.public_key
        self._public_key = public_key or own
        self.archives: list[Archive] = []

    def journal(self, place: Location, given: Sequence[tuple[str, bytes]]) -> Findings:
        """Verify a journal against the log's own checkpoint and those given."""
        mark = None if place.file is None else self._marked(place.file)
        own = None if self._log is None else self._log / CHECKPOINT_FILE
        notes = [] if own is None or not own.exists() else [(str(own), own.read_bytes())]
        try:
            opened = place.open_bare()
        except DamagedError as error:
            found = Findings(str(place))
            found.add(None, str(error))
            return found
        with opened as journal:
            found = verify_journal(
                journal,
                log=self._log,
                notes=[*notes, *given],
                public_key=self._public_key,
                sealer=self._sealer(journal),
                progress=self._progress,
            )
        if mark is not None and mark > found.stop:
            missing = mark - found.stop
            found.add(
                None,
                f"the file {HEAD_NAME} beside it says that {mark} entries were committed, so "
                f"{missing} {'is' if missing == 1 else 'are'} missing",
            )
        found.remarks += self._remarks
        return found

    def archive(self, path: Path, given: Sequence[tuple[str, bytes]] = ()) -> Findings:
        """Verify an archive, against checkpoints that are given too."""
        try:
            archive = Archive(path)
        except AlteredLogError as error:
            found = Findings(str(path))
            found.add(None, str(error))
            return found
        if self._public_key in {None, archive.heading.public_key}:
            self.archives.append(archive)
        found = verify_archive(
            archive,
            log=self._log,
            public_key=self._public_key,
            sealer=self._sealer(archive),
            notes=given,
            progress=self._progress,
        )
        found.remarks += self._remarks
        return found

    def _sealer(self, source: Bare | Archive) -> Sealer | None:
        return None if self._keys is None else Sealer(self._keys, source.key)

    def _marked(self, path: Path) -> int | None:
        """Return how many entries the head file beside a database says were committed."""
        try:
            head = HeadFile.read_only(path.with_name(HEAD_NAME))
        except EngineError:
            self._remarks.append("there is no head file beside it that says how far it had got")
            return None
        try:
            return head.read().position
        except EngineError as error:
            self._remarks.append(str(error))
            return None
        finally:
            head.close()
