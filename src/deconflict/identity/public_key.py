"""Public keys of authorities, and the three algorithms that are taken.

Signatures are checked with `cryptography` directly: with joserfc on the same machine RS256 took
69 µs and ES256 95 µs a token, of which a third is spent around the signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from deconflict.geo.errors import InputError

LEAST_RSA_BITS = 2048  # RFC 7518, 3.3
MOST_RSA_BITS = 8192  # larger ones cost milliseconds a signature
_P256_BYTES = 32
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_PUBLIC = frozenset({b"PUBLIC KEY", b"RSA PUBLIC KEY"})
_TAKEN = (
    f"give an RSA key of {LEAST_RSA_BITS} to {MOST_RSA_BITS} bits, a P-256 key or an Ed25519 key"
)
_LEAST_MODULUS_CHARACTERS = LEAST_RSA_BITS // 6

Verify = Callable[[bytes, bytes], None]
"""Check a signature over bytes; raises `InvalidSignature`."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A key that tokens may be signed with.

    Attributes
    ----------
    algorithms
        The values of ``alg`` that fit it; no other is ever tried with it.
    kid
        Its identifier in the authority's set; ``None`` for a key from a file.
    verify
        Checks a signature.
    """

    algorithms: frozenset[str]
    kid: str | None
    verify: Verify

    def signed(self, signature: bytes, content: bytes) -> bool:
        """Tell whether the signature over the content was made with this key."""
        try:
            self.verify(signature, content)
        except InvalidSignature:
            return False
        return True


def _rs256(key: RSAPublicKey) -> Verify:
    padding, digest = PKCS1v15(), SHA256()
    return lambda signature, content: key.verify(signature, content, padding, digest)


def _es256(key: EllipticCurvePublicKey) -> Verify:
    algorithm = ECDSA(SHA256())

    def verify(signature: bytes, content: bytes) -> None:
        if len(signature) != 2 * _P256_BYTES:  # RFC 7518, 3.4
            raise InvalidSignature
        r = int.from_bytes(signature[:_P256_BYTES], "big")
        s = int.from_bytes(signature[_P256_BYTES:], "big")
        key.verify(encode_dss_signature(r, s), content, algorithm)

    return verify


def public_key(key: object, kid: str | None = None) -> PublicKey:
    """Return a key of `cryptography` as one that tokens may be signed with.

    Raises
    ------
    InputError
        If it is of a kind or size that is not taken.
    """
    if isinstance(key, RSAPublicKey):
        if not LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS:
            raise InputError(f"it is an RSA key of {key.key_size} bits", _TAKEN)
        return PublicKey(frozenset({"RS256"}), kid, _rs256(key))
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return PublicKey(frozenset({"ES256"}), kid, _es256(key))
    if isinstance(key, Ed25519PublicKey):
        # RFC 8037, 3.1, and its newer name in RFC 9864
        return PublicKey(frozenset({"EdDSA", "Ed25519"}), kid, key.verify)
    raise InputError("it holds a key of a kind that is not taken", _TAKEN)


def keys_of_pem(content: bytes, field: str) -> tuple[PublicKey, ...]:
    """Return the public keys of a PEM file.

    Raises
    ------
    InputError
        If it holds no public key, anything else, or a private key.
    """
    blocks = [(match[1], match[0]) for match in _PEM.finditer(content)]
    if any(b"PRIVATE" in label for label, _ in blocks):
        raise InputError(
            "it holds a private key, which only the authority may have",
            "give the public one (openssl pkey -in KEY -pubout), and replace the private one "
            "if it has left its place",
            field=field,
        )
    if any(label == b"CERTIFICATE" for label, _ in blocks):
        raise InputError(
            "it holds a certificate",
            "give its public key (openssl x509 -in FILE -pubkey -noout)",
            field=field,
        )
    if not blocks or any(label not in _PUBLIC for label, _ in blocks):
        raise InputError("it holds no public key in PEM", _TAKEN, field=field)
    keys = []
    for _, block in blocks:
        try:
            keys.append(public_key(load_pem_public_key(block)))
        except InputError as error:
            raise InputError(error.what, error.remedy, field=field) from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InputError("its public key can't be read", _TAKEN, field=field) from error
    return tuple(keys)


def key_of_jwk(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the key of a JSON Web Key (RFC 7517).

    Raises
    ------
    InputError
        If it is none for signatures, not public, or of a kind or size that is not taken.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if "d" in jwk or jwk.get("kty") not in {"RSA", "EC", "OKP"}:
        raise InputError("it is not a public key of a kind that is taken", _TAKEN)
    operations = jwk.get("key_ops", ["verify"])
    if (
        jwk.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or ("verify" not in operations)
    ):
        raise InputError("it is not for signatures", _TAKEN)
    modulus, kid, algorithm = jwk.get("n", ""), jwk.get("kid"), jwk.get("alg")
    if jwk["kty"] == "RSA" and len(str(modulus)) < _LEAST_MODULUS_CHARACTERS:
        raise InputError("it is an RSA key that is too short", _TAKEN)
    if kid is not None and not isinstance(kid, str):
        raise InputError("its kid is no text", "have the authority mend its key set")
    members = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    try:
        key = public_key(getattr(import_key(members), "public_key", None), kid)
    except InputError:
        raise
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("it can't be read as a key", _TAKEN) from error
    if algorithm is not None and algorithm not in key.algorithms:
        raise InputError("its algorithm is none that is taken", _TAKEN)
    return key
