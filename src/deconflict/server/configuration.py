"""The settings in force: of flags, environment, file and defaults, the first that says one."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
import platformdirs

from deconflict.formats.expected import in_words
from deconflict.geo.errors import InputError
from deconflict.journal.engine import EngineError
from deconflict.journal.location import Location, in_folder, location, redacted
from deconflict.server.settings import About, Settings, about_settings

FILE_NAME: Final = "deconflict.toml"
"""Name of the file of settings within the data folder."""
PREFIX: Final = "DECONFLICT_"
CONFIG_VARIABLE: Final = "DECONFLICT_CONFIG"
OTHER_VARIABLES: Final = frozenset({CONFIG_VARIABLE, "DECONFLICT_TRACEBACK"})
"""Variables of this program that are no settings."""
_BETWEEN = ","
"""Stands between the values of a repeatable setting in a variable."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force and where each came from.

    Attributes
    ----------
    settings
        All of them; `data` is never ``None``.
    sources
        For each name "default", "flag --port", "variable DECONFLICT_PORT" or "file /path".
    """

    settings: Settings
    sources: Mapping[str, str]

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.settings.data or default_data()

    def shown(self, name: str) -> object:
        """Return a setting's value as it may be shown: without passwords."""
        value = getattr(self.settings, name)
        return redacted(value) if name == "journal" and value is not None else value

    @property
    def journal(self) -> Location:
        """Where the journal is."""
        text = self.settings.journal
        return in_folder(self.data) if text is None else location(text)


def default_data() -> Path:
    """Return the platform's folder for the data of this program."""
    return platformdirs.user_data_path("deconflict", appauthor=False)


def configure(
    flags: Mapping[str, Any], environment: Mapping[str, str], *, config: Path | None = None
) -> Configuration:
    """Return the settings in force.

    Parameters
    ----------
    flags
        What the command line says, by the settings' names.
    environment
        The process's variables.
    config
        The file to read; without it the one that `DECONFLICT_CONFIG` names, else
        `deconflict.toml` in the data folder if it is there.

    Raises
    ------
    InputError
        For a name that is no setting, and a value that can't be used.
    """
    table = about_settings()
    given: dict[str, tuple[object, str]] = {}
    for name, text in _variables(environment, table).items():
        about = table[name]
        value: object = (
            [part.strip() for part in text.split(_BETWEEN) if part.strip()]
            if about.default == ()
            else text
        )
        given[name] = (_read(about, value, about.variable), f"variable {about.variable}")
    for name, value in flags.items():
        about = table[name]
        given[name] = (_read(about, value, about.flag), f"flag {about.flag}")
    from_file = _file(given, environment, config, table)
    given = {**from_file, **given}
    given.setdefault("data", (default_data(), "default"))
    _refuse_no_journal(given)
    settings = Settings(**{name: value for name, (value, _) in given.items()})  # type: ignore[arg-type]
    _refuse_what_does_not_fit(settings)
    return Configuration(settings, {name: given.get(name, (None, "default"))[1] for name in table})


def _refuse_no_journal(given: Mapping[str, tuple[object, str]]) -> None:
    text, source = given.get("journal", (None, ""))
    if text is None:
        return
    try:
        location(str(text))
    except EngineError as error:
        raise InputError(str(error), "see deconflict serve --help", field=source) from None


def _variables(environment: Mapping[str, str], table: Mapping[str, About]) -> dict[str, str]:
    """Return the variables that are settings, by the settings' names."""
    ours = {
        name: text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES
    }
    known = {about.variable: about.name for about in table.values()}
    for name in ours:
        if name not in known:
            raise _unknown(name, "variable", [*known, *OTHER_VARIABLES], "the environment")
    return {known[name]: text for name, text in ours.items()}


def _file(
    given: Mapping[str, tuple[object, str]],
    environment: Mapping[str, str],
    config: Path | None,
    table: Mapping[str, About],
) -> dict[str, tuple[object, str]]:
    """Read the file of settings."""
    if config is None and CONFIG_VARIABLE in environment:
        config = Path(environment[CONFIG_VARIABLE])
    own = config is None
    if config is None:
        data = given["data"][0] if "data" in given else default_data()
        config = Path(str(data)) / FILE_NAME
    try:
        content = config.read_bytes()
    except FileNotFoundError:
        if own:
            return {}
        raise InputError(
            "there is no such file of settings", "name one that is there", field=str(config)
        ) from None
    except OSError as error:
        raise InputError(
            f"the file of settings can't be read ({error.strerror})",
            "let this user read it, or name another with --config",
            field=str(config),
        ) from None
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the file of settings is no TOML ({error})",
            "write one setting a line, such as: port = 8321",
            field=str(config),
        ) from None
    for name in values:
        if name not in table:
            raise _unknown(name, "setting", table, str(config))
    if own and "data" in values:
        raise InputError(
            "data is set in the file that lies in the data folder itself",
            "set it with --data, with DECONFLICT_DATA, or in a file named with --config",
            field=str(config),
        )
    return {
        name: (_read(table[name], value, f"{name} in {config}", strict=True), f"file {config}")
        for name, value in values.items()
    }


def _unknown(name: str, what: str, known: Iterable[str], where: str) -> InputError:
    # Compared without the prefix that all variables share: it would make any of them look near.
    ends = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), list(ends), n=1)
    perhaps = f"perhaps {ends[near[0]]} is meant; " if near else ""
    return InputError(
        f"there is no {what} {name}", f"{perhaps}deconflict settings lists them all", field=where
    )


def _read(about: About, value: object, where: str, *, strict: bool = False) -> object:
    """Return a value as the setting's type, within its limits."""
    try:
        return msgspec.convert(value, about.type, strict=strict, dec_hook=_path)
    except msgspec.ValidationError as error:
        unit = f" ({about.unit})" if about.unit else ""
        raise InputError(
            f"{value!r} can't be used for {about.name}{unit}: {_expected(about, str(error))}",
            f"this is what it says: {about.help}",
            field=where,
        ) from None


def _expected(about: About, message: str) -> str:
    """Return what may be given, as a clause."""
    if get_origin(about.type) is Literal:
        return f"it is one of {', '.join(get_args(about.type))}"
    if "matching regex" in message:
        return "write a number and its unit, s or ms"
    message, _, _ = message.partition(" - at ")
    found = in_words(message)
    return message if found is None else found[1]


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path) and str(value):
        return Path(value).expanduser()
    raise msgspec.ValidationError("it is no name of a file or folder")


def _refuse_what_does_not_fit(settings: Settings) -> None:
    """Refuse settings that are right by themselves and wrong together."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise InputError(
            "TLS needs the certificate and its key, and one of them is missing",
            "give both, --tls-certificate and --tls-key",
        )
    if not (is_loopback(settings.host) or settings.tls_certificate or settings.behind_proxy):
        raise InputError(
            f"tokens would cross the network in the clear: {settings.host!r} is no "
            "loopback address and TLS is off",
            "give --tls-certificate and --tls-key, or say --behind-proxy if a proxy in front does "
            "TLS",
            field="host",
        )
    if settings.public_url is not None and not _is_web_address(settings.public_url):
        raise InputError(
            f"'{settings.public_url}' is no address of a service on the web",
            "write one such as https://dss.example.org, without user, password, query or fragment",
            field="public_url",
        )


def _is_web_address(url: str) -> bool:
    """Tell whether parties could reach a service under a URL, and paths can follow it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"https", "http"}
        and bool(host)
        and "@" not in parts.netloc
        and not any(letter in "?#" or letter.isspace() for letter in url)
        and url.isprintable()
    )


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
