"""Write the generated pages of docs/reference from the program itself (`make docs`)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts import App

REFERENCE = Path(__file__).parent / "reference"

COMMAND_LINE_HEAD = """\
# Command line

This page is written by `make docs` from the program's own help.

Every command ends with one of these statuses; an internal error is never 1.

| status | meaning |
|---|---|
"""


def commands(app: App) -> list[list[str]]:
    """Return the words of each command and, behind its group, of each command in a group."""
    found = []
    for name in app:
        if not name.startswith("-"):
            found.append([name])
            found += [[name, *words] for words in commands(app[name])]
    return found


def command_line() -> str:
    """Return the page of the command line: statuses, then the help of each command."""
    from rich.console import Console

    from deconflict.cli.app import app
    from deconflict.cli.status import ExitStatus

    meanings = {
        ExitStatus.CLEAR: "nothing meets, the texts agree, or the work is done",
        ExitStatus.CONFLICT: "something meets, or the texts differ",
        ExitStatus.BAD_INPUT: "something in the command or in a file is wrong; nothing was checked",
        ExitStatus.UNKNOWN: "the check can't tell, or rows were skipped",
        ExitStatus.INTERNAL_ERROR: "a fault of the program or of the machine; no verdict",
        ExitStatus.INTERRUPTED: "Ctrl-C",
        ExitStatus.OUTPUT_CLOSED: "the reader of the output went away",
    }
    page = COMMAND_LINE_HEAD
    page += "".join(f"| {status.value} | {meanings[status]} |\n" for status in ExitStatus)
    for words in ([], *commands(app)):
        title = " ".join(["deconflict", *words])
        output = io.StringIO()
        console = Console(file=output, width=96, color_system=None, force_terminal=False)
        app([*words, "--help"], console=console, exit_on_error=False, result_action="return_value")
        text = "\n".join(line.rstrip() for line in output.getvalue().splitlines())
        page += f"\n## {title}\n\n```text\n{text.strip()}\n```\n"
    return page


def main() -> None:
    """Write every generated page."""
    REFERENCE.mkdir(exist_ok=True)
    (REFERENCE / "command-line.md").write_text(command_line(), encoding="utf-8")


if __name__ == "__main__":
    main()
