"""Settings: what a node is told about sockets, files, logs and rates; never about a decision.

What a decision reads is the policy, and the policy is in the journal. So two nodes with different
settings still decide alike, and a replay needs none of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Bytes = Annotated[int, Meta(ge=1024)]
Seconds = Annotated[float, Meta(gt=0)]
Refresh = Annotated[float, Meta(ge=30)]
"""Seconds; a key set is never fetched more often, whatever happens."""
Rate = Annotated[float, Meta(gt=0)]
Days = Annotated[float, Meta(gt=0)]
Duration = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s)$")]


def _about(words: str, unit: str = "") -> Mapping[str, str]:
    return {"help": words, "unit": unit}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of a node with its default; `about_settings` has the words on each."""

    data: Annotated[
        Path | None, _about("Folder of the journal, the keys and the log; made if absent.")
    ] = None
    journal: Annotated[
        str | None,
        _about(
            "Where the journal is, if not in the data folder: sqlite:PATH, or for several nodes "
            "postgresql://... or nats://..."
        ),
    ] = None
    host: Annotated[str, _about("Address to listen on; only loopback is open without TLS.")] = (
        "127.0.0.1"
    )
    port: Annotated[Port, _about("TCP port to listen on; 0 takes a free one.")] = 8321
    tls_certificate: Annotated[
        Path | None, _about("PEM file of the certificate and its chain; turns TLS on.")
    ] = None
    tls_key: Annotated[Path | None, _about("PEM file of the certificate's private key.")] = None
    behind_proxy: Annotated[
        bool, _about("A proxy in front does TLS, so another address than loopback may be bound.")
    ] = False
    public_url: Annotated[
        str | None, _about("URL under which parties reach the service, if not the address itself.")
    ] = None

    public_key: Annotated[
        tuple[Path, ...], _about("PEM file of a public key whose tokens are accepted; repeatable.")
    ] = ()
    jwks: Annotated[
        tuple[str, ...], _about("URL of a key set whose tokens are accepted; repeatable.")
    ] = ()
    jwks_refresh_s: Annotated[Refresh, _about("How often key sets are fetched.", "s")] = 300.0
    audience: Annotated[
        tuple[str, ...],
        _about("Name that a token must be for, one of them; without any, localhost; repeatable."),
    ] = ()

    most_connections: Annotated[Count, _about("Connections in all.")] = 1000
    most_connections_per_address: Annotated[
        Count, _about("Connections from one address; not judged behind a proxy.")
    ] = 500
    most_connections_per_party: Annotated[Count, _about("Connections of one party.")] = 200
    most_in_flight: Annotated[Count, _about("Requests that are being answered, in all.")] = 2000
    most_in_flight_per_party: Annotated[
        Count, _about("Requests of one party that are being answered.")
    ] = 128
    rate_per_party: Annotated[Rate, _about("Requests of one party that go on.", "1/s")] = 1000.0
    burst_per_party: Annotated[Count, _about("Requests of one party at once, after a rest.")] = 2000
    token_rate_per_address: Annotated[
        Rate, _about("Requests for a token, and refused tokens, from one address.", "1/s")
    ] = 10.0
    most_header_bytes: Annotated[Bytes, _about("Request line and headers.", "bytes")] = 16_384
    most_headers: Annotated[Count, _about("Number of headers.")] = 64
    header_timeout_s: Annotated[
        Seconds, _about("Until a request's headers are there, from its first byte.", "s")
    ] = 10.0
    body_timeout_s: Annotated[Seconds, _about("Until a request's body is there.", "s")] = 30.0
    keep_alive_s: Annotated[
        Seconds, _about("How long a connection that asks nothing is kept.", "s")
    ] = 75.0
    stop_timeout_s: Annotated[
        Seconds, _about("How long a stop waits for the requests that were taken.", "s")
    ] = 20.0

    node_address: Annotated[
        str | None,
        _about("URL under which the other nodes reach this one, if not the address itself."),
    ] = None
    node_ca: Annotated[
        Path | None, _about("PEM file of the authority that signed the nodes' certificates.")
    ] = None
    stale_reads: Annotated[
        Duration | None,
        _about("How old an answer to a read may be where several nodes are, such as 2s."),
    ] = None

    retention_days: Annotated[
        Days | None,
        _about("Entries older than this go to an archive file; without it all are kept.", "days"),
    ] = None

    log_format: Annotated[
        Literal["auto", "text", "json"],
        _about("text for people, json for programs; auto is text on a terminal."),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _about("The least that is logged.")
    ] = "info"
    log_requests: Annotated[
        Literal["all", "refused", "failed"],
        _about("Which requests are logged: all, from status 400 up, or from 500 up."),
    ] = "all"
    open_metrics: Annotated[
        bool, _about("Answer /metrics to every address without a token, not to loopback alone.")
    ] = False


def seconds(duration: str | None) -> float:
    """Return a duration such as "2s" or "500ms" in seconds; 0 for ``None``."""
    if duration is None:
        return 0.0
    if duration.endswith("ms"):
        return float(duration[:-2]) / 1000
    return float(duration[:-1])


METRICS_SCOPE: Final = "deconflict.metrics"
"""The scope with which a token opens /metrics from another address than loopback."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of one setting.

    Attributes
    ----------
    name
        As in a TOML file; the flag has dashes in place of underscores.
    type
        With its limits, as msgspec reads them.
    default, help, unit
        The unit is empty where the value has none.
    """

    name: str
    type: Any
    default: object
    help: str
    unit: str

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"DECONFLICT_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """The flag of the command line."""
        return f"--{self.name.replace('_', '-')}"


def about_settings() -> dict[str, About]:
    """Return what is said of each setting, by its name, in the order of the documents."""
    hints = get_type_hints(Settings, include_extras=True)
    table = {}
    for each in dataclasses.fields(Settings):
        annotated = hints[each.name]
        words = next(note for note in annotated.__metadata__ if isinstance(note, Mapping))
        limits = tuple(note for note in annotated.__metadata__ if note is not words)
        kind = annotated.__origin__
        table[each.name] = About(
            name=each.name,
            type=Annotated[(kind, *limits)] if limits else kind,
            default=each.default,
            help=words["help"],
            unit=words["unit"],
        )
    return table
