"""Verifying access tokens: JWTs (RFC 7519) as ASTM F3548-21 wants them, and RFC 8725 advises.

A token is checked in this order: size and form, algorithm, key and signature, then claims; no
claim is read before its signature holds. What was verified is remembered by the token's hash until
it expires or the keys change, so that most requests cost a hash and a look-up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from deconflict.identity.caller import Caller, TokenError
from deconflict.identity.compact import Compact, read_compact, read_members
from deconflict.identity.key_source import KeySource
from deconflict.identity.party_name import name_fault
from deconflict.identity.scope import split_scopes

LONGEST_S = 3600
"""How far ahead a token may expire (ASTM F3548-21, security scheme Authority)."""
LEEWAY_S = 10
"""By how much an authority's clock may be ahead of ours; an expiry gets none."""
CACHE_SIZE = 16_384
"""Tokens remembered at most, about 1 KB each."""
MOST_TRIED = 16
"""Keys tried at most for a token that names none."""

_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA", "Ed25519"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
_LAST_SECOND = 2**53
_MOST_ISSUER_CHARACTERS = 500


class Verifier:
    """Tells who holds a token and what it allows.

    Parameters
    ----------
    sources
        Where the authorities' keys come from.
    audiences
        The names under which this service is addressed; a token must be for one of them.
    longest_s
        How far ahead a token may expire, seconds.
    leeway_s
        By how much an authority's clock may be ahead of ours, seconds.
    cache_size
        Verified tokens remembered at most.

    Raises
    ------
    ValueError
        If no audience is given: then a token for any other service would be taken.
    """

    def __init__(
        self,
        sources: Sequence[KeySource],
        *,
        audiences: Sequence[str],
        longest_s: int = LONGEST_S,
        leeway_s: int = LEEWAY_S,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        if not audiences or not all(audiences):
            raise ValueError("name at least one audience, none of them empty")
        self._sources = tuple(sources)
        self._audiences = frozenset(audiences)
        self._longest_s = longest_s
        self._leeway_s = leeway_s
        self._cache_size = cache_size
        self._verified: dict[bytes, Caller] = {}
        for source in self._sources:
            source.watch(self.forget)

    def __len__(self) -> int:
        return len(self._verified)

    def forget(self) -> None:
        """Forget what was verified; a source calls it when its keys change."""
        self._verified.clear()

    def verify(self, token: str, now_s: int) -> Caller:
        """Return who holds a token.

        Parameters
        ----------
        token
            The token, without the word Bearer.
        now_s
            The time, seconds since 1970 UTC.

        Raises
        ------
        TokenError
            If it proves nothing here; the sentence holds no part of it.
        """
        try:
            name = sha256(token.encode("ascii")).digest()
        except UnicodeEncodeError:
            raise TokenError("the token holds characters that none has; send it as given") from None
        caller = self._verified.get(name)
        if caller is not None:
            if caller.expires_s > now_s:
                return caller
            del self._verified[name]
        caller = self._check(read_compact(token), now_s)
        self._verified[name] = caller
        if len(self._verified) > self._cache_size:
            del self._verified[next(iter(self._verified))]
        return caller

    def _check(self, compact: Compact, now_s: int) -> Caller:
        algorithm, kid = _header(compact.header)
        source = self._source(compact, algorithm, kid)
        claims = read_members(compact.payload, "payload")
        issuer = _text(claims, "iss")
        if len(issuer) > _MOST_ISSUER_CHARACTERS or not issuer.isprintable():
            raise TokenError("the token's issuer (iss) is no plain text of modest length")
        if source.issuer is not None and source.issuer != issuer:
            raise TokenError("the token is signed with the key of another issuer than it names")
        party = _text(claims, "sub")
        fault = name_fault(party)
        if fault:
            raise TokenError(f"the token's subject (sub) is no name of a party: {fault}")
        expires_s = self._times(claims, now_s)
        self._audience(claims.get("aud"))
        return Caller(party, _scopes(claims.get("scope", "")), issuer, expires_s)

    def _source(self, compact: Compact, algorithm: str, kid: str | None) -> KeySource:
        """Return the source of the key that made the signature."""
        tried = 0
        for source in self._sources:
            for key in source.current():
                # A key from a file has no identifier; then any that a token names may be its.
                if kid is not None and key.kid is not None and key.kid != kid:
                    continue
                if algorithm not in key.algorithms:
                    continue
                if tried == MOST_TRIED:
                    raise TokenError(
                        "the token could be signed with any of too many keys; "
                        "have your authority name the one (kid)"
                    )
                tried += 1
                if key.signed(compact.signature, compact.signed):
                    return source
        if kid is not None:
            for source in self._sources:
                if all(key.kid != kid for key in source.current()):
                    source.missing()
        if not tried:
            raise TokenError(
                "no key of a known authority fits the token; ask an authority that this service "
                "trusts, or tell its operator that the keys have changed"
            )
        raise TokenError("the token's signature is wrong; ask your authority for a new token")

    def _times(self, claims: dict[str, Any], now_s: int) -> int:
        expires_s = _instant(claims, "exp")
        if expires_s is None:
            raise TokenError("the token never expires (no exp); ask for one that does")
        expires_s = math.floor(expires_s)
        if expires_s <= now_s:
            raise TokenError("the token has expired; ask your authority for a new one")
        if expires_s > now_s + self._longest_s + self._leeway_s:
            raise TokenError(
                f"the token is valid for longer than {self._longest_s} s from now; "
                "ask for one that expires sooner"
            )
        for name in ("nbf", "iat"):
            begins_s = _instant(claims, name)
            if begins_s is not None and begins_s > now_s + self._leeway_s:
                raise TokenError(
                    f"the token is not valid yet ({name}); compare your authority's clock with ours"
                )
        return expires_s

    def _audience(self, claim: object) -> None:
        audiences = [claim] if isinstance(claim, str) else claim
        if not isinstance(audiences, list) or not all(isinstance(name, str) for name in audiences):
            raise TokenError(f"the token names no audience (aud); ask for one {self._addressed()}")
        if self._audiences.isdisjoint(audiences):
            raise TokenError(
                f"the token is for another audience (aud); ask for one {self._addressed()}"
            )

    def _addressed(self) -> str:
        return "for " + " or ".join(sorted(self._audiences)[:4])


def _header(header: dict[str, Any]) -> tuple[str, str | None]:
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise TokenError(
            "the token is signed in a way that is not taken; have it signed with RS256, ES256 "
            "or EdDSA"
        )
    if "crit" in header:  # RFC 7515, 4.1.11: none is understood here
        raise TokenError("the token asks for extensions (crit) that this service doesn't know")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError("the token is of a kind (typ) that is no access token")
    if kid is not None and not isinstance(kid, str):
        raise TokenError("the token names its key (kid) by something that is no text")
    return algorithm, kid


def _text(claims: dict[str, Any], name: str) -> str:
    text = claims.get(name)
    if not isinstance(text, str) or not text:
        what = {"iss": "who issued it (iss)", "sub": "whom it is for (sub)"}[name]
        raise TokenError(f"the token doesn't say {what}; have your authority add it")
    return text


def _instant(claims: dict[str, Any], name: str) -> int | float | None:
    """Return a NumericDate (RFC 7519, section 2), seconds since 1970 UTC."""
    if name not in claims:
        return None
    value = claims[name]
    if type(value) not in {int, float} or not 0 <= value < _LAST_SECOND:
        raise TokenError(f"the token's {name} is no number of seconds since 1970")
    return value  # type: ignore[no-any-return] # its type was looked at


def _scopes(claim: object) -> frozenset[str]:
    # The existing service takes one text alone (RFC 9068, 2.2.3), and so do we.
    scopes = split_scopes(claim) if isinstance(claim, str) else None
    if scopes is None:
        raise TokenError("the token's scope is no text of scopes separated by spaces")
    return scopes
