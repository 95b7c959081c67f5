"""A progress bar that appears only over long work, and only on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHOWN_AFTER_S = 2.0
"""Work shorter than this shows no bar."""

Report = Callable[[float], None]
"""Takes the part that is done, 0 to 1."""


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Yield a function that takes the part done; shows a bar on stderr once two seconds passed.

    Parameters
    ----------
    title
        What is being done: "Checking".
    """
    if not sys.stderr.isatty():
        yield _silent
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=1.0)
    began = time.monotonic()

    def report(part: float) -> None:
        if not bar.live.is_started and time.monotonic() - began >= SHOWN_AFTER_S:
            bar.start()
        bar.update(task, completed=part)

    try:
        yield report
    finally:
        bar.stop()


def _silent(part: float) -> None:
    del part
