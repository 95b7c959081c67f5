"""Addresses of NATS servers, as they are written and as they must not be shown."""

from __future__ import annotations

import pytest

from deconflict.journal.engine import EngineError
from deconflict.journal.jetstream.address import Address, address


def test_servers_the_stream_and_its_replicas_are_read():
    assert address("nats://one:4111,two/journal?replicas=3") == Address(
        ("one:4111", "two:4222"), "journal", 3
    )


def test_the_stream_has_a_name_if_none_is_given():
    assert address("nats://one").name == address("nats://one/").name == "deconflict"


def test_an_address_of_version_6_keeps_its_colons():
    assert address("nats://[::1],[::1]:4111/a").servers == ("[::1]:4222", "[::1]:4111")


@pytest.mark.parametrize(
    ("written", "user", "password", "token"),
    [
        ("tls://me:pass%40word@one/a", "me", "pass@word", ""),
        ("nats://a%2Ftoken@one/a", "", "", "a/token"),
    ],
)
def test_who_signs_in_is_unescaped_and_not_shown(written, user, password, token):
    read = address(written)
    assert (read.user, read.password, read.token) == (user, password, token)
    assert (password or token) not in repr(read) + read.where


@pytest.mark.parametrize(
    "written",
    [
        "nats://me:not-to-be-seen@/a",
        "nats://me:not-to-be-seen@one:none/a",
        "nats://me:not-to-be-seen@one:70000/a",
        "nats://me:not-to-be-seen@one/a.b",
        "nats://me:not-to-be-seen@one/a?copies=3",
        "nats://me:not-to-be-seen@one/a?replicas=0",
        "nats://me:not/to-be-seen@one/a",
        "http://me:not-to-be-seen@one/a",
    ],
)
def test_what_cannot_be_read_is_refused_without_being_repeated(written):
    with pytest.raises(EngineError) as caught:
        address(written)
    assert "to-be-seen" not in str(caught.value)
