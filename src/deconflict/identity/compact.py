"""Compact JWS (RFC 7515, section 7.1) taken apart strictly; nothing here trusts what it reads."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from deconflict.identity.caller import TokenError

MOST_TOKEN_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Compact:
    """The pieces of a token, its signature not checked yet.

    Attributes
    ----------
    header
        The protected header.
    payload
        The bytes that are signed, to be read only behind a good signature.
    signed
        What the signature is over.
    signature
        The signature.
    """

    header: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes


def read_compact(token: str) -> Compact:
    """Take a token apart.

    Raises
    ------
    TokenError
        If it is larger than `MOST_TOKEN_BYTES`, or no compact JWS with a JSON header.
    """
    if len(token) > MOST_TOKEN_BYTES:
        raise TokenError(
            f"the token is larger than {MOST_TOKEN_BYTES} bytes; ask for a smaller one"
        )
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise TokenError("the token is no signed JWT of three parts; send the one you were given")
    header, payload, signature = (_bytes_of(part) for part in parts)
    signed = token[: token.rindex(".")].encode("ascii")
    return Compact(read_members(header, "header"), payload, signed, signature)


def read_members(content: bytes, part: str) -> dict[str, Any]:
    """Return the members of a JSON object in which no name stands twice, at any depth.

    Raises
    ------
    TokenError
        If it is anything else; `part` names it.
    """
    try:
        members = json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        raise TokenError(
            f"the token's {part} is no plain JSON object with unique names; "
            "have your authority look at it"
        ) from None
    if not isinstance(members, dict):
        raise TokenError(f"the token's {part} is no JSON object; have your authority look at it")
    return members


def base64url(content: bytes) -> str:
    """Return bytes as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _bytes_of(part: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        content = b""
    # The decoder skips foreign characters and ignores left-over bits: one token, one spelling.
    if base64url(content) != part:
        raise TokenError("a part of the token is no base64url; send it as you were given it")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(constant)
