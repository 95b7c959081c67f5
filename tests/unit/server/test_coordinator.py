"""The coordinator over a journal that stands in for a log and fails as it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from deconflict.identity.caller import Caller
from deconflict.journal.engine import EngineError, NoSpaceError, Outcome
from deconflict.journal.entry import Entry
from deconflict.journal.log import Opened
from deconflict.register.command import ENTROPY_BYTES, Command, RecordReads, SetAvailability
from deconflict.register.decide import decide
from deconflict.register.decision import Decision
from deconflict.register.event import (
    AvailabilitySet,
    ClockOverridden,
    Decided,
    ReadBatch,
    Ticked,
    decode_decided,
)
from deconflict.register.state.held import Availability, Readiness
from deconflict.register.state.register import Register
from deconflict.register.state.view import View
from deconflict.server import following, recovering, sequencer
from deconflict.server.backlog import Bounds
from deconflict.server.clock import ClockGuard
from deconflict.server.coordinator import Coordinator
from deconflict.server.health import State
from deconflict.server.observer import SilentObserver
from deconflict.server.replay import replayed
from deconflict.standards.service import Call, Reply, Submission, Told, UnavailableError

START_US = 1_800_000_000_000_000
OPERATOR = Caller("uss1", frozenset(), "issuer", 0)


class HandClock:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.wall = START_US
        self.boots = 1_000_000

    def wall_us(self) -> int:
        return self.wall

    def boot_us(self) -> int:
        return self.boots

    def boot(self) -> str:
        return "this start"

    def disciplined(self) -> bool:
        return False

    def passes(self, seconds: float) -> None:
        self.wall += int(seconds * 1e6)
        self.boots += int(seconds * 1e6)


class FakeJournal:
    """A journal in memory that does what is planned for each append."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.groups: list[int] = []
        self.plan: list[Callable[[Sequence[Entry]], Outcome]] = []
        self.recoveries: list[Exception | None] = []
        self.recovered = 0
        self.held = threading.Event()
        self.held.set()
        self.appending = threading.Event()
        self.threads: set[int] = set()

    def first(self) -> int:
        return 0

    def head(self) -> int:
        return len(self.entries)

    def append(self, expected_head: int, entries: Sequence[Entry]) -> Outcome:
        self.threads.add(threading.get_ident())
        self.appending.set()
        assert self.held.wait(20)
        if self.plan:
            return self.plan.pop(0)(entries)
        if expected_head != len(self.entries):
            return Outcome.REFUSED
        return self.keep(entries)

    def keep(self, entries: Sequence[Entry]) -> Outcome:
        self.entries += entries
        self.groups.append(len(entries))
        return Outcome.ACCEPTED

    def recover(self) -> bool:
        self.recovered += 1
        failure = self.recoveries.pop(0) if self.recoveries else None
        if failure is not None:
            raise failure
        return True  # as of an older group: only what is read back counts

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Opened]:
        for position, entry in enumerate(self.entries[start:stop], start):
            yield Opened(
                position=position,
                time_us=entry.time_us,
                record=entry.record(),
                signature=b"",
                decided=entry.decided,
                said=entry.said,
                told=entry.told,
                erased=False,
                subject=entry.subject,
            )

    def decided(self) -> list[Decided]:
        return [decode_decided(entry.decided.content) for entry in self.entries]


class Bench:
    """A coordinator on a fake journal, with a clock set by hand."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.clock = HandClock()
        self.journal = FakeJournal()
        self.register = Register()
        self.guard = ClockGuard(folder / "clock", self.clock)
        self.guard.start(None, None)
        options.setdefault("decide", decide)
        self.coordinator = Coordinator(self.register, self.journal, self.guard, **options)

    def availability(self, of: str) -> Readiness:
        return self.coordinator.view().availability(of).readiness

    async def set(self, of: str = "uss1", **options: object) -> Reply:
        return await self.coordinator.submit(self.submission(of, **options))

    def submission(
        self, of: str = "uss1", body: bytes = b"{}", tell: Callable | None = None
    ) -> Submission:
        command = SetAvailability(
            party=of,
            entropy=self.coordinator.entropy(),
            of=of,
            old_version="",
            readiness=Readiness.NORMAL,
        )

        def told(decision: Decision, _draft: View) -> list[Told]:
            status = 200 if decision.refusal is None else 409
            return [Told(of, Reply(status, msgspec.json.encode({"of": of})))]

        return Submission(command, Call(OPERATOR, "PUT /x", body=body), of, tell or told)


class Refusals(SilentObserver):
    """Tells when a command was refused."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def refused(self, reason: str, commands: int) -> None:
        assert (reason, commands) == ("no space", 1)
        self.came.set()


