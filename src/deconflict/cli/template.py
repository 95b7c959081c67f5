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
    try:
        with path.open("wb" if force else "xb") as stream:
            stream.write(content)
    except FileExistsError as error:
        raise InputError(
            "the file exists already", "write another name, or add --force", field=file
        ) from error
    except OSError as error:
        raise InputError(
            f"the file can't be written ({error.strerror})", "write another place", field=file
        ) from error
    sys.stdout.write(
        f"Wrote {printable(file)}. Fill it in, then: deconflict check {printable(file)}\n"
        "Delete the example row; the second sheet explains each column.\n"
        if path.suffix.lower() == ".xlsx"
        else f"Wrote {printable(file)}. Fill it in, then: deconflict check {printable(file)}\n"
    )
    return ExitStatus.CLEAR
