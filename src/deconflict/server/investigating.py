"""Investigating: the register as it was at an instant, and what a party knew by then.

What a party was told is read from the told parts themselves. The answers of reads are not in the
journal: it has which entities they named, and what they said of these follows from the register as
it was. What the register held beside that is kept apart.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from deconflict.journal.errors import LogError
from deconflict.register.event import Decided, Put, ReadBatch, Refused, Removed, Subscribed
from deconflict.register.state.held import Held, Subscription, VolumeRecord
from deconflict.register.state.register import Register
from deconflict.server.exporting import audience_of
from deconflict.server.replay import decided_of
from deconflict.server.secrets_within import redacted, redacted_text
from deconflict.standards.f3548.identifier import NULL_SUBSCRIPTION
from deconflict.standards.f3548.journalled import (
    Reference,
    reads_references,
    reference_of,
    references_in,
    subscribers_in,
    volumes_asked,
)

if TYPE_CHECKING:
    from deconflict.journal.log import Opened
    from deconflict.register.state.view import View
    from deconflict.server.record import Record

_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
_PROGRESS_EVERY: Final = 1_000
_LATELY_US: Final = 60_000_000
"""Longer than a read waits for its entry, unless the journal could not be written."""


@dataclass(frozen=True, slots=True)
class Named:
    """An entity that an answer named.

    Attributes
    ----------
    id
        Its identifier.
    told
        What the answer told of it; ``None``: nothing but the identifier.
    held
        The entity as the register had it at that moment; ``None`` if it had none. What of it is
        not in `told` the party was not told.
    """

    id: str
    told: Reference | None
    held: Held | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment at which a party was answered or shown something.

    Attributes
    ----------
    position, time_us
        The entry.
    kind
        ``answered``, ``refused``, ``told`` (of what another party did), or ``shown`` (a read).
    request
        What was asked, without secrets.
    asked
        The volumes that the request's own body stated.
    subject
        What it was about.
    status
        The status of the answer; ``None`` of a read.
    sentence
        Why it was refused.
    named
        The entities that the answer named: those told of first, then those by identifier alone.
    gone
        Identifiers that it named and that the register did not hold.
    notify
        The base URLs that the answer told it to notify.
    said, body
        The request's and the answer's body, without secrets.
    """

    position: int
    time_us: int
    kind: str
    request: str
    subject: str
    asked: tuple[VolumeRecord, ...] = ()
    status: int | None = None
    sentence: str = ""
    named: tuple[Named, ...] = ()
    gone: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    said: str = ""
    body: str = ""


@dataclass(slots=True)
class Scene:
    """What was, at an instant.

    Attributes
    ----------
    at_us
        The instant, microseconds since 1970 UTC.
    entries
        How many entries there were; the last of them is one before this position.
    last_us
        Time of the last of them; 0 if there was none.
    first
        The first entry that is kept; what began before it is known only from its base entry.
    entities, subscriptions
        What was registered and had not ended.
    party
        Whose knowledge was asked for; empty: nobody's.
    moments
        What it was answered and shown until then, in the order of time.
    unknown_to_party
        Entities of others that no answer to it had named by then, in their present version or an
        older one.
    parties
        All who had asked anything by then: a name that is not among them may be misspelt.
    """

    at_us: int
    party: str = ""
    entries: int = 0
    last_us: int = 0
    first: int = 0
    entities: list[Held] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    unknown_to_party: list[Held] = field(default_factory=list)
    parties: set[str] = field(default_factory=set)


def scene(
    record: Record,
    at_us: int,
    party: str = "",
    progress: Callable[[float], None] = lambda _: None,
) -> Scene:
    """Replay the record up to an instant.

    Parameters
    ----------
    record
        The record.
    at_us
        The instant; entries of that very microsecond count.
    party
        Whose knowledge is wanted.
    progress
        Told how far it got, 0 to 1.

    Raises
    ------
    LogError, EngineError
        If an entry is altered or can't be read.
    """
    first, head = record.first(), record.head()
    found = Scene(at_us, party, entries=first, first=first)
    register = Register(first=first)
    lately = _Lately(register)
    named: set[str] = set()
    for opened in record.read(first, head):
        if opened.time_us > at_us:
            break
        decided = decided_of(opened)
        if party:
            found.parties.update(_parties(decided))
            lately.follow(opened.time_us, decided, register)
            found.moments += _moments(opened, decided, party, lately, named)
        register.apply(opened.position, opened.time_us, decided)
        found.entries, found.last_us = opened.position + 1, opened.time_us
        if opened.position % _PROGRESS_EVERY == 0:
            progress((opened.position - first) / max(head - first, 1))
    found.entities = [one for one in register.live() if one.end_us >= at_us]
    found.subscriptions = [one for one in register.live_subscriptions() if one.end_us >= at_us]
    found.moments.sort(key=lambda moment: (moment.time_us, moment.position))
    if party:
        found.unknown_to_party = [
            one for one in found.entities if one.party != party and one.id not in named
        ]
    return found


