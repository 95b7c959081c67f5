"""`deconflict export`: the entities of some files in another format."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus
from deconflict.formats.reading import Defaults
from deconflict.register.entity import Kind


def export(
    *files: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True)],
    to: str,
    kind: Kind | None = None,
    party: str | None = None,
    datum: str | None = None,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Write the entities of some files in another format.

    Parameters
    ----------
    files
        Files in any format that `check` reads. `-` reads standard input.
    to
        The file to write; its ending says the format: .geojson, .kml, .csv or .xlsx.
    kind
        The kind of entities that state none: site, movement, operation or zone.
    party
        The party of entities that name none.
    datum
        The datum of latitudes and longitudes in text that name none.
    force
        Overwrite a file that exists.
    """
    from deconflict.cli.progress import progress
    from deconflict.cli.refusal import refuse
    from deconflict.cli.text import printable
    from deconflict.files import read_files, write_file
    from deconflict.geo.errors import InputError

    if not files:
        raise InputError("no file is given", "write one: deconflict export plans.csv --to p.kml")
    with progress("Reading") as advance:
        read = read_files(
            files, defaults=Defaults(kind=kind, party=party, datum=datum), progress=advance
        )
    if read.problems:
        refuse(read, done="written", remedy="mend them and try again")
        return ExitStatus.BAD_INPUT
    write_file(read.plans, to, replace=force)
    sys.stdout.write(f"Wrote {len(read.plans):,} entities to {printable(to)}.\n")
    return ExitStatus.CLEAR
