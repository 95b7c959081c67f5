"""A data folder with entries of no consequence, and what it holds."""

from __future__ import annotations

import os
from pathlib import Path

from deconflict.register.command import ENTROPY_BYTES, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.state.held import Readiness
from deconflict.server.data_folder import DataFolder


def add(data: Path, *names: str) -> None:
    """Journal an entry for each name; what is answered to it would be a new version."""
    folder = DataFolder.open(data)
    try:
        guard = folder.guard()
        folder.begin(guard)
        for name in names:
            command = SetAvailability(
                party="Relief",
                entropy=os.urandom(ENTROPY_BYTES),
                of=name,
                old_version="",
                readiness=Readiness.NORMAL,
            )
            assert folder.commit(command, guard, decide).refusal is None
        folder.log.advance()
    finally:
        folder.close()


def held(data: Path) -> set[str]:
    """Return the names of which there is an entry."""
    folder = DataFolder.beside(data)
    try:
        return {each.party for each in folder.register.availabilities()}
    finally:
        folder.close()
