"""Words and letters for north, south, east and west, degrees, minutes and seconds, by language."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType

from deconflict.geo.errors import InputError

_WORDS = MappingProxyType(
    {
        word: meaning
        for meaning, words in (
            ("N", "NORTH NORD NORTE KUZEY СШ СЕВЕР СЕВЕРНОЙШИРОТЫ СЕВЕРНАЯШИРОТА ПНШ شمال الشمال"),
            ("N", "شمالا شمالي شمالی NORTHERN ПІВНІЧНОЇШИРОТИ"),
            ("S", "SOUTH SÜD SUD SUR GÜNEY ЮШ ЮГ ЮЖНОЙШИРОТЫ ЮЖНАЯШИРОТА ПДШ جنوب الجنوب"),
            ("S", "جنوبا جنوبي جنوبی SOUTHERN ПІВДЕННОЇШИРОТИ"),
            ("E", "EAST OST EST ESTE DOĞU ВД ВОСТОК ВОСТОЧНОЙДОЛГОТЫ ВОСТОЧНАЯДОЛГОТА СХД"),
            ("E", "شرق الشرق شرقا شرقي شرقی EASTERN СХІДНОЇДОВГОТИ"),
            ("W", "WEST OUEST OESTE BATI ЗД ЗАПАД ЗАПАДНОЙДОЛГОТЫ ЗАПАДНАЯДОЛГОТА ЗХД"),
            ("W", "غرب الغرب غربا غربي غربی WESTERN ЗАХІДНОЇДОВГОТИ"),
            ("°", "DEG DEGS DEGREE DEGREES ГРАД ГРАДУС ГРАДУСА ГРАДУСОВ DERECE درجة درجات"),
            ("'", "MIN MINS MINUTE MINUTES MINUTEN МИН МИНУТ МИНУТА МИНУТЫ DAKIKA دقيقة دقائق"),
            ('"', "SEC SECS SECOND SECONDS SEK SEKUNDEN СЕК СЕКУНД СЕКУНДЫ SANIYE ثانية ثواني"),
            ("LAT", "LAT LATITUDE ШИРОТА ENLEM BREITE خطالعرض العرض"),
            ("LON", "LON LONG LNG LONGITUDE ДОЛГОТА BOYLAM LÄNGE خطالطول الطول"),
        )
        for word in words.split()
    }
)
# A letter by itself means what it means in a language that has all letters of the text.
_LANGUAGES = (
    ("English", MappingProxyType({"N": "N", "S": "S", "E": "E", "W": "W"})),
    ("German", MappingProxyType({"N": "N", "S": "S", "O": "E", "W": "W"})),
    ("French", MappingProxyType({"N": "N", "S": "S", "E": "E", "O": "W"})),
    ("Turkish", MappingProxyType({"K": "N", "G": "S", "D": "E", "B": "W"})),
    ("Russian", MappingProxyType({"С": "N", "Ю": "S", "В": "E", "З": "W"})),
    ("Arabic", MappingProxyType({"ش": "N", "ج": "S", "ق": "E", "غ": "W"})),
)
_RUN = re.compile(r"[^\W\d_]+(?:[. ]+[^\W\d_]+)*\.?")
_LETTER = re.compile(r"[^\W\d_]+")
_LATIN_WORDS = frozenset(word for word in _WORDS if word.isascii()) | frozenset(
    letter for _, language in _LANGUAGES for letter in language if letter.isascii()
)


def in_english(text: str) -> tuple[str, ...]:
    """Return a text of degrees with only N, S, E, W, LAT and LON for letters.

    Returns
    -------
    tuple of str
        Empty: it has other words and is no text of degrees. Several: its letters mean one
        thing in one language and another in another (O is east in German, west in French).

    Raises
    ------
    InputError
        If its letters belong to no one language.
    """
    if text.isascii():
        if not _LATIN_WORDS.issuperset(_LETTER.findall(text)):
            return ()  # most grid references end here
    else:  # Arabic vowel marks
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
    letters: list[str] = []
    unknown = False

    def replaced(found: re.Match[str]) -> str:
        nonlocal unknown
        words = _LETTER.findall(found[0])
        result = []
        while words:
            for length in range(min(3, len(words)), 0, -1):
                meaning = _WORDS.get("".join(words[:length]))
                if meaning is not None:
                    result.append(meaning)
                    break
            else:
                length = 1
                unknown |= len(words[0]) > 1
                letters.append(words[0])
                result.append(f"<{words[0]}>")
            del words[:length]
        return " ".join(result)

    text = _RUN.sub(replaced, text)
    if unknown:
        return ()
    if not letters:
        return (text,)
    found = {
        tuple(sorted((letter, language[letter]) for letter in set(letters))): name
        for name, language in _LANGUAGES
        if all(letter in language for letter in letters)
    }
    if not found:
        if not all(any(letter in language for _, language in _LANGUAGES) for letter in letters):
            return ()
        raise InputError(
            f"the letters {' and '.join(dict.fromkeys(letters))} name hemispheres in no one "
            "language",
            "write N or S and E or W",
        )
    results = []
    for meanings in found:
        result = text
        for letter, meaning in meanings:
            result = result.replace(f"<{letter}>", meaning)
        results.append(result)
    return tuple(results)
