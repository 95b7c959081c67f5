"""The checker of histories finds what it is there to find."""

from __future__ import annotations

import pytest

from linear import ABSENT, FOR_EVER, Needs, SearchTooLongError, Step, contradiction


def write(sent: int, received: int, before: int, after: int) -> Step:
    return Step(sent, received, Needs.IS, before, after)


def look(sent: int, received: int, mark: int) -> Step:
    return Step(sent, received, Needs.IS, mark)


CREATED = write(0, 1, ABSENT, 1)
CHANGED = write(2, 3, 1, 2)
DELETED = write(4, 5, 2, ABSENT)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [CREATED, CHANGED, DELETED, look(6, 7, ABSENT)],
        [CREATED, CHANGED, look(2, 3, 1), look(2, 3, 2)],
        [CREATED, write(2, 3, 1, ABSENT), write(4, 5, ABSENT, 2)],
        [CREATED, CHANGED, Step(4, 5, Needs.IS_NOT, 1), Step(4, 5, Needs.PRESENT)],
        [CREATED, Step(0, 9, Needs.IS, ABSENT)],
    ],
)
def test_what_an_order_explains_is_no_contradiction(steps: list[Step]) -> None:
    assert contradiction(steps) == []
    assert contradiction(reversed(steps)) == []


@pytest.mark.parametrize(
    ("fault", "steps"),
    [
        ("a stale look", [CREATED, CHANGED, look(4, 5, 1)]),
        ("a look that sees nothing", [CREATED, look(2, 3, ABSENT)]),
        ("a look into the future", [CREATED, look(2, 3, 2), write(4, 5, 1, 2)]),
        ("looks that go back", [CREATED, write(2, 9, 1, 2), look(3, 4, 2), look(5, 6, 1)]),
        ("a lost write", [CREATED, CHANGED, write(4, 5, 1, 3)]),
        ("two winners", [CREATED, write(2, 9, 1, 2), write(2, 9, 1, 3)]),
        ("a doubled creation", [CREATED, write(0, 1, ABSENT, 2)]),
        ("a deletion undone", [CREATED, CHANGED, DELETED, look(6, 7, 2)]),
        ("a refusal without a reason", [CREATED, Step(2, 3, Needs.IS_NOT, 1)]),
        ("a refusal of a first", [Step(0, 1, Needs.PRESENT), write(2, 3, ABSENT, 1)]),
    ],
)
def test_a_fault_in_a_forged_history_is_found(fault: str, steps: list[Step]) -> None:
    assert contradiction(steps), fault
    assert contradiction(reversed(steps)), fault


def test_what_is_not_known_may_take_effect_late_or_never_but_once() -> None:
    unknown = write(2, FOR_EVER, 1, 2)
    assert not contradiction([CREATED, unknown, look(3, 4, 1)])
    assert not contradiction([CREATED, unknown, look(3, 4, 1), look(5, 6, 2)])
    assert contradiction([CREATED, unknown, look(3, 4, 2), look(5, 6, 1)])
    assert contradiction([CREATED, look(0, 1, 2), unknown]), "it came before it was sent"
    again = [write(7, 8, 2, ABSENT), look(9, 10, 2)]
    assert contradiction([CREATED, unknown, look(3, 4, 2), *again]), "it took effect twice"


def test_a_search_that_takes_too_long_fails_instead_of_passing() -> None:
    lost = [write(0, FOR_EVER, ABSENT, mark) for mark in range(2, 14)]
    gone = [write(0, FOR_EVER, mark, ABSENT) for mark in range(2, 14)]
    with pytest.raises(SearchTooLongError):
        contradiction([*lost, *gone, look(20, 21, 99)], most_places=1_000)


def test_many_at_once_are_searched_within_the_bound() -> None:
    steps = [CREATED]
    for mark in range(1, 400):
        steps.append(write(10 * mark, 10 * mark + 25, mark, mark + 1))
        steps += [look(10 * mark, 10 * mark + 30, mark) for _ in range(4)]
    assert contradiction(steps, most_places=20_000) == []
