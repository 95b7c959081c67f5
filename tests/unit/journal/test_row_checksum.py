from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest

from deconflict.journal.engine import Row
from deconflict.journal.row_checksum import first_chain, next_chain, row_checksum

ROW = Row(1, b"record", b"signature", b"k" * 16, b"sealed")


@pytest.mark.parametrize(
    "change",
    [
        {"time_us": 2},
        {"record": b"Record"},
        {"signature": b"Signature"},
        {"key_id": b"l" * 16},
        {"sealed": b"Sealed"},
        {"record": b"records", "signature": b"ignature"},
        {"sealed": b""},
    ],
)
def test_a_row_that_differs_anywhere_has_another_checksum(change):
    assert row_checksum(5, replace(ROW, **change)) != row_checksum(5, ROW)


def test_the_same_row_at_another_position_has_another_checksum():
    assert row_checksum(5, ROW) != row_checksum(6, ROW)


def test_a_checksum_stays_what_it_was_when_journals_were_written():
    # Computed once with `sha256sum` over the bytes laid out by hand.
    assert row_checksum(5, ROW).hex() == "55ddc255df6f1c6280ae2f822f3af3c0"


@pytest.mark.parametrize("size", [0, 1_900, 2_047, 2_048, 4_094, 9_000, 32_768, 100_000])
def test_a_checksum_is_over_the_whole_row_however_long_it_is(size):
    row = replace(ROW, sealed=bytes(range(250)) * (size // 250) + bytes(size % 250))
    lengths = (len(row.record), len(row.signature), len(row.key_id), len(row.sealed))
    laid_out = struct.pack(">qqIIII", 5, row.time_us, *lengths) + row.record + row.signature
    expected = hashlib.sha256(laid_out + row.key_id + row.sealed).digest()[:16]
    assert row_checksum(5, row) == expected


def test_a_chain_differs_with_the_journal_the_place_the_group_and_each_row():
    chain = first_chain(b"j" * 16)
    sums = [row_checksum(0, ROW), row_checksum(1, ROW)]
    chains = {
        next_chain(chain, 0, b"g" * 16, sums),
        next_chain(first_chain(b"k" * 16), 0, b"g" * 16, sums),
        next_chain(chain, 1, b"g" * 16, sums),
        next_chain(chain, 0, b"h" * 16, sums),
        next_chain(chain, 0, b"g" * 16, sums[::-1]),
        next_chain(chain, 0, b"g" * 16, sums[:1]),
    }
    assert len(chains) == 6
