"""What the contract tests of engines share: groups of rows that can be told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from deconflict.journal.engine import Group, Row


def _bytes(label: str, size: int) -> bytes:
    return hashlib.shake_128(label.encode()).digest(size)


@pytest.fixture
def group() -> Callable[..., Group]:
    """Make a group of so many rows; another name gives other bytes and another identifier."""

    def make(name: str, count: int = 1, *, size: int = 200, key: str | None = None) -> Group:
        key_ids = [_bytes(f"{key or f'{name}-{number}'} key", 16) for number in range(count)]
        if key is not None:
            key_ids = [_bytes(f"{key} key", 16)] * count
        rows = tuple(
            Row(
                time_us=1_790_000_000_000_000 + number,
                record=_bytes(f"{name}-{number} record", 100),
                signature=_bytes(f"{name}-{number} signature", 64),
                key_id=key_ids[number],
                sealed=_bytes(f"{name}-{number} sealed", size),
            )
            for number in range(count)
        )
        new = () if key is not None else tuple((each, _bytes(each.hex(), 60)) for each in key_ids)
        return Group(_bytes(f"{name} group", 16), rows, new)

    return make
