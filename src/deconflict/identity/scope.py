"""Scopes: what a token allows, by the names of ASTM F3548-21."""

from __future__ import annotations

import re

STRATEGIC_COORDINATION = "utm.strategic_coordination"
CONSTRAINT_MANAGEMENT = "utm.constraint_management"
CONSTRAINT_PROCESSING = "utm.constraint_processing"
CONFORMANCE_MONITORING = "utm.conformance_monitoring_sa"
AVAILABILITY_ARBITRATION = "utm.availability_arbitration"

F3548 = (
    STRATEGIC_COORDINATION,
    CONSTRAINT_MANAGEMENT,
    CONSTRAINT_PROCESSING,
    CONFORMANCE_MONITORING,
    AVAILABILITY_ARBITRATION,
)
"""The scopes of the standard (ASTM F3548-21, security scheme Authority)."""

MOST_SCOPES = 64
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")  # RFC 6749, 3.3: scope-token


def is_scope(text: str) -> bool:
    """Tell whether a text is one scope as RFC 6749, section 3.3 writes it."""
    return _SCOPE.fullmatch(text) is not None


def split_scopes(text: str) -> frozenset[str] | None:
    """Return the scopes of a list separated by spaces; ``None`` if it is no such list."""
    scopes = frozenset(text.split(" ")) - {""}
    if len(scopes) > MOST_SCOPES or not all(map(is_scope, scopes)):
        return None
    return scopes
