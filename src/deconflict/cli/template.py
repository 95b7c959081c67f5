"""`deconflict template`: a spreadsheet to fill in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable
from deconflict.geo.errors import InputError


def template(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)] = "deconflict-template.xlsx",
    /,
    *,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Write a spreadsheet to fill in.

    Parameters
    ----------
    file
        Where to write it; the ending `.xlsx` or `.csv` says what. `-` writes CSV to the output.
    force
        Overwrite a file that exists.
    """
    import deconflict.formats.template as templates
    from deconflict.files import write_bytes

    if file == "-":
        sys.stdout.buffer.write(templates.template_csv())
        return ExitStatus.CLEAR
    path = Path(file)
    match path.suffix.lower():
        case ".xlsx":
            content = templates.template()
        case ".csv":
            content = templates.template_csv()
        case ending:
            raise InputError(
                f"a template can't be written as {ending or 'a file without ending'}",
                "write a name that ends in .xlsx or .csv",
                field=file,
            )
    write_bytes(content, file, replace=force)
    sys.stdout.write(
        f"Wrote {printable(file)}. Fill it in, then: deconflict check {printable(file)}\n"
        "Delete the example row; the second sheet explains each column.\n"
        if path.suffix.lower() == ".xlsx"
        else f"Wrote {printable(file)}. Fill it in, then: deconflict check {printable(file)}\n"
    )
    return ExitStatus.CLEAR
