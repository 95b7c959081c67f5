"""A fault of the program as it may stand in a log: its kind and place, never the data."""

from __future__ import annotations

import traceback
from pathlib import Path


def described(error: BaseException) -> str:
    """Return the error's type and the lines that it went through, innermost last.

    Its message is left out: it may quote a party's coordinates.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return f"{type(error).__name__} in " + " > ".join(places)
