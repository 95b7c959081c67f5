"""What a decoder expected and was not given, in the words of whoever writes the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

_KINDS: Final = MappingProxyType(
    {
        "str": ("a text", "write a text"),
        "int": ("a whole number", "write a whole number"),
        "float": ("a number", "write a number"),
        "bool": ("true or false", "write true or false"),
        "array": ("a list", "write a list in square brackets"),
        "object": ("an object", "write an object in curly braces"),
        "null": ("null", "write null"),
    }
)
"""What a decoder calls a kind of value, what people do, and what to write."""
_GIVEN: Final = MappingProxyType({"int": "a number", "float": "a number with a fraction"})
"""What is called otherwise where it was given."""
_BOUNDS: Final = MappingProxyType(
    {
        ">=": ("less than", "at least"),
        ">": ("not more than", "more than"),
        "<=": ("more than", "at most"),
        "<": ("not less than", "less than"),
    }
)


def in_words(message: str) -> tuple[str, str] | None:
    """Return a decoder's message as what is wrong and what to do, both clauses.

    Parameters
    ----------
    message
        Of msgspec, without the place.

    Returns
    -------
    tuple of str, or None
        ``None`` for a message that says nothing of a kind, a bound or a length.
    """
    for pattern, words in _TABLE:
        match = pattern.fullmatch(message)
        if match:
            return words(match)
    return None


def _missing(match: re.Match[str]) -> tuple[str, str]:
    return f"`{match[1]}` is missing", f"add `{match[1]}`"


def _out_of_bounds(match: re.Match[str]) -> tuple[str, str]:
    wrong, right = _BOUNDS[match[1]]
    number = _number(match[2])
    return f"the number is {wrong} {number}", f"give {right} {number}"


def _items(match: re.Match[str]) -> tuple[str, str]:
    number = _number(match[2])
    if match[1] == ">=":
        return f"fewer than {number} are given", f"give at least {number}"
    return f"more than {number} are given", f"give at most {number}"


def _letters(match: re.Match[str]) -> tuple[str, str]:
    wrong, right = {">=": ("shorter", "at least"), "<=": ("longer", "at most")}[match[1]]
    return (
        f"the text is {wrong} than {_number(match[2])} characters",
        f"give {right} {_number(match[2])} characters",
    )


def _kind(match: re.Match[str]) -> tuple[str, str]:
    wanted = [_KINDS.get(kind, (kind, f"write {kind}")) for kind in match[1].split(" | ")]
    if len(wanted) > 1:
        wanted = [each for each in wanted if each != _KINDS["null"]]
    given = _GIVEN.get(match[2]) or _KINDS.get(match[2], (match[2], ""))[0]
    names = " or ".join(name for name, _ in wanted)
    return f"{given} stands where {names} belongs", " or ".join(remedy for _, remedy in wanted)


def _number(text: str) -> str:
    value = float(text)
    return f"{int(value):,}" if value.is_integer() else text


_TABLE: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]], ...]] = (
    (re.compile(r"Object missing required field `(\w+)`"), _missing),
    (re.compile(r"Expected `\w+` (>=|>|<=|<) (\S+)"), _out_of_bounds),
    (re.compile(r"Expected `array` of length (>=|<=) (\d+)"), _items),
    (re.compile(r"Expected `str` of length (>=|<=) (\d+)"), _letters),
    (re.compile(r"Expected `([^`]+)`, got `(\w+)`"), _kind),
)
