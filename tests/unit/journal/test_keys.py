from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from deconflict.journal.errors import KeyFileError
from deconflict.journal.keys import Keys


@pytest.fixture
def folder(tmp_path):
    Keys.load(tmp_path / "data" / "keys", create=True)
    return tmp_path / "data" / "keys"


def test_keys_are_made_once_and_read_again(folder):
    one, two = Keys.load(folder, create=True), Keys.load(folder, create=False)
    assert one.public_key == two.public_key
    assert one.sealing == two.sealing
    assert len(one.sealing) == 32


def test_keys_are_for_their_owner_alone(folder):
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("signing-key", "sealing-key"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["sealing-key", "signing-key"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_reads_the_signing_key(folder):
    command = ["openssl", "pkey", "-noout", "-text", "-in", folder / "signing-key"]
    done = subprocess.run(command, capture_output=True, text=True)
    shown = "".join(done.stdout.split("pub:")[1].split()).replace(":", "")
    assert shown == Keys.load(folder, create=False).public_key.hex()


def test_two_folders_have_different_keys(folder, tmp_path):
    other = Keys.load(tmp_path / "other", create=True)
    mine = Keys.load(folder, create=False)
    assert other.public_key != mine.public_key
    assert other.sealing != mine.sealing


@pytest.mark.parametrize("name", ["signing-key", "sealing-key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_with_the_command_to_run(folder, name, mode):
    (folder / name).chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {folder / name}"):
        Keys.load(folder, create=True)


def test_a_folder_to_which_others_can_write_is_refused_with_the_command_to_run(folder):
    folder.chmod(0o770)
    with pytest.raises(KeyFileError, match=f"chmod 700 {folder}"):
        Keys.load(folder, create=False)


@pytest.mark.parametrize("name", ["signing-key", "sealing-key"])
@pytest.mark.parametrize("content", [b"", b"\0\xff", b"x" * 10_000, b"aGVsbG8=\n"])
def test_a_damaged_key_is_refused_and_left_as_it_is(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(KeyFileError, match="damaged"):
        Keys.load(folder, create=True)
    assert (folder / name).read_bytes() == content


def test_a_signing_key_of_another_kind_is_refused(folder):
    from cryptography.hazmat.primitives.asymmetric import x25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    other = x25519.X25519PrivateKey.generate()
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing-key").write_bytes(pem)
    with pytest.raises(KeyFileError, match="Ed25519"):
        Keys.load(folder, create=False)


def test_a_lost_sealing_key_is_never_replaced_by_a_new_one(folder):
    (folder / "sealing-key").unlink()
    with pytest.raises(KeyFileError, match="put the file back"):
        Keys.load(folder, create=True)
    assert not (folder / "sealing-key").exists()


def test_a_first_start_that_was_interrupted_is_completed(folder):
    sealing = (folder / "sealing-key").read_bytes()
    (folder / "signing-key").unlink()
    Keys.load(folder, create=True)
    assert (folder / "sealing-key").read_bytes() == sealing


def test_without_leave_to_create_nothing_is_made(tmp_path):
    with pytest.raises(KeyFileError):
        Keys.load(tmp_path / "keys", create=False)
    assert not (tmp_path / "keys").exists()


def test_a_pipe_in_place_of_a_key_is_refused_at_once(folder):
    (folder / "signing-key").unlink()
    os.mkfifo(folder / "signing-key", 0o600)
    with pytest.raises(KeyFileError, match="no ordinary file"):
        Keys.load(folder, create=False)


def test_no_secret_is_shown(folder):
    keys = Keys.load(folder, create=False)
    assert repr(keys.sealing) not in repr(keys)
    assert "sealing" not in repr(keys)


def test_keys_for_two_purposes_tell_nothing_of_each_other(folder):
    keys = Keys.load(folder, create=False)
    assert len({keys.derived("one"), keys.derived("two"), keys.sealing}) == 3
    assert keys.derived("one") == Keys.load(folder, create=False).derived("one")
