"""Who may ask: the authorities whose tokens are accepted, the built-in one among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deconflict.geo.errors import InputError
from deconflict.identity.authority import (
    KEY_PATH,
    LOCAL_AUDIENCE,
    LOCAL_ISSUER,
    Authority,
    audience_of,
)
from deconflict.identity.guessing import SecretCheck
from deconflict.identity.key_source import JwksKeys, KeySource, pem_keys
from deconflict.identity.parties import Parties
from deconflict.identity.token_endpoint import TokenEndpoint
from deconflict.identity.verifier import Verifier
from deconflict.server.settings import Settings


@dataclass(frozen=True, slots=True)
class Access:
    """What tokens are verified with.

    Attributes
    ----------
    verifier
        Verifies tokens.
    sources
        Where keys come from; that of the built-in authority is the last.
    audiences
        The names for one of which a token must be.
    authority, tokens, check
        The built-in authority, its endpoint and its check of secrets, if it is on.
    members
        Its parties.
    """

    verifier: Verifier
    sources: Sequence[KeySource]
    audiences: tuple[str, ...]
    authority: Authority | None = None
    tokens: TokenEndpoint | None = None
    check: SecretCheck | None = None
    members: Parties | None = None

    @property
    def parties(self) -> int:
        """How many parties the built-in authority has."""
        return 0 if self.members is None else len(self.members.all())

    def admits(self) -> bool:
        """Whether there is a key by which somebody's token could be verified.

        Where other authorities are named, the built-in one counts only if it has parties.
        """
        with_keys = [source for source in self.sources if source.current()]
        if self.authority is None or len(self.sources) == 1:
            return bool(with_keys)
        if any(source is not self.sources[-1] for source in with_keys):
            return True
        try:
            return self.parties > 0
        except InputError:  # it is told whoever asks for a token
            return False

    def faults(self) -> list[str]:
        """Return what is wrong with the authorities' keys, in clauses for an operator."""
        return [fault for source in self.sources if (fault := _fault(source.describe()))]


def _fault(found: Mapping[str, object]) -> str:
    fault = found.get("fault")
    if fault is None:
        return ""
    kept = "there are none"
    if found["keys"]:
        kept = f"the last good ones, {found['age_s']} s old, are in force"
    return f"the keys of {found['source']} were not fetched: {fault}; {kept}"


def key_sources(settings: Settings) -> list[KeySource]:
    """Return the authorities that the settings name.

    Raises
    ------
    InputError
        If a file or URL can't be used.
    """
    sources: list[KeySource] = [pem_keys(path) for path in settings.public_key]
    sources.extend(JwksKeys(url, refresh_s=settings.jwks_refresh_s) for url in settings.jwks)
    return sources


def access(settings: Settings, named: Sequence[KeySource], data: Path) -> Access:
    """Return what tokens are verified with.

    The built-in authority is on if it has a key in the data folder, and where nobody else is
    named: then its key is made.

    Raises
    ------
    InputError
        If the authority's key, the parties or an audience can't be used.
    """
    audiences = tuple(audience_of(name) for name in settings.audience) or (LOCAL_AUDIENCE,)
    if named and not (data / KEY_PATH).exists():
        return Access(Verifier(named, audiences=audiences), tuple(named), audiences)
    authority = Authority.open(data, issuer=settings.public_url or LOCAL_ISSUER, create=not named)
    parties = Parties(data)
    parties.all()  # a file that can't be read is refused at the start
    check = SecretCheck(parties)
    sources = (*named, authority.source())
    return Access(
        Verifier(sources, audiences=audiences),
        sources,
        audiences,
        authority,
        TokenEndpoint(authority, check, audience=audiences[0]),
        check,
        parties,
    )
