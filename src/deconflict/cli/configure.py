"""`deconflict configure`: the policy, shown or changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.register.policy import Policy


def configure(*change: str, data: Path | None = None) -> int:
    """Show the policy of a journal, or put another in force.

    Parameters
    ----------
    change
        NAME=VALUE for each limit that is to be another. Without any, the policy is shown, also
        while the service runs; to change it, stop the service first.
    data
        The folder of the journal; without it, the platform's folder for data.
    """
    import msgspec

    from deconflict.geo.errors import InputError
    from deconflict.journal.engine import EngineError
    from deconflict.journal.errors import LogError
    from deconflict.server.clock import ClockAheadError
    from deconflict.server.configuration import default_data

    folder = default_data() if data is None else data
    try:
        policy = _changed(folder, change) if change else _policy(folder)
    except (EngineError, LogError, ClockAheadError) as error:
        raise InputError(str(error).rstrip("."), "nothing was changed") from None
    for name, value in msgspec.to_builtins(policy).items():
        sys.stdout.write(f"{name}={msgspec.json.encode(value).decode()}\n")
    return ExitStatus.CLEAR


def _policy(folder: Path) -> Policy:
    from deconflict.server.data_folder import DataFolder

    opened = DataFolder.beside(folder)
    try:
        return opened.register.policy
    finally:
        opened.close()


def _changed(folder: Path, change: tuple[str, ...]) -> Policy:
    import math
    import os

    import msgspec

    from deconflict.geo.errors import InputError
    from deconflict.register.command import ENTROPY_BYTES, Configure
    from deconflict.register.decide import decide
    from deconflict.register.policy import Policy
    from deconflict.server.data_folder import JOURNAL, DataFolder

    if not (folder / JOURNAL).exists():
        raise InputError(f"there is no journal in {folder}", "start the service once: it makes one")
    said: dict[str, str] = {}
    for word in change:
        name, equals, value = word.partition("=")
        if not equals or name in said:
            raise InputError(
                f"{word!r} is no NAME=VALUE, or {name!r} is named twice",
                "write for example kept_after_end_s=3600",
            )
        said[name] = value
    opened = DataFolder.open(folder)
    try:
        guard = opened.guard()
        opened.begin(guard)
        before = msgspec.to_builtins(opened.register.policy)
        unknown = sorted(said.keys() - before.keys())
        if unknown:
            raise InputError(
                f"there is no limit called {unknown[0]!r}", f"it is one of: {', '.join(before)}"
            )
        try:
            policy = msgspec.convert(before | said, Policy, strict=False)
        except msgspec.ValidationError as error:
            raise InputError(
                f"a value is of the wrong kind: {error}",
                "run deconflict configure without a change to see what values look like",
            ) from None
        for name in said:
            limit = getattr(policy, name)
            if not (math.isfinite(limit) and limit >= 0):
                raise InputError(f"{name} can't be {limit}", "write a number that is not below 0")
        command = Configure(party="", entropy=os.urandom(ENTROPY_BYTES), policy=policy)
        decision = opened.commit(command, guard, decide)
        if decision.refusal is not None:
            raise InputError(decision.refusal.what, decision.refusal.remedy)
        return opened.register.policy
    finally:
        opened.close()
