"""A connection to NATS that threads share: one thread of its own runs it.

The client never connects again by itself, since it would send then what it still had to send
before: an append could come true long after it was given up. Instead a connection that failed is
dropped with all that was asked through it, and the next question makes a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from threading import Lock, Thread
from typing import Any, Final, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.jetstream.address import Address
from deconflict.journal.jetstream.failure import AWAY, RefusalError, UnansweredError

Answer = TypeVar("Answer")

CONNECT_S: Final = 1.5
"""For each server; one that is frozen accepts a connection and then says nothing."""
ANSWER_S: Final = 3.0
"""For what is sent once."""
PATIENCE_S: Final = 6.0
"""How long a question is repeated that may be, as while a new leader is elected."""
FIRST_ANSWER_S: Final = 1.0
"""For the first time such a question is asked: while no leader is there, nobody says so."""
PAUSE_S: Final = 0.1
PING_S: Final = 5
_CLOSED: Final = "the journal is closed: open it again"
_API: Final = "$JS.API."
_SLOWEST_BYTES_S: Final = 2 * 1024 * 1024


class Link:
    """Asks the servers. `run` is for any thread, all else for coroutines that it runs.

    Parameters
    ----------
    address
        Where they are.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._servers = list(address.servers)
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._asked: dict[str, tuple[Client, asyncio.Future[Msg]]] = {}
        self._number = 0
        self._inbox = ""
        self._heard: dict[str, Callable[[], None]] = {}
        self._dropping: set[asyncio.Task[None]] = set()
        self._closed = False
        self._starting = Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="jetstream", daemon=True)
        self._thread.start()

    @property
    def where(self) -> str:
        """The servers and the stream, for a sentence."""
        return self.address.where

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine to its end, from another thread."""
        with self._starting:
            if self._closed:
                work.close()
                raise EngineError(_CLOSED)
            future = asyncio.run_coroutine_threadsafe(_raised(work), self._loop)
        try:
            return future.result()
        except CancelledError:  # before it began
            work.close()
            raise EngineError(_CLOSED) from None

    def refuse_if_closed(self) -> None:
        """Raise if nothing may be asked any more."""
        if self._closed:
            raise EngineError(_CLOSED)

    def close(self) -> None:
        """End all that is asked, and the thread."""
        with self._starting:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    async def most_bytes(self) -> int:
        """Return how large a message may be, its headers included."""
        return (await self._connected()).max_payload

    async def versions(self) -> dict[str, str]:
        """Return the version of each server that can be reached now."""
        found = await asyncio.gather(*map(self._version_of, self.address.servers))
        return {
            server: version
            for server, version in zip(self.address.servers, found, strict=True)
            if version
        }

    async def ask(
        self,
        subject: str,
        data: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        patience_s: float = ANSWER_S,
    ) -> Msg:
        """Send a message and return the answer to it.

        Raises
        ------
        UnansweredError
            If it may have been sent.
        UnreachableError
            If no server is reached.
        """
        client = await self._connected()
        self._number += 1
        token = str(self._number)
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._asked[token] = client, future
        try:
            async with asyncio.timeout(patience_s + len(data) / _SLOWEST_BYTES_S):
                await client.publish(
                    subject,
                    data,
                    reply=f"{self._inbox}.{token}",
                    headers=None if headers is None else dict(headers),
                )
                answer = await future
        except TimeoutError:
            await self._suspect(client)
            raise UnansweredError(f"no answer within {patience_s:g} s") from None
        except (nats.errors.Error, OSError) as error:
            self._drop(client)
            raise UnansweredError(f"the connection failed: {_said(error)}") from error
        finally:
            self._asked.pop(token, None)
        if (answer.headers or {}).get("Status") == "503":
            raise UnansweredError(
                "no server answers for the stream now; it may be electing a leader"
            )
        return answer

    async def publish(
        self,
        subject: str,
        data: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        patience_s: float = ANSWER_S,
    ) -> int:
        """Add a message to a stream; return its sequence.

        Raises
        ------
        RefusalError
            If the server refused it.
        UnansweredError
            If nobody knows.
        """
        answer = _parsed(await self.ask(subject, data, headers, patience_s=patience_s))
        if not isinstance(answer.get("seq"), int):
            raise UnansweredError("the answer makes no sense")
        return int(answer["seq"])

    async def api(self, verb: str, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask JetStream's interface something that may be asked twice.

        Raises
        ------
        RefusalError
            If the server refused it.
        UnreachableError
            If none answers in time.
        """
        data = b"" if request is None else json.dumps(request).encode()
        return await self.patiently(lambda patience_s: self._api(verb, data, patience_s))

    async def patiently(self, question: Callable[[float], Coroutine[Any, Any, Answer]]) -> Answer:
        """Ask again what may be asked twice, until it is answered or patience ends.

        Parameters
        ----------
        question
            Asks once, and waits so many seconds for the answer: each time longer, up to
            `ANSWER_S`.
        """
        until, patience_s = time.monotonic() + PATIENCE_S, FIRST_ANSWER_S
        while True:
            try:
                return await question(patience_s)
            except UnansweredError as error:
                if time.monotonic() > until:
                    raise UnreachableError(
                        f"NATS at {self.where} does not answer ({error})"
                    ) from error
            except RefusalError as error:
                if error.code not in AWAY or time.monotonic() > until:
                    raise
            patience_s = min(2 * patience_s, ANSWER_S)
            await asyncio.sleep(PAUSE_S)

    async def hint(self, subject: str) -> None:
        """Send a message that may get lost."""
        client = self._client
        if client is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await client.publish(subject)

    async def listen(self, subject: str, heard: Callable[[], None]) -> None:
        """Call a function whenever a message comes, on this connection and later ones."""
        if subject not in self._heard:
            self._heard[subject] = heard
            await self._subscribe(await self._connected(), subject)

    async def _api(self, verb: str, data: bytes, patience_s: float) -> dict[str, Any]:
        return _parsed(await self.ask(f"{_API}{verb}", data, patience_s=patience_s))

    async def _connected(self) -> Client:
        if self._client is not None:
            return self._client
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> Client:
        self.refuse_if_closed()
        reasons = []
        for server in list(self._servers):
            try:
                return await self._connect_to(server)
            except (nats.errors.Error, OSError, TimeoutError) as error:
                reasons.append(f"{server}: {_said(error)}")
                self._servers.append(self._servers.pop(0))
        raise UnreachableError(f"NATS can't be reached ({'; '.join(reasons)})")

    async def _version_of(self, server: str) -> str:
        """Return a server's version; empty if it can't be reached."""
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._greet(client, server)
                version = client.connected_server_version
                more = f"-{version.dev}" if version.dev else ""
                return f"{version.major}.{version.minor}.{version.patch}{more}"
        except ValueError:
            return "of an unknown version"
        except (nats.errors.Error, OSError, TimeoutError):
            return ""
        finally:
            await _closed(client)

    async def _greet(
        self,
        client: Client,
        server: str,
        *,
        failed: Callable[[Exception], None] = lambda _: None,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        async def on_error(error: Exception) -> None:
            failed(error)

        async def on_close() -> None:
            closed()

        given = self.address
        await client.connect(
            f"{given.scheme}://{server}",
            error_cb=on_error,
            closed_cb=on_close,
            name="deconflict",
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=2,
            ping_interval=PING_S,
            max_outstanding_pings=2,
            pending_size=0,
            user=given.user or None,
            password=given.password or None,
            token=given.token or None,
        )

    async def _connect_to(self, server: str) -> Client:
        client: Client = Client()
        failures: list[Exception] = []
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._greet(
                    client,
                    server,
                    failed=failures.append,
                    closed=lambda: self._forget(client),
                )
                inbox = client.new_inbox()
                await client.subscribe(f"{inbox}.*", cb=self._answered)
                for subject in self._heard:
                    await self._subscribe(client, subject)
        except BaseException as error:
            await _closed(client)
            if failures and isinstance(error, nats.errors.NoServersError):
                raise failures[-1] from None
            raise
        self._inbox = inbox
        return client

    async def _subscribe(self, client: Client, subject: str) -> None:
        async def heard(_message: Msg) -> None:
            self._heard[subject]()

        await client.subscribe(subject, cb=heard)

    async def _answered(self, message: Msg) -> None:
        asked = self._asked.get(message.subject.rpartition(".")[2])
        if asked is not None and not asked[1].done():
            asked[1].set_result(message)

    async def _suspect(self, client: Client) -> None:
        """Drop a connection if its server does not even answer a ping."""
        try:
            async with asyncio.timeout(0.5):
                await client.flush(1)
        except (nats.errors.Error, OSError, TimeoutError):
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if self._client is client:
            self._servers.append(self._servers.pop(0))
        self._forget(client)
        task = asyncio.get_running_loop().create_task(_closed(client))
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    def _forget(self, client: Client) -> None:
        if self._client is client:
            self._client = None
        for through, future in self._asked.values():
            if through is client and not future.done():
                future.set_exception(nats.errors.ConnectionClosedError())

    async def _end(self) -> None:
        if self._client is not None:
            self._drop(self._client)
        if self._dropping:
            await asyncio.wait(self._dropping)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _closed(client: Client) -> None:
    with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(1):
            await client.close()


async def _raised(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        return await work
    except asyncio.CancelledError:
        raise EngineError("the journal was closed meanwhile") from None


def _parsed(answer: Msg) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.data)
    except ValueError as error:
        raise UnansweredError("the answer makes no sense") from error
    if not isinstance(parsed, dict):
        raise UnansweredError("the answer makes no sense")
    if "error" in parsed:
        raise RefusalError(parsed["error"])
    return parsed


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return str(error).removeprefix("nats: ").strip("'\" ") or type(error).__name__
