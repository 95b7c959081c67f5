"""Answered reads, gathered for the journal."""

from __future__ import annotations

import hashlib

from deconflict.identity.caller import Caller
from deconflict.server.reads import ReadBounds, Reads
from deconflict.standards.service import Call, UnavailableError


def call(party: str = "uss1", request: str = "GET /x", body: bytes = b"") -> Call:
    return Call(Caller(party, frozenset(), "", 0), request, body=body)


def fill(reads: Reads, party: str) -> None:
    """Add reads until one is refused; the first is not."""
    reads.add(call(party), ["id"], 0)
    refused = False
    while not refused:
        try:
            reads.add(call(party), ["id"], 1)
        except UnavailableError:
            refused = True


def test_reads_are_kept_in_order_with_each_body_once() -> None:
    reads = Reads()
    body = '{"name":"Jürgen"}'.encode()
    reads.add(call(body=body), ["a", "b"], 1)
    reads.add(call(request="GET /y"), [], 2)
    reads.add(call(body=body), ["a"], 3)
    reads.cut()
    ((batch),) = (cut.batch for cut in reads.ready())
    assert [(read.at_us, read.request, read.shown) for read in batch.reads] == [
        (1, "GET /x", ("a", "b")),
        (2, "GET /y", ()),
        (3, "GET /x", ("a",)),
    ]
    assert batch.bodies == {hashlib.sha256(body).hexdigest(): body.decode()}
    assert batch.reads[0].body_hash == hashlib.sha256(body).hexdigest()
    assert batch.reads[1].body_hash == hashlib.sha256(b"").hexdigest()


def test_a_batch_is_cut_early_when_it_is_full_by_number_or_bytes() -> None:
    reads = Reads(ReadBounds(batch_reads=3, batch_bytes=2_000))
    assert [reads.add(call(), [], n) for n in range(4)] == [False, False, True, False]
    assert reads.add(call("uss2", body=b"x" * 1_000), [], 9) is True
    assert [len(cut.batch.reads) for cut in reads.ready()] == [3, 1]
    assert reads.ready() == []


def test_a_party_whose_reads_fill_its_share_is_refused_and_others_are_not() -> None:
    reads = Reads(ReadBounds(party_bytes=1_000, all_bytes=1_500))
    fill(reads, "uss1")
    assert 500 < reads.waiting() <= 1_000
    fill(reads, "uss2")
    assert 1_000 < reads.waiting() <= 1_500


def test_what_is_journalled_makes_room_again() -> None:
    reads = Reads(ReadBounds(party_bytes=1_000, all_bytes=1_000))
    for turn in range(20):
        reads.add(call(body=b"x" * 100), ["id"] * 5, turn)
        reads.cut()
        for cut in reads.ready():
            reads.kept(cut)
    assert reads.waiting() == 0


def test_a_batch_that_was_not_taken_comes_again() -> None:
    reads = Reads()
    reads.add(call(), ["id"], 1)
    reads.cut()
    (cut,) = reads.ready()
    reads.put_back(cut)
    assert reads.ready() == [cut]
    assert reads.waiting() > 0
