"""What a crowd was answered, compared with the journal that its nodes share."""

from __future__ import annotations

from collections.abc import Iterator

from crowd import BASE_URL, Checkpoints, Crowd, History, Look, Write
from deconflict.register.event import Put, Removed
from linear import ABSENT
from resting import Resting


class _Journal:
    """The writes of a history in the order of the journal."""

    def __init__(self, history: History, rest: Resting) -> None:
        self.puts: list[tuple[Write, Put]] = []
        self.order: list[tuple[Write, Put | None]] = []
        """With each put, and ``None`` for each deletion."""
        self.faults: list[str] = []
        self._writes = {write.mark: write for write in history.writes}
        deletions: dict[int, list[Write]] = {}
        for write in history.writes:
            if write.deletes and write.outcome in {"done", "unknown"}:
                deletions.setdefault(write.used, []).append(write)
        held: dict[str, int] = {}
        for position, event in rest.events():
            if isinstance(event, Put):
                mark = int(event.entity.base_url.removeprefix(BASE_URL))
                write = self._writes[mark]
                if held.get(event.entity.id, ABSENT) != write.used or write.deletes:
                    self.faults.append(f"{position}: {mark} does not follow {write.used}")
                held[event.entity.id] = mark
                self.order.append((write, event))
            elif isinstance(event, Removed):
                mark = held.pop(event.id)
                asked = deletions.get(mark, [])
                # One that was answered, if any was, did it.
                asked.sort(key=lambda write: write.outcome != "done")
                if not asked:
                    self.faults.append(f"{position}: {mark} was deleted, and nobody was told so")
                else:
                    self.order.append((asked[0], None))
        self.held = held


def faults_of_journal(history: History, rest: Resting) -> Iterator[str]:
    """Yield each write that is lost, doubled or out of its order in the journal."""
    journal = _Journal(history, rest)
    yield from journal.faults
    times: dict[int, int] = {}
    latest_sent_ns = 0
    for write, event in journal.order:
        times[write.mark] = times.get(write.mark, 0) + 1
        if write.outcome not in {"done", "unknown"}:
            yield f"{write.mark} was refused ({write.outcome}) and is in the journal"
        if write.received_ns < latest_sent_ns:
            yield f"{write.mark} was answered before one was sent that the journal has before it"
        latest_sent_ns = max(latest_sent_ns, write.sent_ns)
        if event is not None and write.outcome == "done":
            entity = event.entity
            if (entity.id, entity.ovn, entity.version) != (write.entity, write.ovn, write.version):
                yield f"{write.mark} was answered otherwise than the journal has it"
    yield from (f"{mark} is in the journal {n} times" for mark, n in times.items() if n > 1)
    for write in history.writes:
        if write.outcome == "done" and write.mark not in times:
            yield f"{write.mark} was answered and is not in the journal"
    if {name: held.base_url for name, held in rest.live.items()} != {
        name: f"{BASE_URL}{mark}" for name, mark in journal.held.items()
    }:
        yield "the register differs from what the journal says was put"


def unknown_overlaps(history: History, rest: Resting) -> Iterator[str]:
    """Yield each pair that meets and was live together, the later not knowing the earlier."""
    live: dict[str, tuple[Write, str]] = {}
    for write, event in _Journal(history, rest).order:
        live.pop(write.entity, None)
        if event is None:
            continue
        for other, ovn in live.values():
            if write.cells & other.cells and ovn not in write.key:
                yield f"{write.mark} meets {other.mark} and did not know it"
        live[write.entity] = (write, event.entity.ovn)


def faults_of_last_looks(looks: list[Look], rest: Resting) -> Iterator[str]:
    """Yield each answer of the end that differs from the replayed register."""
    for look in looks:
        held = rest.live.get(look.entity)
        shown = (look.mark, look.version, look.ovn)
        if held is None:
            if look.mark != ABSENT:
                yield f"{look.entity} was shown and is not there"
        elif shown != (int(held.base_url.removeprefix(BASE_URL)), held.version, held.ovn):
            yield f"{look.entity} was shown as {shown}"


def require_one_line(
    crowd: Crowd, journal: str, checkpoints: Checkpoints, last_looks: list[Look]
) -> Resting:
    """Compare all that can be compared, once all nodes have stopped; return the last one's rest."""
    rests = [Resting(node.data, journal) for node in crowd.nodes]
    rest = max(rests, key=lambda rest: rest.checkpoint()[0])
    for other in rests:
        assert rest.extends(other.checkpoint()), "a node's log is no prefix of another's"
        assert other.live == rest.live
    rest.verify()
    roots = rest.roots()
    assert checkpoints.roots
    assert {size: roots[size] for size in checkpoints.roots} == checkpoints.roots
    assert list(faults_of_journal(crowd.history, rest)) == []
    assert list(unknown_overlaps(crowd.history, rest)) == []
    assert list(faults_of_last_looks(last_looks, rest)) == []
    return rest
