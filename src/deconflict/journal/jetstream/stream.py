"""The three streams of a journal, and whether they are as they must be.

==============  ==================================  ==============================================
stream          subjects                            what
==============  ==================================  ==============================================
``NAME``        ``NAME.entries``, ``NAME.barrier``  a group each; quorum writes that say nothing
``NAME-keys``   ``NAME.keys.<hex>.key``, ``.end``   a wrapped key each; the mark behind which it is
                                                    destroyed
``NAME-meta``   ``NAME.meta.first``, ``.lease``     the first position that is kept; who decides
==============  ==================================  ==============================================

Nothing is ever purged from them: a server before 2.9.18 that starts again takes a purge of some
messages for one of all that were there by then (nats-server, issue 4196). Messages go by
themselves (`MSG.DELETE`), or with one that rolls up its subject.
"""

from __future__ import annotations

from typing import Any, Final

from deconflict.journal.engine import EngineError
from deconflict.journal.jetstream.address import Address
from deconflict.journal.jetstream.failure import (
    NO_PEERS,
    REPLICAS_UNCLUSTERED,
    STREAM_NOT_FOUND,
    RefusalError,
    failure,
)
from deconflict.journal.jetstream.link import Link

USUAL_REPLICAS: Final = 3
_REQUIRED: Final[dict[str, Any]] = {
    "retention": "limits",
    "storage": "file",
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msg_size": -1,
}


class Names:
    """What the streams and subjects of a journal are called.

    Parameters
    ----------
    name
        The journal's.
    """

    def __init__(self, name: str) -> None:
        self.journal = name
        self.keys = f"{name}-keys"
        self.meta = f"{name}-meta"
        self.entries = f"{name}.entries"
        self.barrier = f"{name}.barrier"
        self.any = f"{name}.*"
        self.first = f"{name}.meta.first"
        self.lease = f"{name}.meta.lease"
        self.appended = f"{name}.appended"
        """No stream takes it: it wakes who waits."""

    def key(self, key_id: bytes) -> str:
        """Return the subject of a wrapped key."""
        return f"{self.journal}.keys.{key_id.hex()}.key"

    def key_end(self, key_id: bytes) -> str:
        """Return the subject of the mark behind which all of a wrapped key is destroyed."""
        return f"{self.journal}.keys.{key_id.hex()}.end"

    def key_any(self, key_id: bytes) -> str:
        """Return the subject of both."""
        return f"{self.journal}.keys.{key_id.hex()}.*"


async def make(link: Link, names: Names) -> None:
    """Make the streams that are not there.

    Raises
    ------
    EngineError
        If there are too few servers for the replicas.
    """
    for name, subjects, newest in (
        (names.keys, [f"{names.journal}.keys.*.*"], False),
        (names.meta, [f"{names.journal}.meta.*"], True),
        # The last one: a journal that was made halfway is made to its end the next time.
        (names.journal, [names.entries, names.barrier], False),
    ):
        if await _config(link, name) is None:
            await _make(link, name, subjects, newest=newest)


async def recognise(link: Link, names: Names) -> None:
    """Make sure that the streams are there and keep everything that is put into them.

    Raises
    ------
    EngineError
        If there is no journal, or one whose settings could lose or refuse entries.
    """
    for name in (names.journal, names.keys, names.meta):
        config = await _config(link, name)
        if config is None:
            raise EngineError(
                f"NATS at {link.where} holds no journal: there is no stream {name}; see that "
                "the address names the right one"
            )
        for setting, wanted in _REQUIRED.items():
            if config.get(setting, wanted) != wanted:
                raise EngineError(
                    f"the stream {name} of NATS at {link.where} is no place for a journal: its "
                    f"{setting} is {config[setting]!r}, and it must be {wanted!r}"
                )
        if name == names.journal and not config.get("allow_rollup_hdrs"):
            raise EngineError(
                f"the stream {name} of NATS at {link.where} is no place for a journal: it refuses "
                "the messages that take the place of older ones; set allow_rollup_hdrs"
            )
        if name == names.journal and config.get("discard") != "new":
            raise EngineError(
                f"the stream {name} of NATS at {link.where} is no place for a journal: it throws "
                "old entries away when it is full; set its discard policy to new"
            )
        asked, there = link.address.replicas, config.get("num_replicas", 1)
        if asked is not None and asked != there:
            raise EngineError(
                f"the stream {name} of NATS at {link.where} has {there} replicas, and {asked} are "
                "asked for: change one of the two (nats stream edit --replicas)"
            )


async def _config(link: Link, name: str) -> dict[str, Any] | None:
    try:
        return dict((await link.api(f"STREAM.INFO.{name}"))["config"])
    except RefusalError as error:
        if error.code == STREAM_NOT_FOUND:
            return None
        raise failure(error, link.where, "the journal was not opened") from error


async def _make(link: Link, name: str, subjects: list[str], *, newest: bool) -> None:
    replicas = link.address.replicas or USUAL_REPLICAS
    config = {
        **_REQUIRED,
        "name": name,
        "subjects": subjects,
        "discard": "old" if newest else "new",
        "max_msgs_per_subject": 1 if newest else -1,
        "max_consumers": -1,
        "num_replicas": replicas,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
    }
    try:
        await link.api(f"STREAM.CREATE.{name}", config)
    except RefusalError as error:
        if error.code in {NO_PEERS, REPLICAS_UNCLUSTERED}:
            raise _too_few(link.address, replicas, error) from error
        raise failure(error, link.where, "no journal was made") from error


def _too_few(address: Address, replicas: int, error: RefusalError) -> EngineError:
    return EngineError(
        f"no journal was made: NATS at {address.where} has fewer than {replicas} servers that "
        f"could keep a copy each ({error}); start a cluster of three, or ask for one copy with "
        "?replicas=1 and accept that it is lost with its disk"
    )
