"""A group: commands decided one after the other over one draft, and the entries they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from deconflict.journal.entry import Entry, Part, salts
from deconflict.register.command import Command
from deconflict.register.decision import Decision
from deconflict.register.event import Decided, encode_decided
from deconflict.register.state.draft import Draft
from deconflict.register.state.register import Register
from deconflict.register.state.view import View
from deconflict.standards.service import JSON, Reply, Submission, Told

Decide = Callable[[View, Command], Decision]

SALT_SEED_BYTES = 32
MOST_SUBJECT_BYTES = 200
NOTHING = Reply(204, b"")
"""What the service's own commands are answered."""


class _ToldContent(msgspec.Struct, frozen=True):
    audience: str
    status: int
    body: msgspec.Raw


_ENCODER = msgspec.json.Encoder()
_NULL = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one command."""

    decided: Decided
    entry: Entry
    reply: Reply


class Group:
    """Commands decided so far, over a draft that holds their events.

    Parameters
    ----------
    register
        The durable state; untouched.
    time_us
        The time of all entries of the group.
    decide
        The rules.

    Attributes
    ----------
    made
        What became of each command, in order.
    """

    def __init__(self, register: Register, time_us: int, decide: Decide) -> None:
        self.made: list[Made] = []
        self.time_us = time_us
        self._register = register
        self._decide = decide
        self._draft: Draft | None = None

    def add(self, submission: Submission, *, said: bool = True) -> None:
        """Decide one more command.

        Parameters
        ----------
        submission
            The command, and how it is answered.
        said
            Whether somebody asked, so that the body is kept and somebody is answered.

        Raises
        ------
        Exception
            Whatever the rules or the answer raise; the draft is then as it was before.
        """
        if self._draft is None:
            self._draft = self._drafted()
        made = self._make(submission, self._draft, said=said)
        try:
            self._draft.add(made.decided.events)
        except Exception:
            self._draft = None  # half of the events may stand in it
            raise
        self.made.append(made)

    def entries(self) -> list[Entry]:
        """Return the entries, in order."""
        return [made.entry for made in self.made]

    def _drafted(self) -> Draft:
        draft = self._register.draft(self.time_us)
        for made in self.made:
            draft.add(made.decided.events)
        return draft

    def _make(self, submission: Submission, draft: Draft, *, said: bool) -> Made:
        command, call = submission.command, submission.call
        subject = submission.subject.encode()
        if not 0 < len(subject) <= MOST_SUBJECT_BYTES:
            raise ValueError(f"a subject has {len(subject)} bytes")
        decision = self._decide(draft, command)
        told = submission.tell(decision, draft)
        decided = Decided(
            party=command.party,
            command=type(command).__name__,
            request=call.request,
            events=decision.events,
        )
        # The order of salts: decided, told, said.
        salt = salts(command.entropy[:SALT_SEED_BYTES], 2 + len(told))
        entry = Entry(
            time_us=self.time_us,
            subject=subject,
            decided=Part(salt[0], encode_decided(decided)),
            said=Part(salt[-1], call.body) if said else None,
            told=tuple(Part(salt[place], _content(one)) for place, one in enumerate(told, 1)),
        )
        return Made(decided, entry, told[0].reply if said else NOTHING)


def _content(told: Told) -> bytes:
    reply = told.reply
    if not reply.body:
        body = _NULL
    elif reply.media_type == JSON:
        body = msgspec.Raw(reply.body)
    else:
        body = msgspec.Raw(_ENCODER.encode(reply.body.decode(errors="backslashreplace")))
    return _ENCODER.encode(_ToldContent(told.audience, reply.status, body))
