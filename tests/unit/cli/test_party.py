from __future__ import annotations

import json
import shutil

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deconflict.cli.main import run
from deconflict.cli.status import ExitStatus
from deconflict.identity.authority import KEY_PATH, Authority
from deconflict.identity.parties import Parties


@pytest.fixture(scope="module")
def authority_key(tmp_path_factory):
    """A key made once: making one takes a second."""
    folder = tmp_path_factory.mktemp("authority")
    Authority.open(folder, create=True)
    return folder / KEY_PATH


@pytest.fixture
def said(tmp_path, monkeypatch, capsysbinary, authority_key):
    (tmp_path / KEY_PATH).parent.mkdir()
    shutil.copy(authority_key, tmp_path / KEY_PATH)
    monkeypatch.setenv("DECONFLICT_DATA", str(tmp_path))

    def command(*words):
        status = run(words)
        output = capsysbinary.readouterr()
        return status, output.out.decode(), output.err.decode()

    return command


def test_a_party_is_added_listed_renewed_and_removed(said, tmp_path):
    status, out, _ = said("party", "add", "Relief", "--json")
    credentials = json.loads(out)
    assert (status, credentials["client_id"]) == (ExitStatus.CLEAR, "Relief")
    assert Parties(tmp_path).verify("Relief", credentials["client_secret"])
    assert said("party", "list")[1] == "Relief  utm.strategic_coordination\n"
    status, out, _ = said("party", "rotate", "Relief")
    assert "won't be shown again" in out
    assert credentials["client_secret"] not in out
    assert Parties(tmp_path).verify("Relief", credentials["client_secret"]) is None
    assert said("party", "remove", "Relief")[0] == ExitStatus.CLEAR
    assert json.loads(said("party", "list", "--json")[1]) == []


def test_a_scope_that_opens_nothing_here_is_told_with_the_nearest_that_does(said):
    status, out, err = said("party", "add", "Relief", "--scope", "utm.stratgic", "--json")
    assert status == ExitStatus.CLEAR
    assert json.loads(out)["client_id"] == "Relief"
    assert err.count("\n") == 1
    assert "utm.stratgic, so it opens nothing here" in err
    assert "utm.strategic_coordination" in err
    known = ("utm.constraint_management", "deconflict.metrics")
    assert said("party", "add", "Other", "--scope", *known)[2] == ""


def test_a_party_that_is_not_there_is_named(said):
    assert "there is no party called 'Nobody'" in said("party", "remove", "Nobody")[2]


def test_a_party_that_is_there_already_is_refused_in_one_line(said):
    said("party", "add", "Relief")
    status, out, err = said("party", "add", "Relief")
    assert (status, out, err.count("\n")) == (ExitStatus.BAD_INPUT, "", 1)
    assert "party rotate" in err


def test_a_token_is_printed_that_others_can_verify(said, tmp_path):
    said("party", "add", "Relief", "--scope", "a", "b")
    status, out, _ = said("token", "Relief", "--scope", "a", "--audience", "dss.example.com")
    assert status == ExitStatus.CLEAR
    keys = KeySet.import_key_set(Authority.open(tmp_path, create=False).jwks())
    claims = jwt.decode(out.strip(), keys).claims
    assert (claims["sub"], claims["scope"], claims["aud"]) == ("Relief", "a", "dss.example.com")
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize(
    "words",
    [
        ("token", "Nobody"),
        ("token", "Relief", "--scope", "other"),
        ("token", "Relief", "--lifetime", "3601"),
        ("token", "Relief", "--audience", ""),
        ("party", "remove", "Nobody"),
        ("party", "rotate", "Nobody"),
        ("party", "add", "a:b"),
        ("party", "add", "New", "--scope", "two words"),
    ],
)
def test_what_can_not_be_done_is_refused_in_one_line(said, words):
    said("party", "add", "Relief")
    status, out, err = said(*words)
    assert (status, out, err.count("\n")) == (ExitStatus.BAD_INPUT, "", 1)
