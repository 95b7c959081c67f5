"""Appenders that race for one journal of an engine, and what must be true of it afterwards.

    python appending.py URL NUMBER SEED FILE

Each is a process with an engine of its own. It appends and asks for the head until its standard
input ends, and writes a line of JSON about every answer to a file, with the time of the machine's
one monotonic clock around it. So what one process saw can be compared with what another was told.
"""

from __future__ import annotations

import hashlib
import json
import random
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO

from deconflict.journal.engine import Engine, EngineError, Group, Outcome, Row
from deconflict.journal.jetstream.engine import JetStreamEngine

KEYED = 0.3
"""Of groups that bring a key of their own."""
FIRST = "first"
"""Names the group that brings the key of all others; it is there before the race."""
LOOKS = 0.3
"""Of turns in which only the head is asked for."""
PAUSE_S = 0.02
"""After a failure, so that servers that are down are not asked without end."""


def _bytes(label: str, size: int) -> bytes:
    return hashlib.shake_128(label.encode()).digest(size)


def group(name: str) -> Group:
    """Return the group that a name stands for: its rows, identifier and key follow from it."""
    drawn = _bytes(name, 2)
    count = 1 + drawn[0] % 4
    owner = name if drawn[0] < 256 * KEYED else FIRST
    key_id = _bytes(f"{owner} key", 16)
    rows = tuple(
        Row(
            number,
            _bytes(f"{name} record {number}", 60),
            _bytes(f"{name} signature {number}", 64),
            key_id,
            _bytes(f"{name} sealed {number}", drawn[1]),
        )
        for number in range(count)
    )
    keys = ((key_id, _bytes(f"{name} wrapped", 60)),) if name in {owner, FIRST} else ()
    return Group(_bytes(f"{name} group", 16), rows, keys)


