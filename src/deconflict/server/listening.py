"""The HTTP server: uvicorn with our protocol, our signals and a bounded stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from uvicorn import Config, Server

from deconflict.geo.errors import InputError
from deconflict.server.app import Front
from deconflict.server.limits import Limits
from deconflict.server.metrics import Metrics
from deconflict.server.protocol import LimitedProtocol, sweep
from deconflict.server.settings import Settings

INTERRUPTED: Final = 130
"""Exit status after a second Ctrl-C."""
_BACKLOG: Final = 2048
_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_HANDSHAKE_S: Final = 10.0


def bind(settings: Settings) -> socket.socket:
    """Return a socket bound to the address of the settings, not listening yet.

    Raises
    ------
    InputError
        If the address can't be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise InputError(
            f"can't listen on {settings.host} port {settings.port} ({error.strerror})",
            "stop what listens there, or choose another with --port or --host",
        ) from None
    return bound


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context of TLS 1.2 and later, or ``None`` where TLS is off.

    Raises
    ------
    InputError
        If certificate and key can't be used.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An encrypted key would wait for a password that nobody types.
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise InputError(
            f"the certificate {settings.tls_certificate} and the key {settings.tls_key} can't be "
            f"used together ({_unusable(settings.tls_certificate, settings.tls_key, error)})",
            "give PEM files of a certificate chain and its own key, without a password",
        ) from None
    return context


def _unusable(certificate: Path, key: Path, error: Exception) -> str:
    """Return why OpenSSL did not take a certificate and its key; its own words help nobody."""
    for path, marker, what in (
        (certificate, _CERTIFICATE, "certificate"),
        (key, _PRIVATE_KEY, "private key"),
    ):
        try:
            content = path.read_bytes()
        except OSError as refusal:
            return f"{path}: {refusal.strerror}"
        if not marker.search(content):
            return f"{path} holds no {what} in PEM"
    if b"ENCRYPTED" in key.read_bytes():
        return f"{key} has a password"
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return "the key is another certificate's"
    return "one of them is damaged, or of a kind that is not taken"


class Listening(Server):
    """Accepts connections until it is told to stop.

    Parameters
    ----------
    front
        The application.
    settings, limits, metrics
        As their names say.
    tls
        Context of TLS, if it is on.
    started
        Called once connections are accepted.
    """

    def __init__(
        self,
        front: Front,
        settings: Settings,
        limits: Limits,
        metrics: Metrics,
        *,
        tls: ssl.SSLContext | None,
        started: Callable[[], None],
    ) -> None:
        super().__init__(
            Config(
                front,
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=settings.keep_alive_s,  # type: ignore[arg-type] # seconds
                timeout_graceful_shutdown=settings.stop_timeout_s,  # type: ignore[arg-type]
            )
        )
        self._front = front
        self._settings = settings
        self._limits = limits
        self._metrics = metrics
        self._tls = tls
        self._on_started = started
        self._sweeping: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections on bound sockets."""
        loop = asyncio.get_running_loop()

        def protocol() -> LimitedProtocol:
            return LimitedProtocol(
                self.config,
                self.server_state,
                loop,
                settings=self._settings,
                limits=self._limits,
                refused=self._metrics.refused,
            )

        self.servers = [
            await loop.create_server(
                protocol,
                sock=each,
                ssl=self._tls,
                backlog=_BACKLOG,
                ssl_handshake_timeout=_HANDSHAKE_S if self._tls else None,
            )
            for each in sockets or []
        ]
        self._sweeping = loop.create_task(sweep(self.server_state, loop))
        self.started = True
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, and finish what was taken within the time that the settings give."""
        await super().shutdown(sockets)
        if self._sweeping is not None:
            self._sweeping.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and Ctrl-C; on a second Ctrl-C quit at once."""
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for each in handled:
            loop.add_signal_handler(each, self._stop, each)
        # They stay: a second Ctrl-C must also end what follows the last request.
        yield

    def stop(self) -> None:
        """Take nothing more, finish what was taken, and end."""
        self._front.stopping = True
        self.should_exit = True

    def _stop(self, which: signal.Signals) -> None:
        if self._front.stopping and which is signal.SIGINT:
            os._exit(INTERRUPTED)  # what was answered is durable; nothing else needs care
        self.stop()
