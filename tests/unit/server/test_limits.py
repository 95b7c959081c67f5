"""Limits on parties, addresses and all together."""

from __future__ import annotations

from deconflict.server.limits import MOST_LINES, Buckets, Connection, Limits
from deconflict.server.settings import Settings


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = Buckets(rate=10.0, burst=3)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 0 < buckets.take("a", 0.0) <= 0.1
    assert buckets.take("a", 0.1) == 0.0
    assert buckets.take("a", 0.1) > 0


def test_one_party_that_asks_too_fast_takes_nothing_from_another() -> None:
    limits = Limits(Settings(rate_per_party=1, burst_per_party=2))
    for _ in range(2):
        assert limits.admit("greedy", None, 0.0) is None
    refused = limits.admit("greedy", None, 0.0)
    assert refused is not None
    assert (refused.status, refused.retry_after_s) == (429, 1)
    assert limits.admit("other", None, 0.0) is None


def test_requests_in_flight_are_counted_by_party_and_in_all() -> None:
    limits = Limits(Settings(most_in_flight=3, most_in_flight_per_party=2))
    assert limits.admit("a", None, 0) is None
    assert limits.admit("a", None, 0) is None
    over = limits.admit("a", None, 0)
    assert over is not None
    assert over.reason == "in_flight_per_party"
    assert limits.admit("b", None, 0) is None
    full = limits.admit("c", None, 0)
    assert full is not None
    assert (full.status, full.reason) == (503, "in_flight")
    limits.done("a")
    assert limits.admit("c", None, 0) is None


def test_what_is_refused_is_not_counted() -> None:
    limits = Limits(Settings(most_in_flight_per_party=1))
    limits.admit("a", None, 0)
    for _ in range(10):
        assert limits.admit("a", None, 0) is not None
    limits.done("a")
    assert limits.in_flight.total == 0
    assert len(limits.in_flight) == 0


def test_a_connection_belongs_to_the_party_that_used_it_last() -> None:
    limits = Limits(Settings(most_connections_per_party=1))
    first, second = Connection("10.0.0.1"), Connection("10.0.0.1")
    for each in (first, second):
        assert limits.connect(each) is None
    assert limits.admit("a", first, 0) is None
    refused = limits.admit("a", second, 0)
    assert refused is not None
    assert (refused.status, refused.close) == (429, True)
    assert limits.admit("b", first, 0) is None
    assert limits.admit("a", second, 0) is None
    for each in (first, second):
        limits.disconnect(each)
    assert limits.party_connections.total == limits.connections.total == 0


def test_connections_of_one_address_leave_room_for_others_but_not_behind_a_proxy() -> None:
    few = Settings(most_connections=3, most_connections_per_address=1)
    limits = Limits(few)
    assert limits.connect(Connection("a")) is None
    refused = limits.connect(Connection("a"))
    assert refused is not None
    assert refused.status == 429
    assert limits.connect(Connection("b")) is None
    proxied = Limits(
        Settings(most_connections=3, most_connections_per_address=1, behind_proxy=True)
    )
    assert [proxied.connect(Connection("a")) for _ in range(3)] == [None] * 3
    full = proxied.connect(Connection("a"))
    assert full is not None
    assert full.status == 503


def test_names_that_come_and_go_take_no_memory_for_ever() -> None:
    buckets = Buckets(rate=1.0, burst=1)
    for number in range(3 * MOST_LINES):
        buckets.take(str(number), number / MOST_LINES)
    assert len(buckets) <= MOST_LINES
