"""Where a datum transformation was really made for: from an EPSG area text to countries.

PROJ knows the area of an operation as a box only, and the box of the former Soviet Union holds
al-Bab and Ankara. Its text names the countries. What the text does not name is not covered; a
part of a country ("Italy - Sicily onshore") counts as the country within the box.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

_NAMED: tuple[tuple[str, str], ...] = (
    # names in area texts, countries of the outlines (";" between several)
    ("Russian Federation; Russia", "Russia"),
    ("Türkiye; Turkey", "Turkey"),
    ("Syrian Arab Republic; Syria", "Syria"),
    ("Israel", "Israel"),
    ("Palestine Territory; Palestine", "Palestine"),
    ("United States; USA; Alaska; conterminous US; CONUS", "United States of America"),
    ("United Kingdom; UK; Great Britain; England; Scotland; Wales; Northern Ireland",
     "United Kingdom"),
    ("Cyprus", "Cyprus; N. Cyprus"),
    ("Somalia", "Somalia; Somaliland"),
    ("Serbia", "Serbia"),
    ("Kosovo", "Kosovo"),
    ("North Macedonia; Macedonia", "Macedonia"),
    ("Bosnia and Herzegovina; Bosnia-Herzegovina", "Bosnia and Herz."),
    ("Czechia; Czech Republic", "Czechia"),
    ("Republic of Korea; South Korea", "South Korea"),
    ("Democratic People's Republic of Korea; North Korea", "North Korea"),
    ("Democratic Republic of the Congo; Zaire; DR Congo", "Dem. Rep. Congo"),
    ("Congo", "Congo"),
    ("Central African Republic", "Central African Rep."),
    ("Côte d'Ivoire; Cote d'Ivoire; Ivory Coast", "Côte d'Ivoire"),
    ("Equatorial Guinea", "Eq. Guinea"),
    ("Guinea-Bissau", "Guinea-Bissau"),
    ("Eswatini; Swaziland", "eSwatini"),
    ("South Sudan", "S. Sudan"),
    ("Western Sahara", "W. Sahara"),
    ("Cape Verde; Cabo Verde", "Cabo Verde"),
    ("Sao Tome and Principe", "São Tomé and Principe"),
    ("Dominican Republic", "Dominican Rep."),
    ("Antigua and Barbuda; Antigua", "Antigua and Barb."),
    ("St Kitts and Nevis", "St. Kitts and Nevis"),
    ("St Lucia", "Saint Lucia"),
    ("St Vincent and the Grenadines; St Vincent", "St. Vin. and Gren."),
    ("Brunei Darussalam; Brunei", "Brunei"),
    ("Myanmar; Burma", "Myanmar"),
    ("Timor-Leste; East Timor", "Timor-Leste"),
    ("Laos; Lao People's Democratic Republic", "Laos"),
    ("Vatican City State", "Vatican"),
    ("Faroe Islands; Faeroe Islands; Faroe islands", "Faeroe Is."),
    ("Solomon Islands", "Solomon Is."),
    ("Marshall Islands", "Marshall Is."),
    ("Northern Mariana Islands", "N. Mariana Is."),
    ("Cook Islands", "Cook Is."),
    ("Cayman Islands", "Cayman Is."),
    ("Falkland Islands", "Falkland Is."),
    ("US Virgin Islands", "U.S. Virgin Is."),
    ("British Virgin Islands", "British Virgin Is."),
    ("Turks and Caicos Islands", "Turks and Caicos Is."),
    ("St Pierre and Miquelon", "St. Pierre and Miquelon"),
    ("French Polynesia", "Fr. Polynesia"),
    ("United Arab Emirates; UAE", "United Arab Emirates"),
    ("Hong Kong", "Hong Kong"),
    ("Macao; Macau", "Macao"),
    ("Tibet; Xizang", "China"),
    ("French Guiana; Guadeloupe; Martinique; Reunion; Mayotte; French Antilles", "France"),
    # names that hold another country's name
    ("American Samoa", "American Samoa"),
    ("Papua New Guinea", "Papua New Guinea"),
    ("Northern Ireland", "United Kingdom"),
    ("New Mexico; Gulf of Mexico; New Jersey; South Georgia; Gulf of Thailand; Sea of Japan", ""),
    ("Gulf of Oman; Gulf of Guinea; Indian Ocean; Lake Chad", ""),
)  # fmt: skip

_LEFT_OUT = re.compile(
    r"\b(?:except|excluding|excludes|not including|other than)\b[^;.)]*", re.IGNORECASE
)
_WORLD = re.compile(r"\s*world\b", re.IGNORECASE)
_OFFSHORE = re.compile(r"\boffshore\b", re.IGNORECASE)
_ONSHORE = re.compile(r"\bonshore\b", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Area:
    """The true area of an operation, within its box.

    Attributes
    ----------
    everywhere
        It is made for the whole world.
    countries
        Names of the countries, as the outlines write them; may be empty: not covering.
    offshore
        The text speaks of places offshore only.
    """

    everywhere: bool
    countries: frozenset[str]
    offshore: bool


@cache
def _names() -> tuple[MappingProxyType[str, tuple[str, ...]], re.Pattern[str]]:
    from deconflict.geo.datum.outlines import outlines

    meant: dict[str, tuple[str, ...]] = {name.casefold(): (name,) for name in outlines().names}
    for names, countries in _NAMED:
        found = tuple(one.strip() for one in countries.split(";") if one.strip())
        meant.update((name.strip().casefold(), found) for name in names.split(";"))
    longest_first = sorted(meant, key=lambda name: (-len(name), name))
    return (
        MappingProxyType(meant),
        re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE),
    )


@lru_cache(maxsize=2048)
def area_of(text: str) -> Area:
    """Return the area that an EPSG text describes."""
    if _WORLD.match(text):
        return Area(everywhere=True, countries=frozenset(), offshore=False)
    meant, pattern = _names()
    kept = _LEFT_OUT.sub("", _SPACES.sub(" ", text))
    countries = frozenset(
        country for name in pattern.findall(kept) for country in meant[name.casefold()]
    )
    return Area(
        everywhere=False,
        countries=countries,
        offshore=bool(_OFFSHORE.search(text)) and not _ONSHORE.search(text),
    )
