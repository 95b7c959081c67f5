"""Figures and names as a report writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deconflict.register.words import called, duration, instant, metres, window


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 m"),
        (0.004, "0.004 m"),
        (9.94, "9.9 m"),
        (9.96, "10 m"),
        (1234.4, "1,234 m"),
        (10_000.0, "10.0 km"),
        (163_000.0, "163.0 km"),
        (None, "without bound"),
        (float("inf"), "without bound"),
    ],
)
def test_lengths(value, text):
    assert metres(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (59.9, "59.9 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (90_061, "1 d 1 h 1 min 1 s"),
        (None, "without end"),
    ],
)
def test_durations(value, text):
    assert duration(value) == text


def test_instants_are_told_in_utc():
    local = datetime(2017, 2, 9, 8, 40, tzinfo=timezone(timedelta(hours=3)))
    assert instant(local) == "2017-02-09T05:40:00Z"


def test_open_windows_are_told_as_such():
    when = datetime(2026, 1, 1, tzinfo=UTC)
    assert window(None, None) == "at all times"
    assert window(when, None) == "from 2026-01-01T00:00:00Z on"
    assert window(None, when) == "until 2026-01-01T00:00:00Z"


def test_an_entity_is_called_by_kind_name_id_and_party(strike, zone):
    assert called(strike("s1", fields={"name": "Dawn"})) == (
        'hazardous operation "Dawn" (s1, of A)'
    )
    assert called(zone("area_of_operations")) == "area of operations zone (of no stated party)"
