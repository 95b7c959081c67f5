"""Running the service: from the settings to the last answer."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, nullcontext
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
import uvloop

from deconflict import __version__
from deconflict.geo.errors import InputError
from deconflict.identity.key_source import KeySource
from deconflict.journal.engine import EngineError, UnreachableError
from deconflict.journal.errors import LogError
from deconflict.register.state.errors import RegisterError
from deconflict.server.access import Access, access, key_sources
from deconflict.server.app import Front
from deconflict.server.banner import Facts, announce
from deconflict.server.clock import ClockAheadError
from deconflict.server.configuration import Configuration, is_loopback
from deconflict.server.docs_page import POLICY, docs_page
from deconflict.server.fault import described
from deconflict.server.gauges import watch
from deconflict.server.limits import Limits
from deconflict.server.listening import Listening, bind, tls_context
from deconflict.server.log_family import log_family
from deconflict.server.logs import LineWriter, RequestLog, configure_logs
from deconflict.server.metrics import Metrics
from deconflict.server.node import Among, Node
from deconflict.server.nodes.joining import NoNodeError
from deconflict.server.nodes.pages import Nodes
from deconflict.server.nodes.receiving import Receiver
from deconflict.server.openapi import AUTHORITY_PAGES, PAGES, description
from deconflict.server.pages import Surroundings, pages
from deconflict.server.replay import Progress
from deconflict.server.retention import Retention
from deconflict.server.settings import Settings, seconds
from deconflict.server.start_error import StartError, TryAgainError
from deconflict.standards.f3548.replies import Error
from deconflict.standards.f3548.routes import FAMILY
from deconflict.standards.service import Family, UnavailableError

_STDERR: Final = 2
_FILES_BESIDE: Final = 100
"""Descriptors for files, beside one a connection."""


def serve(
    configuration: Configuration,
    *,
    override_clock: str | None = None,
    join: bool = False,
    trial: bool = False,
    reading: AbstractContextManager[Callable[[float], None]] | None = None,
) -> None:
    """Serve until told to stop.

    Parameters
    ----------
    configuration
        The settings.
    override_clock
        Who says that the clock is right although the journal doubts it, and why.
    join
        Whether an operator said to take a shared journal as it stands, though no other node can
        be asked about it.
    trial
        Whether an operator said that nothing depends on this service, so that an engine may be
        used about which there is doubt.
    reading
        Entered while the journal is read; yields what takes the part that is done, 0 to 1.

    Raises
    ------
    InputError
        If a setting, a key, a certificate or the address can't be used.
    StartError
        If the machine or the data folder stands in the way.
    """
    settings = configuration.settings
    tls = tls_context(settings)
    named = key_sources(settings)
    terminal = sys.stderr.isatty()
    json = settings.log_format == "json" or (settings.log_format == "auto" and not terminal)
    with ExitStack() as stack:
        bound = stack.enter_context(bind(settings))
        writer = LineWriter(_STDERR)
        writer.start()
        stack.callback(writer.stop)
        configure_logs(writer, level=settings.log_level, json=json, colour=terminal)
        _allow_files(settings.most_connections)
        metrics = Metrics()
        shared = configuration.journal.shared
        try:
            with reading or nullcontext() as advance:
                node = Node.open(
                    configuration.data,
                    observer=metrics,
                    override_clock=override_clock,
                    progress=_parts(advance),
                    journal=configuration.journal,
                    among=_among(settings, bound, join=join) if shared else None,
                )
            stack.callback(node.folder.close)
            if node.folder.engine.doubt and not trial:
                raise StartError(
                    f"{configuration.journal}: {node.folder.engine.doubt}; to try it all the same, "
                    "start with --trial"
                )
        except UnreachableError as error:
            raise TryAgainError(f"{configuration.journal}: {error}") from error
        except NoNodeError as error:
            raise TryAgainError(f"{configuration.data}: {error}") from error
        except (EngineError, LogError, RegisterError, ClockAheadError) as error:
            raise StartError(f"{configuration.data}: {error}") from error
        except OSError as error:
            raise StartError(
                f"{error.filename or configuration.data}: the data folder can't be used "
                f"({error.strerror}); give this user a folder of its own with --data"
            ) from error
        gate = access(settings, named, configuration.data)
        if gate.check is not None:
            stack.callback(gate.check.close)
        # What was loaded stays for good; without this each full collection walks over all of it.
        gc.collect()
        gc.freeze()
        # What requests leave behind is nearly all freed at once. By default so little is left to
        # look at that it is looked at all the time, and each time the dictionaries of a million
        # entities with it.
        gc.set_threshold(20_000, 20, 100)
        running = _Running(
            settings, node, metrics, gate, tls=tls, writer=writer, json=json, colour=terminal
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(running.run(bound))


def _among(settings: Settings, bound: socket.socket, *, join: bool) -> Among:
    """Return what this node is told where several share a journal."""
    own = _url(bound, tls=settings.tls_certificate is not None)
    address = (settings.node_address or own).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            f"{address} is no URL under which other nodes could reach this one",
            "write http:// or https://, the host and the port",
            field="node_address",
        )
    if parts.scheme == "http" and not (is_loopback(parts.hostname) or settings.behind_proxy):
        raise InputError(
            f"what nodes send one another would cross the network in the clear: {address}",
            "use https, or say --behind-proxy if the way between the nodes is protected",
            field="node_address",
        )
    tls = None
    if settings.node_ca is not None:
        try:
            tls = ssl.create_default_context(cafile=settings.node_ca)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the certificates of {settings.node_ca} can't be read ({error})",
                "name a PEM file with the certificate of the nodes' authority",
                field="node_ca",
            ) from None
    return Among(address, seconds(settings.stale_reads), trust=join, tls=tls)


def _parts(advance: Callable[[float], None] | None) -> Progress | None:
    if advance is None:
        return None
    return lambda done, of: advance(done / max(of, 1))


class _Running:
    """A node and what listens before it, started in order and stopped in the reverse one."""

    def __init__(
        self,
        settings: Settings,
        node: Node,
        metrics: Metrics,
        gate: Access,
        *,
        tls: ssl.SSLContext | None,
        writer: LineWriter,
        json: bool,
        colour: bool,
    ) -> None:
        self._settings = settings
        self._node = node
        self._folder = node.folder
        self._gate = gate
        self._tls = tls
        self._writer = writer
        self._json = json
        self._colour = colour
        self._metrics = metrics
        self._limits = Limits(settings)
        self._log = structlog.get_logger("deconflict.server")
        self._base_url = ""

    async def run(self, bound: socket.socket) -> None:
        """Serve until told to stop."""
        asyncio.get_running_loop().set_exception_handler(_log_stray)
        self._base_url = self._settings.public_url or _url(bound, tls=self._tls is not None)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._node.stop)
            try:
                await self._node.start()
            except UnavailableError as error:
                raise TryAgainError(str(error)) from error
            if self._settings.retention_days is not None:
                retention = Retention(
                    self._folder, self._node.coordinator, self._settings.retention_days
                )
                retention.start()
                stack.push_async_callback(retention.stop)
            for source in self._gate.sources:
                stack.callback(asyncio.get_running_loop().create_task(source.run()).cancel)
            front = self._front()
            watch(self._metrics, self._node, self._limits, self._writer)
            listening = Listening(
                front,
                self._settings,
                self._limits,
                self._metrics,
                tls=self._tls,
                started=self._announce,
            )
            if self._folder.engine.doubt:
                self._log.warning("on trial", why=self._folder.engine.doubt)
            ending = asyncio.get_running_loop().create_task(self._end(listening))
            await listening.serve([bound])
            self._log.info("stopping", head=self._folder.register.head)
            if ending.done():
                raise TryAgainError(f"{self._folder.journal}: {ending.result()}")
            ending.cancel()

    async def _end(self, listening: Listening) -> str:
        """Stop when nothing but another start helps; return why."""
        why = await self._node.coordinator.ended()
        listening.stop()
        return why

    def _front(self) -> Front:
        families = (FAMILY, log_family(self._folder.log))
        beside = (*PAGES, *(AUTHORITY_PAGES if self._gate.authority else ()))
        document = description(families, beside, version=__version__, errors={FAMILY.name: Error})
        front: Front | None = None
        around = Surroundings(
            settings=self._settings,
            limits=self._limits,
            metrics=self._metrics,
            verifier=self._gate.verifier,
            health=self._node.coordinator.health,
            stopping=lambda: front is not None and front.stopping,
            admits=self._gate.admits,
            faults=self._gate.faults,
            description=document,
            docs=docs_page(document),
            docs_policy=POLICY,
            base_url=self._base_url,
            nodes=self._nodes(families),
            authority=self._gate.authority,
            tokens=self._gate.tokens,
        )
        front = Front(
            families,
            pages(around),
            service=self._node.coordinator,
            verifier=self._gate.verifier,
            limits=self._limits,
            metrics=self._metrics,
            log=RequestLog(
                self._writer,
                which=self._settings.log_requests,
                level=self._settings.log_level,
                json=self._json,
            ),
        )
        return front

    def _nodes(self, families: Sequence[Family]) -> Nodes | None:
        if self._node.seal is None:
            return None
        return Nodes(
            self._node.seal,
            Receiver(families, self._node.coordinator),
            self._folder.path,
        )

    def _announce(self) -> None:
        announce(
            Facts(
                address=self._base_url,
                data=str(self._folder.path),
                journal=str(self._folder.journal) if self._settings.journal else "",
                public_key=self._folder.log.public_key.hex(),
                origin=self._folder.log.origin,
                sources=_described(self._gate.sources),
                audiences=self._gate.audiences,
                parties=self._gate.parties if self._gate.authority else None,
                entries=self._folder.register.head,
                live=self._folder.register.counts(),
                behind_proxy=self._settings.behind_proxy,
            ),
            self._writer,
            json=self._json,
            colour=self._colour,
        )


def _log_stray(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log a fault that no request had to answer for; the loop's own words may show its data."""
    error = context.get("exception")
    structlog.get_logger("deconflict.server").error(
        context["message"], error=None if error is None else described(error)
    )


def _described(sources: Sequence[KeySource]) -> tuple[str, ...]:
    return tuple(
        f"{found['source']} ({_keys(found)})" for found in (source.describe() for source in sources)
    )


def _keys(found: Mapping[str, object]) -> str:
    if not found["keys"]:
        return f"no keys: {found.get('fault')}"
    return "1 key" if found["keys"] == 1 else f"{found['keys']} keys"


def _url(bound: socket.socket, *, tls: bool) -> str:
    host, port = bound.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{host}:{port}"


def _allow_files(connections: int) -> None:
    """Raise the soft limit of open files as far as the connections need and the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            structlog.get_logger("deconflict.server").warning(
                "this user may open fewer files than most_connections asks for", files=most
            )
