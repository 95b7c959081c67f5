"""Errors of the service's own interface: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

from deconflict.standards.service import Reply

PROBLEM: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; `detail` is a sentence for the one who asked."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def problem(status: int, sentence: str) -> Reply:
    """Return the reply that says what is wrong."""
    content = msgspec.json.encode(
        Problem(title=HTTPStatus(status).phrase, status=status, detail=sentence)
    )
    return Reply(status, content, PROBLEM)
