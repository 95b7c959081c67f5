"""Small files that are whole and on the disk, or not there at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, open to nobody else.

    Raises
    ------
    OSError
        If it can't be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
    _sync_folder(folder.parent)


def replace_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut either the old or the new one is there, whole.

    Raises
    ------
    OSError
        If it can't be written; what stood there before still does.
    """
    written = _written_beside(path, content)
    try:
        written.replace(path)
    except OSError:
        written.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def create_durably(path: Path, content: bytes) -> None:
    """Write a file that doesn't exist yet, whole or not at all.

    Raises
    ------
    FileExistsError
        If it exists by now.
    OSError
        If it can't be written.
    """
    written = _written_beside(path, content)
    try:
        os.link(written, path)  # unlike a rename, it never replaces a file
    finally:
        written.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _written_beside(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(opened, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
