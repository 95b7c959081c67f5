from __future__ import annotations

import base64
import stat
import subprocess
import sys

import argon2
import pytest

from deconflict.geo.errors import InputError
from deconflict.identity.parties import Parties

SCOPES = ("utm.strategic_coordination",)


@pytest.fixture
def parties(tmp_path):
    return Parties(tmp_path)


def test_a_secret_is_long_verified_and_kept_nowhere(parties, tmp_path):
    secret = parties.add("Relief", SCOPES)
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert parties.verify("Relief", secret).scopes == SCOPES
    content = (tmp_path / "parties.json").read_text()
    assert secret not in content
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in content
    assert stat.S_IMODE((tmp_path / "parties.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("secret", ["", "wrong", "x" * 257])
def test_another_secret_is_refused(parties, secret):
    parties.add("Relief", SCOPES)
    assert parties.verify("Relief", secret) is None


def test_an_unknown_party_costs_as_much_work_as_a_known_one(parties, monkeypatch):
    checked: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self, digest, secret):
        checked.append(digest)
        return verify(self, digest, secret)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    parties.add("Relief", SCOPES)
    assert parties.verify("Relief", "wrong") is None
    assert parties.verify("Nobody", "wrong") is None
    assert parties.verify("Nobody", "x" * 257) is None
    parameters = [argon2.extract_parameters(digest) for digest in checked]
    assert len(parameters) == 3
    assert parameters[0] == parameters[1] == parameters[2]


def test_a_new_secret_replaces_the_old_one(parties):
    old = parties.add("Relief", SCOPES)
    new = parties.rotate("Relief")
    assert parties.verify("Relief", old) is None
    assert parties.verify("Relief", new)


def test_what_another_process_changes_is_seen(parties, tmp_path):
    assert parties.find("Relief") is None
    secret = Parties(tmp_path).add("Relief", SCOPES)
    assert parties.verify("Relief", secret)
    Parties(tmp_path).remove("Relief")
    assert parties.verify("Relief", secret) is None
    (tmp_path / "parties.json").unlink()
    assert parties.all() == ()


@pytest.mark.parametrize("name", ["", "a\n", "a:b", "a%b", "a+b", "a/b", " a", "x" * 201])
def test_an_unfit_name_is_refused(parties, name):
    with pytest.raises(InputError):
        parties.add(name, SCOPES)


@pytest.mark.parametrize("scopes", [(), ("two words",), ("",)])
def test_an_unfit_scope_is_refused(parties, scopes):
    with pytest.raises(InputError):
        parties.add("Relief", scopes)


def test_a_party_is_added_once_and_must_be_there_to_be_changed(parties):
    parties.add("Relief", SCOPES)
    with pytest.raises(InputError, match="already"):
        parties.add("Relief", SCOPES)
    for change in (parties.remove, parties.rotate):
        with pytest.raises(InputError, match="no party"):
            change("Nobody")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"version":2,"parties":[]}', b'{"version":1,"parties":[],"x":1}']
)
def test_a_damaged_file_is_refused_and_not_replaced(parties, tmp_path, content):
    path = tmp_path / "parties.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match=r"parties\.json"):
        parties.add("Relief", SCOPES)
    with pytest.raises(InputError, match=r"parties\.json"):
        parties.find("Relief")
    assert path.read_bytes() == content


def test_two_processes_that_add_at_once_lose_nobody(tmp_path):
    program = (
        "import sys; from pathlib import Path; from deconflict.identity.parties import Parties\n"
        "for n in range(8): Parties(Path(sys.argv[1])).add(f'{sys.argv[2]}{n}', ['a'])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in "ab"
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert [party.name for party in Parties(tmp_path).all()] == [
        f"{name}{number}" for name in "ab" for number in range(8)
    ]
