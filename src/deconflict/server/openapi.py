"""The OpenAPI 3.1 description of everything that is served, made from the tables of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec

from deconflict.server.problem import PROBLEM, Problem
from deconflict.standards.service import JSON, Endpoint, Family

_PARAMETER: Final = re.compile(r"\{\*?([^}]+)\}")
_REFUSALS: Final = {
    400: "The request is malformed.",
    401: "There is no valid token.",
    403: "The token or the owner does not allow it.",
    404: "It is not there.",
    413: "The body is too large.",
    429: "The party asks too much at once; the header Retry-After says when to ask again.",
    503: "The service can't take it now; nothing was written.",
}
"""What any endpoint with a token may also answer, in its family's error form."""
_OPEN_REFUSALS: Final = frozenset({400, 404, 413, 503})
_TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Page:
    """A path that is no endpoint of a family.

    Attributes
    ----------
    method, path, operation, summary
        As of an endpoint.
    media_type
        Of the reply.
    answers
        What each status means.
    form
        Fields of the form that is sent, with what each is.
    """

    method: str
    path: str
    operation: str
    summary: str
    media_type: str = JSON
    answers: Mapping[int, str] = field(default_factory=lambda: {200: "The answer."})
    form: Mapping[str, str] = field(default_factory=dict)


PAGES: Final = (
    Page("GET", "/healthz", "healthz", "Whether the process lives."),
    Page(
        "GET",
        "/readyz",
        "readyz",
        "Whether requests can be served: the journal is writable, keys are there, the clock is "
        "sane.",
        answers={200: "It is ready.", 503: "It is not, for these reasons."},
    ),
    Page(
        "GET",
        "/metrics",
        "metrics",
        "Metrics for Prometheus, from this machine or with a token for them.",
        media_type=_TEXT,
        answers={
            200: "The metrics.",
            401: "There is no valid token.",
            403: "It has no such scope.",
        },
    ),
    Page("GET", "/openapi.json", "openapi", "This description."),
    Page("GET", "/docs", "docs", "This description for people.", media_type="text/html"),
)
AUTHORITY_PAGES: Final = (
    Page(
        "POST",
        "/oauth/token",
        "token",
        "An access token for a party's credentials (RFC 6749, section 4.4).",
        answers={
            200: "The token.",
            400: "The form is wrong.",
            401: "The secret is wrong.",
            413: "The form is too large.",
            429: "Too many ask for tokens from this address; the header Retry-After says when to "
            "ask again.",
        },
        form={
            "grant_type": "client_credentials",
            "client_id": "The party, unless it stands in the header Authorization.",
            "client_secret": "Its secret, likewise.",
            "scope": "Scopes separated by blanks; without it, all that the party may have.",
            "audience": "The host of the service that the token is for.",
        },
    ),
    Page(
        "GET",
        "/.well-known/oauth-authorization-server",
        "authorizationServer",
        "What the built-in authority can do (RFC 8414).",
    ),
    Page("GET", "/.well-known/jwks.json", "jwks", "The built-in authority's public keys."),
)


def description(
    families: Sequence[Family], more: Sequence[Page], *, version: str, errors: Mapping[str, type]
) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    families
        The interfaces.
    more
        The pages beside them.
    version
        The program's.
    errors
        The type of each family's error body, by its name; RFC 9457 problems where it has none.
    """
    schemas = _Schemas(families, errors)
    paths: dict[str, dict[str, Any]] = {}
    for family in families:
        for endpoint in family.endpoints:
            path = endpoint.path.replace("{*", "{")
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(
                family, endpoint, schemas, errors.get(family.name)
            )
    for page in more:
        paths.setdefault(page.path, {})[page.method.lower()] = _page(page)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deconflict",
            "version": version,
            "summary": "Tells which plans and positions meet, exactly, before anybody is there.",
            "description": "Clear is information, never permission.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [*({"name": family.name} for family in families), {"name": "Service"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


class _Schemas:
    """The schemas of every type that an endpoint takes or gives."""

    def __init__(self, families: Sequence[Family], errors: Mapping[str, type]) -> None:
        endpoints = [endpoint for family in families for endpoint in family.endpoints]
        types = {
            *(endpoint.takes for endpoint in endpoints if endpoint.takes is not None),
            *(kind for endpoint in endpoints for kind in endpoint.gives.values()),
            *errors.values(),
            Problem,
        }
        self._types = sorted(types, key=lambda kind: kind.__name__)
        found, components = msgspec.json.schema_components(
            self._types, ref_template="#/components/schemas/{name}"
        )
        self.components = dict(sorted(components.items()))
        self._found = dict(zip(self._types, found, strict=True))

    def of(self, kind: type) -> dict[str, Any]:
        return self._found[kind]


def _operation(
    family: Family, endpoint: Endpoint, schemas: _Schemas, error: type | None
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation,
        "tags": [family.name],
        "summary": endpoint.summary or _words(endpoint.operation),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": msgspec.json.schema(endpoint.parameters.get(name, str)),
            }
            for name in _PARAMETER.findall(endpoint.path)
        ],
        "security": [] if endpoint.public else [{"token": []}],
    }
    if endpoint.scopes:
        ways = " or ".join(" with ".join(sorted(each)) for each in endpoint.scopes)
        operation["description"] = f"The token needs the scope {ways}."
    if endpoint.takes is not None:
        content = {JSON: {"schema": schemas.of(endpoint.takes)}}
        operation["requestBody"] = {"required": True, "content": content}
    responses: dict[str, Any] = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {JSON: {"schema": schemas.of(kind)}},
        }
        for status, kind in endpoint.gives.items()
    }
    if not endpoint.gives:
        responses["200"] = {"description": "The answer."}
    form = (PROBLEM, Problem) if error is None else (JSON, error)
    for status, words in _REFUSALS.items():
        if endpoint.public and status not in _OPEN_REFUSALS:
            continue
        responses.setdefault(
            str(status),
            {"description": words, "content": {form[0]: {"schema": schemas.of(form[1])}}},
        )
    operation["responses"] = responses
    return operation


def _page(page: Page) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": page.operation,
        "tags": ["Service"],
        "summary": page.summary,
        "security": [],
        "responses": {
            str(status): {"description": words, "content": {page.media_type: {}}}
            for status, words in page.answers.items()
        },
    }
    if page.form:
        properties = {
            name: {"type": "string", "description": words} for name, words in page.form.items()
        }
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": properties,
                        "required": ["grant_type"],
                    }
                }
            },
        }
    return operation


def _words(name: str) -> str:
    """Return a name in camel case as words: "getSubscription" as "Get subscription"."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name).capitalize()
