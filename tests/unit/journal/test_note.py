from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deconflict.journal.errors import ProofError
from deconflict.journal.note import MAX_SIGNATURES, Note, NoteKey, parse_note

# The example of golang.org/x/mod/sumdb/note, byte for byte.
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
    "ngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTG"
    "wnWLox33WWd1RvMc+QQ=\n"
)
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"


def key(text):
    name, _, encoded = text.split("+", 2)
    return NoteKey(name, base64.b64decode(encoded)[1:])


def test_the_published_note_is_made_byte_for_byte():
    signed = Note(TEXT).signed(Ed25519PrivateKey.from_private_bytes(PETER_SEED), "PeterNeumann")
    assert signed.encode().decode() == f"{TEXT}\n{PETER}"


@pytest.mark.parametrize("text", [PETER_KEY, ENOCH_KEY])
def test_a_key_is_written_as_published(text):
    assert str(key(text)) == text


def test_a_note_with_two_signatures_keeps_both_and_each_verifies():
    content = f"{TEXT}\n{PETER}{ENOCH}".encode()
    note = parse_note(content)
    note.verify(key(PETER_KEY))
    note.verify(key(ENOCH_KEY))
    assert note.encode() == content


def test_signatures_of_unknown_keys_are_kept_and_prove_nothing():
    note = parse_note(f"{TEXT}\n{PETER}".encode())
    with pytest.raises(ProofError, match="no signature of EnochRoot"):
        note.verify(key(ENOCH_KEY))
    with pytest.raises(ProofError, match="no signature of PeterNeumann"):
        note.verify(NoteKey("PeterNeumann", bytes(32)))


def test_a_text_may_hold_empty_lines():
    private = Ed25519PrivateKey.from_private_bytes(PETER_SEED)
    signed = Note("one\n\ntwo\n").signed(private, "PeterNeumann")
    assert parse_note(signed.encode()) == signed


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_note_with_any_byte_altered_is_refused(at, mask):
    content = bytearray(f"{TEXT}\n{PETER}".encode())
    content[at % len(content)] ^= mask
    with pytest.raises(ProofError):
        parse_note(bytes(content)).verify(key(PETER_KEY))


@given(st.binary(max_size=200))
def test_whatever_is_no_note_is_refused_as_such(content):
    with pytest.raises(ProofError):
        parse_note(content).verify(key(PETER_KEY))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (TEXT + PETER, "empty line"),
        (f"{TEXT}\n{PETER}"[:-1], "cut off"),
        (f"{TEXT}\t\n\n{PETER}", "control"),
        (f"{TEXT}\n{PETER}x\n", "no signature"),
        (f"{TEXT}\n\u2014 a+b x08g\n", "base64|name|short"),
        (f"{TEXT}\n\u2014 a !!!!\n", "base64"),
        (f"{TEXT}\n\u2014 a x08g\n", "short"),
        (f"{TEXT}\n" + PETER * (MAX_SIGNATURES + 1), "more than"),
    ],
)
def test_a_malformed_note_is_refused_with_its_reason(content, match):
    with pytest.raises(ProofError, match=match):
        parse_note(content.encode())


@pytest.mark.parametrize("name", ["", "two words", "plus+sign", "wide\u2003space"])
def test_no_note_is_signed_under_a_name_that_no_reader_takes(name):
    with pytest.raises(ProofError, match="name"):
        Note(TEXT).signed(Ed25519PrivateKey.generate(), name)
