"""Writing snapshots beside the service: a process of its own, so that no request waits for one.

`python -m deconflict.server.snapshots DATA` loads the last snapshot and the entries behind it,
reading beside the service, and writes the next. The variable DECONFLICT_JOURNAL names the journal:
its URL may hold a password, which no list of processes is to show. It ends when its standard input
does, so it doesn't outlive a service that was killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Final

import structlog

from deconflict.journal.location import Location, in_folder, location
from deconflict.server.fault import described

EVERY_ENTRIES: Final = 100_000
"""Entries behind the last snapshot after which the next is written: a few seconds of a start."""
JOURNAL_VARIABLE: Final = "DECONFLICT_JOURNAL"
_LOWEST_PRIORITY: Final = 19


class Snapshots:
    """Starts the process that writes a snapshot when enough entries stand behind the last one.

    Parameters
    ----------
    data
        The data folder.
    last_head
        How many entries the last snapshot holds.
    every
        Entries after which the next one is due.
    journal
        Where the journal is, if it is not in the data folder.
    """

    def __init__(
        self,
        data: Path,
        last_head: int,
        every: int = EVERY_ENTRIES,
        journal: Location | None = None,
    ) -> None:
        self._data = data
        self._journal = journal or in_folder(data)
        self._last_head = last_head
        self._every = every
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = False
        self._log = structlog.get_logger("deconflict.snapshots")

    @property
    def writing(self) -> bool:
        """Whether a process writes one."""
        return self._task is not None and not self._task.done()

    def consider(self, head: int) -> None:
        """Start to write a snapshot if one is due and none is being written."""
        if not self.writing and head - self._last_head >= self._every:
            # After a failure, too, the next attempt waits for as many entries again.
            self._last_head = head
            self._task = asyncio.get_running_loop().create_task(self._write(head))

    async def finished(self) -> None:
        """Wait until no process writes one."""
        if self._task is not None:
            await self._task

    async def stop(self) -> None:
        """End a process that writes one; what it wrote so far is removed."""
        self._stopped = True
        self._end()
        await self.finished()

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _write(self, head: int) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # no module is taken from whichever folder the service was started in
                "-m",
                "deconflict.server.snapshots",
                str(self._data),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, JOURNAL_VARIABLE: self._journal.text},
            )
            if self._stopped:
                self._end()
            # Its input stays open for as long as it may run; reading its complaints ends with it.
            complaints = self._process.stderr
            said = b"" if complaints is None else await complaints.read()
            status = await self._process.wait()
        except OSError as error:
            self._log.warning("no snapshot could be written", error=described(error))
            return
        finally:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
        if status == 0:
            self._log.info("snapshot written", head=head)
        elif status > 0:  # below 0 it was killed by `stop`
            last = said.decode(errors="backslashreplace").strip().splitlines()[-1:]
            self._log.warning("no snapshot could be written", status=status, error=last)


def write(data: Path, journal: Location | None = None) -> Path:
    """Write the next snapshot of a journal, beside the service or alone."""
    from deconflict.server.data_folder import DataFolder

    folder = DataFolder.beside(data, journal=journal)
    try:
        return folder.write_snapshot()
    finally:
        folder.close()


def _end_with_input() -> None:
    """End the process when its standard input ends: the service is gone."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def main(arguments: list[str]) -> None:
    """Run the process."""
    os.nice(_LOWEST_PRIORITY)
    threading.Thread(target=_end_with_input, daemon=True).start()
    write(Path(arguments[0]), location(os.environ[JOURNAL_VARIABLE]))


if __name__ == "__main__":
    main(sys.argv[1:])
