"""A decoder's messages in words; the messages are those of the decoder itself."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from deconflict.formats.expected import in_words


class Place(msgspec.Struct):
    lat: float


@pytest.mark.parametrize(
    ("value", "kind", "what", "remedy"),
    [
        (None, str, "null stands where a text belongs", "write a text"),
        (5, str, "a number stands where a text belongs", "write a text"),
        (2.5, int, "a number with a fraction stands where a whole number", "write a whole number"),
        (5, list[str] | None, "a number stands where a list belongs", "write a list in square"),
        ([], Place, "a list stands where an object belongs", "write an object in curly"),
        ("", float | bool, "a text stands where true or false or a number belongs", "write true"),
        ({}, Place, "`lat` is missing", "add `lat`"),
        (91, Annotated[float, Meta(le=90.0)], "the number is more than 90", "give at most 90"),
        (-1, Annotated[float, Meta(ge=0.5)], "the number is less than 0.5", "give at least 0.5"),
        (0, Annotated[float, Meta(gt=0.0)], "the number is not more than 0", "give more than 0"),
        (9, Annotated[float, Meta(lt=2e7)], None, None),
        (3e7, Annotated[float, Meta(lt=2e7)], "is not less than 20,000,000", "give less than 20,"),
        ([1], Annotated[list[int], Meta(min_length=3)], "fewer than 3 are given", "at least 3"),
        ([1], Annotated[list[int], Meta(max_length=0)], "more than 0 are given", "at most 0"),
        ("abc", Annotated[str, Meta(max_length=2)], "longer than 2 characters", "at most 2"),
        ("abc", Annotated[str, Meta(min_length=4)], "shorter than 4 characters", "at least 4"),
    ],
)
def test_what_was_expected_is_told_in_words(
    value: object, kind: Any, what: str | None, remedy: str | None
) -> None:
    if what is None or remedy is None:
        assert msgspec.convert(value, kind) == value
        return
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(value, kind)
    found = in_words(str(refusal.value))
    assert found is not None
    assert what in found[0]
    assert remedy in found[1]


def test_another_message_is_left_to_who_asks() -> None:
    assert in_words("Invalid enum value 'x'") is None
