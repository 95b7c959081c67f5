"""`deconflict settings`: each setting's value and where it came from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deconflict.cli.flags import with_flags
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.server.configuration import Configuration


@with_flags
def settings(
    *,
    config: Annotated[Path | None, Parameter(help="File of settings to read (TOML).")] = None,
    json: Annotated[
        bool, Parameter(help="Write JSON, for programs.", negative="", show_default=False)
    ] = False,
    **flags: Any,  # noqa: ANN401 - one for each setting
) -> int:
    """Print each setting's value and where it came from."""
    from deconflict.server.configuration import configure

    configuration = configure(flags, os.environ, config=config)
    if json:
        _print_json(configuration)
    else:
        _print_table(configuration)
    return ExitStatus.CLEAR


def _print_json(configuration: Configuration) -> None:
    import msgspec

    from deconflict.server.settings import about_settings

    table = {
        name: {
            "value": configuration.shown(name),
            "from": configuration.sources[name],
            "unit": about.unit,
            "help": about.help,
        }
        for name, about in about_settings().items()
    }
    content = msgspec.json.encode(table, enc_hook=str)
    sys.stdout.write(msgspec.json.format(content, indent=2).decode() + "\n")


def _print_table(configuration: Configuration) -> None:
    from rich.console import Console
    from rich.table import Table

    from deconflict.cli.text import printable
    from deconflict.server.settings import about_settings

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "from"):
        table.add_column(title, overflow="fold", no_wrap=title == "setting")
    for name, about in about_settings().items():
        value = configuration.shown(name)
        table.add_row(
            name,
            printable(_written(value, about.unit)),
            printable(configuration.sources[name]),
            style="" if configuration.sources[name] != "default" else "dim",
        )
    Console(highlight=False, markup=False).print(table)


def _written(value: object, unit: str) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    number = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{number} {unit}".rstrip()
