"""Several nodes of one service, each started as a user starts it, over one shared engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Service, service_in


class Nodes:
    """Nodes with data folders of their own, the same keys, and the same tokens.

    Parameters
    ----------
    folder
        Where their data folders go.
    journal
        URL of the engine.
    authority_key
        Of the built-in authority that each of them runs.
    arguments
        Of `deconflict serve`, for all of them.
    """

    def __init__(self, folder: Path, journal: str, authority_key: bytes, *arguments: str) -> None:
        self._folder = folder
        self._authority_key = authority_key
        trial = ("--trial",) if journal.startswith("nats") else ()
        self._arguments = ("--journal", journal, *trial, *arguments)
        self.nodes: list[Service] = []

    def add(self, *arguments: str) -> Service:
        """Make one more node, with the keys of the first, and don't start it yet."""
        data = self._folder / f"node{len(self.nodes)}"
        node = service_in(data, self._authority_key, *self._arguments, *arguments)
        if self.nodes:
            shutil.copytree(self.nodes[0].data / "keys", data / "keys", dirs_exist_ok=True)
        self.nodes.append(node)
        return node

    def start(self, count: int, **environment: str) -> list[Service]:
        """Make and start so many nodes, one after the other."""
        return [self.add().start(**environment) for _ in range(count)]

    def close(self) -> None:
        """End them whatever became of them."""
        for node in self.nodes:
            node.close()


@pytest.fixture
def make_nodes(tmp_path: Path, authority_key: bytes) -> Iterator:
    """Return a function that makes a set of nodes over the engine that a URL names."""
    made: list[Nodes] = []

    def make(journal: str, *arguments: str) -> Nodes:
        made.append(Nodes(tmp_path / f"nodes{len(made)}", journal, authority_key, *arguments))
        return made[-1]

    yield make
    for nodes in made:
        nodes.close()
