from __future__ import annotations

import random

import pytest

from deconflict.register.entity import Kind
from deconflict.register.event import (
    AvailabilitySet,
    Configured,
    Decided,
    Notified,
    Put,
    Removed,
    Subscribed,
    Unsubscribed,
)
from deconflict.register.policy import Policy
from deconflict.register.state import snapshot
from deconflict.register.state.errors import RegisterError
from deconflict.register.state.held import Availability, Readiness, VolumeRecord
from deconflict.register.state.register import Register
from deconflict.register.state.volume_record import volume_of


@pytest.fixture(scope="module")
def entries(held, subscription, square, identifier, noon_us, minute_us):
    """Return 400 entries, three hours of coming and going."""
    rnd = random.Random(3)
    made = []
    for step in range(400):
        time_us = noon_us + step * minute_us // 2
        number = rnd.randrange(60)
        begin = rnd.randrange(step // 2, step // 2 + 60)
        volume = square(46.0 + rnd.randrange(5) * 0.004, 7.0, minutes=(begin, begin + 30))
        route = VolumeRecord(
            route=((46.0, 7.0), (46.01, 7.01), (46.02, 7.0)), width_m=50.0,
            times_us=tuple(noon_us + (begin + k) * minute_us for k in (0, 5, 9)),
            start_us=volume.start_us, end_us=volume.end_us,
        )  # fmt: skip
        kind = rnd.choice((Kind.OPERATION, Kind.OPERATION, Kind.ZONE))
        wish = identifier(rnd.randrange(100, 120))
        events = rnd.choice(
            (
                (Put(held(number, volume, route, kind=kind, subscription=wish)),),
                (Put(held(number, volume, version=step)), Notified({wish: step})),
                (Subscribed(subscription(rnd.randrange(100, 120), volume)),),
                (Removed(identifier(number)),),
                (Unsubscribed(wish),),
                (AvailabilitySet(Availability(f"uss{number}", Readiness.DOWN, str(step))),),
                (Configured(Policy(kept_after_end_s=rnd.choice((600, 3600)))),),
            )
        )
        made.append((step, time_us, Decided(command="Test", events=events)))
    return made


def replayed(entries, register=None):
    register = Register() if register is None else register
    for entry in entries:
        register.apply(*entry)
    return register


def answers(register, square, now_us):
    view = register.view(now_us)
    asked = [(volume_of(square(46.0 + k * 0.004, minutes=(0, 400))),) for k in range(5)]
    return [
        (view.operations_meeting(one), view.zones_meeting(one), view.subscriptions_meeting(one))
        for one in asked
    ]


def test_the_same_entries_give_an_equal_register(entries, square) -> None:
    one, other = replayed(entries), replayed(entries)
    assert one == other
    now_us = one.time_us
    assert answers(one, square, now_us) == answers(other, square, now_us)
    assert any(
        operations and zones and wishes
        for operations, zones, wishes in answers(one, square, now_us)
    )


@pytest.mark.parametrize("at", [0, 1, 57, 200, 399, 400])
def test_a_snapshot_and_the_entries_after_it_give_the_same_as_all_entries(
    entries, square, at
) -> None:
    before = replayed(entries[:at])
    loaded = Register.load(before.dump())
    assert loaded == before
    assert (loaded.head, loaded.time_us, loaded.policy) == (at, before.time_us, before.policy)
    assert loaded.counts() == before.counts()
    assert loaded.next_due_us() == before.next_due_us()
    assert list(loaded.live()) == list(before.live())
    assert list(loaded.live_subscriptions()) == list(before.live_subscriptions())
    assert answers(loaded, square, before.time_us) == answers(before, square, before.time_us)
    after, whole = replayed(entries[at:], loaded), replayed(entries)
    assert after == whole
    assert answers(after, square, whole.time_us) == answers(whole, square, whole.time_us)


def test_a_snapshot_tells_of_the_instant_it_was_asked_for(entries) -> None:
    register = replayed(entries[:200])
    pieces = register.dump()
    first = next(pieces)
    replayed(entries[200:], register)
    assert Register.load([first, *pieces]) == replayed(entries[:200])


def test_a_snapshot_may_be_cut_anywhere(entries) -> None:
    register = replayed(entries)
    content = b"".join(register.dump())
    assert Register.load([content]) == register
    assert Register.load(content[k : k + 7] for k in range(0, len(content), 7)) == register


def test_a_large_snapshot_takes_several_frames(entries, monkeypatch) -> None:
    monkeypatch.setattr(snapshot, "BLOBS_A_FRAME", 5)
    monkeypatch.setattr(snapshot, "ARRAY_BYTES_A_FRAME", 64)
    register = replayed(entries)
    assert Register.load(register.dump()) == register


def test_a_snapshot_that_is_cut_short_or_none_is_refused(entries) -> None:
    content = b"".join(replayed(entries[:20]).dump())
    for stop in (0, 10, 40, len(content) // 2, len(content) - 1):
        with pytest.raises(RegisterError, match="replay the journal"):
            Register.load([content[:stop]])
    with pytest.raises(RegisterError, match="no snapshot"):
        Register.load([b"x" * 100])


def test_a_snapshot_of_another_version_is_refused(entries, monkeypatch) -> None:
    monkeypatch.setattr(snapshot, "SNAPSHOT_VERSION", 99)
    content = list(replayed(entries[:20]).dump())
    monkeypatch.undo()
    with pytest.raises(RegisterError, match=r"form 99 .* form 1"):
        Register.load(content)


def test_a_snapshot_with_a_damaged_frame_is_refused(entries) -> None:
    pieces = list(replayed(entries[:60]).dump())
    refused = 0
    for number, piece in enumerate(pieces[1:], 1):
        broken = piece[:8] + bytes([piece[8] ^ 0xFF]) + piece[9:]
        with pytest.raises(RegisterError, match="replay the journal"):
            Register.load([*pieces[:number], broken, *pieces[number + 1 :]])
        refused += 1
    assert refused > 20
