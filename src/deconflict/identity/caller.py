"""The caller: a party whose token was verified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what its token allows.

    Attributes
    ----------
    party
        The token's subject.
    scopes
        What the token allows.
    issuer
        Who says so.
    expires_s
        Until when, seconds since 1970 UTC.
    """

    party: str
    scopes: frozenset[str]
    issuer: str
    expires_s: int


NOBODY = Caller(party="", scopes=frozenset(), issuer="", expires_s=0)
"""Who calls where no token is asked for."""


class TokenError(Exception):
    """A token that is refused, in a sentence for the caller that holds no part of the token."""
