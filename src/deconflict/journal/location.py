"""Where a journal is: a file of this machine, or an engine that several nodes share.

======================================  ===================================================
text                                    engine
======================================  ===================================================
``sqlite:PATH``                         the embedded one; PATH is its file, or the folder of it
``postgresql://[USER@]HOST/DATABASE``   PostgreSQL, as libpq reads it; several hosts by commas
``nats://HOST[:PORT][,...]/NAME``       NATS JetStream; NAME is that of the stream
======================================  ===================================================

The modules of the shared engines load only when one is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deconflict.journal.engine import EngineError

if TYPE_CHECKING:
    from deconflict.journal.bare import Bare
    from deconflict.journal.engine import Engine

JOURNAL: Final = "journal.db"
"""The embedded journal's file in a data folder."""
_SCHEMES: Final = ("postgresql", "postgres", "nats", "tls")
_PASSWORD: Final = re.compile(
    r"(//[^/@\s]*?:)[^@]*(?=@)|((?:^|[?&\s])password=)[^&\s]*", re.IGNORECASE
)


_USER: Final = re.compile(r"//.*@")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a journal is.

    Attributes
    ----------
    file
        The embedded journal's file; ``None`` if an engine is shared.
    url
        Of a shared engine, passwords included; empty if none is.
    """

    file: Path | None
    url: str = ""

    @property
    def shared(self) -> bool:
        """Whether several nodes can use it."""
        return self.file is None

    @property
    def text(self) -> str:
        """The text that names it, passwords included."""
        return self.url if self.file is None else f"sqlite:{self.file}"

    def __str__(self) -> str:
        """Return it without passwords."""
        return redacted(self.text)

    def __repr__(self) -> str:
        """Return it without passwords."""
        return f"Location({self})"

    def open(self, *, create: bool = False, verify: bool = True) -> Engine:
        """Open the engine to write.

        Parameters
        ----------
        create
            Whether to make a journal where there is none.
        verify
            Whether the end of the journal has to be whole, where an engine can do without.

        Raises
        ------
        EngineError
            If it can't be opened: a sentence that says what to do.
        """
        if self.file is not None:
            from deconflict.journal.sqlite.engine import SqliteEngine

            return SqliteEngine(self.file, create=create)
        if self.url.startswith("postgres"):
            from deconflict.journal.postgres.engine import PostgresEngine

            return PostgresEngine(self.url, create=create, verify=verify)
        from deconflict.journal.jetstream.engine import JetStreamEngine

        return JetStreamEngine(self.url, create=create)

    def open_reader(self, *, verify: bool = True) -> Engine:
        """Open the engine to read, beside whoever writes.

        Parameters
        ----------
        verify
            As for `open`.

        Raises
        ------
        EngineError
            If it can't be opened: a sentence that says what to do.
        """
        if self.file is not None:
            from deconflict.journal.sqlite.engine import SqliteEngine

            return SqliteEngine.reader(self.file)
        if self.url.startswith("postgres"):
            from deconflict.journal.postgres.engine import PostgresEngine

            return PostgresEngine.reader(self.url, verify=verify)
        from deconflict.journal.jetstream.engine import JetStreamEngine

        return JetStreamEngine.reader(self.url)

    def open_bare(self) -> Bare:
        """Open the journal to read what is left of it, beside whoever writes.

        Raises
        ------
        EngineError
            If there is none, or it can't be opened.
        """
        from deconflict.journal.bare import BareEngine, BareJournal

        if self.file is not None:
            return BareJournal(self.file)
        return BareEngine(str(self), self.open_reader(verify=False))


def location(text: str) -> Location:
    """Return the location that a text names.

    Raises
    ------
    EngineError
        If it names none; the sentence says how one is written.
    """
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "sqlite" and rest:
        path = Path(rest.removeprefix("//")).expanduser()
        return Location(path / JOURNAL if path.is_dir() or rest.endswith("/") else path)
    if colon and scheme in _SCHEMES and rest.startswith("//") and len(rest) > len("//"):
        return Location(None, text)
    raise EngineError(
        f"{redacted(text)!r} names no journal: write sqlite:PATH, postgresql://HOST/DATABASE or "
        "nats://HOST/NAME"
    )


def in_folder(folder: Path) -> Location:
    """Return the location of the embedded journal in a data folder."""
    return Location(folder / JOURNAL)


def redacted(url: str) -> str:
    """Return a URL without its passwords, to be shown or logged."""
    if url.startswith(("nats:", "tls:")):  # what stands before the host may be a token
        return _USER.sub("//***@", url)
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", url)
