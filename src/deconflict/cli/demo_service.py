"""The demo's service: started in a folder that is thrown away, asked by two parties, replayed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from rich.console import Console
from rich.text import Text

from deconflict.cli.status import ExitStatus

if TYPE_CHECKING:
    import httpx

PATIENCE_S: Final = 120.0
_SCOPE: Final = "utm.strategic_coordination"
_PATH: Final = "/dss/v1/operational_intent_references"
_BASE_URLS: Final = {
    "relief-air": "https://relief-air.example/utm",
    "survey-air": "https://survey-air.example/utm",
}
_INTRODUCTION: Final = """\
The service that drone operators of one city share: an ASTM F3548-21 discovery service with its \
journal, started in a folder that is thrown away. Both parties and their flights are made up."""

Run = Callable[[Console, list[str], ExitStatus], None]


def show_service(console: Console, run: Run) -> None:
    """Start the service, let two parties plan into one another, and replay who knew what.

    Parameters
    ----------
    console
        Where to show it.
    run
        Runs and shows one command of the command line.
    """
    import httpx

    console.print(_INTRODUCTION + "\n")
    folder = Path(tempfile.mkdtemp(prefix="deconflict-demo-"))
    data = ["--data", str(folder)]
    try:
        with _served(console, data) as address:
            tokens = {party: _token(console, party, data) for party in _BASE_URLS}
            with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
                _plan(console, client, tokens)
        console.print("\nThe service is stopped. Anybody who has the journal can check it:\n")
        run(console, ["journal", "verify", *data], ExitStatus.CLEAR)
        console.print("And an investigator asks who knew what:\n")
        run(console, ["journal", "replay", "--party", "survey-air", *data], ExitStatus.CLEAR)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _served(console: Console, data: list[str]) -> Iterator[str]:
    """Serve a folder; yields the address."""
    from deconflict.server.banner import STARTED

    _typed(console, ["serve", *data])
    command = [sys.executable, "-m", "deconflict", "serve", *data, "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--log-format", "json"], stderr=subprocess.PIPE, text=True
    )
    if process.stderr is None:
        raise RuntimeError("the service has no standard error")
    try:
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            if STARTED in line:
                break
        else:
            raise RuntimeError(f"the service did not start: {' '.join(lines)}")
        address = str(json.loads(lines[-1])["address"])
        console.print(f"  It answers at {address}\n")
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def _token(console: Console, party: str, data: list[str]) -> str:
    """Register a party and return a token for it; neither secret is shown."""
    _printed(console, ["party", "add", party, "--scope", _SCOPE, *data])
    token = _printed(console, ["token", party, "--scope", _SCOPE, *data]).split()[-1]
    console.print(f"  {party} has a client secret, and a token: {token[:10]}…\n")
    return token


def _printed(console: Console, words: list[str]) -> str:
    """Run one command, shown as if it had been typed; return what it printed."""
    _typed(console, words)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "deconflict", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode != ExitStatus.CLEAR:
        raise RuntimeError(f"the demo's command ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _plan(console: Console, client: httpx.Client, tokens: dict[str, str]) -> None:
    """Let the second party plan into the first one's flight, and then above it."""

    def put(party: str, lower_m: float, expected: int) -> dict[str, Any]:
        path = f"{_PATH}/{uuid4()}"
        answer = client.put(
            path,
            headers={"Authorization": f"Bearer {tokens[party]}"},
            json=_intent(party, lower_m),
        )
        colour = "green" if expected < 400 else "red"
        console.print(Text(f"PUT {_PATH}/…", style="bold cyan"), Text(f"  as {party}"))
        console.print(Text(f"  {answer.status_code}", style=f"bold {colour}"))
        if answer.status_code != expected:
            raise RuntimeError(f"the demo's request ended with {answer.status_code}: {answer.text}")
        body: dict[str, Any] = answer.json()
        return body

    console.print("relief-air flies medicine between 50 and 110 m:\n")
    put("relief-air", 50.0, 201)
    console.print("\nsurvey-air plans through it, and does not know:\n")
    refused = put("survey-air", 80.0, 409)
    console.print(f"  {refused['message']}")
    for met in refused["missing_operational_intents"]:
        told = f"{met['manager']}, details at {met['uss_base_url']}, OVN: {met['ovn']}"
        console.print(f"  {told}", soft_wrap=True)
    console.print("\nIt asks relief-air for the details, and plans above:\n")
    put("survey-air", 130.0, 201)


def _intent(party: str, lower_m: float) -> dict[str, Any]:
    """Return an operational intent over Khartoum in an hour, 60 m high."""
    start = datetime.now(UTC) + timedelta(hours=1)

    def instant(when: datetime) -> dict[str, str]:
        return {"value": f"{when:%Y-%m-%dT%H:%M:%SZ}", "format": "RFC3339"}

    def height(value_m: float) -> dict[str, Any]:
        return {"value": value_m, "reference": "W84", "units": "M"}

    circle = {
        "center": {"lat": 15.5881, "lng": 32.5342},
        "radius": {"value": 400.0, "units": "M"},
    }
    return {
        "extents": [
            {
                "volume": {
                    "outline_circle": circle,
                    "altitude_lower": height(lower_m),
                    "altitude_upper": height(lower_m + 60.0),
                },
                "time_start": instant(start),
                "time_end": instant(start + timedelta(minutes=20)),
            }
        ],
        "key": [],
        "state": "Accepted",
        "uss_base_url": _BASE_URLS[party],
    }


def _typed(console: Console, words: list[str]) -> None:
    """Show a command as if it had been typed."""
    import shlex

    console.print(Text(f"$ deconflict {shlex.join(words)}", style="bold cyan"), soft_wrap=True)
