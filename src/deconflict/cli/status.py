"""Exit statuses: what a script that calls the command line may rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a command ended."""

    CLEAR = 0
    """Nothing meets (`check`), the texts agree (`compare`), or the work is done."""
    CONFLICT = 1
    """Something meets (`check`), or the texts differ (`compare`)."""
    BAD_INPUT = 2
    """Something in the command or in a file is wrong; nothing was checked."""
    UNKNOWN = 3
    """The check can't tell: a position is stale or estimated, or rows were skipped."""
    INTERNAL_ERROR = 70
    """A fault of this program or of the machine (`EX_SOFTWARE` of sysexits.h)."""
    TRY_AGAIN = 75
    """The journal's engine or another node can't be reached, and may be later (`EX_TEMPFAIL`).

    A node that a pruning left behind ends with it too: the next start makes it whole.
    """
    START_REFUSED = 78
    """The service must not start before somebody has looked; it would say the same the next time.

    `EX_CONFIG`. A supervisor must not start it again, as it does after 70 and 75.
    """
    INTERRUPTED = 130
    """Ctrl-C."""
    OUTPUT_CLOSED = 141
    """The reader of the output went away before it had all."""
