"""Locks of files, which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from deconflict.journal.engine import EngineError


def open_locked(path: Path, *, create: bool, busy: str) -> int:
    """Open a file for this process alone; return its descriptor, which holds the lock while open.

    Parameters
    ----------
    path
        The file.
    create
        Whether to make it if it is not there, mode 0600.
    busy
        What to say if another process holds it.

    Raises
    ------
    EngineError
        If another process holds it, or it can't be opened for writing or locked.
    """
    flags = os.O_RDWR | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise EngineError(
            f"{path} can't be opened for writing ({error.strerror}): "
            "see that the folder is there, that this user may write in it, and that its disk "
            "is not read-only"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise EngineError(busy) from None
    except OSError as error:
        os.close(descriptor)
        raise EngineError(
            f"{path} can't be locked ({error.strerror}): "
            "keep the journal on a file system that knows locks"
        ) from error
    return descriptor
