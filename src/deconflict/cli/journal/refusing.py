"""How the commands of the journal refuse: one sentence on stderr, and a status."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable

P = ParamSpec("P")


def spoken(command: Callable[P, int]) -> Callable[P, int]:
    """Let a command end in a sentence where the journal, its keys or the disk refuse."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> int:
        from deconflict.journal.engine import EngineError, UnreachableError
        from deconflict.journal.errors import LogError, ProofError
        from deconflict.register.state.errors import RegisterError
        from deconflict.server.clock import ClockAheadError

        try:
            return command(*arguments, **options)
        except UnreachableError as error:
            return _said(str(error), ExitStatus.TRY_AGAIN)
        except (EngineError, LogError, ProofError, RegisterError, ClockAheadError) as error:
            return _said(str(error), ExitStatus.BAD_INPUT)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            return _said(f"{where}{error.strerror or error}", ExitStatus.INTERNAL_ERROR)

    return run


def _said(sentence: str, status: ExitStatus) -> ExitStatus:
    sys.stdout.flush()
    sys.stderr.write(f"deconflict: {printable(sentence)}\n")
    return status
