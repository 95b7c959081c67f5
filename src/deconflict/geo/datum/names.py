"""Names of datums, as maps, receivers and people write them.

The table holds names and abbreviations that the EPSG data set does not carry, and the most
frequent official names, so that the common ones need no database. Names that stand for several
datums ("Clarke 1880", "Everest", "Indian") are refused with the datums they may mean.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from types import MappingProxyType

from deconflict.geo.errors import InputError

_EPSG_TEXT = re.compile(r"\s*epsg\s*:{1,2}\s*(\d{3,6})\s*", re.IGNORECASE)
_CYRILLIC = str.maketrans("абвгдезиклмнопрстуфхцзэ", "abvgdeziklmnoprstufhcze")

_TABLE: tuple[tuple[int, str, str], ...] = (
    # code, name in the EPSG data set, further names
    (4326, "WGS 84", "WGS84; МГС-84; WGS 1984; World Geodetic System 1984; GPS"),
    (4322, "WGS 72", "WGS72; World Geodetic System 1972"),
    (4284, "Pulkovo 1942", "СК-42; SK-42; CK-42; SK 1942; Pulkovo 42; System 1942; S-42 (USSR)"),
    (4200, "Pulkovo 1995", "СК-95; SK-95; CK-95; SK 1995; Pulkovo 95"),
    (4179, "Pulkovo 1942(58)", "S-42 (58); S42/58; Pulkovo 1942 (1958)"),
    (4178, "Pulkovo 1942(83)", "S-42 (83); S42/83; Pulkovo 1942 (1983)"),
    (4740, "PZ-90", "ПЗ-90; PZ90; Parametry Zemli 1990"),
    (9474, "PZ-90.02", "ПЗ-90.02"),
    (9475, "PZ-90.11", "ПЗ-90.11"),
    (7683, "GSK-2011", "ГСК-2011; GSK2011"),
    (5561, "UCS-2000", "УСК-2000; USK-2000; Ukraine 2000"),
    (4230, "ED50", "ED 50; ED-50; European 1950; European Datum 1950; EUR50; EUR-M"),
    (4154, "ED50(ED77)", "ED77; European 1950 (1977)"),
    (4668, "ED79", "European 1979; European Datum 1979"),
    (4231, "ED87", "European 1987; European Datum 1987"),
    (4258, "ETRS89", "ETRS 1989; ETRS-89; EUREF89; European Terrestrial Reference System 1989"),
    (5252, "TUREF", "Turkish National Reference Frame"),
    (4267, "NAD27", "NAD 27; NAD-27; North American 1927; North American Datum 1927"),
    (4269, "NAD83", "NAD 83; NAD-83; North American 1983; North American Datum 1983"),
    (4277, "OSGB36", "OSGB 1936; OSGB 36; Ordnance Survey Great Britain 1936"),
    (4299, "TM65", "Ireland 1965; Irish 1965"),
    (4314, "DHDN", "Potsdam; Rauenberg; Deutsches Hauptdreiecksnetz"),
    (4312, "MGI", "Hermannskogel; Militar-Geographische Institut; MGI Austria"),
    (3906, "MGI 1901", "Hermannskogel 1901; MGI Yugoslavia; MGI Balkans"),
    (4275, "NTF", "Nouvelle Triangulation Francaise"),
    (4149, "CH1903", "Swiss 1903"),
    (4289, "Amersfoort", "RD Amersfoort"),
    (4265, "Monte Mario", "Rome 1940; Roma 1940"),
    (4156, "S-JTSK", "JTSK"),
    (4237, "HD72", "Hungarian 1972"),
    (4317, "Dealul Piscului 1970", "Pulkovo 1942 Romania"),
    (4121, "GGRS87", "EGSA87; ΕΓΣΑ87; Greek Geodetic 1987"),
    (4658, "Hjorsey 1955", "Hjörsey 1955"),
    (4227, "Deir ez Zor", "Deir-ez-Zor; Dayr az Zawr; Levant; Levant 1920"),
    (6882, "Bekaa Valley 1920", "Bekaa 1920"),
    (4281, "Palestine 1923", "Palestine; Palestine 1928"),
    (4141, "Israel 1993", "Israeli 1993; New Israel 1993"),
    (4204, "Ain el Abd", "Ain el Abd 1970; Ain-el-Abd"),
    (4270, "Nahrwan 1967", "Nahrwan"),
    (4744, "Nahrwan 1934", "Nahrwan 34"),
    (4743, "Karbala 1979", "Karbala; Karbala 1979 Polservice"),
    (3889, "IGRS", "Iraqi Geospatial Reference System"),
    (4132, "FD58", "Final Datum 1958"),
    (4246, "KOC", "Kuwait Oil Company"),
    (4319, "KUDAMS", "Kuwait Utility"),
    (4232, "Fahud", "Oman Fahud"),
    (4134, "PSD93", "PDO Survey Datum 1993"),
    (4303, "TC(1948)", "Trucial Coast 1948"),
    (4285, "Qatar 1974", "Qatar National 1974"),
    (4614, "QND95", "Qatar National Datum 1995"),
    (4164, "South Yemen", "South Yemen 1937"),
    (4163, "Yemen NGN96", "YNGN96; Yemen 1996"),
    (6881, "Aden 1925", "Aden"),
    (4229, "Egypt 1907", "Old Egyptian 1907; Egypt 07; Old Egyptian"),
    (4159, "ELD79", "European Libyan Datum 1979; European Libyan 1979"),
    (4754, "LGD2006", "Libyan Geodetic Datum 2006"),
    (4201, "Adindan", "Blue Nile 1958; Adindan 1958; Sudan Adindan"),
    (4205, "Afgooye", "Somalia Afgooye"),
    (4262, "Massawa", "Eritrea Massawa"),
    (4713, "Ayabelle Lighthouse", "Ayabelle"),
    (4209, "Arc 1950", "Arc50"),
    (4210, "Arc 1960", "Arc60; New Arc 1960"),
    (4222, "Cape", "Cape Datum"),
    (4148, "Hartebeesthoek94", "Hartebeesthoek 1994; WGS94 South Africa"),
    (4261, "Merchich", "Maroc; Morocco Merchich"),
    (4307, "Nord Sahara 1959", "North Sahara 1959"),
    (4223, "Carthage", "Tunisia Carthage; Carthage 1934"),
    (4263, "Minna", "Nigeria Minna"),
    (4127, "Tete", "Mozambique Tete"),
    (4297, "Tananarive", "Tananarive 1925; Madagascar 1925"),
    (4244, "Kandawala", "Sri Lanka Kandawala; Ceylon"),
    (4144, "Kalianpur 1937", "Indian Bangladesh"),
    (4145, "Kalianpur 1962", "Indian Pakistan"),
    (4146, "Kalianpur 1975", "Indian India"),
    (4239, "Indian 1954", "Indian 54"),
    (4131, "Indian 1960", "Indian 60"),
    (4240, "Indian 1975", "Indian 75"),
    (6207, "Nepal 1981", "Indian Nepal"),
    (4301, "Tokyo", "Tokyo Datum; Tokyo 1918"),
    (4612, "JGD2000", "Japanese Geodetic Datum 2000"),
    (4162, "Korean 1985", "Korea 1985"),
    (4214, "Beijing 1954", "Peking 1954; BJ54"),
    (4610, "Xian 1980", "Xi'an 1980; Xian80"),
    (4490, "China Geodetic Coordinate System 2000", "CGCS2000; CGCS 2000"),
    (4236, "Hu Tzu Shan 1950", "Hu Tzu Shan; Hu-Tzu-Shan"),
    (4253, "Luzon 1911", "Luzon"),
    (4245, "Kertau 1968", "Kertau; Kertau 1948"),
    (4298, "Timbalai 1948", "Timbalai"),
    (4211, "Batavia", "Djakarta; Genuk"),
    (4238, "ID74", "Indonesian 1974"),
    (4202, "AGD66", "Australian Geodetic 1966; Australian Geodetic Datum 1966"),
    (4203, "AGD84", "Australian Geodetic 1984; Australian Geodetic Datum 1984"),
    (4283, "GDA94", "Geocentric Datum of Australia 1994"),
    (7844, "GDA2020", "Geocentric Datum of Australia 2020"),
    (4272, "NZGD49", "New Zealand Geodetic 1949; Geodetic Datum 1949"),
    (4618, "SAD69", "South American 1969; South American Datum 1969"),
    (4248, "PSAD56", "Provisional South American 1956"),
    (4674, "SIRGAS 2000", "SIRGAS2000"),
    (4221, "Campo Inchauspe", "Campo Inchauspe 1969"),
    (4218, "Bogota 1975", "Bogota Observatory"),
    (4247, "La Canoa", "Venezuela La Canoa"),
)  # fmt: skip

_SEVERAL: tuple[tuple[str, str], ...] = (
    (
        "Clarke; Clarke 1880; Clarke 1866",
        "Deir ez Zor, Palestine 1923, Nahrwan 1967, Adindan or Arc 1960",
    ),
    ("Everest; Everest 1830; Indian", "Kalianpur 1975, Indian 1954, Indian 1975 or Kandawala"),
    (
        "International; International 1924; Hayford; Hayford 1924",
        "ED50, Ain el Abd, Qatar 1974 or Monte Mario",
    ),
    (
        "Krassowsky; Krassowsky 1940; Krasovsky; Krasovsky 1940; S-42; С-42",
        "Pulkovo 1942, Pulkovo 1942(58) or Pulkovo 1942(83)",
    ),
    ("Bessel; Bessel 1841", "DHDN, MGI, CH1903 or Tokyo"),
    ("Airy; Airy 1830", "OSGB36 or TM65"),
    ("SK-63; СК-63; CK-63", "Pulkovo 1942: a sheet in SK-63 needs the key of its region"),
)


def normal_name(text: str) -> str:
    """Return a name without case, accents, spaces and punctuation, Cyrillic as Latin letters."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_CYRILLIC)
    return "".join(sign for sign in plain if sign.isalnum())


