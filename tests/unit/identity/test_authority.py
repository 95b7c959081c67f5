from __future__ import annotations

import stat
import subprocess
import sys

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deconflict.geo.errors import InputError
from deconflict.identity.authority import KEY_PATH, Authority, audience_of
from deconflict.identity.verifier import Verifier

NOW = 1_800_000_000
SCOPES = ["utm.strategic_coordination"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority") / "data"
    Authority.open(folder, create=True)
    return folder


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_is_made_once_and_for_its_owner_alone(data):
    before = (data / KEY_PATH).read_bytes()
    Authority.open(data, create=True)
    assert (data / KEY_PATH).read_bytes() == before
    assert mode(data / KEY_PATH) == 0o600
    assert mode(data / KEY_PATH.parent) == mode(data) == 0o700
    assert [path.name for path in (data / KEY_PATH).parent.iterdir()] == [KEY_PATH.name]


def test_a_key_that_others_may_read_is_refused(data, tmp_path):
    path = tmp_path / KEY_PATH
    path.parent.mkdir(parents=True)
    path.write_bytes((data / KEY_PATH).read_bytes())
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        Authority.open(tmp_path, create=True)


def test_no_key_is_made_where_none_may_be(tmp_path):
    with pytest.raises(InputError, match="party add"):
        Authority.open(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_none_is_refused_and_kept(tmp_path, ec):
    path = tmp_path / KEY_PATH
    path.parent.mkdir(parents=True)
    for content in (b"nonsense", ec.as_pem(private=True)):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(InputError, match="right file"):
            Authority.open(tmp_path, create=True)
        assert path.read_bytes() == content


def test_its_tokens_are_verified_here_and_by_others(data):
    authority = Authority.open(data, issuer="https://dss.example.com", create=False)
    token = authority.issue("Médecins", SCOPES, "dss.example.com", NOW, 3600)
    verifier = Verifier([authority.source()], audiences=["dss.example.com"])
    caller = verifier.verify(token, NOW)
    assert (caller.party, caller.scopes) == ("Médecins", frozenset(SCOPES))
    assert (caller.issuer, caller.expires_s) == ("https://dss.example.com", NOW + 3600)
    # another library, with the published key alone
    claims = jwt.decode(token, KeySet.import_key_set(authority.jwks())).claims
    assert claims["sub"] == "Médecins"
    assert len(claims["jti"]) >= 20


def test_no_two_tokens_are_the_same(data):
    authority = Authority.open(data, create=False)
    assert authority.issue("a", SCOPES, "x", NOW, 60) != authority.issue("a", SCOPES, "x", NOW, 60)


def test_the_published_key_holds_nothing_private(data):
    (key,) = Authority.open(data, create=False).jwks()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}


def test_the_metadata_names_where_to_ask(data):
    metadata = Authority.open(data, create=False).metadata("https://dss.example.com/")
    assert metadata["token_endpoint"] == "https://dss.example.com/oauth/token"  # noqa: S105
    assert metadata["grant_types_supported"] == ["client_credentials"]


@pytest.mark.parametrize(
    ("party", "scopes", "audience", "lifetime_s"),
    [
        ("", SCOPES, "x", 60),
        ("a\n", SCOPES, "x", 60),
        ("a", ["two words"], "x", 60),
        ("a", SCOPES, "", 60),
        ("a", SCOPES, [], 60),
        ("a", SCOPES, "two words", 60),
        ("a", SCOPES, "x", 0),
        ("a", SCOPES, "x", 3601),
    ],
)
def test_a_token_that_no_service_would_take_is_not_made(data, party, scopes, audience, lifetime_s):
    with pytest.raises(InputError):
        Authority.open(data, create=False).issue(party, scopes, audience, NOW, lifetime_s)


@pytest.mark.parametrize(
    ("target", "audience"),
    [
        ("https://dss.example.com:8888/rid/v2", "dss.example.com"),
        ("dss.example.com", "dss.example.com"),
        ("https://[::1]:8/", "::1"),
    ],
)
def test_a_url_stands_for_its_host(target, audience):
    assert audience_of(target) == audience


def test_two_processes_that_start_at_once_use_one_key(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from deconflict.identity.authority import Authority\n"
        "key = Authority.open(Path(sys.argv[1]), create=True).jwks()['keys'][0]\n"
        "print(key['kid'])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    first, second = (process.communicate(timeout=60)[0] for process in processes)
    assert first == second != b""
