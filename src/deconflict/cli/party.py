"""`deconflict party`: the parties of the built-in authority."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder
from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable, printable_json

_DEFAULT_SCOPES = ("utm.strategic_coordination",)


def add(
    name: str,
    /,
    *,
    scope: Annotated[
        tuple[str, ...],
        Parameter(consume_multiple=True, negative="", show_default=" ".join),
    ] = _DEFAULT_SCOPES,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Add a party, and print its client id and secret once.

    Parameters
    ----------
    name
        The party's name, which is also its client id.
    scope
        What its tokens may allow.
    data
        The data folder; without it, that of this user.
    json
        Print JSON for programs.
    """
    from deconflict.identity.authority import Authority
    from deconflict.identity.parties import Parties

    folder = data_folder(data)
    Authority.open(folder, create=True)
    secret = Parties(folder).add(name, scope)
    _warn_of_unknown(scope)
    _show(name, secret, json=json)
    return ExitStatus.CLEAR


def list_(
    *,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """List the parties and what their tokens may allow.

    Parameters
    ----------
    data
        The data folder; without it, that of this user.
    json
        Print JSON for programs.
    """
    from deconflict.identity.parties import Parties

    parties = Parties(data_folder(data)).all()
    if json:
        _write([{"client_id": party.name, "scopes": party.scopes} for party in parties])
        return ExitStatus.CLEAR
    for party in parties:
        sys.stdout.write(f"{printable(party.name)}  {' '.join(party.scopes)}\n")
    if not parties:
        sys.stdout.write('No party yet. Add one: deconflict party add "NAME"\n')
    return ExitStatus.CLEAR


def remove(name: str, /, *, data: Path | None = None) -> int:
    """Remove a party: it gets no more tokens.

    Parameters
    ----------
    name
        The party's name.
    data
        The data folder; without it, that of this user.
    """
    from deconflict.identity.parties import Parties

    Parties(data_folder(data)).remove(name)
    sys.stdout.write(
        f"Removed {printable(name)}. A token that it still has is good until it expires, "
        "an hour at most.\n"
    )
    return ExitStatus.CLEAR


def rotate(
    name: str,
    /,
    *,
    data: Path | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Give a party a new secret in place of the old one, and print it once.

    Parameters
    ----------
    name
        The party's name.
    data
        The data folder; without it, that of this user.
    json
        Print JSON for programs.
    """
    from deconflict.identity.parties import Parties

    _show(name, Parties(data_folder(data)).rotate(name), json=json)
    return ExitStatus.CLEAR


def _warn_of_unknown(scopes: tuple[str, ...]) -> None:
    """Say which scopes no path of this service asks for; another service may know them."""
    import difflib

    from deconflict.identity.scope import F3548
    from deconflict.server.settings import METRICS_SCOPE

    known = (*F3548, METRICS_SCOPE)
    for scope in scopes:
        if scope not in known:
            (near,) = difflib.get_close_matches(scope, known, n=1, cutoff=0.0)
            sys.stderr.write(
                f"deconflict: this service knows no scope {printable(scope)}, so it opens nothing "
                f"here; perhaps {near} is meant\n"
            )


def _show(name: str, secret: str, *, json: bool) -> None:
    if json:
        _write({"client_id": name, "client_secret": secret})
        return
    sys.stdout.write(
        f"client id      {printable(name)}\n"
        f"client secret  {secret}\n"
        "The secret is not kept and won't be shown again: give it to the party over a channel "
        "that\nyou trust. The party asks for tokens at POST /oauth/token.\n"
    )


def _write(answer: object) -> None:
    import msgspec

    sys.stdout.flush()
    sys.stdout.buffer.write(printable_json(msgspec.json.encode(answer)) + b"\n")
