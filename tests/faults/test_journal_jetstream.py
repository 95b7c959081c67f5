"""What becomes of a journal in JetStream when its servers die, freeze, or answer too late."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from deconflict.journal.engine import (
    Engine,
    EngineError,
    Group,
    GroupTooLargeError,
    KeyGoneError,
    NoSpaceError,
    Outcome,
    Row,
    UnreachableError,
)
from deconflict.journal.jetstream.engine import JetStreamEngine
from deconflict.journal.jetstream.failure import UnansweredError
from deconflict.journal.jetstream.link import ANSWER_S, Link
from deconflict.journal.jetstream.versions import doubt_about
from machine import free_port
from nats_servers import NatsServers

pytestmark = pytest.mark.slow


def _group(count: int = 2) -> Group:
    key_id = os.urandom(16)
    rows = tuple(
        Row(number, os.urandom(50), os.urandom(64), key_id, b"") for number in range(count)
    )
    return Group(os.urandom(16), rows, ((key_id, os.urandom(60)),))


def _name() -> str:
    return f"test_{os.urandom(8).hex()}"


@pytest.fixture
def opened() -> Iterator[Callable[..., JetStreamEngine]]:
    engines: list[JetStreamEngine] = []

    def opened(url: str) -> JetStreamEngine:
        engines.append(JetStreamEngine(url, create=True))
        return engines[-1]

    yield opened
    for engine in engines:
        engine.close()


def _insistently(ask: Callable[[], object]) -> object:
    """Ask until there is an answer; each question takes its time by itself."""
    for _ in range(40):
        try:
            return ask()
        except EngineError as error:
            failed = error
    raise failed


def _append(engine: Engine, group: Group) -> int:
    """Append a group, whatever happens to the servers; return its position."""
    while True:
        head = _insistently(engine.head)
        try:
            if engine.append(head, group) is Outcome.ACCEPTED:
                return head
        except EngineError as error:
            if error.outcome_known:
                continue
            found = _insistently(lambda: engine.find(group.id))
            if found is not None:
                return found


def _rows(engine: Engine) -> list[Row]:
    return [row for _, row in engine.read(0)]


def test_nothing_acknowledged_is_lost_when_the_leader_is_killed(
    nats_cluster: NatsServers, opened: Callable[..., JetStreamEngine]
):
    name = _name()
    engine = opened(nats_cluster.url(name))
    groups = [_group() for _ in range(60)]
    leader = nats_cluster.leader(name)
    killing = threading.Thread(target=leader.kill)
    for number, group in enumerate(groups):
        if number == 20:
            killing.start()
        assert _append(engine, group) == 2 * number
    killing.join()
    leader.start()
    rows = [row for group in groups for row in group.rows]
    assert _insistently(lambda: _rows(engine)) == rows
    again = _insistently(lambda: opened(nats_cluster.url(name)))
    assert _rows(again) == rows
    assert again.key(groups[30].keys[0][0]) == groups[30].keys[0][1]
    nats_cluster.until_ready()


def test_a_head_read_through_a_frozen_leader_is_never_old(
    nats_cluster: NatsServers, opened: Callable[..., JetStreamEngine]
):
    name = _name()
    opened(nats_cluster.url(name))
    leader = nats_cluster.leader(name)
    others = [server for server in nats_cluster.servers if server is not leader]
    through = opened(nats_cluster.url(name, leader))
    beside = opened(nats_cluster.url(name, *others))
    _append(beside, _group())
    assert through.head() == 2
    with leader.paused():
        assert _append(beside, _group()) == 2
        with pytest.raises(UnreachableError):
            through.head()
    for _ in range(20):  # it goes on now, and does not know yet that it was deposed
        expected = _insistently(beside.head)
        try:
            assert through.head() >= expected
        except UnreachableError:
            continue
    assert _insistently(through.head) == 4
    assert _insistently(lambda: _rows(through)) == _rows(beside)


def test_two_nodes_never_both_append_at_one_position(
    nats_cluster: NatsServers, opened: Callable[..., JetStreamEngine]
):
    url = nats_cluster.url(_name())
    engines = [opened(url), opened(url)]
    taken: list[list[int]] = [[], []]

    def append(number: int) -> None:
        while not taken[number] or taken[number][-1] < 80:
            taken[number].append(_append(engines[number], _group()))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken[0] + taken[1]) == list(range(0, engines[0].head(), 2))
    assert _rows(engines[0]) == _rows(engines[1])


def test_an_append_whose_acknowledgement_is_lost_is_found(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    engine, group = opened(stream_url), _group()
    ask = Link.ask

    async def deaf(self, subject, *arguments, **more):
        answer = await ask(self, subject, *arguments, **more)
        if subject.endswith(".entries"):
            raise UnansweredError("the test lost the answer")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(Link, "ask", deaf)
        with pytest.raises(EngineError) as caught:
            engine.append(0, group)
    assert not caught.value.outcome_known
    assert engine.find(group.id) == 0
    assert engine.append(0, group) is Outcome.REFUSED
    assert engine.append(2, _group()) is Outcome.ACCEPTED


@pytest.mark.parametrize("forgets", [False, True])
def test_an_append_that_was_said_not_to_be_there_never_comes_true_later(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch, forgets
):
    engine, group = opened(stream_url), _group()
    engine.append(0, _group())
    ask, held = Link.ask, []

    async def stuck(self, subject, *arguments, **more):
        if subject.endswith(".entries"):
            held.append((subject, *arguments))
            raise UnansweredError("the test holds the message back")
        return await ask(self, subject, *arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Link, "ask", stuck)
        with pytest.raises(EngineError) as caught:
            engine.append(2, group)
    assert not caught.value.outcome_known
    if forgets:
        engine.reopen()
    assert engine.find(group.id) is None
    late = engine._link.run(engine._link.ask(*held[0]))
    assert b"seq" in late.data  # it is in the stream now, and void
    assert (engine.head(), engine.find(group.id)) == (2, None)
    assert engine.append(2, group) is Outcome.ACCEPTED


def test_a_node_hears_of_keys_that_another_one_destroyed(
    stream_url: str, opened: Callable[..., JetStreamEngine]
):
    one, two = opened(stream_url), opened(stream_url)
    group = _group()
    one.append(0, group)
    assert two.head() == 2
    one.erase([group.keys[0][0]])
    with pytest.raises(KeyGoneError, match="destroyed through another node"):
        two.append(2, Group(os.urandom(16), group.rows))
    again = Group(os.urandom(16), group.rows, group.keys)
    assert two.append(2, again) is Outcome.ACCEPTED


def _then(engine: JetStreamEngine, subject: str, what: Callable[[], object], monkeypatch) -> None:
    """Do something once, right after the engine added a message to subjects that end so."""
    publish, left = engine._link.publish, [what]

    async def published(to: str, *arguments, **options):
        sequence = await publish(to, *arguments, **options)
        if to.endswith(subject) and left:
            await asyncio.to_thread(left.pop())
        return sequence

    monkeypatch.setattr(engine._link, "publish", published)


def test_what_another_node_announced_and_did_not_live_to_destroy_is_destroyed(
    stream_url: str, opened: Callable[..., JetStreamEngine]
):
    one, two = opened(stream_url), opened(stream_url)
    group = _group()
    ((key_id, _),) = group.keys
    one.append(0, group)
    assert two.head() == 2
    assert one._link.run(one._writing.announce([key_id], "nothing"))
    with pytest.raises(KeyGoneError):
        two.append(2, Group(os.urandom(16), group.rows))
    assert two.key(key_id) is None
    anew = Group(os.urandom(16), group.rows, ((key_id, os.urandom(60)),))
    assert two.append(2, anew) is Outcome.ACCEPTED
    assert one.key(key_id) == anew.keys[0][1]


def test_a_key_that_another_node_destroys_before_the_rows_are_there_is_written_anew(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    one, two = opened(stream_url), opened(stream_url)
    group = _group()
    ((key_id, wrapped),) = group.keys
    put = two._writing._keys.put
    left = [one.erase]

    async def put_then_erased(*arguments):
        there = await put(*arguments)
        if left:
            await asyncio.to_thread(left.pop(), [key_id])
        return there

    monkeypatch.setattr(two._writing._keys, "put", put_then_erased)
    assert two.append(0, group) is Outcome.ACCEPTED
    assert not left
    assert one.key(key_id) == two.key(key_id) == wrapped


def test_a_group_whose_key_is_destroyed_while_it_is_written_is_refused_and_written_again(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    one, two = opened(stream_url), opened(stream_url)
    group = _group()
    ((key_id, wrapped),) = group.keys
    _then(two, ".key", lambda: one.erase([key_id]), monkeypatch)
    assert two.append(0, group) is Outcome.REFUSED
    assert two.append(0, group) is Outcome.ACCEPTED
    assert one.key(key_id) == wrapped


def test_two_nodes_destroy_one_key_at_once(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    one, two = opened(stream_url), opened(stream_url)
    group = _group()
    ((key_id, _),) = group.keys
    one.append(0, group)
    _then(one, ".end", lambda: two.erase([key_id]), monkeypatch)
    one.erase([key_id])
    assert one.key(key_id) is None
    assert two.append(2, Group(os.urandom(16), group.rows, group.keys)) is Outcome.ACCEPTED


def test_who_missed_only_what_was_pruned_goes_on_behind_it(
    stream_url: str, opened: Callable[..., JetStreamEngine]
):
    one, two = opened(stream_url), opened(stream_url)
    assert two.head() == 0
    for number in range(10):
        one.append(2 * number, _group())
    one.prune(15)
    assert two.head() == 20
    assert [position for position, _ in two.read(15)] == list(range(15, 20))
    assert two.append(20, _group()) is Outcome.ACCEPTED


def test_who_missed_what_is_gone_without_a_pruning_goes_no_further(
    stream_url: str, nats_server: NatsServers, opened: Callable[..., JetStreamEngine]
):
    one, two = opened(stream_url), opened(stream_url)
    for number in range(3):
        one.append(2 * number, _group())
    name = stream_url.rpartition("/")[2].partition("?")[0]
    message = one._tail._places[1][1]
    assert nats_server.asked(f"STREAM.MSG.DELETE.{name}", {"seq": message})["success"]
    for _ in range(2):
        with pytest.raises(EngineError, match=f"follows upon message {message}, which is not"):
            two.head()


def test_a_lease_is_taken_over_only_after_it_was_seen_unchanged_for_its_time(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    one, two = opened(stream_url), opened(stream_url)
    clock = [1000.0]
    its_time = SimpleNamespace(monotonic=lambda: clock[0])  # and nobody else's
    monkeypatch.setattr("deconflict.journal.jetstream.meta.time", its_time)
    assert one.lease("one", "http://127.0.0.1:1", 5.0).node == "one"
    clock[0] += 100  # nobody has looked at it meanwhile
    assert two.lease("two", "http://127.0.0.1:2", 5.0).node == "one"
    clock[0] += 4
    assert one.lease("one", "http://127.0.0.1:1", 5.0).node == "one"
    clock[0] += 4
    assert two.lease("two", "http://127.0.0.1:2", 5.0).node == "one"
    clock[0] += 5.1
    assert two.lease("two", "http://127.0.0.1:2", 5.0).node == "two"
    assert one.lease("one", "http://127.0.0.1:1", 5.0).node == "two"


def test_a_question_that_is_refused_at_once_again_and_again_is_not_waited_for_without_end(
    stream_url: str, opened: Callable[..., JetStreamEngine], monkeypatch
):
    monkeypatch.setattr("deconflict.journal.jetstream.link.PAUSE_S", 0.0)
    link, waited_s = opened(stream_url)._link, []

    async def refused(patience_s: float) -> int:
        waited_s.append(patience_s)
        if len(waited_s) < 60:  # as many as servers without a leader answer within its patience
            raise UnansweredError("no leader")
        return len(waited_s)

    assert link.run(link.patiently(refused)) == 60
    assert waited_s[0] < waited_s[1] < max(waited_s) == ANSWER_S


def test_servers_that_are_not_there_are_named_without_the_password():
    port = free_port()
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}") as caught:
        JetStreamEngine(f"nats://user:not-to-be-seen@127.0.0.1:{port}/journal")
    assert "not-to-be-seen" not in str(caught.value)


def test_servers_are_doubted_by_their_versions(
    nats_cluster: NatsServers, opened: Callable[..., JetStreamEngine]
):
    doubt = opened(nats_cluster.url(_name())).doubt
    versions = nats_cluster.versions()
    assert len(versions) == 3
    assert doubt == doubt_about(versions)
    named = [server for server in versions if server in doubt]
    assert named == [server for server in versions if doubt_about({server: versions[server]})]


def test_one_server_is_no_place_for_a_journal_unless_one_copy_is_asked_for(
    stream_url: str,
):
    with pytest.raises(EngineError, match=r"replicas=1"):
        JetStreamEngine(stream_url.partition("?")[0], create=True)
    with pytest.raises(EngineError, match="holds no journal"):
        JetStreamEngine(stream_url)


def test_a_reader_reads_and_refuses_to_write(
    stream_url: str, opened: Callable[..., JetStreamEngine]
):
    engine, group = opened(stream_url), _group()
    engine.append(0, group)
    reader = JetStreamEngine.reader(stream_url)
    try:
        assert _rows(reader) == list(group.rows)
        with pytest.raises(EngineError, match="opened to read"):
            reader.append(2, _group())
    finally:
        reader.close()


def test_a_group_over_the_servers_limit_is_refused_before_anything_is_written(
    stream_url: str, opened: Callable[..., JetStreamEngine]
):
    engine, small = opened(stream_url), _group()
    rows = tuple(Row(0, b"", b"", small.rows[0].key_id, bytes(17_000_000)) for _ in range(2))
    with pytest.raises(GroupTooLargeError, match="max_payload"):
        engine.append(0, Group(small.id, rows, small.keys))
    assert engine.wrapped_keys([small.keys[0][0]]) == {}
    assert engine.append(0, Group(small.id, rows[:1], small.keys)) is Outcome.ACCEPTED


def test_a_full_store_refuses_and_is_still_read(
    opened: Callable[..., JetStreamEngine],
):
    servers = NatsServers(1, disk="4MB")
    try:
        engine = opened(servers.url("journal"))
        group, head = _group(1), 0
        row = Row(0, b"", b"", group.rows[0].key_id, bytes(500_000))
        with pytest.raises(NoSpaceError, match="no space left"):  # noqa: PT012
            for head in range(20):
                assert engine.append(head, Group(os.urandom(16), (row,))) is Outcome.ACCEPTED
        assert head > 2
        assert [position for position, _ in engine.read(0, head)] == list(range(head))
        with pytest.raises(NoSpaceError):
            engine.head()
    finally:
        servers.close()


def test_a_stream_that_loses_old_messages_is_no_place_for_a_journal(
    nats_server: NatsServers, stream_url: str, opened: Callable[..., JetStreamEngine]
):
    opened(stream_url)
    name = stream_url.rpartition("/")[2].partition("?")[0]
    config = nats_server.asked(f"STREAM.INFO.{name}-keys")["config"]
    nats_server.asked(f"STREAM.UPDATE.{name}-keys", config | {"max_age": 3_600_000_000_000})
    with pytest.raises(EngineError, match="max_age"):
        opened(stream_url)


def test_barriers_are_purged_and_the_head_is_found_among_them(
    stream_url: str, nats_server: NatsServers, opened: Callable[..., JetStreamEngine]
):
    one, two = opened(stream_url), opened(stream_url)
    for round_ in range(3):
        assert one.append(2 * round_, _group()) is Outcome.ACCEPTED
        for _ in range(200):
            assert one.head() == 2 * round_ + 2
        assert two.head() == 2 * round_ + 2
    name = stream_url.rpartition("/")[2].partition("?")[0]
    assert nats_server.asked(f"STREAM.INFO.{name}")["state"]["messages"] < 300
    assert [position for position, _ in two.read(0)] == list(range(6))
