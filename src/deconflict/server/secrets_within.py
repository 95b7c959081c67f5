"""What is secret within the parts of an entry, and how it is left out of an export.

Secret is what lets its reader act as another party: OVNs (who holds one may change the operation,
and claims to know it), tokens, passwords and keys. Positions and names are no secrets here; an
export is as confidential as the journal itself.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

WITHHELD: Final = "(withheld)"
_NAMES: Final = frozenset(
    {
        "ovn",
        "ovns",
        "key",
        "keys",
        "requested_ovn_suffix",
        "ovn_suffix",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "client_assertion",
        "secret",
        "password",
        "authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api_key",
        "request_body",
        "response_body",
    }
)
"""Names of fields, in lower case, whose text is secret wherever they stand.

The last two are bodies of an exchange that a report quotes, mostly in base64.
"""
_TOLD_TO_OTHERS: Final = frozenset({"", "Available from USS"})
"""What stands in place of an OVN for those who do not manage the entity (F3548-21)."""
_WITHIN_TEXT: Final = (
    re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"),  # a JWT
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(r"(?<=//)[^/@\s]+:[^/@\s]+(?=@)"),  # user and password of a URL
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"(?i)\b(?:token|secret|password|client_secret|access_token|ovn)=[^&\s\"]+"),
)
_OVN_IN_PATH: Final = re.compile(
    r"(/(?:operational_intent|constraint)_references/[^/?#\s\"]+/)[^/?#\s\"]+"
)
"""The OVN in the path of a request that changes or deletes an entity.

The identifier before it may lack its dashes or be percent-encoded.
"""
_MOST_DEEP: Final = 100


def redacted(content: bytes) -> bytes | None:
    """Return a part's content without its secrets; ``None`` if it holds none.

    Parameters
    ----------
    content
        JSON, or any other bytes. What is no JSON is searched as text.
    """
    try:
        said = json.loads(content, object_pairs_hook=_object)
    except _RepeatedError:
        return json.dumps(WITHHELD).encode()
    except (ValueError, RecursionError):
        text = content.decode(errors="backslashreplace")
        clean = _text(text)
        return None if clean == text else clean.encode()
    clean_value = _value(said, 0)
    return None if clean_value == said else json.dumps(clean_value, separators=(",", ":")).encode()


class _RepeatedError(Exception):
    """An object names a field twice, so one of the two would go unseen."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedError
    return found


def redacted_text(text: str) -> str:
    """Return a text, such as a request's path, without its secrets."""
    return _text(text)


def _value(value: Any, deep: int) -> Any:  # noqa: ANN401 - decoded JSON is anything
    if isinstance(value, str):
        return _text(value)
    if deep >= _MOST_DEEP:
        return WITHHELD
    if isinstance(value, list):
        return [_value(each, deep + 1) for each in value]
    if isinstance(value, dict):
        return {
            name: _secret(each) if name.casefold() in _NAMES else _value(each, deep + 1)
            for name, each in value.items()
        }
    return value


def _secret(value: Any) -> Any:  # noqa: ANN401 - likewise
    if value is None or value == [] or (isinstance(value, str) and value in _TOLD_TO_OTHERS):
        return value
    return WITHHELD


def _text(text: str) -> str:
    if text[:1] in {"{", "["}:  # JSON within a text, such as the body of a read
        clean = redacted(text.encode(errors="surrogatepass"))
        return text if clean is None else clean.decode()
    for pattern in _WITHIN_TEXT:
        text = pattern.sub(WITHHELD, text)
    return _OVN_IN_PATH.sub(rf"\1{WITHHELD}", text)
