"""Groups as messages, and what is noticed of damage."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from deconflict.journal.engine import EngineError, Group, Row
from deconflict.journal.jetstream.message import headers, packed, unpacked

GROUP = Group(
    bytes(range(16)),
    (
        Row(1_790_000_000_000_000, b"{}", bytes(64), bytes(16), b"sealed"),
        Row(-1, b"", b"", b"", b""),
    ),
)


def test_a_group_comes_back_as_it_was():
    data = packed(5, 7, GROUP, [b"k" * 16])
    read = unpacked(9, data, "one:4222")
    assert (read.sequence, read.behind, read.first, read.stop) == (9, 5, 7, 9)
    assert (read.group_id, read.rows) == (GROUP.id, GROUP.rows)
    assert (read.destroyed, read.size) == ((b"k" * 16,), len(data))


def test_each_flipped_bit_is_noticed():
    data = packed(5, 7, GROUP)
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        with pytest.raises(EngineError, match=r"message 9 .* damaged"):
            unpacked(9, bytes(flipped), "one:4222")
    with pytest.raises(EngineError, match="damaged"):
        unpacked(9, b"", "one:4222")


def test_what_a_newer_program_wrote_is_refused():
    for body in ([3, 0, b"", [], []], [3, 0, 0, b"", [], []], {"v": 2}):
        with pytest.raises(EngineError, match="newer program"):
            unpacked(1, _sealed(body), "one:4222")


def test_what_an_older_program_wrote_is_refused_and_the_way_out_is_named():
    for body in ([1, 0, b"", [], []], [1, 0, 0, b"", [], []]):
        with pytest.raises(EngineError, match=r"older program.*deconflict journal copy"):
            unpacked(1, _sealed(body), "one:4222")


def _sealed(body: object) -> bytes:
    packed = msgspec.msgpack.encode(body)
    return hashlib.sha256(packed).digest()[:16] + packed


def test_the_headers_say_what_a_person_looks_for():
    assert headers(7, GROUP) == {
        "Deconflict-Group": "000102030405060708090a0b0c0d0e0f",
        "Deconflict-First": "7",
        "Deconflict-Count": "2",
    }
