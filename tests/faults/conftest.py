"""A court for each fault: a service, and witnesses of what it answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Service, service_in
from witness import Court

QUIET = ("--log-requests", "failed")


@pytest.fixture
def court_in(authority_key) -> Iterator:
    """Return a function that starts a service in a folder and calls its witnesses."""
    made: list[Service] = []

    def start(data: Path, *arguments: str, **environment: str) -> Court:
        made.append(service_in(data, authority_key, *QUIET, *arguments))
        made[-1].start(**environment)
        return Court(made[-1])

    yield start
    for service in made:
        service.close()


@pytest.fixture
def court(court_in, tmp_path: Path) -> Court:
    """Return the witnesses of a service of their own."""
    return court_in(tmp_path / "data")
