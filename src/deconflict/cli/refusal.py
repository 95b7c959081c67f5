"""What a command says when a file holds something that can't be read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from deconflict.files import FilesRead

_OPTION = re.compile(r"--[A-Za-z].*", re.DOTALL)


def refuse_options(words: Iterable[str]) -> None:
    """Refuse words that look like options and were taken for files or coordinates.

    Raises
    ------
    InputError
        With the first of them.
    """
    for word in words:
        if _OPTION.fullmatch(word):
            raise InputError(
                f"{word.partition('=')[0]} is no option of this command",
                "see its --help; a file of that name is written with ./ in front",
            )


def refuse(read: FilesRead, *, done: str, remedy: str) -> None:
    """Print every refusal on stderr, and in a last line that nothing was done.

    Parameters
    ----------
    read
        What was read and refused.
    done
        What was not done: "checked".
    remedy
        What to do, as a clause.
    """
    from rich.console import Console

    from deconflict.cli.findings import print_problems

    print_problems(
        Console(stderr=True, soft_wrap=True, highlight=False), read.problems, title="Refused"
    )
    refused = len(read.problems) + read.problems_left_out
    more = f" ({read.problems_left_out:,} of them are not shown)" if read.problems_left_out else ""
    sys.stderr.write(
        f"deconflict: {refused:,} {'part' if refused == 1 else 'parts'} of the input "
        f"{'is' if refused == 1 else 'are'} refused{more}, so nothing was {done}; {remedy}\n"
    )
