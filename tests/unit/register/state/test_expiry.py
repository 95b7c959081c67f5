from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deconflict.register.state.expiry import MINUTE_US, NEVER_US, Expiry

ends = st.integers(-3 * MINUTE_US, 3 * MINUTE_US) | st.integers(-3, 3).map(MINUTE_US.__mul__)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), ends),
        st.tuples(st.just("discard"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("due"), st.just(0), ends),
        st.tuples(st.just("next"), st.just(0), st.just(0)),
        st.tuples(st.just("again"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(steps)
def test_what_ends_is_due_right_after_its_end_and_once(steps: list[tuple[str, int, int]]) -> None:
    expiry, model = Expiry(), {}
    for slot in range(10):
        expiry.put(slot, slot * MINUTE_US // 2)
        model[slot] = slot * MINUTE_US // 2
    for what, slot, end_us in steps:
        if what == "put":
            expiry.put(slot, end_us)
            model[slot] = end_us
        elif what == "discard" and slot in model:
            expiry.discard(slot)
            del model[slot]
        elif what == "due":
            due = sorted(one for one, end in model.items() if end < end_us)
            assert sorted(expiry.due(end_us)) == due
            for one in due:
                del model[one]
        elif what == "next":
            assert expiry.next_us() == min(model.values(), default=None)
        elif what == "again" and len(model) == 10:
            expiry = Expiry.of(np.array([expiry.end_us(one) for one in range(10)]))
        for one in range(10):
            assert expiry.end_us(one) == model.get(one, NEVER_US)
    assert sorted(expiry.due(2**62)) == sorted(model)
    assert expiry.next_us() is None


def test_an_end_moved_to_and_fro_within_a_minute_leaves_nothing_behind() -> None:
    expiry = Expiry()
    expiry.put(0, 5)
    assert expiry.next_us() == 5
    for turn in range(1_000):
        expiry.put(0, 10 + turn % 2)
    assert len(expiry._heap) < 100
    assert expiry.due(11) == []
    assert expiry.due(12) == [0]


def test_an_empty_expiry_made_of_an_array_is_empty() -> None:
    assert Expiry.of(np.zeros(0, np.int64)).next_us() is None
