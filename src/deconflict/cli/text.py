"""Text from files, made safe to print on a terminal."""

from __future__ import annotations

import re
import unicodedata

_FIRST_STRONG_ISOLATE = "\u2068"
_POP_ISOLATE = "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: controls, formats, surrogates, private use, ends of lines and paragraphs."""
_STEERING_IN_JSON = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Those of them that JSON allows unescaped, and that a terminal obeys."""


def printable(text: str) -> str:
    r"""Return the text without what could steer the terminal, right-to-left parts isolated.

    Control characters (escape sequences among them) and characters that re-order or hide what
    follows become ``\ufffd``. A text with right-to-left letters is wrapped in isolates, so that
    the rest of the line keeps its order.
    """
    clean = "".join(
        "\ufffd" if unicodedata.category(character) in _STEERING else character
        for character in text
    )
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in clean):
        return f"{_FIRST_STRONG_ISOLATE}{clean}{_POP_ISOLATE}"
    return clean


def printable_json(content: bytes) -> bytes:
    r"""Return JSON with what could steer a terminal as ``\u`` escapes; it says the same."""
    if content.isascii() and b"\x7f" not in content:
        return content
    return _STEERING_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", content.decode()).encode()
