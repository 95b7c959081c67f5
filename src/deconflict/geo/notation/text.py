"""Coordinate text as people type it, brought into one alphabet of digits and marks.

Letters stay what they are (upper case): a Cyrillic С is not a Latin C, and whoever reads
it must know which one was typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from deconflict.geo.errors import InputError

MAX_CHARACTERS = 200
"""Longer texts are refused before any work; the longest honest one is below 100."""


@dataclass(frozen=True, slots=True)
class NormalText:
    """A coordinate text in normal form.

    Attributes
    ----------
    typed
        The text as typed.
    text
        Upper case; digits 0 to 9; ``°``, ``'`` and ``"`` for every mark of degrees, minutes
        and seconds; ``-`` for every dash; ``.`` for the Arabic decimal mark and ``,`` for
        every comma; single spaces, none at the ends; no invisible marks; the datum's name
        taken out. Letters of any script are kept.
    datum
        The datum's name where the text begins or ends with one (or has one after the word
        ``MGRS``, ``UTM``, ...), as `deconflict.geo.datum.datum_named` takes it.
    """

    typed: str
    text: str
    datum: str | None = None


def _marks() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for plain, typed in (
        ("°", "º˚ᵒ⁰∘◦"),
        ("'", "′’‘‛ʹʼ´`׳ʻˈ"),
        ('"', "″”“„‟ʺ˝״〃"),
        ("-", "−–—‐‑‒―﹣"),
        (".", "٫"),
        (",", "،、"),
        (";", "؛"),
    ):
        table.update(dict.fromkeys(map(ord, typed), plain))
    table.update({0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)})  # full-width forms
    for zero in (0x0660, 0x06F0):  # Arabic-Indic, Eastern Arabic-Indic
        table.update({zero + digit: str(digit) for digit in range(10)})
    table.update(dict.fromkeys(range(0x2000, 0x200B), " "))
    table.update(dict.fromkeys(map(ord, "\t\n\r\v\f\u00a0\u202f\u205f\u3000\u2028\u2029"), " "))
    # Zero-width, joining, directional and soft marks change nothing that is read.
    table.update(dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u061c\u00ad\ufeff"), None))
    table.update(dict.fromkeys(map(ord, "\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069"), None))
    table[0x0640] = None  # the Arabic stretching mark
    return table


_MARKS = MappingProxyType(_marks())
_OVERRIDES = re.compile("[\u202d\u202e]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_SPACES = re.compile(r" {2,}")


def normal_text(typed: str) -> NormalText:
    """Bring a coordinate text into normal form.

    Raises
    ------
    InputError
        If it is empty, longer than `MAX_CHARACTERS`, holds control characters or a mark that
        reverses what is shown, or names two datums.
    """
    if len(typed) > MAX_CHARACTERS:
        raise InputError(
            f"the coordinate text has {len(typed):,} characters",
            f"write one position in at most {MAX_CHARACTERS} characters",
        )
    text = typed
    if _CONTROL.search(text):
        raise InputError("the coordinate text holds control characters", "type it anew")
    if not text.isascii():
        if _OVERRIDES.search(text):
            raise InputError(
                "the coordinate text holds a mark that shows it in another order than stored",
                "type it anew instead of copying it",
            )
        text = unicodedata.normalize("NFC", text).translate(_MARKS)
    text = " ".join(text.split()).upper().replace("''", '"')
    if not text:
        raise InputError("the coordinate text is empty", 'write one, such as "37S CA 66842 26166"')
    return _without_datum(typed, text)


def _without_datum(typed: str, text: str) -> NormalText:
    before, after = datum_patterns()
    names = []
    if found := before.match(text):
        names.append(found["datum"])
        text = f"{found['word'] or ''} {text[found.end() :]}".strip()
    if found := after.search(text):
        names.append(found["datum"])
        text = text[: found.start()]
    if not names:
        return NormalText(typed, text)
    if len(names) == 2 and _compact(names[0]) != _compact(names[1]):
        raise InputError(
            f"the text names two datums, {names[0]} and {names[1]}", "name the one that it is on"
        )
    if not text:
        raise InputError(f"the text holds a datum, {names[0]}, and no coordinates", "add them")
    return NormalText(typed, text, names[0])


def _compact(name: str) -> str:
    return "".join(character for character in name if character.isalnum())


@lru_cache(maxsize=1)
def datum_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a datum's name before and after a coordinate."""
    from deconflict.geo.datum import DATUM_NAMES

    # "ED50" is also "ED 50" and "ED-50"; the longest name wins ("PULKOVO 1942(83)").
    forms = []
    for name in sorted(set(DATUM_NAMES), key=lambda name: (-len(name), name)):
        pieces = re.findall(r"[^\W\d_]+|\d+|[()]", name.upper())
        forms.append("[ ._-]*".join(map(re.escape, pieces)))
    datum = rf"(?:DATUM[ :=]*)?\(?(?P<datum>{'|'.join(forms)})\)?"
    word = r"(?:(?P<word>MGRS|UTM|UPS|GEOREF)[ :]*)?"
    return (
        re.compile(rf"{word}{datum}(?:[ ,;:/]+|$)(?!\.)"),
        re.compile(rf"(?:(?<=[^ ,;(])[ ,;]+|\()?(?<![0-9A-Z.]){datum}[ ,;.]*$"),
    )
