"""The ASGI application: what stands between a request and its handler.

Theory of operation. A request is routed, its token verified, its party's limits judged and its
scopes looked at before a byte of its body is read; then the body is read within its limit and the
endpoint's handler called. Everything else (documents, metrics, health, tokens) is a page, answered
by Starlette behind the same line in the log and the same count.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

import structlog

from deconflict.identity.caller import NOBODY, Caller, TokenError
from deconflict.server.fault import described
from deconflict.server.health import NOT_KNOWN, SENTENCES, State
from deconflict.server.limits import Connection, Limits, Refused
from deconflict.server.logs import RequestLog
from deconflict.server.metrics import Metrics
from deconflict.server.problem import problem
from deconflict.server.routing import NoMethod, Route, Router
from deconflict.standards.service import (
    Call,
    Endpoint,
    Family,
    Reply,
    RequestError,
    Service,
    UnavailableError,
)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CONNECTION: Final = "deconflict.connection"
"""Where a scope holds its `deconflict.server.limits.Connection`."""
REQUEST_ID: Final = b"x-request-id"
BEHIND: Final = b"deconflict-stale-s"
"""By how many seconds at the most an answer may be behind, where the settings allow it."""
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_BEARER: Final = "bearer "
_LONGEST_TOKEN: Final = 8192
_MOST_PARAMETERS: Final = 32
_FAULT: Final = (
    "the service failed over this request; read again what it was about before you send it once "
    "more, and tell its operator the request id"
)
_REASONS: Final = MappingProxyType(
    {400: "malformed", 403: "forbidden", 404: "absent", 413: "too_large"}
)
"""Words in the log and the metrics for what a handler refused, by status."""
STOPPING: Final = SENTENCES[State.STOPPING]
"""What is said of a request that came too late."""
STOPPED_WAITING: Final = 499
"""Stands in the log and the metrics for a request whose asker went away before its reply."""


class Verifies(Protocol):
    """Tells who holds a token."""

    def verify(self, token: str, now_s: int) -> Caller:
        """Return who holds a token, or raise `TokenError`."""
        ...


class GoneError(Exception):
    """The asker went away, or was too slow, before its request was whole."""


class Front:
    """The ASGI application.

    Parameters
    ----------
    families
        The interfaces.
    pages
        Answers what no family has a path for.
    service
        Handed to the handlers.
    verifier
        Verifies tokens.
    limits, metrics, log
        As their names say.

    Attributes
    ----------
    stopping
        Set when the service is being stopped: each request from then on is refused.
    """

    def __init__(
        self,
        families: Sequence[Family],
        pages: Application,
        *,
        service: Service,
        verifier: Verifies,
        limits: Limits,
        metrics: Metrics,
        log: RequestLog,
    ) -> None:
        self.stopping = False
        self._router = Router(families)
        self._pages = pages
        self._service = service
        self._verify = verifier.verify
        self._limits = limits
        self._metrics = metrics
        self._log = log
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        given_id, authorization, length = _wanted(scope["headers"])
        request_id = given_id or f"{self._prefix}-{next(self._numbers):x}"
        method: str = scope["method"]
        path = scope["raw_path"].decode("ascii")
        found = self._router.find(method, path)
        if found is None and not self.stopping:
            await self._page(scope, receive, send, request_id, began)
            return
        exchange = _Exchange(request_id, authorization, length)
        if isinstance(found, tuple):
            route, parameters = found
            exchange.operation = route.endpoint.operation
            try:
                reply = await self._answer(route, parameters, scope, receive, exchange)
            finally:
                if exchange.admitted:
                    self._limits.done(exchange.party)
        elif found is None:
            reply = exchange.refuse(Refused(503, "stopping", STOPPING, close=True), problem)
        else:
            reply = _no_method(found, exchange)
        if exchange.reason:
            self._metrics.refused(exchange.reason)
        status = STOPPED_WAITING if reply is None else reply.status
        if reply is not None:
            await _send(send, reply, exchange)
        seconds = time.perf_counter() - began
        self._metrics.answered(exchange.operation, status, seconds)
        self._log.write(
            request_id,
            method,
            exchange.operation,
            status,
            seconds,
            party=exchange.party,
            reason=exchange.reason,
        )

    async def _answer(
        self,
        route: Route,
        parameters: dict[str, str],
        scope: Scope,
        receive: Receive,
        exchange: _Exchange,
    ) -> Reply | None:
        family, endpoint = route.family, route.endpoint
        if self.stopping:
            return exchange.refuse(Refused(503, "stopping", STOPPING, close=True), family.error)
        connection: Connection | None = scope.get(CONNECTION)
        caller = NOBODY
        if not endpoint.public:
            try:
                caller = self._verify(bearer_token(exchange.authorization), int(time.time()))
            except TokenError as error:
                return self._unproven(str(error), family, connection, exchange)
            exchange.party = caller.party
            refused = self._limits.admit(caller.party, connection, time.monotonic())
            if refused is not None:
                return exchange.refuse(refused, family.error)
            exchange.admitted = True
            if endpoint.scopes and not any(each <= caller.scopes for each in endpoint.scopes):
                exchange.reason = "scope"
                return family.error(403, _scopes_wanted(endpoint))
        try:
            # A stranger's body is not kept: public endpoints take none.
            most = family.most_body_bytes
            body = b"" if endpoint.public else await _body(receive, exchange.length, most)
            query = scope["query_string"]
            call = Call(
                caller,
                f"{scope['method']} {scope['raw_path'].decode('ascii')}",
                parameters,
                body,
                _parameters(query) if query else {},
            )
            if not (endpoint.changes or endpoint.public):
                behind_s = await self._service.current()
                if behind_s is not None:
                    exchange.headers.append((BEHIND, b"%.3f" % behind_s))
            return await endpoint.handle(self._service, call)
        except RequestError as error:
            exchange.close = error.status == 413
            exchange.reason = _REASONS.get(error.status, "refused")
            return family.error(error.status, error.sentence)
        except UnavailableError as error:
            return exchange.refuse(Refused(503, "unavailable", str(error)), family.error)
        except GoneError:
            exchange.reason = "gone"
            return None
        except asyncio.CancelledError as error:
            return self._cancelled(error, family, exchange)
        except Exception as error:  # noqa: BLE001 - a fault over one request ends no other
            exchange.reason = "fault"
            _log_fault(exchange.request_id, error)
            return family.error(500, _FAULT)

    def _cancelled(
        self, error: asyncio.CancelledError, family: Family, exchange: _Exchange
    ) -> Reply:
        """Refuse what a stop waits for no longer; it may be written or not."""
        if not self.stopping:
            raise error
        return exchange.refuse(Refused(503, "stopping", NOT_KNOWN, close=True), family.error)

    def _unproven(
        self, sentence: str, family: Family, connection: Connection | None, exchange: _Exchange
    ) -> Reply:
        if connection is not None:
            refused = self._limits.unproven(connection.address, time.monotonic())
            if refused is not None:
                return exchange.refuse(refused, family.error)
        exchange.reason = "token"
        exchange.headers.append((b"www-authenticate", b'Bearer error="invalid_token"'))
        return family.error(401, sentence)

    async def _page(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, began: float
    ) -> None:
        """Have a page answered, with the request's id in its headers."""
        status = STOPPED_WAITING
        reason = ""

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID, request_id.encode())]
            await send(message)

        try:
            await self._pages(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - a fault over one request ends no other
            reason = "fault"
            self._metrics.refused(reason)
            _log_fault(request_id, error)
            if status == STOPPED_WAITING:
                status = 500
                await _send(send, problem(status, _FAULT), _Exchange(request_id, "", ""))
        endpoint = scope.get("endpoint")
        operation = "unknown" if endpoint is None else endpoint.__name__
        seconds = time.perf_counter() - began
        self._metrics.answered(operation, status, seconds)
        self._log.write(request_id, scope["method"], operation, status, seconds, reason=reason)


def _log_fault(request_id: str, error: Exception) -> None:
    structlog.get_logger("deconflict.app").error(
        "fault", request_id=request_id, error=described(error)
    )


class _Exchange:
    """What becomes of one request on its way."""

    __slots__ = (
        "admitted",
        "authorization",
        "close",
        "headers",
        "length",
        "operation",
        "party",
        "reason",
        "request_id",
    )

    def __init__(self, request_id: str, authorization: str, length: str) -> None:
        self.request_id = request_id
        self.authorization = authorization
        self.length = length
        self.operation = "unknown"
        self.party = ""
        self.reason = ""
        self.admitted = False
        self.close = False
        self.headers: Headers = []

    def refuse(self, refused: Refused, error: Callable[[int, str], Reply]) -> Reply:
        self.reason = refused.reason
        self.close = refused.close
        self.headers.append((b"retry-after", b"%d" % refused.retry_after_s))
        return error(refused.status, refused.sentence)


def _wanted(headers: Headers) -> tuple[str, str, str]:
    """Return the request's own id if it is sane, its authorization, and its length."""
    request_id = authorization = length = ""
    for name, value in headers:
        if name == b"authorization":
            # Two of them: which one counts must not be left to order.
            authorization = "" if authorization else value.decode("latin-1")
        elif name == b"content-length":
            length = value.decode("latin-1")
        elif name == REQUEST_ID and _SANE_ID.match(value):
            request_id = value.decode("ascii")
    return request_id, authorization, length


def bearer_token(authorization: str) -> str:
    """Return the token of an Authorization header.

    Raises
    ------
    TokenError
        If it holds none.
    """
    if not authorization:
        raise TokenError(
            "there is no token, or more than one; send one in the header Authorization: Bearer ..."
        )
    if authorization[: len(_BEARER)].lower() != _BEARER:
        raise TokenError("the header Authorization holds no bearer token; write Bearer before it")
    token = authorization[len(_BEARER) :].strip()
    if len(token) > _LONGEST_TOKEN:
        raise TokenError(f"the token is longer than {_LONGEST_TOKEN} characters")
    return token


def _scopes_wanted(endpoint: Endpoint) -> str:
    ways = " or ".join(" with ".join(sorted(each)) for each in endpoint.scopes)
    return f"the token does not allow this; ask your authority for one with the scope {ways}"


def _parameters(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise RequestError(
            400, f"the query string can't be read; give at most {_MOST_PARAMETERS} parameters"
        ) from None
    return dict(reversed(pairs))


async def _body(receive: Receive, length: str, most: int) -> bytes:
    """Return the body, and stop at the first sign that it is too large."""
    if length and int(length) > most:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise GoneError
    body: bytes = message.get("body", b"")
    if len(body) > most:
        raise _too_large(most)
    if not message.get("more_body", False):
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(most)
    return b"".join(parts)


def _too_large(most: int) -> RequestError:
    return RequestError(413, f"the body is larger than {most:,} bytes; send less at once")


def _no_method(found: NoMethod, exchange: _Exchange) -> Reply:
    allowed = ", ".join(found.allowed)
    exchange.reason = "method"
    exchange.headers.append((b"allow", allowed.encode()))
    return found.family.error(405, f"this path has no such method; it has {allowed}")


async def _send(send: Send, reply: Reply, exchange: _Exchange) -> None:
    body = reply.body
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (REQUEST_ID, exchange.request_id.encode()),
        (b"cache-control", b"no-store"),
        *exchange.headers,
    ]
    if exchange.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
