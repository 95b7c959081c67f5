"""``POST /oauth/token``: client credentials for an access token (RFC 6749, section 4.4)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from deconflict.geo.errors import InputError
from deconflict.identity.authority import Authority, audience_of
from deconflict.identity.guessing import SecretCheck, TryLaterError
from deconflict.identity.parties import MOST_SECRET_CHARACTERS, Party
from deconflict.identity.party_name import name_fault
from deconflict.identity.scope import split_scopes

MOST_BODY_BYTES = 16_384
LIFETIME_S = 1800
"""Half an hour: a party that was removed keeps its last token no longer than that."""

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 32
_MOST_AUDIENCES = 4
_TARGETS = frozenset({"audience", "resource"})  # resource: RFC 8707; both may stand repeatedly
_HEADERS = (
    ("content-type", "application/json"),
    ("cache-control", "no-store"),  # RFC 6749, 5.1
    ("pragma", "no-cache"),
)
_CHALLENGE = ("www-authenticate", 'Basic realm="deconflict", charset="UTF-8"')


@dataclass(frozen=True, slots=True)
class TokenReply:
    """What is sent back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Refusal(Exception):  # noqa: N818 - it is an answer
    def __init__(
        self, status: int, code: str, sentence: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.headers = status, code, sentence, headers


class TokenEndpoint:
    """Answers requests for tokens; the server reads and writes the bytes.

    Parameters
    ----------
    authority
        Signs the tokens.
    check
        Checks the parties' secrets.
    audience
        The audience of a token that was asked for without one: this service.
    lifetime_s
        For how long a token is valid, seconds.
    """

    def __init__(
        self,
        authority: Authority,
        check: SecretCheck,
        *,
        audience: str,
        lifetime_s: int = LIFETIME_S,
    ) -> None:
        self._authority = authority
        self._check = check
        self._audience = audience
        self._lifetime_s = lifetime_s

    async def answer(
        self,
        *,
        content_type: str | None,
        authorization: str | None,
        body: bytes,
        address: str,
        now_s: int,
    ) -> TokenReply:
        """Return the answer to a request, a refusal too.

        Parameters
        ----------
        content_type, authorization
            The headers of these names; ``None`` if there is none.
        body
            The form.
        address
            The client's address.
        now_s
            The time, seconds since 1970 UTC.

        Raises
        ------
        InputError
            If the parties can't be read: for the operator, not for the client.
        """
        try:
            form = _form(content_type, body)
            name, secret = _credentials(form, authorization)
            _check_grant(form)
            party = await self._party(name, secret, address, now_s)
            scopes = _scopes(form, party)
            audiences = self._audiences(form)
        except _Refusal as refusal:
            members = {"error": refusal.code, "error_description": refusal.sentence}
            return TokenReply(
                refusal.status, _HEADERS + refusal.headers, msgspec.json.encode(members)
            )
        token = self._authority.issue(party.name, scopes, audiences, now_s, self._lifetime_s)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self._lifetime_s,
            "scope": " ".join(sorted(scopes)),
        }
        return TokenReply(200, _HEADERS, msgspec.json.encode(answer))

    async def _party(self, name: str, secret: str, address: str, now_s: int) -> Party:
        try:
            party = await self._check.check(name, secret, address, now_s)
        except TryLaterError as error:
            raise _Refusal(
                429,
                "temporarily_unavailable",
                f"{error}; try again in {error.wait_s} s",
                (("retry-after", str(error.wait_s)),),
            ) from None
        if party is None:
            raise _unknown()
        return party

    def _audiences(self, form: list[tuple[str, str]]) -> list[str]:
        targets = [value for field, value in form if field in _TARGETS]
        try:
            audiences = sorted({audience_of(target) for target in targets}) or [self._audience]
        except InputError:
            audiences = []
        if not 1 <= len(audiences) <= _MOST_AUDIENCES:
            raise _Refusal(
                400,
                "invalid_target",  # RFC 8707, 2
                f"name one to {_MOST_AUDIENCES} hosts of services as audience",
            )
        return audiences


def _form(content_type: str | None, body: bytes) -> list[tuple[str, str]]:
    if len(body) > MOST_BODY_BYTES:
        raise _Refusal(413, "invalid_request", f"the form is larger than {MOST_BODY_BYTES} bytes")
    if (content_type or "").partition(";")[0].strip().lower() != _FORM:
        raise _Refusal(400, "invalid_request", f"send the form as {_FORM}")
    try:
        form = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise _Refusal(400, "invalid_request", f"the body is no {_FORM} in UTF-8") from None
    # RFC 6749, 3.2: a parameter without a value counts as left out.
    form = [(field, value) for field, value in form if value]
    once = [field for field, _ in form if field not in _TARGETS]
    if len(set(once)) != len(once):
        raise _Refusal(400, "invalid_request", "a parameter stands twice")
    return form


def _credentials(form: list[tuple[str, str]], authorization: str | None) -> tuple[str, str]:
    fields = dict(form)
    name, secret = fields.get("client_id"), fields.get("client_secret")
    if authorization is not None:
        if secret is not None:
            raise _Refusal(
                400, "invalid_request", "the secret stands in the header and in the form"
            )
        scheme, _, encoded = authorization.partition(" ")
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            stated, secret = (unquote_plus(part, errors="strict") for part in text.split(":"))
        except (binascii.Error, ValueError):
            raise _unknown() from None
        if scheme.lower() != "basic":
            raise _unknown()
        if name is not None and name != stated:
            raise _Refusal(400, "invalid_request", "the header and the form name different clients")
        name = stated
    if not name or not secret or name_fault(name) or len(secret) > MOST_SECRET_CHARACTERS:
        raise _unknown()
    return name, secret


def _check_grant(form: list[tuple[str, str]]) -> None:
    grant = dict(form).get("grant_type")
    if grant is None:
        raise _Refusal(400, "invalid_request", "add grant_type=client_credentials")
    if grant != "client_credentials":
        raise _Refusal(400, "unsupported_grant_type", "only client_credentials is granted here")


def _scopes(form: list[tuple[str, str]], party: Party) -> frozenset[str]:
    asked = split_scopes(dict(form).get("scope", ""))
    allowed = frozenset(party.scopes)
    if asked is None or not asked <= allowed:
        raise _Refusal(
            400,
            "invalid_scope",
            f"the party may have: {' '.join(sorted(allowed))}; ask for these, or have its "
            "operator add others",
        )
    return asked or allowed


def _unknown() -> _Refusal:
    return _Refusal(
        401,
        "invalid_client",
        "the client's name or secret is missing or wrong; send the ones that "
        "`deconflict party add` printed",
        (_CHALLENGE,),
    )