@cache
def _tabled() -> MappingProxyType[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for epsg, name, others in _TABLE:
        for one in (name, *others.split(";")):
            found.setdefault(normal_name(one), (name, epsg))
    return MappingProxyType(found)


@cache
def _several() -> MappingProxyType[str, str]:
    return MappingProxyType(
        {normal_name(one): which for names, which in _SEVERAL for one in names.split(";")}
    )


def tabled_names() -> tuple[str, ...]:
    """Return every name of the tables as written there, the longest first."""
    names = {one.strip() for _, name, others in _TABLE for one in (name, *others.split(";"))}
    names |= {one.strip() for several, _ in _SEVERAL for one in several.split(";")}
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


@lru_cache(maxsize=1024)
def tabled_datum(text: str) -> tuple[str, int] | None:
    """Return name and EPSG code of a datum in the table, else ``None``.

    Raises
    ------
    InputError
        If the name is one of an ellipsoid or a family, which stands for several datums.
    """
    key = normal_name(text)
    for kind in ("", "datum"):
        bare = key.removesuffix(kind)
        which = _several().get(bare)
        if which is not None:
            raise InputError(
                f"{text.strip()!r} stands for several datums",
                f"write which: {which}",
                field="datum",
            )
        found = _tabled().get(bare)
        if found is not None:
            return found
    return None


@cache
def _official() -> MappingProxyType[str, tuple[str, int]]:
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    found: dict[str, tuple[str, int]] = {}
    for entry in query_crs_info("EPSG", [PJType.GEOGRAPHIC_2D_CRS]):
        if "(lon-lat)" not in entry.name:
            found.setdefault(normal_name(entry.name), (entry.name, int(entry.code)))
    return MappingProxyType(found)


@lru_cache(maxsize=1024)
def official_epsg(text: str) -> tuple[str, int] | None:
    """Return name and code of a datum that is given by its EPSG name or code, else ``None``."""
    coded = _EPSG_TEXT.fullmatch(text)
    if coded is None:
        return _official().get(normal_name(text))
    wanted = int(coded[1])
    for name, epsg in _official().values():
        if epsg == wanted:
            return name, epsg
    raise InputError(
        f"EPSG:{wanted} is not the code of a datum's two-dimensional geographic system",
        "write one such as EPSG:4326 or EPSG:4284",
        field="datum",
    )
