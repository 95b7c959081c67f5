"""Deciding for a while without being a node: nobody else appends while a command does."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from deconflict.journal.engine import EngineError
from deconflict.server.nodes.role import LEASE_S, RENEW_S, asked

if TYPE_CHECKING:
    from deconflict.journal.location import Location


@contextmanager
def deciding(journal: Location, what: str) -> Iterator[None]:
    """Hold the lease of a shared journal meanwhile; of any other do nothing.

    Parameters
    ----------
    journal
        Where the journal is.
    what
        Who holds it, as in "journal prune".

    Raises
    ------
    EngineError
        If a node decides, or there is no journal.
    """
    if not journal.shared:
        yield
        return
    name = f"({what})#{secrets.token_hex(4)}"
    engine = journal.open(verify=False)  # what is held for judges what is damaged
    try:
        holder = asked(engine, name)
        if holder.node != name:
            who = f"the node at {holder.address}" if holder.address else holder.node
            raise EngineError(
                f"{who} decides over {journal} now, and nobody else may change it meanwhile: stop "
                "all its nodes, then do this again"
            )
        done = threading.Event()

        def renew() -> None:
            while not done.wait(RENEW_S):
                with suppress(EngineError):  # whatever it is held for fails by itself then
                    engine.lease(name, "", LEASE_S)

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            with suppress(EngineError):  # it ends by itself
                engine.release(name)
    finally:
        engine.close()
