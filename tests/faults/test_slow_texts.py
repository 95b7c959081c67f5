"""Coordinate texts made to keep a regular expression busy: refused after little work."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEADS = ["", "37", "MGRS ", "UTM ", "SK-42 ", "EPSG:4284 ", "GEOREF ", "GK zone 7 ", "36.37 N "]
REPEATED = [", ", ";,", ": ", "( ", "' ", "/ ", "1 ", "1,", "A ", ". ", "ED ", "N", "--", "° "]


@pytest.mark.parametrize("head", HEADS)
def test_no_repeated_mark_keeps_a_reader_busy(head):
    # In a process of its own, which the system ends after five seconds of its own work.
    program = f"""
import resource
from deconflict.geo.errors import InputError
from deconflict.geo.height import read_height
from deconflict.geo.reader import read_position
try:
    read_position("SK-42 X=4027000 Y=7366000")
except InputError:
    raise SystemExit(3)
used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + 5
resource.setrlimit(resource.RLIMIT_CPU, (used, used))
for mark in {REPEATED!r}:
    for read in (read_position, read_height):
        try:
            read(({head!r} + mark * 200)[:200])
        except InputError:
            pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]
