"""What the metrics read off a running node whenever they are asked for."""

from __future__ import annotations

from deconflict.journal.location import JOURNAL
from deconflict.server.limits import Limits
from deconflict.server.logs import LineWriter
from deconflict.server.metrics import Metrics
from deconflict.server.node import Node

_FILES = {"journal": "", "write_ahead_log": "-wal"}
"""What is added to the name of the journal for the name of each of its files."""


def watch(metrics: Metrics, node: Node, limits: Limits, writer: LineWriter) -> None:
    """Have the metrics read a node's figures."""
    register, log = node.folder.register, node.folder.log
    metrics.gauge("registered", "What the register holds.", register.counts)
    metrics.counter(
        "index_queries",
        "How often an index of the register was asked what meets some volumes.",
        register.queries,
    )
    metrics.gauge(
        "journal_entries",
        "Entries of the journal, and those that are still kept.",
        lambda: {"head": register.head, "kept": register.head - log.first()},
    )
    if not node.folder.engine.shared:
        metrics.gauge("journal_bytes", "Size of the journal's files.", lambda: _sizes(node))
    metrics.gauge(
        "sequencer",
        "Whether this node decides: 1, or 0 where another one does.",
        lambda: {"here": float(node.coordinator.leads)},
    )
    metrics.gauge(
        "open",
        "Connections, requests being answered, commands waiting, lines of the log lost.",
        lambda: {
            "connections": limits.connections.total,
            "requests": limits.in_flight.total,
            "commands": node.coordinator.health().queued,
            "log_lines_lost": writer.dropped,
        },
    )
    metrics.gauge(
        "uncovered_seconds",
        "For how long something committed waits for its checkpoint.",
        lambda: {"checkpoint": node.checkpoints.lag_s()},
    )


def _sizes(node: Node) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for kind, suffix in _FILES.items():
        path = node.folder.path / (JOURNAL + suffix)
        sizes[kind] = path.stat().st_size if path.exists() else 0
    return sizes
