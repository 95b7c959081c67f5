"""Compiling the inner loops with numba: when first needed, and kept between runs.

Only modules that are themselves imported late (`kernel`, `cells`, `search`, `pairs`) use this,
so that the command line starts without numba. What was compiled is kept in a folder of the user's
cache that is named by the content of all compiled modules: numba compares a file's date and
size only, which an upgraded package can share with the one before, and it doesn't notice that
a function called from another file has changed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

COMPILED_MODULES = ("cells", "compiled", "cube", "kernel", "pairs", "placing", "search", "table")
"""The modules of this package that compiled functions come from, with their constants."""


def compiled(function: F) -> F:
    """Compile a function when it is first called.

    Parameters
    ----------
    function
        A function of arrays, numbers and named tuples of these, that calls nothing but other
        compiled functions and `math` and `numpy`.

    Returns
    -------
    Callable
        The compiled function, called like the original. Division by zero gives infinity.
    """
    import numba

    folder = kept_in()
    if folder is None:
        return cast("F", numba.njit(nogil=True, error_model="numpy")(function))
    configuration: Any = numba.config
    before = configuration.CACHE_DIR
    configuration.CACHE_DIR = str(folder)
    try:
        return cast("F", numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    finally:
        configuration.CACHE_DIR = before


@cache
def kept_in() -> Path | None:
    """Return the writable folder where compiled functions are kept between runs.

    Returns
    -------
    Path or None
        Below ``NUMBA_CACHE_DIR`` where that is set, else in the user's cache; ``None`` where
        neither can be written: then each run compiles anew.
    """
    import platformdirs

    digest = hashlib.sha256()
    for name in COMPILED_MODULES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    parent = Path(chosen) if chosen else platformdirs.user_cache_path("deconflict")
    folder = parent / f"compiled-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder
