"""`deconflict journal export`: entries with their proofs, to be verified alone."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable


@spoken
def export(
    *,
    to: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    start: Annotated[int | None, Parameter(name="--from", show_default=False)] = None,
    stop: int | None = None,
    party: str | None = None,
    with_secrets: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    force: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    data: Path | None = None,
    journal: str | None = None,
) -> int:
    """Write entries with their proofs, which anybody can verify alone.

    A line of JSON an entry; `deconflict journal verify` checks it, and so do sha256sum and
    openssl. Works beside a running server. A part that holds an OVN, a token or another secret is
    withheld: its hash stands, and what of it may be read.

    Parameters
    ----------
    to
        The file; `-` is standard output.
    start
        The first position; without it, all that is kept, archives included.
    stop
        The position behind the last; without it, all that the last checkpoint covers.
    party
        Only what this party said, was told and was shown, with the salts by which it proves the
        bytes that it has itself.
    with_secrets
        Give the parts that hold secrets, too.
    force
        Overwrite a file that exists.
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    """
    from deconflict.cli.progress import progress
    from deconflict.server.exporting import export_lines
    from deconflict.server.record import Record

    lines = 0
    folder = data_folder(data)
    with (
        Record.open(folder, journal_location(folder, journal)) as record,
        progress("Exporting") as advance,
        _written(to, force=force) as stream,
    ):
        for line in export_lines(
            record,
            start=start,
            stop=stop,
            party=party or "",
            with_secrets=with_secrets,
            progress=advance,
        ):
            stream.write(line)
            lines += 1
    if str(to) != "-":
        sys.stdout.write(
            f"Wrote {lines - 2:,} entries to {printable(str(to))}. Verify it: "
            f"deconflict journal verify {printable(str(to))}\n"
        )
    return ExitStatus.CLEAR


@contextmanager
def _written(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a stream; the file is there only when all was written."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    if not force:
        _refuse_to_replace(path)
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if not force:
            _refuse_to_replace(path)  # it took a while; a link would be sure, but FAT has none
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _refuse_to_replace(path: Path) -> None:
    from deconflict.geo.errors import InputError

    if os.path.lexists(path):
        raise InputError(
            "the file exists already",
            "write another name, or say that it may be replaced (--force)",
            field=str(path),
        )
