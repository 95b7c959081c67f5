"""Text from files, made safe to print on a terminal."""

from __future__ import annotations

import unicodedata

_FIRST_STRONG_ISOLATE = "\u2068"
_POP_ISOLATE = "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def printable(text: str) -> str:
    r"""Return the text without what could steer the terminal, right-to-left parts isolated.

    Control characters (escape sequences among them) and characters that re-order or hide what
    follows become ``\ufffd``. A text with right-to-left letters is wrapped in isolates, so that
    the rest of the line keeps its order.
    """
    clean = "".join(
        "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} else character
        for character in text
    )
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in clean):
        return f"{_FIRST_STRONG_ISOLATE}{clean}{_POP_ISOLATE}"
    return clean
