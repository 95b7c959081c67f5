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
from typing import Final

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
    default_datum
        The datum of texts that name none, where the whole input has one; only for notations
        that carry none of themselves.
    """

    typed: str
    text: str
    datum: str | None = None
    default_datum: str | None = None

    @property
    def bare_datum(self) -> str | None:
        """The datum of a notation that carries none of itself: as named, else the default."""
        return self.default_datum if self.datum is None else self.datum


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


# A plain dict, never changed: `str.translate` is twice as fast with it.
_MARKS: Final = _marks()
USUAL = (("′", "'"), ("’", "'"), ("″", '"'), ("”", '"'))
"""The most frequent marks, which need no table."""
_OVERRIDES = re.compile("[\u202d\u202e]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_LATIN = MappingProxyType(
    dict(zip(map(ord, "АБВГДЕЗИКЛМНОПРСТУФЦ"), "ABVGDEZIKLMNOPRSTUFC", strict=True))
)
"""Cyrillic letters in names of datums, one for one."""


def normal_text(typed: str, default_datum: str | None = None) -> NormalText:
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
    if _CONTROL.search(typed):
        raise InputError("the coordinate text holds control characters", "type it anew")
    if _OVERRIDES.search(typed):
        raise InputError(
            "the coordinate text holds a mark that shows it in another order than it has",
            "type it anew instead of copying it",
        )
    text = plain(typed)
    if not text:
        raise InputError("the coordinate text is empty", 'write one, such as "37S CA 66842 26166"')
    return _without_datum(typed, text, default_datum)


def plain(typed: str) -> str:
    """Return the text in normal form, its datum still in it; `normal_text` also checks it."""
    if not typed.isascii():
        for mark, usual in USUAL:
            typed = typed.replace(mark, usual)
        if not typed.replace("°", "").isascii():
            typed = unicodedata.normalize("NFC", typed).translate(_MARKS)
    return " ".join(typed.split()).upper().replace("''", '"')


def _without_datum(typed: str, text: str, default_datum: str | None) -> NormalText:
    before, after = datum_patterns()
    latin = text if text.isascii() else text.translate(_LATIN)
    names = []
    if found := after.search(latin):
        names.append(found["datum"])
        text, latin = text[: found.start()], latin[: found.start()]
    if found := before.match(latin):
        names.append(found["datum"])
        text = f"{found['word'] or ''} {text[found.end() :]}".strip()
    if not names:
        return NormalText(typed, text, None, default_datum)
    if len(names) == 2 and _compact(names[0]) != _compact(names[1]):
        raise InputError(
            f"the text names two datums, {names[1]} and {names[0]}", "name the one that it is on"
        )
    if not text:
        raise InputError(f"the text holds a datum, {names[0]}, and no coordinates", "add them")
    return NormalText(typed, text, names[0], default_datum)


def _compact(name: str) -> str:
    return "".join(character for character in name if character.isalnum())


@lru_cache(maxsize=1)
def datum_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a datum's name after and before coordinates in Latin letters."""
    from deconflict.geo.datum.names import tabled_names

    # "ED50" is also "ED 50" and "ED-50"; the longest name wins ("PULKOVO 1942(83)"). Grouped
    # by the first letter, so that a text without a datum costs little.
    by_letter: dict[str, list[str]] = {}
    names = {name.upper().translate(_LATIN) for name in tabled_names()}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        pieces = [re.escape(piece) for piece in re.findall(r"[^\W\d_]+|\d+|[()]", name)]
        by_letter.setdefault(name[0], []).append("[ ._/'-]*".join(pieces)[len(name[0]) :])
    groups = "|".join(f"{letter}(?:{'|'.join(rest)})" for letter, rest in by_letter.items())
    datum = rf"(?:DATUM[ :=]*)?\(?(?P<datum>{groups})\)?"
    return (
        re.compile(rf"(?:(?P<word>MGRS|UTM|UPS|GEOREF)[ :]*)?{datum}(?:[ ,;:/]+|$)"),
        re.compile(rf"[ ,;/(]+{datum}[ .,;]*$"),
    )
