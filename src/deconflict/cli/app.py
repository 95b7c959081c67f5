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
    "check": (
        "FILE... [--against FILE...] [OPTIONS]",
        "Tell which entities of some files meet, and explain each conflict.",
        "deconflict check plans.xlsx --against hospitals.geojson --kind site",
    ),
    "convert": (
        "TEXT [OPTIONS]",
        "Read one position strictly and write it in every notation.",
        'deconflict convert "MGRS ED50 37S CA 66801 26131"',
    ),
    "compare": (
        "TEXT TEXT [OPTIONS]",
        "Tell whether two texts mean the same place, or which mistake was likely made.",
        'deconflict compare "36.3700 N 37.5150 E WGS 84" "36.3702 N 37.5166 E WGS 84"',
    ),
    "export": (
        "FILE... --to FILE [OPTIONS]",
        "Write the entities of some files in another format.",
        "deconflict export plans.xlsx --to plans.geojson",
    ),
    "template": (
        "[FILE] [OPTIONS]",
        "Write a spreadsheet to fill in, with drop-downs and an example.",
        "deconflict template plans.xlsx",
    ),
    "demo": (
        "",
        "Show the main job on an accident of 2017 and on real health sites of Sudan.",
        "deconflict demo",
    ),
    "completion": (
        "bash|zsh|fish [--install]",
        "Print the completion script of a shell, or install it.",
        "deconflict completion bash --install",
    ),
}
"""Name of each command (also its module and function): what it takes, its line, an example."""

for _place, (_name, (_usage, _line, _example)) in enumerate(_COMMANDS.items()):
    app.command(
        f"deconflict.cli.{_name}:{_name}",
        name=_name,
        usage=f"Usage: deconflict {_name} {_usage}".rstrip(),
        help=_line,
        help_epilogue=f"Example: `{_example}`",
        sort_key=_place,
    )
