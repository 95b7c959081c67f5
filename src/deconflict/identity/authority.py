"""The built-in authority: a key pair, and tokens signed with it, for small deployments.

RS256 is the algorithm that ASTM F3548-21 prescribes, so every client and peer can verify it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deconflict.geo.errors import InputError
from deconflict.identity.compact import base64url
from deconflict.identity.key_source import FixedKeys
from deconflict.identity.party_name import name_fault
from deconflict.identity.private_file import create_private, read_private
from deconflict.identity.public_key import LEAST_RSA_BITS, public_key
from deconflict.identity.scope import F3548, is_scope
from deconflict.identity.verifier import LONGEST_S

KEY_PATH = Path("keys", "authority-key")
"""Place of the private key below the data folder."""
LOCAL_ISSUER = "urn:deconflict:authority"
"""The issuer of tokens as long as nobody has said under which URL the service is reached."""
LOCAL_AUDIENCE = "localhost"
"""The audience of a service that is only reached on its own machine."""

_RSA_BITS = 3072  # as strong as AES-128: NIST SP 800-57 part 1, table 2
_PUBLIC_EXPONENT = 65537
_MOST_KEY_BYTES = 65_536
_MOST_AUDIENCE_CHARACTERS = 253  # a name of hosts: RFC 1035


class Authority:
    """Issues tokens to the parties of this deployment.

    Parameters
    ----------
    key
        The private key.
    issuer
        What the tokens name as their issuer; the URL of the service where it has one.
    """

    def __init__(self, key: RSAPrivateKey, *, issuer: str = LOCAL_ISSUER) -> None:
        from joserfc.jwk import RSAKey

        self.issuer = issuer
        self._key = key
        public = RSAKey.import_key(key.public_key())
        self._kid = public.thumbprint()  # RFC 7638
        members = public.as_dict(private=False)
        self._jwk = {name: members[name] for name in ("kty", "n", "e")}

    @classmethod
    def open(cls, data: Path, *, issuer: str = LOCAL_ISSUER, create: bool) -> Authority:
        """Read the authority's key of a data folder, or make it once.

        Parameters
        ----------
        data
            The data folder.
        issuer
            What the tokens name as their issuer.
        create
            Whether a key is made if there is none.

        Raises
        ------
        InputError
            If there is none and none may be made, or it can't be read.
        """
        path = data / KEY_PATH
        content = read_private(path, _MOST_KEY_BYTES)
        if content is None and create:
            create_private(path, _generated())
            content = read_private(path, _MOST_KEY_BYTES)  # another process may have been first
        if content is None:
            raise InputError(
                "there is no key of the built-in authority here",
                "start with `deconflict party add NAME`, or name the data folder with --data",
                field=str(path),
            )
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_key(path) from error
        if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_RSA_BITS:
            raise _no_key(path)
        return cls(key, issuer=issuer)

    def source(self) -> FixedKeys:
        """Return the authority's public key for a `Verifier`."""
        return FixedKeys("the built-in authority", [public_key(self._key.public_key(), self._kid)])

    def issue(
        self,
        party: str,
        scopes: Iterable[str],
        audience: str | Sequence[str],
        now_s: int,
        lifetime_s: int,
    ) -> str:
        """Return a token.

        Parameters
        ----------
        party
            Whom it is for.
        scopes
            What it allows.
        audience
            The names of the services that it is for.
        now_s
            The time, seconds since 1970 UTC.
        lifetime_s
            For how long it is valid, seconds, at most `LONGEST_S`.

        Raises
        ------
        InputError
            If one of them is unfit.
        """
        allowed = sorted(set(scopes))
        audiences = [audience] if isinstance(audience, str) else list(audience)
        fault = name_fault(party)
        if fault:
            raise InputError(fault, "write the party's name as it was added", field="name")
        for scope in allowed:
            if not is_scope(scope):
                raise InputError("it is no scope", f"write one such as {F3548[0]}", field="scope")
        if not audiences:
            raise InputError("none is named", "write the host of the service", field="audience")
        for name in audiences:
            check_audience(name)
        if not 1 <= lifetime_s <= LONGEST_S:
            raise InputError(
                f"{lifetime_s} s is no lifetime of a token",
                f"write 1 to {LONGEST_S} seconds, as the standard has it",
                field="lifetime",
            )
        claims = {
            "iss": self.issuer,
            "sub": party,
            "aud": audiences[0] if len(audiences) == 1 else audiences,
            "scope": " ".join(allowed),
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + lifetime_s,
            "jti": secrets.token_urlsafe(16),
        }
        header = {"alg": "RS256", "typ": "at+jwt", "kid": self._kid}  # RFC 9068, 2.1
        signed = f"{_json(header)}.{_json(claims)}"
        signature = self._key.sign(signed.encode("ascii"), PKCS1v15(), SHA256())
        return f"{signed}.{base64url(signature)}"

    def jwks(self) -> dict[str, object]:
        """Return the public key as a JWK set (RFC 7517), for peers who verify the tokens."""
        return {"keys": [{**self._jwk, "kid": self._kid, "alg": "RS256", "use": "sig"}]}

    def metadata(self, base_url: str) -> dict[str, object]:
        """Return what ``/.well-known/oauth-authorization-server`` says (RFC 8414, section 2).

        Parameters
        ----------
        base_url
            The URL under which the service is reached.
        """
        base = base_url.rstrip("/")
        return {
            "issuer": self.issuer,
            "token_endpoint": f"{base}/oauth/token",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "scopes_supported": list(F3548),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }


def check_audience(name: str) -> None:
    """Refuse what can't be the audience of a token.

    Raises
    ------
    InputError
        If it is empty, too long, or no plain ASCII word.
    """
    if (
        not name.isascii()
        or not name.isprintable()
        or " " in name
        or not name
        or (len(name) > _MOST_AUDIENCE_CHARACTERS)
    ):
        raise InputError(
            "it is no audience", "write the host of the service's URL", field="audience"
        )


def audience_of(target: str) -> str:
    """Return the audience of a service: the host if a URL names it (ASTM F3548-21, Authority).

    Raises
    ------
    InputError
        If it is no audience.
    """
    if "://" in target:
        try:
            target = urlsplit(target).hostname or ""
        except ValueError:
            target = ""
    check_audience(target)
    return target


def _generated() -> bytes:
    key = generate_private_key(_PUBLIC_EXPONENT, _RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _json(members: Mapping[str, object]) -> str:
    return base64url(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode())


def _no_key(path: Path) -> InputError:
    return InputError(
        f"it holds no private RSA key of at least {LEAST_RSA_BITS} bits",
        "put the right file back; with a new key every token issued so far is refused",
        field=str(path),
    )
