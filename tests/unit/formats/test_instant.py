from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.formats.instant import read_instant, write_instant
from deconflict.geo.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T08:40:00Z", datetime(2026, 11, 22, 8, 40, tzinfo=UTC)),
        ("2026-11-22t08:40:00z", datetime(2026, 11, 22, 8, 40, tzinfo=UTC)),
        ("2026-11-22 08:40:00Z", datetime(2026, 11, 22, 8, 40, tzinfo=UTC)),
        ("2026-11-22T10:40:00+02:00", datetime(2026, 11, 22, 8, 40, tzinfo=UTC)),
        ("2026-11-22T00:10:00+05:30", datetime(2026, 11, 21, 18, 40, tzinfo=UTC)),
        ("2026-11-22T08:40:00-00:00", datetime(2026, 11, 22, 8, 40, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-22T08:40:59.123Z", datetime(2026, 11, 22, 8, 40, 59, 123_000, tzinfo=UTC)),
        ("2026-11-22T23:40:00.123456+00:00", datetime(2026, 11, 22, 23, 40, 0, 123_456, UTC)),
        ("2026-11-28T00:00:00.1234Z", datetime(2026, 11, 28, 0, 0, 0, 123_400, tzinfo=UTC)),
        ("2026-12-31T00:00:00+00:00", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2024-02-29T00:00:00.5Z", datetime(2024, 2, 29, 0, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_into_utc(text, expected):
    instant = read_instant(text, "floor")
    assert instant == expected
    assert instant.tzinfo is UTC


def test_a_start_finer_than_a_microsecond_goes_down_and_an_end_up():
    text = "2026-11-22T08:40:00.9999999Z"
    assert read_instant(text, "floor") == datetime(2026, 11, 22, 8, 40, 0, 999_999, tzinfo=UTC)
    assert read_instant(text, "ceil") == datetime(2026, 11, 22, 8, 40, 1, tzinfo=UTC)


def test_zeros_beyond_the_microsecond_move_nothing():
    text = "2026-11-22T08:40:00.1234560000Z"
    assert read_instant(text, "ceil") == read_instant(text, "floor")


def test_a_leap_second_lies_between_its_neighbours():
    text = "2016-12-31T23:59:60Z"
    assert read_instant(text, "floor") == datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert read_instant(text, "ceil") == datetime(2017, 1, 1, tzinfo=UTC)
    assert read_instant("2017-01-01T01:59:60+02:00", "ceil") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:40:00",
        "2026-11-22T08:40Z",
        "2026-11-22",
        "22.11.2026 08:40",
        "2026-11-22T24:00:00Z",
        "2026-11-22T08:60:00Z",
        "2026-11-22T08:40:61Z",
        "2026-11-22T08:40:60Z",
        "2026-02-29T08:40:00Z",
        "2026-13-01T08:40:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59.9999999-00:00 ",
        "9999-12-31T23:59:59-01:00",
        "2026-11-22T08:40:00+24:00",
        "2026-11-22T08:40:00+02",
        "2026-11-22T08:40:00.Z",
        "٢٠٢٦-١١-٢٢T٠٨:٤٠:٠٠Z",
        "2026-11-22Т08:40:00Z",  # a Cyrillic T
        "",
        "now",
    ],
)
def test_what_is_no_full_instant_is_refused_with_what_to_write(text):
    with pytest.raises(InputError) as refusal:
        read_instant(text, "floor", field="start")
    assert refusal.value.field == "start"
    assert refusal.value.remedy


def test_an_end_that_rounds_beyond_the_year_9999_is_refused():
    with pytest.raises(InputError, match="9999"):
        read_instant("9999-12-31T23:59:59.9999999Z", "ceil")


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_reads_back(instant):
    assert read_instant(write_instant(instant), "floor") == instant
    assert read_instant(write_instant(instant), "ceil") == instant


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda instant: 2 <= instant.year <= 9998),
    st.text("0123456789", min_size=7, max_size=12),
)
def test_rounding_never_narrows_a_window(instant, digits):
    text = f"{instant:%m-%dT%H:%M:%S}.{digits}Z"
    text = f"{instant.year:04d}-{text}"
    low, high = read_instant(text, "floor"), read_instant(text, "ceil")
    assert timedelta(0) <= high - low <= timedelta(microseconds=1)
