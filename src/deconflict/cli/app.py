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
    "token": (
        "NAME [OPTIONS]",
        "Print one access token of a party, made with the key of this machine.",
        'deconflict token "Relief" --scope utm.strategic_coordination --audience localhost',
    ),
    "demo": (
        "",
        "Show the main job on an accident of 2017, on health sites of Sudan, and the service.",
        "deconflict demo",
    ),
    "serve": (
        "[OPTIONS]",
        "Start the service: a durable journal and the interfaces of ASTM F3548-21.",
        "deconflict serve --public-key authority.pem --audience dss.example.org",
    ),
    "settings": (
        "[OPTIONS]",
        "Print each setting of the service and where its value came from.",
        "deconflict settings --json",
    ),
    "configure": (
        "[NAME=VALUE]... [OPTIONS]",
        "Print the limits that decisions of the service keep to, or put others in force.",
        "deconflict configure kept_after_end_s=7200",
    ),
    "completion": (
        "bash|zsh|fish [--install]",
        "Print the completion script of a shell, or install it.",
        "deconflict completion bash --install",
    ),
}
"""Name of each command (also its module and function): what it takes, its line, an example."""

_GROUPS = {
    "journal": (
        "Verify, read, export, prune and restore the record; replay who knew what at a time.",
        "Start with: `deconflict journal verify`, then `deconflict journal show --last 10`",
        {
            "verify": (
                "[PATH] [OPTIONS]",
                "Verify a data folder, a journal, an archive or an export, and say what is wrong.",
                "deconflict journal verify relief.ndjson",
            ),
            "show": (
                "[POSITION...] [OPTIONS]",
                "Show entries in readable form, with their parts and proofs.",
                "deconflict journal show --last 10",
            ),
            "export": (
                "--to FILE [OPTIONS]",
                "Write entries with their proofs, which anybody can verify alone.",
                'deconflict journal export --party "Relief" --to relief.ndjson',
            ),
            "stats": (
                "[OPTIONS]",
                "Tell how much the journal holds, how fast it grows, and what it keeps.",
                "deconflict journal stats",
            ),
            "copy": (
                "FROM TO [OPTIONS]",
                "Copy a history to another engine, and verify that its proof is the same.",
                "deconflict journal copy sqlite:/var/lib/deconflict postgresql://dss@db/dss",
            ),
            "prune": (
                "--keep DAYS | --before TIME [OPTIONS]",
                "Move old entries to an archive; what is live is stated again before that.",
                "deconflict journal prune --keep 90",
            ),
            "restore": (
                "BACKUP [OPTIONS]",
                "Let a backup go on as a new log; what was there is moved aside.",
                "deconflict journal restore /backup/deconflict",
            ),
            "replay": (
                "[OPTIONS]",
                "Print who knew what then: the register, and what a party had been told.",
                'deconflict journal replay --at 2026-12-01T08:40:00Z --party "Relief"',
            ),
            "snapshot": (
                "[OPTIONS]",
                "Write a snapshot now, which shortens the next start.",
                "deconflict journal snapshot",
            ),
        },
    ),
    "party": (
        "Add, list or remove the parties of the built-in authority, or renew their secrets.",
        'Start with: `deconflict party add "Relief"`, then `deconflict party list`',
        {
            "add": (
                "NAME [OPTIONS]",
                "Add a party, and print its client id and secret once.",
                'deconflict party add "Relief" --scope utm.strategic_coordination',
            ),
            "list": (
                "[OPTIONS]",
                "List the parties and what their tokens may allow.",
                "deconflict party list",
            ),
            "remove": (
                "NAME [OPTIONS]",
                "Remove a party: it gets no more tokens.",
                'deconflict party remove "Relief"',
            ),
            "rotate": (
                "NAME [OPTIONS]",
                "Give a party a new secret in place of the old one, and print it once.",
                'deconflict party rotate "Relief"',
            ),
        },
    ),
}
"""Name of each group (also its module): its line, how to start, its commands (its functions)."""


def _add(to: App, module: str, words: str, place: int, entry: tuple[str, str, str]) -> None:
    usage, line, example = entry
    name = words.rpartition(" ")[2]
    to.command(
        f"deconflict.cli.{module}:{name if name not in _TAKEN else name + '_'}",
        name=name,
        usage=f"Usage: deconflict {words} {usage}".rstrip(),
        help=line,
        help_epilogue=f"Example: `{example}`",
        sort_key=place,
    )


_PACKAGES = frozenset({"journal"})
"""Groups that have a module for each command."""
_TAKEN = frozenset({"list"})
"""Names of Python; the function has an underscore behind."""

for _place, (_name, _entry) in enumerate(_COMMANDS.items()):
    _add(app, _name, _name, _place, _entry)
for _place, (_name, (_line, _start, _members)) in enumerate(_GROUPS.items(), start=len(_COMMANDS)):
    _group = App(
        name=_name, help=_line, help_epilogue=_start, help_format="markdown", sort_key=_place
    )
    app.command(_group)
    for _below, (_member, _entry) in enumerate(_members.items()):
        _module = f"{_name}.{_member}" if _name in _PACKAGES else _name
        _add(_group, _module, f"{_name} {_member}", _below, _entry)
