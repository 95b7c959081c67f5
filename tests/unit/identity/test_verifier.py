"""Tokens are made by joserfc or by hand; what is tested verifies them without it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from deconflict.geo.errors import InputError
from deconflict.identity.caller import Caller, TokenError
from deconflict.identity.key_source import FixedKeys
from deconflict.identity.public_key import keys_of_pem, public_key
from deconflict.identity.verifier import Verifier

NOW = 1_800_000_000
CLAIMS = {
    "iss": "https://authority.example",
    "sub": "uss1",
    "aud": "dss.example.com",
    "scope": "utm.strategic_coordination other",
    "exp": NOW + 600,
}


def raw(part) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(key, claims=None, *, alg="RS256", **header) -> str:
    return jwt.encode({"alg": alg, **header}, claims or CLAIMS, key, algorithms=[alg])


def by_hand(key, payload, header=None) -> str:
    """Sign any bytes as payload, which a library would refuse to make."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signed = f"{raw(header or {'alg': 'RS256'})}.{raw(payload)}"
    return f"{signed}.{raw(key.private_key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def verifier(*keys, kid=None, issuer=None, **options) -> Verifier:
    source = FixedKeys("test", [public_key(key.public_key, kid) for key in keys], issuer=issuer)
    return Verifier([source], audiences=["dss.example.com", "localhost"], **options)


@pytest.mark.parametrize(("kind", "alg"), [("rsa", "RS256"), ("ec", "ES256"), ("ed", "Ed25519")])
def test_a_token_of_each_algorithm_tells_who_asks(kind, alg, request):
    key = request.getfixturevalue(kind)
    assert verifier(key).verify(token(key, alg=alg), NOW) == Caller(
        "uss1",
        frozenset({"utm.strategic_coordination", "other"}),
        "https://authority.example",
        NOW + 600,
    )


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_older_name_of_ed25519_is_taken(ed):
    assert verifier(ed).verify(token(ed, alg="EdDSA"), NOW).party == "uss1"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 1}, "expired"),
        ({"exp": NOW + 3600 + 11}, "longer than 3600 s"),
        ({"exp": None}, "exp"),
        ({"exp": str(NOW + 5)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": -1}, "exp"),
        ({"nbf": NOW + 11}, "nbf"),
        ({"iat": NOW + 11}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"aud": "other.example.com"}, "another audience"),
        ({"aud": ["other.example.com"]}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": ""}, "another audience"),
        ({"aud": {"dss.example.com": 1}}, "aud"),
        ({"aud": ["dss.example.com", 5]}, "aud"),
        ({"aud": None}, "aud"),
        ({"iss": ""}, "iss"),
        ({"iss": 5}, "iss"),
        ({"iss": "a\nb"}, "iss"),
        ({"iss": "a" * 501}, "iss"),
        ({"sub": ""}, "sub"),
        ({"sub": ["uss1"]}, "sub"),
        ({"sub": "uss1\nINFO fine"}, "sub"),
        ({"sub": "a\u202eb"}, "sub"),
        ({"sub": "e\u0301"}, "sub"),
        ({"sub": "uss1 "}, "sub"),
        ({"sub": "ü" * 101}, "sub"),
        ({"scope": ["utm.strategic_coordination"]}, "scope"),
        ({"scope": 'a"b'}, "scope"),
        ({"scope": " ".join(map(str, range(65)))}, "scope"),
    ],
)
def test_a_claim_that_is_wrong_is_refused_in_a_sentence(rsa, change, word):
    with pytest.raises(TokenError, match=word):
        verifier(rsa).verify(token(rsa, CLAIMS | change), NOW)


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp"])
def test_a_claim_that_is_missing_is_named(rsa, name):
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    with pytest.raises(TokenError, match=name):
        verifier(rsa).verify(token(rsa, claims), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": NOW + 3600},
        {"exp": NOW + 1},
        {"exp": NOW + 5.5},
        {"nbf": NOW + 10, "iat": NOW + 10},
        {"aud": ["peer.example.com", "localhost"]},
        {"sub": "Médecins Sans Frontières"},
        {"scope": ""},
    ],
)
def test_a_claim_within_the_rules_is_taken(rsa, change):
    assert verifier(rsa).verify(token(rsa, CLAIMS | change), NOW).expires_s > NOW


