"""`deconflict configure`: the policy, shown or changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.journal.location import Location
    from deconflict.register.policy import AboutLimit, Policy


@spoken
def configure(*change: str, data: Path | None = None, journal: str | None = None) -> int:
    """Show the policy of a journal, or put another in force.

    Parameters
    ----------
    change
        NAME=VALUE for each limit that is to be another. Without any, the policy is shown, also
        while the service runs; to change it, stop the service first.
    data
        The folder of the journal; without it, that of this user.
    journal
        Where the journal is, if it is not in the folder; without it, as the settings say. The node
        whose folder it is must not run, and other nodes take the change while they do.
    """
    from deconflict.geo.errors import InputError
    from deconflict.journal.engine import EngineError, UnreachableError
    from deconflict.journal.errors import LogError
    from deconflict.server.clock import ClockAheadError

    folder = data_folder(data)
    try:
        where = journal_location(folder, journal)
        lines = _changed(folder, where, change) if change else _shown(folder, where)
    except UnreachableError:
        raise
    except (EngineError, LogError, ClockAheadError) as error:
        raise InputError(str(error).rstrip("."), "nothing was changed") from None
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return ExitStatus.CLEAR


def _shown(folder: Path, journal: Location) -> list[str]:
    """Return each limit with what it may be set to, as a comment of TOML."""
    from deconflict.register.policy import ABOUT_POLICY
    from deconflict.server.data_folder import DataFolder

    opened = DataFolder.beside(folder, journal=journal)
    try:
        policy = opened.register.policy
    finally:
        opened.close()
    said = {name: f"{name}={_plain(getattr(policy, name))}" for name in ABOUT_POLICY}
    width = max(map(len, said.values()))
    return [
        f"{text:<{width}}  # {_allowed(ABOUT_POLICY[name])}. {ABOUT_POLICY[name].help}"
        for name, text in said.items()
    ]


def _changed(folder: Path, journal: Location, change: tuple[str, ...]) -> list[str]:
    """Put another policy in force; return what is another now, and from when on."""
    import os

    import msgspec

    from deconflict.geo.errors import InputError
    from deconflict.register.command import ENTROPY_BYTES, Configure
    from deconflict.register.decide import decide
    from deconflict.register.policy import ABOUT_POLICY
    from deconflict.server.data_folder import DataFolder

    if journal.file is not None and not journal.file.exists():
        raise InputError(f"there is no journal in {folder}", "start the service once: it makes one")
    said = _said(change)
    opened = DataFolder.open(folder, journal=journal)
    try:
        guard = opened.guard()
        opened.begin(guard)
        before = opened.register.policy
        policy = msgspec.structs.replace(
            before, **{name: _value(before, name, text) for name, text in said.items()}
        )
        command = Configure(party="", entropy=os.urandom(ENTROPY_BYTES), policy=policy)
        decision = opened.commit(command, guard, decide)
        if decision.refusal is not None:
            raise InputError(decision.refusal.what, decision.refusal.remedy)
        position = opened.register.head - 1
    finally:
        opened.close()
    lines = [
        f"{name}: {_with_unit(before, name)} -> {_with_unit(policy, name)}"
        for name in ABOUT_POLICY
        if getattr(policy, name) != getattr(before, name)
    ]
    since = "" if journal.shared else ", which is from the next start of the service on"
    lines.append(
        f"Journalled as entry {position:,}, and in force for all that is decided after it{since}. "
        "What is registered already stays."
    )
    return lines


def _said(change: tuple[str, ...]) -> dict[str, str]:
    from deconflict.geo.errors import InputError
    from deconflict.register.policy import ABOUT_POLICY

    said: dict[str, str] = {}
    for word in change:
        name, equals, value = word.partition("=")
        if not equals or name in said:
            raise InputError(
                f"{word!r} is no NAME=VALUE, or {name!r} is named twice",
                "write for example kept_after_end_s=3600",
            )
        if name not in ABOUT_POLICY:
            raise InputError(
                f"there is no limit called {name!r}", f"it is one of: {', '.join(ABOUT_POLICY)}"
            )
        said[name] = value
    return said


def _value(before: Policy, name: str, text: str) -> float:
    """Return a value as its limit's type."""
    import msgspec

    from deconflict.geo.errors import InputError
    from deconflict.register.policy import ABOUT_POLICY

    old = getattr(before, name)
    try:
        return msgspec.convert(text, type(old), strict=False)  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        allowed = _allowed(ABOUT_POLICY[name])
        if not isinstance(old, bool):
            allowed = f"{'a whole number' if isinstance(old, int) else 'a number'}, {allowed}"
        raise InputError(f"{name} can't be {text!r}", f"write {allowed}") from None


def _allowed(about: AboutLimit) -> str:
    if about.most == 0:
        return "true or false"
    unit = f" {about.unit}" if about.unit else ""
    return f"{about.least:,} to {about.most:,}{unit}"


def _plain(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_unit(policy: Policy, name: str) -> str:
    """Return a value with its unit, and a long time in days and hours too."""
    from deconflict.register.policy import ABOUT_POLICY
    from deconflict.register.words import duration

    value, unit = getattr(policy, name), ABOUT_POLICY[name].unit
    if isinstance(value, bool):
        return _plain(value)
    if unit == "s" and value >= 60:
        return f"{value:,} s ({duration(value)})"
    return f"{value:,} {unit}".rstrip()
