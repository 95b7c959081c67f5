from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import quote, urlencode

import pytest

from deconflict.identity.authority import Authority
from deconflict.identity.guessing import SecretCheck, Throttle, TryLaterError
from deconflict.identity.parties import Parties, Party
from deconflict.identity.token_endpoint import TokenEndpoint
from deconflict.identity.verifier import Verifier

NOW = 1_800_000_000
FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}
NAME = "Médecins Sans"


class Deployment:
    def __init__(self, data):
        self.parties = Parties(data)
        self.secret = self.parties.add(NAME, ["a", "b"])
        self.authority = Authority.open(data, create=True)
        self.verifier = Verifier([self.authority.source()], audiences=["here", "peer.example"])


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    return Deployment(tmp_path_factory.mktemp("data"))


@pytest.fixture
def ask(deployment):
    check = SecretCheck(deployment.parties)
    endpoint = TokenEndpoint(deployment.authority, check, audience="here")

    def asked(form, *, authorization=None, content_type=FORM, address="192.0.2.1"):
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        reply = asyncio.run(
            endpoint.answer(
                content_type=content_type,
                authorization=authorization,
                body=body,
                address=address,
                now_s=NOW,
            )
        )
        return reply.status, dict(reply.headers), json.loads(reply.body)

    yield asked
    check.close()


def basic(name, secret, encode=quote):
    return "Basic " + base64.b64encode(f"{encode(name)}:{encode(secret)}".encode()).decode()


def test_a_secret_in_the_form_gives_a_token_that_is_verified(deployment, ask):
    form = GRANT | {"client_id": NAME, "client_secret": deployment.secret, "scope": "a"}
    status, headers, answer = ask(form)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "application/json"
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 1800, "a")
    caller = deployment.verifier.verify(answer["access_token"], NOW)
    assert (caller.party, caller.scopes) == (NAME, frozenset("a"))


@pytest.mark.parametrize("encode", [quote, str])
def test_a_secret_in_the_header_gives_a_token_encoded_or_not(deployment, ask, encode):
    status, _, answer = ask(GRANT, authorization=basic(NAME, deployment.secret, encode))
    assert (status, answer["scope"]) == (200, "a b")


@pytest.mark.parametrize("field", ["audience", "resource"])
def test_a_token_is_for_the_service_that_was_asked_for(deployment, ask, field):
    form = GRANT | {field: "https://peer.example:443/x"}
    _, _, answer = ask(form, authorization=basic(NAME, deployment.secret))
    peer = Verifier([deployment.authority.source()], audiences=["peer.example"])
    assert peer.verify(answer["access_token"], NOW).party == NAME


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        (GRANT | {"scope": "c"}, 400, "invalid_scope"),
        (GRANT | {"scope": 'a"'}, 400, "invalid_scope"),
        (GRANT | {"audience": "two words"}, 400, "invalid_target"),
        (GRANT | {"resource": "https://"}, 400, "invalid_target"),
        (GRANT | {"client_secret": "x"}, 400, "invalid_request"),
        (GRANT | {"client_id": "other"}, 400, "invalid_request"),
        (b"grant_type=client_credentials&scope=a&scope=b", 400, "invalid_request"),
        (b"grant_type=%ff", 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
        (b"a=1&" * 40, 400, "invalid_request"),
        (b"a=" + b"x" * 20_000, 413, "invalid_request"),
    ],
)
def test_a_form_that_is_wrong_is_answered_as_the_rfc_says(deployment, ask, form, status, error):
    answered, headers, answer = ask(form, authorization=basic(NAME, deployment.secret))
    assert (answered, answer["error"]) == (status, error)
    assert headers["cache-control"] == "no-store"
    assert deployment.secret not in answer["error_description"]


def test_another_content_type_is_refused(deployment, ask):
    answered = ask(
        GRANT,
        authorization=basic(NAME, deployment.secret),
        content_type="application/json",
    )
    assert answered[0] == 400


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer " + base64.b64encode(b"a:b").decode(),
        basic("Nobody", "x"),
        basic(NAME, "wrong"),
        basic("a\n", "x"),
        basic(NAME, "x" * 300),
    ],
)
def test_a_client_that_proves_nothing_is_challenged_and_told_nothing(ask, authorization):
    status, headers, answer = ask(GRANT, authorization=authorization)
    assert (status, answer["error"]) == (401, "invalid_client")
    assert headers["www-authenticate"].startswith("Basic ")
    assert answer["error_description"].startswith("the client's name or secret is missing or wrong")


def test_guessing_has_to_wait_and_other_addresses_do_not(deployment, ask):
    right = basic(NAME, deployment.secret)
    statuses = [ask(GRANT, authorization=basic(NAME, "wrong"))[0] for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    status, headers, _ = ask(GRANT, authorization=right)
    assert (status, headers["retry-after"]) == (429, "1")
    assert ask(GRANT, authorization=right, address="192.0.2.2")[0] == 200


def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour():
    throttle = Throttle(2)
    waits = []
    for _ in range(14):
        throttle.failed("x", NOW)
        waits.append(throttle.wait_s("x", NOW))
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert throttle.wait_s("x", NOW + 899) == 1
    assert throttle.wait_s("x", NOW + 900) == 0
    throttle.failed("x", NOW + 1801)
    assert throttle.wait_s("x", NOW + 1801) == 0


def test_the_memory_of_failures_is_bounded():
    throttle = Throttle(1, most_remembered=3)
    for name in "abcd":
        throttle.failed(name, NOW)
    assert [throttle.wait_s(name, NOW) > 0 for name in "abcd"] == [False, True, True, True]


class Slow:
    """Parties whose check waits until a test lets it go."""

    def __init__(self):
        import threading

        self.gate = threading.Event()

    def verify(self, name, secret):
        assert secret
        self.gate.wait()
        return Party(name, (), "")


def test_checks_that_pile_up_are_refused_and_the_loop_stays_free():
    async def scenario():
        parties = Slow()
        check = SecretCheck(parties)
        tasks = [
            asyncio.create_task(check.check("a", "x", f"192.0.2.{number}", NOW))
            for number in range(16)
        ]
        await asyncio.sleep(0)
        with pytest.raises(TryLaterError, match="at this moment"):
            await check.check("a", "x", "192.0.2.99", NOW)
        parties.gate.set()
        assert len(await asyncio.gather(*tasks)) == 16
        assert await check.check("a", "x", "192.0.2.99", NOW)
        check.close()

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_addresses_of_one_ipv6_network_are_one():
    class No:
        def verify(self, *_):
            return None

    async def scenario():
        check = SecretCheck(No())
        for number in range(10):
            assert await check.check("a", "x", f"2001:db8::{number}", NOW) is None
        with pytest.raises(TryLaterError, match="wrong secrets"):
            await check.check("a", "x", "2001:db8::ffff", NOW)
        assert await check.check("a", "x", "2001:db8:0:1::1", NOW) is None
        check.close()

    asyncio.run(scenario())
