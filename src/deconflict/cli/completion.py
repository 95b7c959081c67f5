"""`deconflict completion`: Tab completes commands, options and files."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus


def completion(
    shell: Literal["bash", "zsh", "fish"],
    /,
    *,
    install: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Print the completion script of a shell, or install it.

    Parameters
    ----------
    shell
        The shell.
    install
        Write the script where the shell looks for it and say where, rather than print it.
    """
    from deconflict.cli.app import app

    if install:
        path = app.install_completion(shell=shell, add_to_startup=shell != "fish")
        sys.stdout.write(f"Wrote {path}. Open a new shell to use it.\n")
    else:
        sys.stdout.write(app.generate_completion(shell=shell))
    return ExitStatus.CLEAR
