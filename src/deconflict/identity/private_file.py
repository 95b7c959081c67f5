"""Files that hold secrets: readable by their owner alone, and written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from deconflict.geo.errors import InputError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, most_bytes: int) -> bytes | None:
    """Return the content of a file; ``None`` if there is none.

    Raises
    ------
    InputError
        If it can't be read, is larger than `most_bytes`, or others than its owner have access.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise InputError(
                    "others than its owner have access to this file, which holds secrets",
                    f"run: chmod 600 {path}",
                    field=str(path),
                )
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"the file can't be read ({error.strerror})",
            "run this as the user whom it belongs to",
            field=str(path),
        ) from error
    if len(content) > most_bytes:
        raise InputError(
            f"the file is larger than {most_bytes} bytes", "put it back", field=str(path)
        )
    return content


def replace_private(path: Path, content: bytes) -> None:
    """Write a file, durably, in place of the one that may be there.

    Raises
    ------
    InputError
        If it can't be written; the one that was there stays.
    """
    _write(path, content, replace=True)


def create_private(path: Path, content: bytes) -> bool:
    """Write a file unless there is one; return whether it was written.

    Raises
    ------
    InputError
        If it can't be written.
    """
    return _write(path, content, replace=False)


def make_folder(path: Path) -> None:
    """Make a folder for its owner alone, and those above it, unless it is there.

    Raises
    ------
    InputError
        If it can't be made.
    """
    try:
        if not path.parent.exists():
            make_folder(path.parent)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _write(path: Path, content: bytes, *, replace: bool) -> bool:
    make_folder(path.parent)
    begun: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        begun = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            begun.replace(path)
            begun = None
        else:
            try:
                os.link(begun, path)  # fails if another process was first
            except FileExistsError:
                return False
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if begun is not None:
            begun.unlink(missing_ok=True)
    return True


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"it can't be written ({error.strerror})",
        "run this as the user whom the data folder belongs to, and look for free space",
        field=str(path),
    )
