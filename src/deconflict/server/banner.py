"""What the service says once it is ready: where it is, who may ask, and what it does not do yet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog

from deconflict.server.logs import LineWriter

NATIVE: Final = (
    "Natively registered entities are not shown to F3548 clients yet: the projection does not "
    "exist."
)
_UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - told, not bound
"""What stands for all addresses of a machine."""
STARTED: Final = "the service is ready"
"""The event of the line by which programs know that requests are answered."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said.

    Attributes
    ----------
    address
        Under which URL requests are answered.
    data, journal
        The data folder, and where the journal is; empty: in the folder.
    public_key, origin
        The log's key in hexadecimal, and its name in checkpoints.
    sources
        The authorities.
    audiences
        For which names tokens must be.
    parties
        How many the built-in authority has; ``None`` where it is off.
    entries, live
        Of the journal, and of the register by kind.
    behind_proxy
        Whether a proxy in front does TLS.
    """

    address: str
    data: str
    journal: str
    public_key: str
    origin: str
    sources: tuple[str, ...]
    audiences: tuple[str, ...]
    parties: int | None
    entries: int
    live: Mapping[str, int]
    behind_proxy: bool


def announce(facts: Facts, writer: LineWriter, *, json: bool, colour: bool) -> None:
    """Say it: one line of JSON for programs, a table for people."""
    if json:
        structlog.get_logger("deconflict.server").info(
            STARTED,
            address=facts.address,
            data=facts.data,
            journal=facts.journal,
            log_public_key=facts.public_key,
            log_origin=facts.origin,
            authorities=facts.sources,
            audiences=facts.audiences,
            parties=facts.parties,
            entries=facts.entries,
            live=dict(facts.live),
            behind_proxy=facts.behind_proxy,
            note=NATIVE,
        )
        return
    lines = [line.rstrip() for line in _table(facts, colour=colour).rstrip().splitlines()]
    writer.write("\n".join(lines).encode("utf-8", "backslashreplace"))


def _counted(number: int, kind: str) -> str:
    one = f"{kind[:-3]}y" if kind.endswith("ies") else kind[:-1]
    return f"{number:,} {one if number == 1 else kind}"


def _table(facts: Facts, *, colour: bool) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    parts = urlsplit(facts.address)
    everywhere = parts.hostname in _UNSPECIFIED
    where = f" in {facts.journal}" if facts.journal else ""
    live = {kind: _counted(number, kind) for kind, number in facts.live.items()}
    parties = live.pop("parties")
    rows = {
        "address": Text(
            f"all addresses, port {parts.port} ({parts.scheme})" if everywhere else facts.address,
            style="bold green",
        ),
        "documents": Text("/docs at each of them" if everywhere else f"{facts.address}/docs"),
        "data": Text(facts.data),
        "journal": Text(_counted(facts.entries, "entries") + where),
        "register": Text(f"{', '.join(live.values())} of {parties}"),
        "log key": Text(facts.public_key),
        "log origin": Text(facts.origin),
        "tokens from": Text("; ".join(facts.sources)),
        "tokens for": Text(", ".join(facts.audiences)),
    }
    if facts.parties is not None:
        rows["authority"] = Text(f"{_counted(facts.parties, 'parties')} with a secret for tokens")
    for name, value in rows.items():
        table.add_row(name, value)
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=colour, color_system="auto" if colour else None, width=100
    )
    console.print(table)
    if facts.parties == 0 and len(facts.sources) == 1:
        console.print("Nobody may ask yet. Add a party: deconflict party add NAME", style="yellow")
    if everywhere:
        console.print("Set public_url, so that parties are told where they reach the service.")
    if facts.behind_proxy:
        console.print("TLS is left to a proxy in front; nothing else may reach this address.")
    console.print(Text(NATIVE, style="dim"))
    console.print(Text("Ctrl-C stops it.", style="dim"))
    return stream.getvalue()
