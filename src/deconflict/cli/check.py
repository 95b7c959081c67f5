"""`deconflict check`: which entities of some files meet."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable_json
from deconflict.formats.reading import Defaults
from deconflict.formats.report import as_geojson, as_json
from deconflict.register.entity import Kind
from deconflict.register.report import Report, Verdict

if TYPE_CHECKING:
    from deconflict.files import FilesRead

_STATUS = {
    Verdict.CLEAR: ExitStatus.CLEAR,
    Verdict.CONFLICT: ExitStatus.CONFLICT,
    Verdict.UNKNOWN: ExitStatus.UNKNOWN,
}


def check(
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    against: Annotated[
        tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=False)
    ] = (),
    format: Literal["table", "json", "geojson"] = "table",  # noqa: A002 - the option is --format
    rules: Path | None = None,
    at: str | None = None,
    kind: Kind | None = None,
    party: str | None = None,
    datum: str | None = None,
    strict_datum: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    skip_bad: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Tell which entities of some files meet, and explain each conflict.

    Parameters
    ----------
    files
        Plans: GeoJSON, KML, KMZ, CSV, XLSX, OpenAir, ED-269 or F3548. Each is checked against
        all others and against those of `--against`. `-` reads standard input.
    against
        Files that are not checked among themselves: positions already registered.
    format
        `table` for people, `json` for programs, `geojson` for a map.
    rules
        A TOML file in place of the default table of rules.
    at
        The time at which the age of positions is judged (RFC 3339, such as
        2026-12-01T08:00:00Z); without it, now.
    kind
        The kind of entities that state none: site, movement, operation or zone.
    party
        The party of entities that name none.
    datum
        The datum of latitudes and longitudes in text that name none.
    strict_datum
        Refuse an MGRS, UTM or GEOREF text that names no datum, rather than assume WGS 84.
    skip_bad
        Leave out what can't be read, and check the rest; the answer is then never clear.
    """
    from deconflict.cli.collector import at_rest
    from deconflict.cli.progress import progress
    from deconflict.cli.refusal import refuse_options
    from deconflict.files import read_files
    from deconflict.formats.instant import read_instant
    from deconflict.geo.errors import InputError
    from deconflict.register.rules import load_rules

    if not files and against:
        raise InputError(
            "every file stands after --against, so nothing is to be checked",
            "write first what to check: deconflict check plans.xlsx --against positions.csv",
        )
    if not files:
        raise InputError("no file is given", "write one: deconflict check plans.xlsx")
    refuse_options((*files, *against))
    now = datetime.now(UTC) if at is None else read_instant(at, field="--at")
    table = None if rules is None else load_rules(rules)
    with at_rest(), progress("Reading") as advance:
        read = read_files(
            files,
            against,
            defaults=Defaults(kind=kind, party=party, datum=datum, strict_datum=strict_datum),
            progress=advance,
        )
    refused = len(read.problems) + read.problems_left_out
    if refused and not skip_bad:
        _refuse(read, format)
        return ExitStatus.BAD_INPUT

    from deconflict.register.check import check as judge

    with at_rest(), progress("Checking") as advance:
        report = judge(
            read.plans, read.against, rules=table, now=now, skipped=refused, progress=advance
        )
    _answer(report, read, format)
    return _STATUS[report.verdict]


def _refuse(read: FilesRead, form: str) -> None:
    """Say everything that can't be read, and that nothing was checked."""
    from deconflict.cli.refusal import refuse

    if form != "table":
        _write(as_json(None, (*read.plans, *read.against), read.problems))
    refuse(read, done="checked", remedy="mend them, or add --skip-bad to check the rest")


def _answer(report: Report, read: FilesRead, form: str) -> None:
    if form == "json":
        _write(as_json(report, (*read.plans, *read.against), read.problems))
    elif form == "geojson":
        _write(as_geojson(report, read.problems))
    else:
        from rich.console import Console

        from deconflict.cli.findings import print_report

        console = Console(soft_wrap=True, highlight=False)
        print_report(
            console, report, plans=read.plans, against=read.against, problems=read.problems
        )


def _write(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(printable_json(content))
