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

LIBRARY_HEAD = """\
# Library

This page is written by `make docs` from the library's own docstrings. `help(deconflict.NAME)` has
the parameters, units, errors and sources. [Embed it](../how-to/embed-or-serve.md) shows the
register and the record in a program.
"""

LIBRARY = {
    "Positions": "read_position read_positions notations compare Position LatLon Notation"
    " Comparison Mistake",
    "Volumes": "Volume4D Polygon Circle Route AltitudeBand AltitudeReference Height read_height"
    " to_ellipsoid separation Separation meets containment Containment clears",
    "Many volumes": "Index sweep VolumeTable",
    "Entities, rules and verdicts": "Entity Kind ZoneRule check Check Report Verdict Conflict"
    " Overlap Doubt Shift Rules default_rules load_rules",
    "Files": "read_file read_files write_file FilesRead Defaults Limits Problem ReadResult",
    "The register": "Register decide Command ENTROPY_BYTES PutOperation RemoveOperation PutZone"
    " RemoveZone PutSubscription RemoveSubscription State Decision Refusal Decided"
    " encode_decided decode_decided",
    "The record": "Log SqliteEngine Keys Entry Part salts Opened Outcome Checkpoint leaf leaf_hash"
    " verify_checkpoint verify_inclusion verify_consistency verify_leaf",
    "Errors": "InputError AmbiguousTextError LogError ProofError EngineError NoSpaceError",
}
"""The library's public names by what they are for."""

LIBRARY_VALUES = {
    "ENTROPY_BYTES": "Unpredictable bytes that every command needs.",
    "LatLon": "A pair: latitude and longitude of a WGS 84 point in degrees.",
}
"""Names of values and types, which have no docstring of their own."""


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
        ExitStatus.TRY_AGAIN: "a shared journal or another node can't be reached; try later",
        ExitStatus.START_REFUSED: "the service does not start before somebody has looked into it",
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


def library() -> str:
    """Return the page of the library: each public name and the first line of its docstring."""
    import deconflict

    page = LIBRARY_HEAD
    for title, names in LIBRARY.items():
        page += f"\n## {title}\n\n| name | what |\n|---|---|\n"
        for name in names.split():
            what = LIBRARY_VALUES.get(name)
            if what is None:
                what = getattr(deconflict, name).__doc__.strip().splitlines()[0]
            page += f"| `{name}` | {what.replace('``', '`')} |\n"
    return page


SETTINGS_HEAD = """\
# Settings

This page is written by `make docs` from the program's own table of settings.

A setting is said with a flag of `deconflict serve`, with a variable of the environment, or in a
TOML file, and the first of these that says it counts. The file is `deconflict.toml` in the data
folder, or the one that `--config` or `DECONFLICT_CONFIG` names. `deconflict settings` prints the
values in force and where each comes from. Settings concern sockets, files, logs and rates; what
decides whether two plans meet is in the journal.

The variable of a setting is its name in capitals behind `DECONFLICT_`, such as `DECONFLICT_PORT`;
a repeatable one takes its values with commas between them.

| setting | flag | default | unit | what |
|---|---|---|---|---|
"""


def settings() -> str:
    """Return the page of the settings."""
    from deconflict.server.settings import about_settings

    page = SETTINGS_HEAD
    for name, about in about_settings().items():
        default = about.default
        shown = "" if default is None or default == () else str(default)
        if isinstance(default, bool):
            shown = str(default).lower()
        unit = f"`{about.unit}`" if about.unit else ""
        cell = f"`{shown}`" if shown else "none"
        page += f"| `{name}` | `{about.flag}` | {cell} | {unit} | {about.help} |\n"
    return page + policy()


POLICY_HEAD = """
## The policy

These limits decide about plans, so they are no settings of a node: they stand in the journal, and
every replay knows which were in force. `deconflict configure` shows them, also beside the running
service. To change some, stop the service and name them, as the user whom it runs as:

```
deconflict configure horizon_s=864000 most_volumes=200
```

It prints the old value and the new one. The change is an entry of the journal, and holds for all
that is decided after it, from the next start of the service on; what is registered already stays.

| limit | default | from | to | unit | what |
|---|---|---|---|---|---|
"""


def policy() -> str:
    """Return the section of the policy."""
    from deconflict.register.policy import ABOUT_POLICY, DEFAULT_POLICY

    section = POLICY_HEAD
    for name, about in ABOUT_POLICY.items():
        default = getattr(DEFAULT_POLICY, name)
        if isinstance(default, bool):
            shown, least, most = str(default).lower(), "false", "true"
        else:
            shown, least, most = f"{default:,}", f"{about.least:,}", f"{about.most:,}"
        section += f"| `{name}` | {shown} | {least} | {most} | {about.unit} | {about.help} |\n"
    return section


def main() -> None:
    """Write every generated page."""
    REFERENCE.mkdir(exist_ok=True)
    (REFERENCE / "command-line.md").write_text(command_line(), encoding="utf-8")
    (REFERENCE / "settings.md").write_text(settings(), encoding="utf-8")
    (REFERENCE / "library.md").write_text(library(), encoding="utf-8")


if __name__ == "__main__":
    main()
