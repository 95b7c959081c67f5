"""Key sets are fetched from a real server on this machine."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from deconflict.geo.errors import InputError
from deconflict.identity.caller import TokenError
from deconflict.identity.key_source import FetchError, JwksKeys, pem_keys, read_set
from deconflict.identity.verifier import Verifier

NOW = 1_800_000_000


class Issuer:
    """A server whose answer a test sets."""

    def __init__(self):
        self.status, self.headers, self.body, self.asked = 200, {}, b"", 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def publish(self, *keys):
        self.status, self.headers = 200, {}
        self.body = key_set(*keys)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def member(key, kid, **more):
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **more}


def key_set(*keys):
    return json.dumps({"keys": [member(key, kid) for key, kid in keys]}).encode()


def token(key, kid):
    claims = {"iss": "i", "sub": "uss1", "aud": "here", "exp": NOW + 600}
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


@pytest.fixture
def issuer(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Issuer()
    yield server
    server.close()


def refresh(source) -> bool:
    async def once():
        async with httpx.AsyncClient() as client:
            return await source.refresh(client)

    return asyncio.run(once())


def test_keys_are_fetched_and_a_token_is_verified_with_them(issuer, rsa):
    issuer.publish((rsa, "a"))
    source = JwksKeys(issuer.url)
    assert source.describe()["ready"] is False
    assert refresh(source)
    assert source.describe() | {"age_s": 0} == {
        "source": issuer.url,
        "keys": 1,
        "ready": True,
        "age_s": 0,
        "fault": None,
    }
    assert Verifier([source], audiences=["here"]).verify(token(rsa, "a"), NOW).party == "uss1"


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (500, b"", "status 500"),
        (302, b"", "status 302"),
        (200, b"<html>", "no JSON"),
        (200, b"[" * 100_000, "no JSON"),
        (200, b"[]", "no JWK set"),
        (200, b'{"keys":[]}', "no key of a kind"),
        (200, b" " * 300_000, "larger"),
    ],
)
def test_the_last_good_set_stays_when_the_issuer_fails(issuer, rsa, status, body, fault):
    issuer.publish((rsa, "a"))
    source = JwksKeys(issuer.url)
    checked = Verifier([source], audiences=["here"])
    assert refresh(source)
    issuer.status, issuer.body = status, body
    issuer.headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    assert not refresh(source)
    assert fault in source.describe()["fault"]
    assert source.describe()["ready"] is True
    assert checked.verify(token(rsa, "a"), NOW).party == "uss1"


def test_the_last_good_set_stays_when_the_issuer_is_gone(rsa):
    server = Issuer()
    server.publish((rsa, "a"))
    source = JwksKeys(server.url)
    assert refresh(source)
    server.close()
    assert not refresh(source)
    assert "can't be reached" in source.describe()["fault"]
    assert len(source.current()) == 1


def test_a_rotated_key_replaces_the_old_one_at_once(issuer, rsa):
    newer = RSAKey.generate_key(2048)
    issuer.publish((rsa, "a"))
    source = JwksKeys(issuer.url)
    checked = Verifier([source], audiences=["here"])
    refresh(source)
    checked.verify(token(rsa, "a"), NOW)
    issuer.publish((newer, "b"))
    refresh(source)
    assert checked.verify(token(newer, "b"), NOW)
    with pytest.raises(TokenError, match="no key"):
        checked.verify(token(rsa, "a"), NOW)


def test_a_token_with_an_unknown_key_makes_the_set_be_fetched_beside_the_requests(issuer, rsa):
    newer = RSAKey.generate_key(2048)
    issuer.publish((rsa, "a"))

    async def scenario():
        source = JwksKeys(issuer.url, least_apart_s=0)
        changes: asyncio.Queue[int] = asyncio.Queue()
        source.watch(lambda: changes.put_nowait(len(source.current())))
        checked = Verifier([source], audiences=["here"])
        running = asyncio.create_task(source.run())
        await changes.get()
        issuer.publish((rsa, "a"), (newer, "b"))
        with pytest.raises(TokenError):
            checked.verify(token(newer, "b"), NOW)
        assert await changes.get() == 2
        assert checked.verify(token(newer, "b"), NOW).party == "uss1"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert issuer.asked == 2


def test_invented_key_names_do_not_flood_the_issuer(issuer, rsa, monkeypatch):
    issuer.publish((rsa, "a"))
    waits: list[float] = []

    async def scenario():
        source = JwksKeys(issuer.url, least_apart_s=30, clock=lambda: 100.0)
        source.missing()
        asleep = asyncio.Event()

        async def sleep(seconds):
            waits.append(seconds)
            asleep.set()
            await asyncio.Event().wait()

        monkeypatch.setattr("deconflict.identity.key_source.asyncio.sleep", sleep)
        running = asyncio.create_task(source.run())
        await asleep.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert waits == [30]
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://authority.example/jwks.json",
        "ftp://authority.example/jwks.json",
        "https://user:word@authority.example/jwks.json",
        "https://",
        "https://[::1",
        "authority.example",
        "http://127.0.0.1.example/jwks.json",
    ],
)
def test_a_url_that_others_could_answer_is_refused(url):
    with pytest.raises(InputError):
        JwksKeys(url)


@pytest.mark.parametrize(
    "url", ["https://a.example/j", "http://localhost:1/j", "http://127.0.0.1:1/j", "http://[::1]/j"]
)
def test_https_and_this_machine_are_taken(url):
    assert JwksKeys(url).describe()["source"] == url


def test_keys_for_other_uses_are_skipped(rsa, ec, ed):
    members = [
        member(rsa, "a"),
        member(ec, "b"),
        member(ed, "c"),
        member(rsa, "d", use="enc"),
        member(rsa, "e", alg="RS512"),
        member(rsa, "f", key_ops=["encrypt"]),
        member(rsa, 5),
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "XYZ"},
        {},
    ]
    keys, skipped = read_set(json.dumps({"keys": members}).encode())
    assert [key.kid for key in keys] == ["a", "b", "c"]
    assert skipped == len(members) - 3


def test_a_set_that_publishes_a_private_key_is_refused(rsa):
    with pytest.raises(FetchError, match="secret"):
        read_set(json.dumps({"keys": [rsa.as_dict(private=True)]}).encode())


def test_a_set_with_too_many_keys_is_refused(rsa):
    with pytest.raises(FetchError, match="more than 32"):
        read_set(key_set(*[(rsa, str(number)) for number in range(33)]))


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.pem"):
        pem_keys(tmp_path / "missing.pem")


def test_a_key_from_a_file_verifies_whatever_kid_a_token_names(tmp_path, rsa):
    (tmp_path / "key.pem").write_bytes(rsa.as_pem(private=False))
    source = pem_keys(tmp_path / "key.pem")
    asyncio.run(source.run())
    assert Verifier([source], audiences=["here"]).verify(token(rsa, "any"), NOW).party == "uss1"