def test_a_token_without_scope_allows_nothing(rsa):
    claims = {key: value for key, value in CLAIMS.items() if key != "scope"}
    assert verifier(rsa).verify(token(rsa, claims), NOW).scopes == frozenset()


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "PS256", "ES384", "", None, ["RS256"]])
def test_another_algorithm_is_refused_whatever_signs(rsa, alg):
    with pytest.raises(TokenError, match="RS256, ES256"):
        verifier(rsa).verify(by_hand(rsa, CLAIMS, {"alg": alg}), NOW)


def test_an_unsigned_token_is_refused(rsa):
    with pytest.raises(TokenError):
        verifier(rsa).verify(f"{raw({'alg': 'none'})}.{raw(CLAIMS)}.", NOW)


def test_a_public_key_does_not_serve_as_a_secret(rsa):
    pem = rsa.as_pem(private=False)
    signed = f"{raw({'alg': 'HS256'})}.{raw(CLAIMS)}"
    forged = f"{signed}.{raw(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"
    with pytest.raises(TokenError, match="not taken"):
        verifier(rsa).verify(forged, NOW)


def test_an_algorithm_is_never_tried_with_a_key_of_another_kind(rsa, ec):
    with pytest.raises(TokenError, match="no key"):
        verifier(ec).verify(token(rsa), NOW)


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"typ": "dpop+jwt"}, {"typ": 5}, {"kid": 5}])
def test_a_header_that_is_not_understood_is_refused(rsa, header):
    with pytest.raises(TokenError):
        verifier(rsa).verify(by_hand(rsa, CLAIMS, {"alg": "RS256", **header}), NOW)


def test_a_key_in_the_header_is_not_believed(rsa):
    stranger = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": stranger.as_dict(private=False)}
    with pytest.raises(TokenError, match="signature"):
        verifier(rsa).verify(by_hand(stranger, CLAIMS, header), NOW)


def test_only_the_key_that_the_token_names_is_tried(rsa):
    named = verifier(rsa, kid="a")
    assert named.verify(token(rsa, kid="a"), NOW)
    assert named.verify(token(rsa), NOW)
    with pytest.raises(TokenError, match="no key"):
        named.verify(token(rsa, kid="b"), NOW)


def test_a_key_of_one_issuer_does_not_speak_for_another(rsa):
    assert verifier(rsa, issuer="https://authority.example").verify(token(rsa), NOW)
    with pytest.raises(TokenError, match="another issuer"):
        verifier(rsa, issuer="https://other.example").verify(token(rsa), NOW)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"a","sub":"b"}',
        b'{"iss":{"a":1,"a":2}}',
        b"[]",
        b"\xff{}",
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b"[" * 5000,
        b'{"exp":' + b"9" * 5000 + b"}",
        b"",
    ],
)
def test_a_payload_that_could_be_read_in_two_ways_is_refused(rsa, payload):
    with pytest.raises(TokenError, match="JSON object"):
        verifier(rsa).verify(by_hand(rsa, payload), NOW)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", "\ud800", "a" * 8193])
def test_what_is_no_token_is_refused(rsa, text):
    with pytest.raises(TokenError):
        verifier(rsa).verify(text, NOW)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("mark", ["=", "\n", "+", "*"])
def test_one_token_has_one_spelling(rsa, place, mark):
    parts = token(rsa).split(".")
    parts[place] += mark
    with pytest.raises(TokenError):
        verifier(rsa).verify(".".join(parts), NOW)


def test_a_changed_payload_breaks_the_signature(rsa):
    head, _, tail = token(rsa).split(".")
    with pytest.raises(TokenError, match="signature"):
        verifier(rsa).verify(f"{head}.{raw(CLAIMS | {'sub': 'uss2'})}.{tail}", NOW)


