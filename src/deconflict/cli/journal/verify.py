"""`deconflict journal verify`: what of a record is right, missing, altered or closed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import DOUBTFUL, RIGHT, WRONG, Writer, counted, write_json
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.journal.findings import Findings


@spoken
def verify(
    path: Path | None = None,
    /,
    *,
    data: Path | None = None,
    journal: str | None = None,
    keys: Path | None = None,
    public_key: str | None = None,
    checkpoint: Annotated[
        tuple[Path, ...], Parameter(consume_multiple=True, negative="", show_default=False)
    ] = (),
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Verify a data folder, a journal, an archive or an export, and say what is wrong.

    Ends with 0 if all is right, 1 if something is missing or altered, 2 if there is nothing that
    can be verified, and 3 if nothing is wrong but not all could be checked, for want of a key, a
    checkpoint or a tile. Works beside a running server.

    Parameters
    ----------
    path
        A data folder with its archives, a file journal.db, an archive, or an export.
    data
        The data folder; without it and without a path, that of this user.
    journal
        Where the journal of the data folder is, if it is not in there; without it, where the
        settings say that a node on that folder has it, unless a path with a journal.db is named.
    keys
        The folder of the service's keys; without it the one in the data folder.
    public_key
        The log's public key, in hexadecimal or a PEM file, if the key files are not at hand.
    checkpoint
        Further checkpoints to compare with, such as one that you kept. One that an export or an
        archive can't be compared with, since it is of another size, ends in 3.
    json
        Print JSON for programs.
    """
    from deconflict.cli.progress import progress
    from deconflict.journal.location import JOURNAL
    from deconflict.server.verification import read_public_key, verify_path

    where = path or data_folder(data)
    place = None
    if journal is not None or (where.is_dir() and not (path and (path / JOURNAL).exists())):
        place = journal_location(where, journal)
    given = None if public_key is None else read_public_key(public_key)
    with progress("Verifying") as advance:
        found = verify_path(
            where,
            keys=keys,
            public_key=given,
            checkpoints=checkpoint,
            journal=place,
            progress=advance,
        )
    if json:
        write_json(found)
    else:
        writer = Writer()
        for one in found:
            _print(writer, one)
    if any(one.wrong_count for one in found):
        return ExitStatus.CONFLICT
    return ExitStatus.UNKNOWN if any(one.unchecked for one in found) else ExitStatus.CLEAR


_AGREES = {True: "agrees", False: "DOES NOT AGREE", None: "can't be compared"}
_SIGNED = {True: "its signature is right", False: "its signature is WRONG", None: "not checked"}


def _print(writer: Writer, found: Findings) -> None:
    if found.wrong_count:
        verdict, style = f"{counted(found.wrong_count, 'thing')} wrong", WRONG
    elif found.unchecked:
        verdict, style = "nothing wrong, but not all could be checked", DOUBTFUL
    else:
        verdict, style = "all is right", RIGHT
    writer.line(f"{found.source}: {verdict}", style)
    writer.pair("entries", _entries_text(found))
    writer.pair("signatures", f"{found.signatures:,} right")
    writer.pair("parts", f"{found.opened:,} entries hash to their records")
    if found.erased:
        writer.pair("erased", f"{found.erased:,} entries: their proof stands, their text is gone")
    if found.closed:
        writer.pair("closed", f"{found.closed:,} entries can't be opened without the sealing key")
    if found.withheld:
        writer.pair("withheld", _withheld_text(found))
    for one in found.proved:
        writer.pair(
            "checkpoint",
            f"over {counted(one.size, 'entry', 'entries')} ({one.name}): {_AGREES[one.agrees]}, "
            f"{_SIGNED[one.signed]}",
            WRONG if one.agrees is False or one.signed is False else "",
        )
    for remark in found.remarks:
        writer.pair("remark", remark, DOUBTFUL)
    for wrong in found.wrong:
        where = "whole" if wrong.position is None else f"entry {wrong.position:,}"
        writer.pair(where, wrong.what, WRONG)
    if found.wrong_count > len(found.wrong):
        writer.pair("", f"and {found.wrong_count - len(found.wrong):,} more", WRONG)


def _entries_text(found: Findings) -> str:
    if found.stop <= found.first:
        return f"{found.entries:,} read, none"
    span = f"{found.first:,} to {found.stop - 1:,}"
    if found.party:
        return f"{found.entries:,} of {found.party}, from positions {span}"
    return f"{found.entries:,} read, {span}"


def _withheld_text(found: Findings) -> str:
    kinds = (
        (found.provable, "salt and hash are given, so who has the bytes can prove them"),
        (found.withheld - found.provable, "only the hash is given"),
    )
    given = "; ".join(f"of {count:,} {what}" for count, what in kinds if count)
    return f"{counted(found.withheld, 'part')}: {given}"
