"""Python's collector of reference cycles, at rest while a command makes none.

Reading and checking make no cycles, measured: after 10,000 features 20 objects are left to
collect. Every object that they keep is walked over and over none the less, which takes a quarter
to a third of the time of 100,000 features.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_rest() -> Iterator[None]:
    """Keep the collector from running, and let it go on afterwards if it did before."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()
