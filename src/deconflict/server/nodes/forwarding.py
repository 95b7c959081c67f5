"""Forwarding: commands that this node may not decide go in batches to the one that does.

A batch gathers while others are on their way, as a group gathers while a commit runs. What
certainly was not decided (nobody listens, the other node doesn't lead any more) is sent again,
until the patience is over or this node leads itself. What may have been decided is never sent
twice: its asker is told that it is not known.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import msgspec
import structlog

from deconflict.register.command import OverrideClock, RecordReads
from deconflict.server import health
from deconflict.server.backlog import Waiting
from deconflict.server.fault import described
from deconflict.server.nodes.role import LEASE_S, Role
from deconflict.server.nodes.wire import (
    COMMANDS_PATH,
    ENCODER,
    HEADER,
    OUTCOMES,
    Forwarded,
    ForwardedCall,
    ForwardedOverride,
    ForwardedReads,
    NotLeading,
    RefusedThere,
    Replied,
    Seal,
)
from deconflict.standards.service import Reply, UnavailableError

FORWARDED: Final = (RecordReads, OverrideClock)
"""What a node has journalled of itself though another decides; all else is for who decides."""
MOST_AT_ONCE: Final = 4
"""Batches on their way at a time."""
PATIENCE_S: Final = 2 * LEASE_S + 2
"""How long a command waits for a node that decides: a lease must end and another begin."""
_PAUSE_S: Final = 0.2
_CONNECT_S: Final = 2.0
_ANSWER_S: Final = 10.0
"""How long an answer is waited for; a node that is stopped gives none."""


class Forwarder:
    """Sends commands to the node that decides.

    Parameters
    ----------
    role
        Tells which node that is.
    seal
        Authenticates what is sent.
    done
        Called when a batch has come to its end, so that the next may be taken.
    tls
        How certificates of nodes are verified.
    """

    def __init__(
        self,
        role: Role,
        seal: Seal,
        *,
        done: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._role = role
        self._seal = seal
        self._done = done
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(
            trust_env=False,
            verify=tls or True,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=MOST_AT_ONCE),
        )
        self._log = structlog.get_logger("deconflict.nodes")

    @property
    def free(self) -> bool:
        """Whether another batch may be sent."""
        return len(self._tasks) < MOST_AT_ONCE

    def send(self, batch: list[Waiting], take_back: Callable[[list[Waiting]], None]) -> None:
        """Have commands decided elsewhere, and their askers answered.

        Parameters
        ----------
        batch
            The commands.
        take_back
            Given those that this node shall decide after all: it leads by now.
        """
        task = asyncio.get_running_loop().create_task(self._bring(batch, take_back))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Wait for what is on its way, and close the connections."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._done()

    async def _bring(
        self, batch: list[Waiting], take_back: Callable[[list[Waiting]], None]
    ) -> None:
        try:
            left = await self._brought(batch)
        except Exception as error:  # noqa: BLE001 - no asker may wait for ever
            self._log.error("fault while forwarding", error=described(error))
            _refuse(batch, health.NO_ANSWER)
            return
        if left and self._role.leads:
            take_back(left)
        else:
            _refuse(left, health.NO_SEQUENCER)

    async def _brought(self, batch: list[Waiting]) -> list[Waiting]:
        """Bring a batch to its end; return what certainly was not decided in time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + PATIENCE_S
        left = list(batch)
        while left and not self._role.leads and loop.time() < until_s:
            leader = self._role.leader
            if leader is not None and leader.address:
                left = await self._sent(leader.address, left)
            if left and not self._role.leads:
                await asyncio.sleep(_PAUSE_S)
        return left

    async def _sent(self, address: str, batch: list[Waiting]) -> list[Waiting]:
        """Send once; return what certainly was not decided."""
        body = ENCODER.encode(tuple(map(_forwarded, batch)))
        headers = {
            HEADER: self._seal.header(COMMANDS_PATH, body, to=address),
            "content-type": "application/vnd.msgpack",
        }
        try:
            answer = await self._client.post(address + COMMANDS_PATH, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self._log.debug("the sequencer can't be reached", address=address, error=str(error))
            return batch
        except httpx.HTTPError as error:
            self._log.warning(
                "the sequencer gave no answer", address=address, error=type(error).__name__
            )
            _refuse(batch, health.NO_ANSWER)
            return []
        failed = answer.is_server_error and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE
        if failed or answer.status_code == httpx.codes.CONFLICT:  # something on the way repeated it
            self._log.error("the sequencer failed", address=address, status=answer.status_code)
            _refuse(batch, health.NO_ANSWER)
            return []
        if answer.status_code != httpx.codes.OK:
            # It is being stopped and takes nothing, or its clock is wrong and it gives up soon.
            self._log.warning(
                "the sequencer does not take what this node forwards; do both have the same keys, "
                "and clocks within half a minute?",
                address=address,
                status=answer.status_code,
            )
            return batch
        return _settled(batch, answer.content)


def _settled(batch: Sequence[Waiting], content: bytes) -> list[Waiting]:
    try:
        outcomes = OUTCOMES.decode(content)
    except msgspec.DecodeError:
        outcomes = ()
    if len(outcomes) != len(batch):
        _refuse(batch, health.NO_ANSWER)
        return []
    left = []
    for waiting, outcome in zip(batch, outcomes, strict=True):
        match outcome:
            case Replied(status, body, media_type):
                waiting.answer(Reply(status, body, media_type))
            case RefusedThere(sentence):
                waiting.refuse(UnavailableError(sentence))
            case NotLeading():
                left.append(waiting)
    return left


def _forwarded(waiting: Waiting) -> Forwarded:
    submission = waiting.submission
    command, call = submission.command, submission.call
    if isinstance(command, RecordReads):
        return ForwardedReads(command.batch)
    if isinstance(command, OverrideClock):
        return ForwardedOverride(command.words, command.ahead_s)
    caller = call.caller
    return ForwardedCall(
        party=caller.party,
        scopes=tuple(sorted(caller.scopes)),
        issuer=caller.issuer,
        expires_s=caller.expires_s,
        request=call.request,
        query=dict(call.query),
        body=call.body,
    )


def _refuse(batch: Sequence[Waiting], sentence: str) -> None:
    for waiting in batch:
        waiting.refuse(UnavailableError(sentence))
