"""Appends groups to a journal until it is killed; what stands at a position follows from it.

    python journal_writer.py PATH GROUPS

After each append the new head goes to standard output; a failed append ends it with the error's
class, whether its outcome is known, and its sentence.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from deconflict.journal.engine import EngineError, Group, Row
from deconflict.journal.sqlite.engine import SqliteEngine


def row(position: int) -> Row:
    """Return the row that stands at a position."""
    made = hashlib.shake_128(b"row %d" % position).digest(1200)
    return Row(position, made[:300], made[300:364], made[364:380], made[380:])


def group(head: int) -> Group:
    """Return the group that begins at a position: one to seven rows, each with its key."""
    rows = tuple(row(head + number) for number in range(1 + head % 7))
    name = hashlib.shake_128(b"group %d" % head).digest(16)
    return Group(name, rows, tuple((each.key_id, each.key_id * 2) for each in rows))


def write(engine: SqliteEngine, groups: int) -> None:
    """Append so many groups behind the head."""
    for _ in range(groups):
        head = engine.head()
        made = group(head)
        engine.append(head, made)
        print(head + len(made.rows), flush=True)  # noqa: T201  (the test reads it)


def main() -> None:
    path, groups = Path(sys.argv[1]), int(sys.argv[2])
    try:
        engine = SqliteEngine(path, create=True)
        write(engine, groups)
        engine.close()
    except EngineError as error:
        print(type(error).__name__, error.outcome_known, error, flush=True)  # noqa: T201
        sys.exit(3)


if __name__ == "__main__":
    main()
