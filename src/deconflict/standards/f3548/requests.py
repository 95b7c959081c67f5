"""Request bodies, decoded strictly: what is no JSON, or not what the standard says, is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError
from deconflict.standards.f3548.wire import explained

T = TypeVar("T")

LONGEST_MESSAGE: Final = 300
"""Characters of a decoder's message, which may repeat a text of the body."""
_REMEDY = "send one JSON object in UTF-8, as F3548-21 describes it"
_NO_UTF_8 = "the body is not UTF-8"
_NESTED = "the body's lists or objects are nested too deep"

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return what a body says.

    Parameters
    ----------
    decoder
        Of the type that is expected.
    body
        As received.

    Raises
    ------
    InputError
        If it is no JSON, repeats a key within an object, or is not what the type allows.
    """
    try:
        value = decoder.decode(body)
        _refuse_repeated_keys(value, body)
    except msgspec.ValidationError as error:
        raise explained(_shortened(str(error))) from None
    except msgspec.DecodeError as error:
        raise InputError(f"the body is no JSON: {_reason(str(error))}", _REMEDY) from None
    except UnicodeDecodeError:
        raise InputError(_NO_UTF_8, _REMEDY) from None
    except RecursionError:
        raise InputError(_NESTED, _REMEDY) from None
    return value


def _shortened(message: str) -> str:
    """Return a message with its beginning, which says what is wrong, and its end: the place."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2
    return f"{message[:half]} ... {message[-half:]}"


def _reason(message: str) -> str:
    """Return why a body can't be decoded, as a clause."""
    reason = message.removeprefix("JSON is malformed: ")
    return reason if reason != message else message[:1].lower() + message[1:]


def _refuse_repeated_keys(value: object, body: bytes) -> None:
    r"""Refuse a body of which some readers would see one value and others another.

    Written again from what was decoded, a body has fewer colons than before if a key was dropped:
    an unknown one, a null, or one that is repeated. Decoded without a type, it has fewer only if
    one is repeated. Only in a body with escapes (``\u003a`` is a colon too) keys have to be read
    one by one. Measured on 1.1 KB: 2 µs; 8 µs with an unknown field; 40 µs with an escape.
    """
    if b"\\" not in body:
        colons = body.count(b":")
        if _ENCODER.encode(value).count(b":") == colons:
            return
        with suppress(OverflowError):  # an integer beyond 64 bits can be read and not written
            if _ENCODER.encode(_DECODER.decode(body)).count(b":") == colons:
                return
    _DECODER.decode(body)  # stricter about texts than what follows
    try:
        json.loads(body, object_pairs_hook=_unique)
    except InputError:
        raise
    except ValueError:
        # An integer of thousands of digits, or a mark of the byte order.
        raise InputError("the body holds what is no JSON to every reader", _REMEDY) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError(f"{shown(key)} is stated twice", "keep the one that is right")
            seen.add(key)
    return unique
