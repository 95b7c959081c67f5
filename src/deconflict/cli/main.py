"""The entry point: starts fast, and turns whatever ends a command into a status and one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from deconflict.cli.status import ExitStatus

TRACEBACK_VARIABLE = "DECONFLICT_TRACEBACK"
"""Set to anything: internal errors print their traceback."""


def main() -> None:
    """Run the command line with the process's arguments and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        The words after the program's name.

    Returns
    -------
    int
        An `ExitStatus`. An internal error never ends in 1, which means conflict.
    """
    # Closed by the caller: the status still says how it ended.
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()
    try:
        status = _command(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was written after this", ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # The interpreter flushes again at exit; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.OUTPUT_CLOSED
    except Exception as error:  # noqa: BLE001 - the last line of defence: status 70, never 1
        if os.environ.get(TRACEBACK_VARIABLE):
            import traceback

            traceback.print_exc()
        return _complain(
            f"internal error, no verdict: {type(error).__name__}: {error} "
            f"(set {TRACEBACK_VARIABLE}=1 to see where)",
            ExitStatus.INTERNAL_ERROR,
        )
    return status


def _command(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:  # answered without loading the argument parser
        from deconflict import __version__

        sys.stdout.write(f"deconflict {__version__}\n")
        return ExitStatus.CLEAR

    from cyclopts import CycloptsError, UnusedCliTokensError

    from deconflict.cli.app import app
    from deconflict.geo.errors import InputError

    for stream in (sys.stdout, sys.stderr):  # a name in Arabic must not end an ASCII terminal
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        result = app(
            list(arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except UnusedCliTokensError as error:
        words = ", ".join(error.unused_tokens or ())
        return _complain(
            f"this command takes nothing more, and there is also: {words}; see "
            "deconflict --help, and put a text with blanks in quotes",
            ExitStatus.BAD_INPUT,
        )
    except CycloptsError as error:
        sentence = " ".join(str(error).split())
        return _complain(f"{sentence} See: deconflict --help", ExitStatus.BAD_INPUT)
    except InputError as error:
        return _complain(str(error), ExitStatus.BAD_INPUT)
    return int(result) if isinstance(result, int) else ExitStatus.CLEAR


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _complain(sentence: str, status: ExitStatus) -> ExitStatus:
    from deconflict.cli.text import printable

    # A sentence repeats words of the command line and of files.
    sys.stderr.write(f"deconflict: {printable(sentence)}\n")
    return status
