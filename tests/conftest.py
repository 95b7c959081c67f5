"""What all tests share: hypothesis that finds the same examples on every run, and no deadline."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ("serving", "postgres_server", "nats_servers", "several")
"""Running services, nodes, and servers of the engines, for tests of several folders."""

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def long_form() -> bool:
    """Whether a test takes its long form, as `make soak` asks, instead of some seconds."""
    return bool(os.environ.get("DECONFLICT_SOAK"))
