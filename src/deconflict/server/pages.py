"""What the service answers besides its interfaces: health, metrics, documents and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deconflict.identity.caller import TokenError
from deconflict.server import metrics as prometheus
from deconflict.server.app import CONNECTION, Verifies, bearer_token
from deconflict.server.configuration import is_loopback
from deconflict.server.health import Health
from deconflict.server.limits import Limits
from deconflict.server.metrics import Metrics
from deconflict.server.nodes.pages import Nodes, node_routes
from deconflict.server.problem import PROBLEM, problem
from deconflict.server.settings import METRICS_SCOPE, Settings

if TYPE_CHECKING:
    from deconflict.identity.authority import Authority
    from deconflict.identity.token_endpoint import TokenEndpoint

NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_JSON: Final = "application/json"
_MOST_FORM_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the pages tell of.

    Attributes
    ----------
    settings, limits, metrics, verifier
        As their names say.
    health
        Returns the coordinator's state.
    stopping
        Returns whether the service is being stopped.
    admits
        Returns whether somebody's token could be verified.
    faults
        Returns what is wrong with the keys of authorities, in clauses for an operator.
    description
        The OpenAPI document.
    docs, docs_policy
        The document for people, and the policy that a browser is to keep over it.
    authority, tokens
        The built-in authority and its endpoint, if it is on.
    base_url
        Under which the service is reached.
    nodes
        What other nodes are answered with, where several share a journal.
    """

    settings: Settings
    limits: Limits
    metrics: Metrics
    verifier: Verifies
    health: Callable[[], Health]
    stopping: Callable[[], bool]
    admits: Callable[[], bool]
    faults: Callable[[], Sequence[str]]
    description: Mapping[str, Any]
    docs: bytes
    docs_policy: str
    base_url: str
    nodes: Nodes | None = None
    authority: Authority | None = None
    tokens: TokenEndpoint | None = None


def pages(around: Surroundings) -> Starlette:
    """Return the application that answers them all, and refuses every other path."""
    document = msgspec.json.encode(around.description)

    async def alive(_request: Request) -> Response:
        return _json({"alive": True})

    async def ready(request: Request) -> Response:
        in_full = _is_local(around, request)
        reasons = _reasons(around, in_full=in_full)
        answer = {
            "ready": not reasons,
            "reasons": reasons,
            "faults": _faults(around, in_full=in_full),
        }
        return _json(answer, 503 if reasons else 200)

    async def metrics(request: Request) -> Response:
        if not (around.settings.open_metrics or _is_local(around, request)):
            _demand_scope(around, request)
        return Response(
            around.metrics.text(), headers={**NO_STORE, "content-type": prometheus.CONTENT_TYPE}
        )

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type=_JSON, headers=NO_STORE)

    async def start(_request: Request) -> Response:
        return Response(status_code=302, headers={**NO_STORE, "location": "/docs"})

    async def docs(_request: Request) -> Response:
        headers = {
            **NO_STORE,
            "content-security-policy": around.docs_policy,
            "referrer-policy": "no-referrer",
        }
        return Response(around.docs, media_type="text/html", headers=headers)

    routes = [
        Route("/", start),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
        *_authority_routes(around),
        *([] if around.nodes is None else node_routes(around.nodes)),
    ]
    return Starlette(
        routes=routes, exception_handlers={HTTPException: _refused, Exception: _failed}
    )


def _authority_routes(around: Surroundings) -> list[Route]:
    authority, endpoint = around.authority, around.tokens
    if authority is None or endpoint is None:
        return []

    async def token(request: Request) -> Response:
        connection = request.scope.get(CONNECTION)
        address = "" if request.client is None else request.client.host
        if connection is not None:
            refused = around.limits.unproven(connection.address, time.monotonic())
            if refused is not None:
                around.metrics.refused(refused.reason)
                raise HTTPException(
                    refused.status,
                    refused.sentence,
                    {"retry-after": str(refused.retry_after_s), "connection": "close"},
                )
        reply = await endpoint.answer(
            content_type=request.headers.get("content-type"),
            authorization=request.headers.get("authorization"),
            body=await _form(request),
            address=address,
            now_s=int(time.time()),
        )
        response = Response(reply.body, reply.status)
        for name, value in reply.headers:
            response.headers[name] = value
        return response

    async def metadata(_request: Request) -> Response:
        return _json(authority.metadata(around.base_url))

    async def jwks(_request: Request) -> Response:
        return _json(authority.jwks())

    return [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/.well-known/oauth-authorization-server", metadata),
        Route("/.well-known/jwks.json", jwks),
    ]


def _reasons(around: Surroundings, *, in_full: bool) -> list[str]:
    """Return why the service is not ready; a stranger is told the state alone."""
    health = around.health()
    reasons = []
    if around.stopping():
        reasons.append("the service is being stopped")
    elif not health.ready:
        reasons.append(health.reason if in_full else f"the journal: {health.state.value}")
    if not around.admits():
        reasons.append("no key of any authority is there, so no token can be verified")
    return reasons


def _faults(around: Surroundings, *, in_full: bool) -> list[str]:
    """Return what is wrong although requests are served; a stranger is told no address."""
    faults = list(around.faults())
    return faults if in_full or not faults else ["the keys of an authority were not fetched"]


def _is_local(around: Surroundings, request: Request) -> bool:
    """Whether the asker is on this machine; behind a proxy every asker seems to be."""
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and not around.settings.behind_proxy
    )


def _demand_scope(around: Surroundings, request: Request) -> None:
    """Refuse a request that has no token with the scope for metrics."""
    try:
        token = bearer_token(request.headers.get("authorization", ""))
        caller = around.verifier.verify(token, int(time.time()))
    except TokenError as error:
        raise HTTPException(401, str(error), {"www-authenticate": "Bearer"}) from None
    if METRICS_SCOPE not in caller.scopes:
        raise HTTPException(403, f"/metrics needs a token with the scope {METRICS_SCOPE}")


async def _form(request: Request) -> bytes:
    """Return the body of a form; Starlette's own limit would answer without a sentence."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(413, headers={"connection": "close"})
    return bytes(body)


_SENTENCES: Final = {
    404: "there is nothing at this path; /docs says what there is",
    405: "this path has no such method; /docs says which it has",
    413: f"the body is larger than {_MOST_FORM_BYTES:,} bytes; send less at once",
}


async def _refused(_request: Request, error: Exception) -> Response:
    status, headers, detail = 500, None, ""
    if isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
        detail = _SENTENCES.get(status, error.detail)
    reply = problem(status, detail)
    return Response(reply.body, status, {**NO_STORE, **(headers or {})}, media_type=PROBLEM)


async def _failed(_request: Request, _error: Exception) -> Response:
    reply = problem(500, "the service failed over this request; tell its operator the request id")
    return Response(reply.body, 500, NO_STORE, media_type=PROBLEM)


def _json(content: Any, status: int = 200) -> Response:  # noqa: ANN401 - JSON
    return Response(msgspec.json.encode(content), status, NO_STORE, media_type=_JSON)
