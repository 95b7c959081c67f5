"""The data folder that a command works on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deconflict.journal.location import Location

DATA_VARIABLE = "DECONFLICT_DATA"
"""Names the data folder of commands that are not told one."""


def data_folder(given: Path | None) -> Path:
    """Return the folder given, else the environment's, else the platform's own."""
    named = os.environ.get(DATA_VARIABLE)
    if given is not None:
        return given
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("deconflict")


def journal_location(folder: Path, given: str | None) -> Location:
    """Return where the journal of a data folder is: as given, else as a node's settings say.

    Raises
    ------
    EngineError
        If what is given names none.
    InputError
        If the settings can't be used.
    """
    from deconflict.journal.location import location

    if given is not None:
        return location(given)
    from deconflict.server.configuration import configure

    return configure({"data": folder}, os.environ).journal