def within(work: Awaitable[None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(work, 20)

    asyncio.run(bounded())


async def commit_begun(bench: Bench) -> None:
    assert await asyncio.to_thread(bench.journal.appending.wait, 10)
    bench.journal.appending.clear()


def fails_with(error: Exception) -> Callable[[Sequence[Entry]], Outcome]:
    def fail(_entries: Sequence[Entry]) -> Outcome:
        raise error

    return fail


def kept_then_fails(bench: Bench, error: Exception) -> Callable[[Sequence[Entry]], Outcome]:
    def fail(entries: Sequence[Entry]) -> Outcome:
        bench.journal.keep(entries)
        raise error

    return fail


def test_an_answer_comes_only_after_the_entry_is_durable_and_nothing_is_visible_before(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.held.clear()
        answer = asyncio.ensure_future(bench.set())
        await commit_begun(bench)
        assert not answer.done()
        assert bench.availability("uss1") is Readiness.UNKNOWN
        assert bench.register.head == 0
        bench.journal.held.set()
        assert (await answer).status == 200
        assert bench.availability("uss1") is Readiness.NORMAL
        await bench.coordinator.stop()

    within(work())


def test_what_comes_while_a_commit_runs_is_the_next_group(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.held.clear()
        first = asyncio.ensure_future(bench.set("uss0"))
        await commit_begun(bench)
        others = [asyncio.ensure_future(bench.set(f"uss{n}")) for n in range(1, 8)]
        await asyncio.sleep(0)
        bench.journal.held.set()
        await asyncio.gather(first, *others)
        assert bench.journal.groups == [1, 7]
        assert len(bench.journal.threads) == 1
        await bench.coordinator.stop()

    within(work())


def test_a_caller_that_was_answered_and_asks_again_at_once_joins_those_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "GATHERING_S", 60.0)

    async def work() -> None:
        bench = Bench(tmp_path)

        async def twice() -> None:
            await bench.set("uss0")
            await bench.set("uss8")

        await bench.coordinator.start()
        bench.journal.held.clear()
        first = asyncio.ensure_future(twice())
        await commit_begun(bench)
        others = [asyncio.ensure_future(bench.set(f"uss{n}")) for n in range(1, 8)]
        await asyncio.sleep(0)
        bench.journal.held.set()
        await asyncio.gather(first, *others)
        assert bench.journal.groups == [1, 8]
        await bench.coordinator.stop()

    within(work())


def test_a_command_sees_what_its_group_did_before_it(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        replies = await asyncio.gather(bench.set("uss1"), bench.set("uss1"))
        assert [reply.status for reply in replies] == [200, 409]
        assert bench.journal.groups == [2]
        await bench.coordinator.stop()

    within(work())


def test_an_entry_holds_the_body_as_received_the_events_and_what_was_told(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set(body=b'{ "b":1 }')
        await bench.coordinator.stop()
        (entry,) = bench.journal.entries
        assert entry.said is not None
        assert entry.said.content == b'{ "b":1 }'
        (decided,) = bench.journal.decided()
        assert (decided.party, decided.command, decided.request) == (
            "uss1",
            "SetAvailability",
            "PUT /x",
        )
        assert isinstance(decided.events[0], AvailabilitySet)
        (told,) = entry.told
        expected = {"audience": "uss1", "status": 200, "body": {"of": "uss1"}}
        assert msgspec.json.decode(told.content) == expected
        assert entry.subject == b"uss1"
        assert len({entry.said.salt, entry.decided.salt, told.salt}) == 3

    within(work())


def test_a_group_is_bounded_in_number_and_bytes(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path, bounds=Bounds(100, 10_000, group_commands=3, group_bytes=50))
        await bench.coordinator.start()
        small = [bench.set(f"a{n}") for n in range(4)]
        large = [bench.set(f"b{n}", body=b'"' + b"x" * 58 + b'"') for n in range(2)]
        await asyncio.gather(*small, *large)
        assert bench.journal.groups == [3, 1, 1, 1]
        await bench.coordinator.stop()

    within(work())


def test_a_full_queue_refuses_at_once_and_the_others_are_served(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path, bounds=Bounds(queued_commands=2))
        await bench.coordinator.start()
        bench.journal.held.clear()
        taken = [asyncio.ensure_future(bench.set("uss0"))]
        await commit_begun(bench)
        taken += [asyncio.ensure_future(bench.set(f"uss{n}")) for n in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="too many"):
            await bench.set("uss3")
        bench.journal.held.set()
        assert [reply.status for reply in await asyncio.gather(*taken)] == [200, 200, 200]
        await bench.coordinator.stop()

    within(work())


@pytest.mark.parametrize("place", ["decide", "tell", "subject"])
def test_a_fault_in_one_command_refuses_that_one_alone(tmp_path: Path, place: str) -> None:
    def faulty(view: View, command: Command) -> Decision:
        if place == "decide" and command.party == "bad":
            raise ZeroDivisionError("36.37 N 37.5 E")
        return decide(view, command)

    def tell(_decision: Decision, _draft: View) -> list[Told]:
        raise ZeroDivisionError("36.37 N 37.5 E")

    async def work() -> None:
        bench = Bench(tmp_path, decide=faulty)
        await bench.coordinator.start()
        bad = bench.submission("bad", tell=tell if place == "tell" else None)
        if place == "subject":
            bad = Submission(bad.command, bad.call, "", bad.tell)
        with capture_logs() as logs:
            answers = await asyncio.gather(
                bench.set("a"),
                bench.coordinator.submit(bad),
                bench.set("b"),
                return_exceptions=True,
            )
        assert isinstance(answers[1], UnavailableError)
        assert [answers[0].status, answers[2].status] == [200, 200]
        assert [one.party for one in bench.journal.decided()] == ["a", "b"]
        assert bench.availability("bad") is Readiness.UNKNOWN
        assert bench.coordinator.health().state is State.WORKING
        assert any(line["event"] == "fault while deciding" for line in logs)
        assert "36.37" not in str(logs)
        await bench.coordinator.stop()

    within(work())


def test_a_decision_whose_events_are_added_by_half_leaves_nothing_in_the_draft(
    tmp_path: Path,
) -> None:
    def half(view: View, command: Command) -> Decision:
        if command.party != "bad":
            return decide(view, command)
        # The second event is none that an index could take: its availability is missing.
        good = AvailabilitySet(Availability("c", Readiness.DOWN, "half"))
        return Decision(events=(good, AvailabilitySet(None)))  # type: ignore[arg-type]

    async def work() -> None:
        bench = Bench(tmp_path, decide=half)
        await bench.coordinator.start()
        answers = await asyncio.gather(
            bench.set("a"), bench.set("bad"), bench.set("a"), bench.set("c"), return_exceptions=True
        )
        assert isinstance(answers[1], UnavailableError)
        # The second of "a" still sees the first one; "c" doesn't see the half of "bad".
        assert [answers[n].status for n in (0, 2, 3)] == [200, 409, 200]
        await bench.coordinator.stop()

    within(work())


def test_a_caller_that_goes_away_disturbs_nobody(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.held.clear()
        first = asyncio.ensure_future(bench.set("uss0"))
        await commit_begun(bench)
        gone, stays = (asyncio.ensure_future(bench.set(f"uss{n}")) for n in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        bench.journal.held.set()
        assert (await stays).status == 200
        # What was being committed stays; what was only queued is left out.
        assert [one.party for one in bench.journal.decided()] == ["uss0", "uss2"]
        assert bench.availability("uss0") is Readiness.NORMAL
        await bench.coordinator.stop()

    within(work())


def test_a_full_disk_refuses_all_callers_and_the_next_append_is_tried_in_place(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.plan = [fails_with(NoSpaceError("no space on /data"))]
        answers = await asyncio.gather(bench.set("a"), bench.set("b"), return_exceptions=True)
        for answer in answers:
            assert isinstance(answer, UnavailableError)
            assert "disk" in str(answer)
            assert "/data" not in str(answer)
        health = bench.coordinator.health()
        assert (health.state, health.ready) == (State.NO_SPACE, False)
        assert "/data" in health.reason
        assert bench.availability("a") is Readiness.UNKNOWN
        assert (await bench.set("a")).status == 200
        assert bench.coordinator.health().ready
        assert bench.journal.recovered == 0
        await bench.coordinator.stop()

    within(work())


def test_readiness_comes_back_without_a_caller_once_there_is_room(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.plan = [fails_with(NoSpaceError("full"))]
        with pytest.raises(UnavailableError):
            await bench.set()
        bench.coordinator.pulse()
        await commit_begun(bench)
        await bench.coordinator.stop()
        assert [type(one.events[0]) for one in bench.journal.decided()] == [Ticked]
        assert bench.coordinator._standing.state is State.WORKING

    within(work())


@pytest.mark.parametrize("error", [EngineError("?", outcome_known=False), ValueError("a fault")])
def test_callers_of_an_unknown_outcome_get_their_replies_if_it_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(recovering, "FIRST_RETRY_S", 0.0)

    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.plan = [kept_then_fails(bench, error)]
        bench.journal.recoveries = [OSError("still away"), EngineError("still away"), None]
        replies = await asyncio.gather(bench.set("a"), bench.set("b"))
        assert [reply.status for reply in replies] == [200, 200]
        assert bench.availability("b") is Readiness.NORMAL
        assert bench.journal.recovered == 3
        assert bench.register.head == 2
        assert (await bench.set("c")).status == 200
        assert bench.coordinator.health().ready
        await bench.coordinator.stop()

    within(work())


def test_what_was_committed_is_answered_however_often_reading_on_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FIRST_RETRY_S", 0.0)
    monkeypatch.setattr(following, "READ_AT_ONCE", 1)

    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.plan = [kept_then_fails(bench, EngineError("?", outcome_known=False))]
        whole, failing = bench.journal.read, [False, False, True]

        def read(start: int = 0, stop: int | None = None) -> Iterator[Opened]:
            if stop is None and failing and failing.pop():
                raise EngineError("the link broke in the middle")
            return whole(start, stop)

        # The first entry is applied, then reading fails: the second try begins behind it.
        failing.reverse()
        monkeypatch.setattr(bench.journal, "read", read)
        replies = await asyncio.gather(bench.set("a"), bench.set("b"), bench.set("c"))
        assert [reply.status for reply in replies] == [200, 200, 200]
        assert (bench.register.head, failing) == (3, [])
        await bench.coordinator.stop()

    within(work())


@pytest.mark.parametrize("error", [EngineError("?", outcome_known=False), ValueError("a fault")])
def test_callers_of_an_unknown_outcome_are_refused_if_it_was_not_committed(
    tmp_path: Path, error: Exception
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("before")
        bench.journal.plan = [fails_with(error)]
        with pytest.raises(UnavailableError, match="nothing of this was written"):
            await bench.set("a")
        assert bench.availability("a") is Readiness.UNKNOWN
        assert (await bench.set("a")).status == 200
        await bench.coordinator.stop()

    within(work())


def test_until_the_journal_is_verified_every_write_is_refused_at_once_and_reads_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FIRST_RETRY_S", 3600.0)

    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("before")
        error = EngineError("fsync failed", must_reopen=True)
        bench.journal.plan = [fails_with(error)]
        bench.journal.recoveries = [EngineError("the disk is gone")]
        with pytest.raises(UnavailableError, match="being verified"):
            await bench.set("a")
        with pytest.raises(UnavailableError, match="being verified"):
            await bench.set("b")
        assert bench.journal.groups == [1]
        assert bench.availability("before") is Readiness.NORMAL
        health = bench.coordinator.health()
        assert health.state is State.RECOVERING
        assert "fsync failed" in health.reason
        await bench.coordinator.stop()

    within(work())


def test_what_waits_when_the_journal_fails_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FIRST_RETRY_S", 3600.0)

    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.held.clear()
        bench.journal.plan = [fails_with(EngineError("fsync failed", outcome_known=False))]
        bench.journal.recoveries = [EngineError("the disk is gone")]
        unknown = asyncio.ensure_future(bench.set("a"))
        await commit_begun(bench)
        waits = asyncio.ensure_future(bench.set("b"))
        await asyncio.sleep(0)
        bench.journal.held.set()
        with pytest.raises(UnavailableError, match="being verified"):
            await waits
        assert not unknown.done()
        await bench.coordinator.stop()
        assert isinstance(unknown.exception(), UnavailableError)

    within(work())


def test_stopping_while_an_outcome_is_unknown_says_that_it_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "FIRST_RETRY_S", 3600.0)

    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.plan = [fails_with(EngineError("?", outcome_known=False))]
        bench.journal.recoveries = [EngineError("the disk is gone")]
        answer = asyncio.ensure_future(bench.set("a"))
        await commit_begun(bench)
        await bench.coordinator.stop()
        with pytest.raises(UnavailableError, match="could find out whether this was written"):
            await answer

    within(work())


def test_when_another_writer_was_faster_its_entries_are_followed_and_the_group_decided_again(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        other = Bench(tmp_path)
        other.journal.entries = bench.journal.entries
        await other.coordinator.start()
        await bench.coordinator.start()
        assert (await other.set("a")).status == 200
        assert (await bench.set("a")).status == 409  # decided over what the other one wrote
        assert bench.register.head == 2
        await bench.coordinator.stop()
        await other.coordinator.stop()

    within(work())


def test_a_register_that_can_not_take_an_entry_is_neither_read_nor_written_any_more(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()

        def fail(*_arguments: object) -> None:
            raise KeyError("36.37 N")

        bench.register.apply = fail  # type: ignore[method-assign]
        assert (await bench.set("a")).status == 200  # it is durable
        health = bench.coordinator.health()
        assert health.state is State.BROKEN
        assert "36.37" not in health.reason
        with pytest.raises(UnavailableError):
            bench.coordinator.view()
        with pytest.raises(UnavailableError):
            await bench.set("b")
        await bench.coordinator.stop()

    within(work())


def test_a_journal_that_lost_what_was_answered_breaks_the_service(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("a")

        def lose(_entries: Sequence[Entry]) -> Outcome:
            bench.journal.entries.clear()
            raise EngineError("?", outcome_known=False)

        bench.journal.plan = [lose]
        with pytest.raises(UnavailableError):
            await bench.set("b")
        assert bench.coordinator.health().state is State.BROKEN
        await bench.coordinator.stop()

    within(work())


def test_a_writer_that_finds_the_end_of_the_journal_gone_stops_with_the_sentence_for_it(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("a")
        bench.journal.entries.clear()
        with pytest.raises(UnavailableError):
            await bench.set("b")
        health = bench.coordinator.health()
        assert health.state is State.BROKEN
        assert "are missing" in health.reason
        await bench.coordinator.stop()

    within(work())


def test_a_clean_stop_finishes_what_was_taken_and_refuses_the_rest(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        bench.journal.held.clear()
        taken = [asyncio.ensure_future(bench.set("uss0"))]
        await commit_begun(bench)
        taken += [asyncio.ensure_future(bench.set(f"uss{n}")) for n in (1, 2)]
        await asyncio.sleep(0)
        bench.coordinator.answered(Call(OPERATOR, "GET /y"), ["id"])
        stopped = asyncio.ensure_future(bench.coordinator.stop())
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="being stopped"):
            await bench.set("late")
        assert bench.coordinator.health().state is State.STOPPING
        bench.journal.held.set()
        await stopped
        assert [reply.status for reply in await asyncio.gather(*taken)] == [200, 200, 200]
        assert isinstance(bench.journal.decided()[-1].events[0], ReadBatch)
        assert bench.coordinator._reads.waiting() == 0

    within(work())


def test_a_replay_gives_the_register_of_the_live_one(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        for number in range(5):
            bench.clock.passes(1)
            await asyncio.gather(bench.set(f"a{number}"), bench.set(f"b{number}"), bench.set("c"))
        await bench.coordinator.stop()
        done: list[tuple[int, int]] = []
        again = replayed(bench.journal, Register(), progress=lambda *numbers: done.append(numbers))
        assert again == bench.register
        assert again.head == 15
        assert replayed(bench.journal, Register(), stop=7).head == 7

    within(work())


def test_a_clock_far_ahead_refuses_every_write_and_hides_nothing_from_readers(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("a")
        right_us = bench.clock.wall
        bench.clock.wall += 3600_000_000
        with pytest.raises(UnavailableError, match="clock"):
            await bench.set("b")
        assert bench.coordinator.health().state is State.CLOCK_AHEAD
        assert "--override-clock" in bench.coordinator.health().reason
        assert bench.coordinator.view().now_us <= right_us + 5_000_000
        bench.clock.wall = right_us
        bench.coordinator.pulse()
        assert (await bench.set("b")).status == 200
        await bench.coordinator.stop()

    within(work())


def test_a_clock_set_back_keeps_the_time_of_the_entry_before(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("a")
        bench.clock.wall -= 7200_000_000
        await bench.set("b")
        assert [entry.time_us for entry in bench.journal.entries] == [START_US, START_US]
        health = bench.coordinator.health()
        assert health.ready
        assert health.clock_behind_s == 7200
        assert bench.coordinator.view().now_us == START_US
        await bench.coordinator.stop()

    within(work())


def test_an_operator_overrides_the_clock_in_words_that_are_journalled(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        bench.clock.wall += 3600_000_000
        await bench.coordinator.start(override_clock="Sgt Weiss: compared with two watches")
        (decided,) = bench.journal.decided()
        assert decided.events == (ClockOverridden("Sgt Weiss: compared with two watches", 3600),)
        assert bench.journal.entries[0].time_us == bench.clock.wall
        assert (await bench.set("a")).status == 200
        await bench.coordinator.stop()

    within(work())


def test_an_override_that_is_not_needed_is_not_journalled(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start(override_clock="just in case")
        await bench.coordinator.stop()
        assert bench.journal.entries == []

    within(work())


def test_what_is_due_is_ticked_away_once_and_only_when_nothing_else_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        await bench.set("a")
        due = [START_US + 10_000_000]
        monkeypatch.setattr(
            bench.register,
            "next_due_us",
            lambda: due[0] if due[0] > bench.register.time_us else None,
        )
        bench.clock.passes(9.9)
        bench.coordinator.pulse()
        assert bench.coordinator._sequencer.idle
        bench.journal.appending.clear()
        bench.clock.passes(1)
        bench.coordinator.pulse()
        bench.coordinator.pulse()  # the first one's tick still waits
        await commit_begun(bench)
        await bench.coordinator.stop()
        assert [one.command for one in bench.journal.decided()] == ["SetAvailability", "Tick"]
        assert bench.journal.entries[1].said is None
        assert bench.journal.entries[1].told == ()

    within(work())


def test_reads_are_journalled_by_party_when_a_second_has_gone_by(tmp_path: Path) -> None:
    async def work() -> None:
        bench = Bench(tmp_path)
        await bench.coordinator.start()
        for number in range(3):
            bench.coordinator.answered(
                Call(OPERATOR, "POST /query", body=b'{"area":1}'), [f"id{number}"]
            )
        bench.coordinator.answered(Call(Caller("uss2", frozenset(), "", 0), "GET /z"), [])
        assert bench.journal.entries == []
        bench.coordinator.pulse()
        await commit_begun(bench)
        await bench.coordinator.stop()
        first, second = (one.events[0] for one in bench.journal.decided())
        assert isinstance(first, ReadBatch)
        assert isinstance(second, ReadBatch)
        assert [read.shown for read in first.reads] == [("id0",), ("id1",), ("id2",)]
        assert list(first.bodies.values()) == ['{"area":1}']
        assert {read.body_hash for read in first.reads} == set(first.bodies)
        assert second.party == "uss2"
        assert [entry.subject for entry in bench.journal.entries] == [b"uss1", b"uss2"]

    within(work())


def test_reads_wait_for_a_journal_that_can_not_be_written(tmp_path: Path) -> None:
    async def work() -> None:
        refusals = Refusals()
        bench = Bench(tmp_path, observer=refusals)
        await bench.coordinator.start()
        bench.journal.plan = [fails_with(NoSpaceError("full"))]
        bench.coordinator.answered(Call(OPERATOR, "GET /y"), ["id"])
        bench.coordinator.pulse()
        await commit_begun(bench)
        await refusals.came.wait()
        await asyncio.sleep(0)
        assert bench.coordinator._reads.waiting() > 0
        bench.coordinator.pulse()
        await commit_begun(bench)
        await bench.coordinator.stop()
        batches = [
            one.events[0] for one in bench.journal.decided() if one.command == RecordReads.__name__
        ]
        assert len(batches) == 1
        assert bench.coordinator._reads.waiting() == 0

    within(work())


def test_entropy_is_of_the_length_of_a_command_and_never_the_same(tmp_path: Path) -> None:
    async def work() -> None:
        coordinator = Bench(tmp_path).coordinator
        drawn = {coordinator.entropy() for _ in range(100)}
        assert len(drawn) == 100
        assert {len(one) for one in drawn} == {ENTROPY_BYTES}
        await coordinator.stop()

    within(work())
