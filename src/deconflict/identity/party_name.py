"""The names of parties, as they stand in tokens, paths, records and logs."""

from __future__ import annotations

import unicodedata

MOST_NAME_BYTES = 200

_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (they re-order or hide what follows), surrogates, ends of lines."""
_JOINERS = frozenset("\u200c\u200d")
"""Formats without which Persian and Indic names are misspelt."""


def name_fault(name: str) -> str | None:
    """Return what is wrong with a party's name, as a clause; ``None`` if it is fit.

    Two spellings that look alike would be two parties, so only the composed form (NFC) without
    spaces around or doubled is taken; a name is never corrected, for it is who signs.
    """
    if not name:
        return "it is empty"
    if len(name) > MOST_NAME_BYTES:
        return f"it is longer than {MOST_NAME_BYTES} bytes"
    if not name.isascii():
        if any(
            unicodedata.category(character) in _UNFIT and character not in _JOINERS
            for character in name
        ):
            return "it holds control characters"
        if len(name.encode()) > MOST_NAME_BYTES:
            return f"it is longer than {MOST_NAME_BYTES} bytes"
        if unicodedata.normalize("NFC", name) != name:
            return "its letters are not composed (Unicode NFC)"
    elif not name.isprintable():
        return "it holds control characters"
    if " ".join(name.split()) != name:
        return "it has spaces around it or doubled"
    return None
