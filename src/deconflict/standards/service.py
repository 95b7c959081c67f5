"""What the routes of a standard ask of the service, and what the service asks of them.

Handlers do no input or output of their own: they take an authenticated call and give a reply, so
a test needs no server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from deconflict.identity.caller import Caller
from deconflict.register.command import Command
from deconflict.register.decision import Decision
from deconflict.register.state.view import View

JSON = "application/json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request, its body within the limits of size.

    Attributes
    ----------
    caller
        Who asks; `deconflict.identity.caller.NOBODY` at a public endpoint.
    request
        Method and path as received, for the record: "PUT /dss/v1/...".
    path
        The path's parameters, percent-decoded.
    body
        The bytes as received; may be empty.
    query
        The query string's parameters, percent-decoded; of a repeated one the first.
    """

    caller: Caller
    request: str
    path: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Told:
    """What one audience may see of a decision; for the caller it is the reply itself."""

    audience: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Submission:
    """A command on its way to the journal.

    Attributes
    ----------
    command
        What is asked.
    call
        The call that it came with.
    subject
        What the entry is about: an entity's identifier, or a party's name.
    tell
        Makes the answers from the decision and the draft as it was before it; the caller's first.
    """

    command: Command
    call: Call
    subject: str
    tell: Callable[[Decision, View], Sequence[Told]]


class UnavailableError(Exception):
    """The service can't take a command now; nothing of it was written. In a sentence."""


class Service(Protocol):
    """The service as a handler sees it."""

    def view(self) -> View:
        """Return the register as of now, durable entries only."""
        ...

    async def current(self) -> float | None:
        """See to it that `view` shows all that was answered before, by any node.

        Returns
        -------
        float or None
            By how many seconds at the most it may be behind all the same; ``None``: not at all.

        Raises
        ------
        UnavailableError
            If that can't be found out now.
        """
        ...

    async def submit(self, submission: Submission) -> Reply:
        """Decide a command, make it durable, and return the caller's reply.

        Raises
        ------
        UnavailableError
            If the journal can't take it.
        """
        ...

    def answered(self, call: Call, shown: Sequence[str]) -> None:
        """Have a read journalled: who asked what, and which entities were shown."""
        ...

    async def aside(self, call: Call, work: Callable[[], T]) -> T:
        """Return what work over a call's body comes to; a large body's is done beside the loop.

        The work reads nothing that changes: the body, a policy, the time of a view.
        """
        ...

    def entropy(self) -> bytes:
        """Return unpredictable bytes for one command."""
        ...


Handler = Callable[[Service, Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes
    ----------
    method, path
        "PUT", and the path with its parameters in curly brackets.
    scopes
        Sets of scopes, one of which the caller needs in full; empty: any valid token.
    handle
        The handler. It may raise `RequestError` for what is wrong with the request.
    operation
        The standard's name of the operation, for documents and metrics.
    public
        Whether no token is asked for. Such a handler submits nothing.
    changes
        Whether it submits a command. All others show what is registered, so the service sees to
        it that this is current before the handler is called.
    summary
        What it does, in one line for the documents.
    takes
        The type of the request's body; ``None``: it has none.
    gives
        The type of the reply's body by status, the errors of `RequestError` left out.
    parameters
        The type of a path's parameter by its name; text where there is none.
    """

    method: str
    path: str
    scopes: tuple[frozenset[str], ...]
    handle: Handler
    operation: str
    public: bool = False
    changes: bool = False
    summary: str = ""
    takes: type | None = None
    gives: Mapping[int, type] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)


class RequestError(Exception):
    """A request that is refused before it is decided.

    Attributes
    ----------
    status
        The HTTP status.
    sentence
        What is wrong, and what to write instead.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Family:
    """The endpoints of one interface.

    Attributes
    ----------
    name
        "ASTM F3548-21 DSS".
    endpoints
        All of them.
    error
        Makes a reply in the interface's error form from status and sentence.
    most_body_bytes
        Limit of a request's body.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    error: Callable[[int, str], Reply]
    most_body_bytes: int
