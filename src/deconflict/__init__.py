"""Keeps parties that share air and ground out of each other's way.

The names below are the library's public face; each loads its module when it is first used, so
that importing the package costs nothing.

Positions: `read_position`, `read_positions`, `notations`, `compare`. Volumes: `Volume4D` with a
`Polygon`, `Circle` or `Route`, an `AltitudeBand` and a window; `separation`, `meets`,
`containment`, and `clears`: what would end a conflict. Many volumes: `Index` for one at a time,
`sweep` for all pairs of a `VolumeTable`.
Entities and rules: `Entity`, `check`, `load_rules`. Files: `read_file`, `read_files`,
`write_file`. Bad input raises `InputError`.
The record: `Register`, `decide` and its commands; `Log` over a `SqliteEngine` with `Keys`, and
`verify_checkpoint`, `verify_inclusion`, `verify_consistency`, `verify_leaf` for those who hold
proofs of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deconflict.files import FilesRead, read_file, read_files, write_file
    from deconflict.formats.reading import Defaults, Limits, Problem, ReadResult
    from deconflict.geo.clearance import clears
    from deconflict.geo.containment import Containment, containment
    from deconflict.geo.errors import AmbiguousTextError, InputError
    from deconflict.geo.height import (
        AltitudeBand,
        AltitudeReference,
        Height,
        read_height,
        to_ellipsoid,
    )
    from deconflict.geo.index import Index
    from deconflict.geo.mistake import Comparison, Mistake, compare
    from deconflict.geo.packed.table import VolumeTable
    from deconflict.geo.position import LatLon, Notation, Position
    from deconflict.geo.reader import read_position, read_positions
    from deconflict.geo.separation import Separation, meets, separation
    from deconflict.geo.sweep import sweep
    from deconflict.geo.volume import Circle, Polygon, Route, Volume4D
    from deconflict.geo.writer import notations
    from deconflict.journal.checkpoint import Checkpoint, verify_checkpoint
    from deconflict.journal.engine import EngineError, NoSpaceError, Outcome
    from deconflict.journal.entry import Entry, Part, salts
    from deconflict.journal.errors import LogError, ProofError
    from deconflict.journal.keys import Keys
    from deconflict.journal.leaf import leaf, verify_leaf
    from deconflict.journal.log import Log
    from deconflict.journal.merkle import leaf_hash, verify_consistency, verify_inclusion
    from deconflict.journal.opened import Opened
    from deconflict.journal.sqlite.engine import SqliteEngine
    from deconflict.register.check import check
    from deconflict.register.command import (
        ENTROPY_BYTES,
        Command,
        PutOperation,
        PutSubscription,
        PutZone,
        RemoveOperation,
        RemoveSubscription,
        RemoveZone,
    )
    from deconflict.register.decide import decide
    from deconflict.register.decision import Decision, Refusal
    from deconflict.register.entity import Entity, Kind, ZoneRule
    from deconflict.register.event import Decided, decode_decided, encode_decided
    from deconflict.register.report import Check, Conflict, Doubt, Overlap, Report, Shift, Verdict
    from deconflict.register.rules import Rules, default_rules, load_rules
    from deconflict.register.state.held import State
    from deconflict.register.state.register import Register

__version__ = "0.1.0"

_HOMES = {
    "deconflict.files": ("FilesRead", "read_file", "read_files", "write_file"),
    "deconflict.formats.reading": ("Defaults", "Limits", "Problem", "ReadResult"),
    "deconflict.geo.clearance": ("clears",),
    "deconflict.geo.containment": ("Containment", "containment"),
    "deconflict.geo.errors": ("AmbiguousTextError", "InputError"),
    "deconflict.geo.height": (
        "AltitudeBand",
        "AltitudeReference",
        "Height",
        "read_height",
        "to_ellipsoid",
    ),
    "deconflict.geo.index": ("Index",),
    "deconflict.geo.mistake": ("Comparison", "Mistake", "compare"),
    "deconflict.geo.position": ("LatLon", "Notation", "Position"),
    "deconflict.geo.reader": ("read_position", "read_positions"),
    "deconflict.geo.separation": ("Separation", "meets", "separation"),
    "deconflict.geo.sweep": ("sweep",),
    "deconflict.geo.packed.table": ("VolumeTable",),
    "deconflict.geo.volume": ("Circle", "Polygon", "Route", "Volume4D"),
    "deconflict.geo.writer": ("notations",),
    "deconflict.journal.checkpoint": ("Checkpoint", "verify_checkpoint"),
    "deconflict.journal.engine": ("EngineError", "NoSpaceError", "Outcome"),
    "deconflict.journal.entry": ("Entry", "Part", "salts"),
    "deconflict.journal.errors": ("LogError", "ProofError"),
    "deconflict.journal.keys": ("Keys",),
    "deconflict.journal.leaf": ("leaf", "verify_leaf"),
    "deconflict.journal.log": ("Log",),
    "deconflict.journal.merkle": ("leaf_hash", "verify_consistency", "verify_inclusion"),
    "deconflict.journal.opened": ("Opened",),
    "deconflict.journal.sqlite.engine": ("SqliteEngine",),
    "deconflict.register.check": ("check",),
    "deconflict.register.command": (
        "ENTROPY_BYTES",
        "Command",
        "PutOperation",
        "PutSubscription",
        "PutZone",
        "RemoveOperation",
        "RemoveSubscription",
        "RemoveZone",
    ),
    "deconflict.register.decide": ("decide",),
    "deconflict.register.decision": ("Decision", "Refusal"),
    "deconflict.register.entity": ("Entity", "Kind", "ZoneRule"),
    "deconflict.register.event": ("Decided", "decode_decided", "encode_decided"),
    "deconflict.register.report": (
        "Check",
        "Conflict",
        "Doubt",
        "Overlap",
        "Report",
        "Shift",
        "Verdict",
    ),
    "deconflict.register.rules": ("Rules", "default_rules", "load_rules"),
    "deconflict.register.state.held": ("State",),
    "deconflict.register.state.register": ("Register",),
}
"""Which module each public name lives in."""

__all__ = [  # noqa: PLE0604 - the names of the table above
    "__version__",
    *sorted(name for names in _HOMES.values() for name in names),
]


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'deconflict' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
