from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.journal import checkpoint
from deconflict.journal.checkpoint import Checkpoint
from deconflict.journal.errors import ProofError
from deconflict.journal.keys import Keys
from deconflict.journal.note import parse_note

# The example of C2SP tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_published_example_is_read_and_written_unchanged():
    found = checkpoint.parse_checkpoint(EXAMPLE)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text() == EXAMPLE


def test_lines_behind_the_third_are_left_to_others():
    assert checkpoint.parse_checkpoint(EXAMPLE + "more\n").size == 20852163


def test_the_origin_is_that_by_which_sigsum_knows_the_log(keys):
    expected = "sigsum.org/v1/tree/" + sha256(keys.public_key).hexdigest()
    assert checkpoint.origin(keys.public_key) == expected
    signed = Checkpoint(expected, 3, bytes(32)).sign(keys.signing)
    assert parse_note(signed).signatures[0].name == expected


@given(data=st.data())
def test_a_signed_checkpoint_is_believed_and_an_altered_one_is_not(data, tmp_path_factory):
    keys = Keys.load(tmp_path_factory.getbasetemp() / "checkpoint-keys", create=True)
    made = Checkpoint(checkpoint.origin(keys.public_key), 12, bytes(range(32)))
    signed = made.sign(keys.signing)
    assert checkpoint.verify_checkpoint(signed, keys.public_key) == made
    altered = bytearray(signed)
    altered[data.draw(st.integers(0, len(signed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProofError):
        checkpoint.verify_checkpoint(bytes(altered), keys.public_key)


def test_the_checkpoint_of_another_log_is_refused(keys, tmp_path):
    other = Keys.load(tmp_path / "other", create=True)
    signed = Checkpoint(checkpoint.origin(other.public_key), 1, bytes(32)).sign(other.signing)
    with pytest.raises(ProofError, match="of the log"):
        checkpoint.verify_checkpoint(signed, keys.public_key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one\n2\n",
        EXAMPLE[:-1],
        EXAMPLE.replace("20852163", "020852163"),
        EXAMPLE.replace("20852163", "-1"),
        EXAMPLE.replace("20852163", "٣"),
        EXAMPLE.replace("20852163", "1e3"),
        EXAMPLE.replace("CsUY", "CsU"),
        EXAMPLE.replace("CsUY", ""),
        EXAMPLE.replace("q2I=", "q2J="),
        "\n" + EXAMPLE,
        EXAMPLE + "\nmore\n",
    ],
)
def test_whatever_is_no_checkpoint_is_refused(text):
    with pytest.raises(ProofError):
        checkpoint.parse_checkpoint(text)
