"""Which versions of NATS are doubted."""

from __future__ import annotations

import pytest

from deconflict.journal.jetstream.versions import doubt_about


@pytest.mark.parametrize("version", ["2.10.29", "2.10.30", "2.11.0", "2.15.2-binary.1", "3.0.0"])
def test_a_server_of_a_version_that_was_tried_is_not_doubted(version: str):
    assert doubt_about({"one:4222": version}) == ""


@pytest.mark.parametrize(
    "version", ["2.9.10", "2.10.28", "2.10.29-preview.1", "1.20.0", "of an unknown version"]
)
def test_an_older_server_among_others_is_named(version: str):
    doubt = doubt_about({"one:4222": "2.15.2", "two:4222": version})
    assert f"two:4222 is {version}" in doubt
    assert "one:4222" not in doubt


def test_the_oldest_version_to_have_is_named():
    assert "before 2.10.29" in doubt_about({"one:4222": "2.9.10"})