def _parties(decided: Decided) -> Iterator[str]:
    if decided.party:
        yield decided.party
    for event in decided.events:
        if isinstance(event, ReadBatch):
            yield event.party


def _moments(
    opened: Opened, decided: Decided, party: str, lately: _Lately, named: set[str]
) -> list[Moment]:
    """Return the moments of one entry, and note which entities they name."""
    found = []
    for part in opened.told:
        told = audience_of(part)
        if told.audience != party:
            continue
        refusal = next((one for one in decided.events if isinstance(one, Refused)), None)
        body = bytes(told.body)
        clean = _clean(body)  # an OVN may hold an identifier that is secret
        mine = decided.party == party
        said = opened.said.content if mine and opened.said is not None else b""
        kind = "told" if not mine else "answered" if refusal is None else "refused"
        entities, gone = lately.looked_up(_identifiers(clean), opened.time_us, decided)
        references = _references(body, opened.position)
        of_told = {one.id for one in references}
        names = (
            *(Named(one.id, one, entities.get(one.id)) for one in references),
            *(Named(each, None, held) for each, held in entities.items() if each not in of_told),
        )
        named.update(one.id for one in names)
        found.append(
            Moment(
                position=opened.position,
                time_us=opened.time_us,
                kind=kind,
                request=redacted_text(decided.request),
                asked=volumes_asked(said),
                subject=_subject(opened),
                status=told.status,
                sentence="" if refusal is None else refusal.sentence,
                named=names,
                gone=tuple(each for each in gone if each not in of_told),
                notify=subscribers_in(body),
                said=_clean(said),
                body=clean,
            )
        )
    for batch in decided.events:
        if not isinstance(batch, ReadBatch) or batch.party != party:
            continue
        for read in batch.reads:
            entities, gone = lately.looked_up(read.shown, read.at_us, decided)
            full = reads_references(read.request)
            said = batch.bodies.get(read.body_hash, "").encode()
            named.update(entities)
            found.append(
                Moment(
                    position=opened.position,
                    time_us=read.at_us,
                    kind="shown",
                    request=redacted_text(read.request),
                    asked=volumes_asked(said),
                    subject=_subject(opened),
                    named=tuple(
                        Named(each, reference_of(held) if full else None, held)
                        for each, held in entities.items()
                    ),
                    gone=gone,
                    said=_clean(said),
                )
            )
    return found


def _references(body: bytes, position: int) -> tuple[Reference, ...]:
    try:
        return references_in(body)
    except msgspec.ValidationError as error:
        raise LogError(
            f"what entry {position} told can't be understood ({error}): use the program that "
            "wrote it, or a newer one"
        ) from None


class _Lately:
    """Entities as they were at an instant shortly before: reads are journalled a moment later."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._replaced: deque[tuple[int, str, Held | None]] = deque()

    def follow(self, time_us: int, decided: Decided, register: Register) -> None:
        """Note what an entry replaces, before it is applied."""
        while self._replaced and self._replaced[0][0] < time_us - _LATELY_US:
            self._replaced.popleft()
        view = register.view(time_us)
        for event in decided.events:
            if isinstance(event, Put):
                identifier = event.entity.id
            elif isinstance(event, Removed):
                identifier = event.id
            else:
                continue
            self._replaced.append((time_us, identifier, view.entity(identifier)))

    def looked_up(
        self, identifiers: Iterable[str], time_us: int, decided: Decided
    ) -> tuple[dict[str, Held], tuple[str, ...]]:
        """Return entities as they were, those of this very entry too, and what was not held."""
        put = {one.entity.id: one.entity for one in decided.events if isinstance(one, Put)}
        subscribed = {one.subscription.id for one in decided.events if isinstance(one, Subscribed)}
        view = self._register.view(time_us)
        entities: dict[str, Held] = {}
        gone = []
        for identifier in identifiers:
            entity = put.get(identifier) or self._then(identifier, time_us, view)
            if entity is not None:
                entities[identifier] = entity
            elif identifier not in subscribed and view.subscription(identifier) is None:
                gone.append(identifier)
        return entities, tuple(gone)

    def _then(self, identifier: str, time_us: int, view: View) -> Held | None:
        for replaced_us, replaced, before in self._replaced:
            if replaced == identifier and replaced_us > time_us:
                return before
        return view.entity(identifier)


def _identifiers(text: str) -> list[str]:
    found = dict.fromkeys(each.lower() for each in _UUID.findall(text))
    found.pop(NULL_SUBSCRIPTION, None)
    return list(found)


def _subject(opened: Opened) -> str:
    return "" if opened.subject is None else opened.subject.decode(errors="backslashreplace")


def _clean(content: bytes) -> str:
    clean = redacted(content)
    return (content if clean is None else clean).decode(errors="backslashreplace")
