"""`deconflict serve`: the service, until it is told to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from deconflict.cli.flags import with_flags
from deconflict.cli.status import ExitStatus
from deconflict.cli.text import printable


@with_flags
def serve(
    *,
    config: Annotated[Path | None, Parameter(help="File of settings to read (TOML).")] = None,
    override_clock: Annotated[
        str | None,
        Parameter(
            help="Start although the clock seems wrong: who says so and why. It is journalled."
        ),
    ] = None,
    join: Annotated[
        bool,
        Parameter(
            help="Take a shared journal as it stands, though no other node can vouch for its end.",
            negative=(),
        ),
    ] = False,
    trial: Annotated[
        bool,
        Parameter(
            help="Nothing depends on it: serve on an engine about which there is doubt.",
            negative=(),
        ),
    ] = False,
    **flags: Any,  # noqa: ANN401 - one for each setting
) -> int:
    """Start the service and answer until SIGTERM or Ctrl-C."""
    from deconflict.cli.progress import progress
    from deconflict.server.configuration import configure
    from deconflict.server.run import serve as run
    from deconflict.server.start_error import StartError, TryAgainError

    configuration = configure(flags, os.environ, config=config)
    try:
        run(
            configuration,
            override_clock=override_clock,
            join=join,
            trial=trial,
            reading=progress("Reading the journal"),
        )
    except StartError as error:
        sys.stderr.write(f"deconflict: {printable(str(error))}\n")
        again = isinstance(error, TryAgainError)
        return ExitStatus.TRY_AGAIN if again else ExitStatus.START_REFUSED
    return ExitStatus.CLEAR