class Appender:
    """Appends to one engine and writes down what it is told.

    Parameters
    ----------
    engine
        Its own.
    number, seed
        Of which its groups are named.
    file
        Where it writes.
    """

    def __init__(self, engine: Engine, number: int, seed: int, file: TextIO) -> None:
        self._engine = engine
        self._name = f"{seed}-{number}"
        self._chance = random.Random(self._name)
        self._file = file
        self._made = 0

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Append until told otherwise."""
        while goes_on():
            head = self._head()
            if head is None:
                continue
            if self._chance.random() >= LOOKS:
                self._append(head, goes_on)

    def _head(self) -> int | None:
        began = time.monotonic_ns()
        try:
            head = self._engine.head()
        except EngineError as error:
            self._failed("head", error)
            return None
        self._say(what="head", head=head, began=began)
        return head

    def _append(self, head: int, goes_on: Callable[[], bool]) -> None:
        name = f"{self._name}-{self._made}"
        self._made += 1
        made = group(name)
        began = time.monotonic_ns()
        try:
            outcome = self._engine.append(head, made)
        except EngineError as error:
            self._failed("append", error)
            if not error.outcome_known:
                self._resolve(name, made, began, goes_on)
            return
        if outcome is Outcome.ACCEPTED:
            self._say(what="done", name=name, at=head, count=len(made.rows), began=began)
        else:
            self._say(what="not", name=name, began=began)

    def _resolve(self, name: str, made: Group, began: int, goes_on: Callable[[], bool]) -> None:
        while goes_on():
            try:
                found = self._engine.find(made.id)
            except EngineError as error:
                self._failed("find", error)
                continue
            if found is None:
                self._say(what="not", name=name, began=began)
            else:
                self._say(what="found", name=name, at=found, count=len(made.rows), began=began)
            return
        self._say(what="unknown", name=name, began=began)

    def _failed(self, verb: str, error: EngineError) -> None:
        self._say(what="failed", verb=verb, why=f"{type(error).__name__}: {error}")
        time.sleep(PAUSE_S)

    def _say(self, **said: Any) -> None:
        self._file.write(json.dumps(said | {"ended": time.monotonic_ns()}) + "\n")
        self._file.flush()


@dataclass(frozen=True, slots=True)
class Seen:
    """What all appenders of a race were told.

    Attributes
    ----------
    lines
        By the time at which they were told.
    """

    lines: tuple[dict[str, Any], ...]

    @property
    def counts(self) -> Counter[str]:
        """How often each kind of answer was given."""
        return Counter(line["what"] for line in self.lines)

    @property
    def failures(self) -> Counter[str]:
        """How often each failure was told of."""
        return Counter(
            f"{line['verb']} {line['why'][:160]}" for line in self.lines if line["what"] == "failed"
        )

    def acknowledged(self) -> Iterator[dict[str, Any]]:
        """Yield what was said to be in the journal."""
        return (line for line in self.lines if line["what"] in {"done", "found"})

    def contradicted(self, rows: Sequence[Row]) -> Iterator[str]:
        """Yield each answer that the journal as it stands contradicts."""
        places: dict[bytes, list[int]] = {}
        for position, row in enumerate(rows):
            places.setdefault(row.record, []).append(position)
        for line in self.acknowledged():
            for number, row in enumerate(group(line["name"]).rows):
                at = places.get(row.record, [])
                if at != [line["at"] + number]:
                    yield f"row {number} of {line} is at {at}"
        for line in self.lines:
            if line["what"] == "not":
                at = places.get(group(line["name"]).rows[0].record, [])
                if at:
                    yield f"{line} is at {at}"
        for record, at in places.items():
            if len(at) > 1:
                yield f"{record[:8].hex()} is at {at}"

    def heads_that_went_back(self) -> Iterator[str]:
        """Yield each head that is lower than what anybody was told before it was asked for."""
        told = sorted(
            (line["ended"], line["head"] if line["what"] == "head" else line["at"] + line["count"])
            for line in self.lines
            if line["what"] in {"head", "done", "found"}
        )
        asked = sorted(
            (line["began"], line["head"], line["ended"])
            for line in self.lines
            if line["what"] == "head"
        )
        at = highest = 0
        for began, head, _ in asked:
            while at < len(told) and told[at][0] < began:
                highest = max(highest, told[at][1])
                at += 1
            if head < highest:
                yield f"{head} after {highest}"


class Race:
    """Processes that append to one journal at once.

    Parameters
    ----------
    folder
        Where they write what they see.
    urls
        Of the journal, one for each appender.
    seed
        Of what they append and when.
    """

    def __init__(self, folder: Path, urls: Sequence[str], seed: int) -> None:
        self._files = [folder / f"appender{number}" for number in range(len(urls))]
        self._processes = [
            subprocess.Popen(
                [sys.executable, __file__, url, str(number), str(seed), str(file)],
                stdin=subprocess.PIPE,
            )
            for number, (url, file) in enumerate(zip(urls, self._files, strict=True))
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def acknowledged(self) -> int:
        """Return how many appends were acknowledged by now."""
        return sum(
            file.read_text().count('"done"') + file.read_text().count('"found"')
            for file in self._files
            if file.exists()
        )

    def seen(self) -> Seen:
        """End the race, and return what was seen in it."""
        for process in self._processes:
            process.stdin.close()
        for process in self._processes:
            assert process.wait(timeout=120) == 0, "an appender died"
        lines = [json.loads(line) for file in self._files for line in file.read_text().splitlines()]
        return Seen(tuple(sorted(lines, key=lambda line: line["ended"])))


def _open(url: str) -> JetStreamEngine:
    while True:
        try:
            return JetStreamEngine(url, create=True)
        except EngineError as error:
            print(error, file=sys.stderr)  # noqa: T201
            time.sleep(PAUSE_S)


def main() -> None:
    url, number, seed, path = sys.argv[1:]
    engine = _open(url)
    with Path(path).open("w") as file:
        Appender(engine, int(number), int(seed), file).run(
            lambda: not select.select([sys.stdin], [], [], 0)[0]
        )
    engine.close()


if __name__ == "__main__":
    main()
