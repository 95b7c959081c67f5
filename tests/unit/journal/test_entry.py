from __future__ import annotations

import json
from hashlib import sha256

import pytest

from deconflict.journal.entry import SALT_BYTES, Entry, Part, salts


def hashed(part: Part) -> str:
    return sha256(part.salt + part.content).hexdigest()


@pytest.mark.parametrize("told", [0, 1, 3])
@pytest.mark.parametrize("said", [True, False])
def test_a_record_is_compact_json_of_the_hashes_in_a_fixed_order(make_entry, told, said):
    made = make_entry(7, told=told)
    entry = Entry(made.time_us, made.subject, made.decided, made.said if said else None, made.told)
    expected = {
        "v": 1,
        "time_us": entry.time_us,
        "said": hashed(entry.said) if said else None,
        "decided": hashed(entry.decided),
        "told": sorted(map(hashed, entry.told)),
    }
    assert entry.record() == json.dumps(expected, separators=(",", ":")).encode()


def test_salts_of_one_seed_differ_and_are_the_same_again():
    drawn = salts(bytes(32), 11)
    assert len(drawn) == len(set(drawn)) == 11
    assert {len(salt) for salt in drawn} == {SALT_BYTES}
    assert salts(bytes(32), 3) == drawn[:3]
    assert not set(drawn) & set(salts(bytes(31) + b"1", 11))
