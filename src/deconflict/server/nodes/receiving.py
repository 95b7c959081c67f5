"""Receiving: commands that other nodes forward, decided as if they had been asked for here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from deconflict.identity.caller import Caller
from deconflict.register.command import Command, OverrideClock, RecordReads
from deconflict.register.state.view import View
from deconflict.server import health
from deconflict.server.fault import described
from deconflict.server.nodes.wire import (
    COMMANDS,
    ENCODER,
    Forwarded,
    ForwardedCall,
    ForwardedOverride,
    ForwardedReads,
    NotLeading,
    Outcome,
    RefusedThere,
    Replied,
)
from deconflict.server.own import SERVICE_SUBJECT
from deconflict.server.routing import Router
from deconflict.standards.service import (
    Call,
    Family,
    Reply,
    RequestError,
    Submission,
    UnavailableError,
)

if TYPE_CHECKING:
    from deconflict.register.event import ReadBatch

T = TypeVar("T")


class NotLeadingError(UnavailableError):
    """Raised where another node decides; nothing was written, and that one may be asked."""


class Deciding(Protocol):
    """What is asked of a `deconflict.server.coordinator.Coordinator`."""

    def view(self) -> View:
        """Return the register as of now."""
        ...

    async def submit(self, submission: Submission, *, forwarded: bool = False) -> Reply:
        """Decide a command; one that was forwarded is not forwarded again."""
        ...

    def submit_own(
        self, command: Command, subject: str, *, forwarded: bool = False
    ) -> asyncio.Future[Reply]:
        """Queue a command of the service itself."""
        ...

    async def aside(self, call: Call, work: Callable[[], T]) -> T:
        """Work over a large body beside the loop."""
        ...

    def entropy(self) -> bytes:
        """Return unpredictable bytes for one command."""
        ...


class Receiver:
    """Decides what other nodes forward.

    Parameters
    ----------
    families
        The interfaces; their handlers are asked again, so nothing but the caller's identity is
        believed of the other node.
    coordinator
        Of this node.
    """

    def __init__(self, families: Sequence[Family], coordinator: Deciding) -> None:
        self._router = Router(families)
        self._coordinator = coordinator
        self._service = _Forwarding(coordinator)
        self._log = structlog.get_logger("deconflict.nodes")

    async def decide(self, body: bytes) -> bytes:
        """Return the outcomes of a batch, in its order.

        Raises
        ------
        msgspec.DecodeError
            If it is no batch.
        """
        batch = COMMANDS.decode(body)
        return ENCODER.encode(tuple(await asyncio.gather(*map(self._outcome, batch))))

    async def _outcome(self, one: Forwarded) -> Outcome:
        try:
            match one:
                case ForwardedCall():
                    reply = await self._called(one)
                case ForwardedReads(batch):
                    reply = await self._recorded(batch)
                case ForwardedOverride(words, ahead_s):
                    command = OverrideClock(
                        party="",
                        entropy=self._coordinator.entropy(),
                        words=words,
                        ahead_s=ahead_s,
                    )
                    reply = await self._coordinator.submit_own(
                        command, SERVICE_SUBJECT, forwarded=True
                    )
        except NotLeadingError:
            return NotLeading()
        except UnavailableError as error:
            return RefusedThere(str(error))
        except Exception as error:  # noqa: BLE001 - a fault over one refuses only that one
            self._log.error("fault over a forwarded command", error=described(error))
            return RefusedThere(health.NOT_KNOWN)
        return Replied(reply.status, reply.body, reply.media_type)

    async def _recorded(self, batch: ReadBatch) -> Reply:
        command = RecordReads(party="", entropy=self._coordinator.entropy(), batch=batch)
        return await self._coordinator.submit_own(command, batch.party, forwarded=True)

    async def _called(self, one: ForwardedCall) -> Reply:
        method, _, path = one.request.partition(" ")
        found = self._router.find(method, path)
        if not isinstance(found, tuple) or not found[0].endpoint.changes:
            raise TypeError(f"another node forwards {method}, which changes nothing here")
        route, parameters = found
        caller = Caller(one.party, frozenset(one.scopes), one.issuer, one.expires_s)
        call = Call(caller, one.request, parameters, one.body, one.query)
        try:
            return await route.endpoint.handle(self._service, call)
        except RequestError as error:
            return route.family.error(error.status, error.sentence)


class _Forwarding:
    """The service as the handlers of forwarded calls see it."""

    def __init__(self, coordinator: Deciding) -> None:
        self._coordinator = coordinator
        self.view = coordinator.view
        self.aside = coordinator.aside
        self.entropy = coordinator.entropy

    async def current(self) -> None:
        """Do nothing: what is forwarded changes something, and is decided on what is durable."""

    async def submit(self, submission: Submission) -> Reply:
        """Decide it here or not at all."""
        return await self._coordinator.submit(submission, forwarded=True)

    def answered(self, call: Call, shown: Sequence[str]) -> None:
        """Refuse: a read is answered, and recorded, by the node that is asked."""
        raise TypeError(f"{call.request} is a read, and shows {len(shown)}")
