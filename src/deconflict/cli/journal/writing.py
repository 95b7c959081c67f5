"""What the commands of the journal write: text with colour on a terminal, or JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from deconflict.cli.text import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console

RIGHT: Final = "green"
WRONG: Final = "bold red"
DOUBTFUL: Final = "yellow"
QUIET: Final = "dim"
TITLE: Final = "bold"


class Writer:
    """Writes lines; text from the journal can't steer the terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console: Console = Console(highlight=False, markup=False, soft_wrap=True)

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line."""
        self._console.print(printable(text), style=style or None)

    def pair(self, name: str, text: str, style: str = "") -> None:
        """Write a name and what is said of it."""
        from rich.text import Text

        shown = Text(f"  {name:<15}", style=QUIET)
        shown.append(printable(text), style=style or "default")
        self._console.print(shown)


def write_json(answer: object) -> None:
    """Write an answer as JSON for programs."""
    import msgspec

    sys.stdout.flush()
    sys.stdout.buffer.write(printable_json(msgspec.json.encode(answer)) + b"\n")


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number and what it counts."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
