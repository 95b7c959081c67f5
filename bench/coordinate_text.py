"""Coordinate text in mixed notations: lines a second on one core, one by one and in one call.

The mix: two fifths latitude and longitude in three notations and with the marks that people
type, two fifths MGRS at every precision, the rest UTM, GEOREF and Plus Codes; places over the
whole world. The baseline reads the same lines as a script would, with a regular expression and a
ready-made library for each line (`mgrs`, `pyproj`, `openlocationcode`) and without any check.
CPU time, because the machine may be busy.
"""

from __future__ import annotations

import random
import re
import time

BANDS = "CDEFGHJKLMNPQRSTUVWX"


def lines(count: int, seed: int = 7) -> list[str]:
    """Return texts in mixed notations, the same ones for the same seed."""
    from deconflict.geo.notation import degrees, georef, mgrs, pluscode, utm

    rng = random.Random(seed)
    made = []
    for number in range(count):
        lat, lon = rng.uniform(-79.9, 83.9), rng.uniform(-180.0, 180.0)
        uncertainty_m = rng.choice((0.0, 1.0, 10.0, 100.0))
        which = number % 10
        if which == 0:
            text = degrees.write_decimal(lat, lon, uncertainty_m)
        elif which == 1:
            text = degrees.write_minutes(lat, lon, uncertainty_m).replace("'", "′")
        elif which == 2:
            text = degrees.write_seconds(lat, lon, uncertainty_m).replace("'", "’")
        elif which == 3:
            text = f"{'NS'[lat < 0]}{abs(lat):.5f}, {'EW'[lon < 0]}{abs(lon):.5f} WGS84"
        elif which < 8:
            text = mgrs.write(lat, lon, uncertainty_m)
            text = text.replace(" ", "") if which % 2 else text
        elif which == 8:
            text = utm.write(lat, lon, uncertainty_m)
        elif number % 20 == 9:
            text = georef.write(lat, lon, uncertainty_m)
        else:
            text = pluscode.write(lat, lon, uncertainty_m)
        made.append(text)
    return made


def naive(texts: list[str]) -> list[tuple[float, float]]:
    """Read the lines with a ready-made library for each notation, unchecked."""
    import mgrs
    import pyproj
    from openlocationcode import openlocationcode

    grid = mgrs.MGRS()
    number = re.compile(r"\d+(?:\.\d+)?")
    transformers: dict[int, pyproj.Transformer] = {}
    georef_lon, georef_lat, georef_one = (
        "ABCDEFGHJKLMNPQRSTUVWXYZ",
        "ABCDEFGHJKLM",
        "ABCDEFGHJKLMNPQ",
    )
    read = []
    for typed in texts:
        text = typed.upper()
        if "WGS" in text:
            numbers = [float(one) for one in number.findall(text.partition("WGS")[0])]
            half = len(numbers) // 2
            lat, lon = (
                sum(value / 60**place for place, value in enumerate(part))
                for part in (numbers[:half], numbers[half:])
            )
            read.append((-lat if "S" in text[:-6] else lat, -lon if "W" in text[:-6] else lon))
        elif "+" in text:
            area = openlocationcode.decode(text)
            read.append((area.latitudeCenter, area.longitudeCenter))
        elif text.startswith("UTM"):
            words = text.split()
            epsg = (32600 if words[3] == "NORTH" else 32700) + int(words[2])
            if epsg not in transformers:
                transformers[epsg] = pyproj.Transformer.from_crs(epsg, 4326)
            read.append(transformers[epsg].transform(float(words[4]), float(words[6])))
        elif text[0].isdigit():
            read.append(grid.toLatLon(text.replace(" ", "")))
        else:
            digits = text[4:]
            half = len(digits) // 2
            scale = 60 * 10 ** (half - 2)
            lat = georef_lat.index(text[1]) * 15 + georef_one.index(text[3]) - 90
            lon = georef_lon.index(text[0]) * 15 + georef_one.index(text[2]) - 180
            read.append((lat + int(digits[half:]) / scale, lon + int(digits[:half]) / scale))
    return read


def cpu_s(work, *arguments) -> float:
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def main(*, quick: bool) -> None:
    from deconflict.geo.reader import read_position, read_positions

    def one_by_one(texts: list[str]) -> None:
        for text in texts:
            read_position(text)

    def at_once(texts: list[str]) -> None:
        read = read_positions(texts)
        assert not read.refused, read.error(read.refused[0])

    warm = lines(2_000, seed=1)
    for work in (naive, one_by_one, at_once):
        work(warm)  # tables and transformers are made once
    head = ("lines", "naive/s", "one by one/s", "ratio", "batch/s", "ratio")
    print("{:>8} {:>10} {:>13} {:>6} {:>10} {:>6}".format(*head))
    for count in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
        texts = lines(count)
        base, single, batch = (
            count / min(cpu_s(work, texts) for _ in range(3))
            for work in (naive, one_by_one, at_once)
        )
        print(
            f"{count:8,} {base:10,.0f} {single:13,.0f} {single / base:6.2f} "
            f"{batch:10,.0f} {batch / base:6.2f}"
        )


if __name__ == "__main__":
    main(quick=False)
