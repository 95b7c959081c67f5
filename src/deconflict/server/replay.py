"""Replaying: the same journal gives the same register, on any machine and with any version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from deconflict.register.event import Decided, decode_decided
from deconflict.register.state.errors import RegisterError

if TYPE_CHECKING:
    from deconflict.journal.log import Opened
    from deconflict.register.state.register import Register

PROGRESS_EVERY: Final = 10_000
"""Entries between two calls of a progress callback."""


class NewerEntryError(RegisterError):
    """An entry that a later version wrote; it is refused rather than skipped."""


ERASED: Final = Decided(command="Erased", events=())
"""What stands in for a decided part whose key was erased: time passes, nothing else is known."""

Progress = Callable[[int, int], None]
"""Called with the entries done and the entries to do."""


class Readable(Protocol):
    """What a replay asks of a `deconflict.journal.log.Log`."""

    def head(self) -> int:
        """Return the number of entries."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        """Yield entries."""
        ...


def decided_of(opened: Opened) -> Decided:
    """Return what an entry decided; `ERASED` where its text was erased.

    Raises
    ------
    NewerEntryError
        If it was written by a later version that knows more.
    """
    if opened.decided is None:
        return ERASED
    try:
        return decode_decided(opened.decided.content)
    except msgspec.ValidationError as error:
        raise NewerEntryError(
            f"entry {opened.position:,} of the journal is of a kind that this version does not "
            f"know ({error}): a newer one wrote it; upgrade this one too"
        ) from None


def replayed(
    log: Readable,
    register: Register,
    stop: int | None = None,
    progress: Progress | None = None,
) -> Register:
    """Apply to a register the entries that it has not had yet, and return it.

    Nothing is decided again.

    Parameters
    ----------
    log
        The log.
    register
        A new one, or one from a snapshot; changed in place.
    stop
        Before which position to stop; without it, the head.
    progress
        Called now and then.
    """
    start = register.head
    end = log.head() if stop is None else stop
    for opened in log.read(start, end):
        register.apply(opened.position, opened.time_us, decided_of(opened))
        if progress is not None and (opened.position + 1 - start) % PROGRESS_EVERY == 0:
            progress(opened.position + 1 - start, end - start)
    return register
