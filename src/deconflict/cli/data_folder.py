"""The data folder that a command works on."""

from __future__ import annotations

import os
from pathlib import Path

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
