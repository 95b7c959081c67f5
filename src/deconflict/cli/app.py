"""The command line's commands and their help; each is loaded only when it is called."""

from __future__ import annotations

from cyclopts import App

from deconflict import __version__

app = App(
    name="deconflict",
    version=f"deconflict {__version__}",
    help=(
        "Tells which plans and positions meet, exactly, before anybody is there.\n\n"
        "Positions in any notation and datum are read strictly and read back; every plan is "
        "checked against everything. Clear is information, never permission."
    ),
    help_epilogue=(
        "Start with: `deconflict demo`, then `deconflict template` and "
        "`deconflict check plans.xlsx --against positions.csv`"
    ),
    help_format="markdown",
    suppress_keyboard_interrupt=False,
)

_COMMANDS = {
    "check": "Tell which entities of some files meet, and explain each conflict.",
    "convert": "Read one position strictly and write it in every notation.",
    "compare": "Tell whether two texts mean the same place, or which mistake was likely made.",
    "template": "Write a spreadsheet to fill in, with drop-downs and an example.",
    "demo": "Show the main job on an accident of 2017 and on real health sites of Sudan.",
    "completion": "Print the completion script of a shell, or install it.",
}
"""Name of each command, which is also its module and function, and its line in the overview."""

for _name, _line in _COMMANDS.items():
    app.command(f"deconflict.cli.{_name}:{_name}", name=_name, help=_line)
