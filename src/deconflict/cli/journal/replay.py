"""`deconflict journal replay`: who knew what then."""

from __future__ import annotations

import difflib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from deconflict.cli.data_folder import data_folder, journal_location
from deconflict.cli.journal.at_time import instant_us
from deconflict.cli.journal.refusing import spoken
from deconflict.cli.journal.writing import (
    DOUBTFUL,
    QUIET,
    RIGHT,
    TITLE,
    WRONG,
    Writer,
    counted,
    write_json,
)
from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    from deconflict.register.state.held import Held, Subscription
    from deconflict.server.investigating import Moment, Named, Scene


@spoken
def replay(
    *,
    at: str | None = None,
    party: str | None = None,
    since: str | None = None,
    data: Path | None = None,
    journal: str | None = None,
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Print who knew what then: the register as it was, and what a party had been told.

    Nothing is decided again: this is what was decided, answered and shown at that time. What the
    party was told and what only the register held are kept apart. Works beside a running server,
    and reads the archives too. OVNs and other secrets are left out.

    Parameters
    ----------
    at
        The instant (RFC 3339, such as 2026-12-01T08:40:00Z); without it, now.
    party
        Also what this party had asked, been told, been refused and been shown until then, and
        what of others no answer had ever named to it.
    since
        Of that only what came from this instant on.
    data
        The data folder; without it, that of this user.
    journal
        Where the journal is, if it is not in the data folder; without it, where the settings say
        that a node on that folder has it.
    json
        Print JSON for programs; times in microseconds since 1970 UTC.
    """
    from deconflict.cli.progress import progress
    from deconflict.server.investigating import scene
    from deconflict.server.record import Record

    at_us = time.time_ns() // 1000 if at is None else instant_us(at, "--at")
    since_us = 0 if since is None else instant_us(since, "--since")
    folder = data_folder(data)
    place = journal_location(folder, journal)
    with Record.open(folder, place) as record, progress("Replaying") as advance:
        found = scene(record, at_us, party or "", advance)
        origin, absent = record.log.origin, record.lacking()
    found.moments = [one for one in found.moments if one.time_us >= since_us]
    if json:
        write_json({"origin": origin, "absent": absent, **_as_json(found)})
    else:
        _print(Writer(), found, absent)
    return ExitStatus.CLEAR


_SECRET: Final = frozenset({"ovn", "ovn_suffix"})
"""What of an entity is not printed."""


def _as_json(found: Scene) -> dict[str, object]:
    """Return a scene without OVNs."""
    import msgspec

    def entity(one: Held) -> object:
        fields = msgspec.to_builtins(one)
        return {name: value for name, value in fields.items() if name not in _SECRET}

    def named(one: Named) -> object:
        told = {} if one.told is None else msgspec.to_builtins(one.told)
        held = {} if one.held is None else msgspec.to_builtins(one.held)
        own = one.held is not None and one.held.party == found.party
        return {
            "id": one.id,
            "told": {**told, "id": one.id},
            "not_told": {
                name: value
                for name, value in held.items()
                if name not in {*told, "id", *_SECRET} and not own
            },
        }

    def moment(one: Moment) -> object:
        fields = {name: getattr(one, name) for name in one.__slots__}
        fields["asked"] = [msgspec.to_builtins(each) for each in one.asked]
        fields["named"] = [named(each) for each in one.named]
        return fields

    return {
        "at_us": found.at_us,
        "entries": found.entries,
        "first": found.first,
        "last_us": found.last_us,
        "entities": [entity(one) for one in found.entities],
        "subscriptions": [msgspec.to_builtins(one) for one in found.subscriptions],
        "party": found.party,
        "moments": [moment(one) for one in found.moments],
        "party_had_asked": found.party in found.parties,
        "unknown_to_party": [entity(one) for one in found.unknown_to_party],
    }


def _print(writer: Writer, found: Scene, absent: str) -> None:
    from deconflict.server.where import instant_text

    writer.line(f"As of {instant_text(found.at_us)}", TITLE)
    if found.entries == found.first:
        writer.pair("record", "nothing was in the record yet", DOUBTFUL)
    else:
        writer.pair(
            "record",
            f"{counted(found.entries, 'entry', 'entries')}, the last of "
            f"{instant_text(found.last_us)}",
        )
    if found.first:
        writer.pair(
            "begins",
            f"with entry {found.first:,}: what is older was pruned. What began before that is "
            "shown only from its base entry on.",
            DOUBTFUL,
        )
    if absent:
        writer.pair("absent", absent, DOUBTFUL)
    writer.line()
    kinds = (("operation", "Operations"), ("zone", "Zones"))
    for kind, title in kinds:
        some = [one for one in found.entities if one.kind == kind]
        writer.line(f"{title} registered: {len(some):,}", TITLE)
        for one in sorted(some, key=lambda each: (each.start_us, each.id)):
            _print_entity(writer, one, found.at_us)
    writer.line(f"Subscriptions: {len(found.subscriptions):,}", TITLE)
    for subscription in found.subscriptions:
        _print_subscription(writer, subscription)
    if found.party:
        writer.line()
        _print_party(writer, found)


def _print_entity(writer: Writer, one: Held, at_us: int) -> None:
    from deconflict.server.where import places_text, state_text, window_text

    writer.line(
        f"  {one.id}  {one.party}  {one.state}, version {one.version}, {state_text(one, at_us)}"
    )
    writer.line(f"      {window_text(one.start_us, one.end_us)}", QUIET)
    writer.line(f"      {places_text(one.volumes)}", QUIET)


def _print_subscription(writer: Writer, one: Subscription) -> None:
    from deconflict.server.where import places_text, window_text

    wishes = " and ".join(
        name for name, wanted in (("operations", one.operations), ("zones", one.zones)) if wanted
    )
    writer.line(
        f"  {one.id}  {one.party}  of {wishes or 'nothing'}, {counted(one.index, 'notification')}"
    )
    writer.line(f"      {window_text(one.start_us, one.end_us)}", QUIET)
    writer.line(f"      {places_text(one.volumes)}", QUIET)


_WORDS: Final = {
    "answered": ("was answered", RIGHT),
    "refused": ("was REFUSED", WRONG),
    "told": ("was told", ""),
    "shown": ("was shown", ""),
}


def _print_party(writer: Writer, found: Scene) -> None:
    writer.line(
        f"What {found.party} was answered, refused and shown until then: "
        f"{counted(len(found.moments), 'moment')}",
        TITLE,
    )
    if found.party not in found.parties:
        near = difflib.get_close_matches(
            found.party.casefold(), {one.casefold(): one for one in found.parties}, n=1
        )
        meant = next((one for one in found.parties if one.casefold() in near), None)
        writer.line(
            f"  Nobody called {found.party!r} had asked anything by then"
            + (f"; perhaps {meant!r} is meant." if meant else ": is the name right?"),
            DOUBTFUL,
        )
    if any(moment.kind == "shown" for moment in found.moments):
        writer.line(
            "  The answers of reads are not in the record, only which entities they named: what "
            "they told of these is as the register was.",
            QUIET,
        )
    for moment in found.moments:
        _print_moment(writer, moment, found.party)
    writer.line()
    unknown = found.unknown_to_party
    writer.line(
        f"Registered by others and never named to {found.party}: {len(unknown):,}",
        TITLE,
    )
    for one in unknown:
        _print_entity(writer, one, found.at_us)


def _print_moment(writer: Writer, moment: Moment, party: str) -> None:
    from deconflict.server.where import instant_text, places_text, span_text

    words, style = _WORDS[moment.kind]
    status = "" if moment.status is None else f" ({moment.status})"
    writer.line(
        f"  {instant_text(moment.time_us)}  {party} {words}{status}  [entry {moment.position:,}]",
        style,
    )
    writer.line(f"      asked: {moment.request}")
    if moment.asked:
        writer.line(f"             {span_text(moment.asked)}", QUIET)
        writer.line(f"             {places_text(moment.asked)}", QUIET)
    if moment.sentence:
        writer.line(f"      because: {moment.sentence}")
    for one in moment.named:
        _print_named(writer, one, party)
    for identifier in moment.gone:
        writer.line(f"      named: {identifier}, which the register did not hold", QUIET)
    for url in moment.notify:
        writer.line(f"      to notify: {url}", QUIET)
    if moment.kind == "shown" and not moment.named and not moment.gone:
        writer.line("      named: nothing", QUIET)


def _print_named(writer: Writer, one: Named, party: str) -> None:
    from deconflict.server.where import places_text, window_text

    told, held = one.told, one.held
    mine = party == (told.party if told is not None else held.party if held is not None else "")
    if told is None:
        owner = " its own" if mine else ", by its identifier alone"
        writer.line(f"      named: {one.id}{owner}")
        if held is not None and not mine:
            writer.line(
                f"             not told: {held.kind} of {held.party}, {held.state}, version "
                f"{held.version}, {window_text(held.start_us, held.end_us)}, "
                f"{places_text(held.volumes)}",
                QUIET,
            )
        return
    owner = "its own" if mine else f"of {told.party}"
    state = f", {told.state}" if told.state else ""
    writer.line(f"      named: {told.kind} {told.id} {owner}{state}, version {told.version}")
    if mine:
        return
    writer.line(
        f"             told: {window_text(told.start_us, told.end_us)}, more at {told.base_url}",
        QUIET,
    )
    if held is not None:
        writer.line(f"             not told: {places_text(held.volumes)}", QUIET)
