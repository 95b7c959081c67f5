"""`deconflict token`: one access token of a party, made on this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder
from deconflict.cli.status import ExitStatus


def token(
    name: str,
    /,
    *,
    scope: Annotated[
        tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=False)
    ] = (),
    audience: Annotated[
        tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=" ".join)
    ] = ("localhost",),
    issuer: str | None = None,
    lifetime: int = 3600,
    data: Path | None = None,
) -> int:
    """Print one access token of a party, made with the key of this machine.

    Parameters
    ----------
    name
        The party's name, as it was added.
    scope
        What the token allows; without it, all that the party may have.
    audience
        The hosts of the services that it is for.
    issuer
        What it names as its issuer, if peers want a certain one.
    lifetime
        For how long it is valid, seconds, at most 3600.
    data
        The data folder; without it, that of this user.
    """
    from deconflict.geo.errors import InputError
    from deconflict.identity.authority import LOCAL_ISSUER, Authority
    from deconflict.identity.parties import Parties

    folder = data_folder(data)
    authority = Authority.open(folder, issuer=issuer or LOCAL_ISSUER, create=False)
    party = Parties(folder).find(name)
    if party is None:
        raise InputError(
            "there is no party of this name", "see `deconflict party list`", field="name"
        )
    beyond = sorted(set(scope) - set(party.scopes))
    if beyond:
        raise InputError(
            f"the party may not have {' '.join(beyond)}",
            f"ask for some of: {' '.join(party.scopes)}",
            field="--scope",
        )
    # The clock is read once the slow part is over: an hour is an hour for the service too.
    issued = authority.issue(name, scope or party.scopes, audience, int(time.time()), lifetime)
    sys.stdout.write(f"{issued}\n")
    return ExitStatus.CLEAR
