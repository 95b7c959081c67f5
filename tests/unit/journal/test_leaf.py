from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deconflict.journal import leaf
from deconflict.journal.errors import ProofError

RECORD = b'{"v":1,"time_us":1}'


@pytest.fixture
def made(keys):
    signature = leaf.sign(keys.signing, RECORD)
    return leaf.leaf(RECORD, signature, leaf.key_hash(keys.public_key))


def test_a_leaf_has_checksum_signature_and_key_hash_in_128_bytes(made, keys):
    assert len(made) == 128
    assert made[:32] == sha256(sha256(RECORD).digest()).digest()
    assert made[96:] == sha256(keys.public_key).digest()
    leaf.verify_leaf(made, RECORD, keys.public_key)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_a_leaf_without_this_project(made, keys, tmp_path):
    public = keys.signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(public)
    (tmp_path / "signature").write_bytes(made[32:96])
    (tmp_path / "message").write_bytes(b"sigsum.org/v1/tree-leaf\x00" + made[:32])

    def verified():
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
        files = ["-in", "message", "-sigfile", "signature"]
        done = subprocess.run([*command, *files], cwd=tmp_path, capture_output=True)
        return done.returncode == 0

    assert verified()
    (tmp_path / "message").write_bytes(b"sigsum.org/v1/tree-leaf\x00" + bytes(32))
    assert not verified()


@pytest.mark.parametrize("at", range(0, 128, 7))
def test_a_leaf_with_one_altered_byte_is_refused(made, keys, at):
    altered = bytearray(made)
    altered[at] ^= 1
    with pytest.raises(ProofError):
        leaf.verify_leaf(bytes(altered), RECORD, keys.public_key)


def test_a_leaf_of_another_record_another_key_or_length_is_refused(made, keys):
    with pytest.raises(ProofError, match="another record"):
        leaf.verify_leaf(made, RECORD + b" ", keys.public_key)
    with pytest.raises(ProofError, match="another key"):
        leaf.verify_leaf(made, RECORD, bytes(32))
    with pytest.raises(ProofError, match="128 bytes"):
        leaf.verify_leaf(made + b"\0", RECORD, keys.public_key)