@pytest.mark.parametrize("size", [0, 63, 65, 72])
def test_a_signature_of_another_size_is_no_error_but_wrong(ec, size):
    head, payload, _ = token(ec, alg="ES256").split(".")
    with pytest.raises(TokenError, match="signature"):
        verifier(ec).verify(f"{head}.{payload}.{raw(bytes(size))}", NOW)


def test_a_refusal_holds_no_part_of_the_token(rsa):
    claims = CLAIMS | {"sub": "SECRET\n", "iss": "SECRET", "aud": "SECRET"}
    for changed in (claims, claims | {"sub": "a"}, claims | {"exp": 5}):
        with pytest.raises(TokenError) as refusal:
            verifier(rsa).verify(token(rsa, changed), NOW)
        assert "SECRET" not in str(refusal.value)
        assert refusal.value.__cause__ is None


class Counting(FixedKeys):
    asked = 0

    def current(self):
        self.asked += 1
        return super().current()

    def watch(self, changed):
        self.changed = changed


def counting(rsa, **options) -> tuple[Counting, Verifier]:
    source = Counting("test", [public_key(rsa.public_key)])
    return source, Verifier([source], audiences=["dss.example.com"], **options)


def test_a_verified_token_is_not_verified_again_until_it_expires(rsa):
    source, checked = counting(rsa)
    held = token(rsa)
    for now_s in (NOW, NOW + 1, NOW + 599):
        assert checked.verify(held, now_s).party == "uss1"
    assert source.asked == 1
    with pytest.raises(TokenError, match="expired"):
        checked.verify(held, NOW + 600)
    assert len(checked) == 0


def test_what_was_verified_is_forgotten_when_the_keys_change(rsa):
    source, checked = counting(rsa)
    held = token(rsa)
    checked.verify(held, NOW)
    source._keys = ()
    source.changed()
    with pytest.raises(TokenError, match="no key"):
        checked.verify(held, NOW)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_the_cache_holds_no_more_than_it_may(rsa, size):
    _, checked = counting(rsa, cache_size=size)
    for number in range(6):
        checked.verify(token(rsa, CLAIMS | {"jti": str(number)}), NOW)
        assert len(checked) <= size
    assert len(checked) == size


def test_a_refused_token_is_not_remembered(rsa):
    _, checked = counting(rsa)
    with pytest.raises(TokenError):
        checked.verify(token(rsa, CLAIMS | {"aud": "x"}), NOW)
    assert len(checked) == 0


@pytest.mark.parametrize("audiences", [[], [""]])
def test_a_service_without_a_name_verifies_nothing(audiences):
    with pytest.raises(ValueError):
        Verifier([], audiences=audiences)


def test_a_token_makes_no_more_than_sixteen_keys_be_tried(rsa):
    stranger = RSAKey.generate_key(2048)
    with pytest.raises(TokenError, match="too many keys"):
        verifier(*[stranger] * 17).verify(token(rsa), NOW)


@pytest.mark.parametrize("bits", [1024, 16_384])
def test_an_rsa_key_beyond_the_limits_is_refused(bits):
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    modulus = (1 << bits) - 159  # any odd number of that size is a modulus to a verifier
    with pytest.raises(InputError, match=f"{bits} bits"):
        public_key(RSAPublicNumbers(65537, modulus).public_key())


def test_a_private_key_given_by_mistake_is_refused_with_what_to_do(rsa):
    with pytest.raises(InputError, match=r"private key.*-pubout"):
        keys_of_pem(rsa.as_pem(private=True), "key.pem")


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
)
def test_a_file_without_a_key_is_refused_by_name(content):
    with pytest.raises(InputError, match=r"key\.pem"):
        keys_of_pem(content, "key.pem")


def test_a_file_may_hold_several_keys(rsa, ec, ed):
    pems = b"".join(key.as_pem(private=False) for key in (rsa, ec, ed))
    assert [min(key.algorithms) for key in keys_of_pem(pems, "x")] == ["RS256", "ES256", "Ed25519"]
