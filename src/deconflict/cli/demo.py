"""`deconflict demo`: the main job, on an accident, on real health sites, and with the service."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deconflict.cli.demo_service import show_service
from deconflict.cli.status import ExitStatus
from deconflict.geo.errors import InputError

_AL_BAB = """\
On 9 February 2017 an aircraft bombed a building in al-Bab in which troops of a cooperating state \
had been for ten days: 3 killed, 11 wounded. The reason given: "lack of agreement of coordinates". \
Text had been exchanged; nothing compared the plan with the positions.

The parties are called A and B here. The reports do not say in which notations the coordinates \
were: those below are ours, for illustration, and so is the exact place. B's building is in MGRS; \
A's plan is in Gauss-Krüger zone 7 on SK-42, with a danger radius of 500 m."""

_SUDAN = """\
1,133 real hospitals, clinics and pharmacies of Sudan (© OpenStreetMap contributors, ODbL 1.0, \
exported by HOT on 2025-07-09) against a day of 50 planned operations: demolitions of unexploded \
ordnance, deliveries of medicine by drone and survey flights, in four notations. The operations \
are made up."""

_NEXT = """\
  deconflict template plans.xlsx        a spreadsheet to fill in, with drop-downs
  deconflict check plans.xlsx           which of its rows meet
  deconflict serve                      the service; docs/tutorial/first-service.md
  deconflict convert "37S CA 66801 26131"
  deconflict --help
  examples/history/                     ten accidents, and the check that catches each"""


def demo() -> int:
    """Show the main job on an accident of 2017, on health sites of Sudan, and the service."""
    console = Console(highlight=False)
    examples = _examples()
    al_bab = examples / "history" / "al-bab-2017"
    sudan = examples / "sudan"

    _title(console, "1  al-Bab, 9 February 2017")
    console.print(_AL_BAB + "\n")
    console.print("A's figures, read as UTM zone 37. The place is 1.7 km off and looks clear:\n")
    positions = _shown(al_bab / "positions.csv")
    at = ["--at", "2017-02-09T08:30:00+03:00"]
    misread = [_shown(al_bab / "plan-read-as-utm.csv"), "--against", positions, *at]
    _run(console, ["check", *misread], ExitStatus.CLEAR)
    console.print("The same figures, read as what they are:\n")
    _run(
        console,
        ["check", _shown(al_bab / "plan.csv"), "--against", positions, *at],
        ExitStatus.CONFLICT,
    )
    console.print("Had the two readings been compared, the mistake would have had a name:\n")
    texts = ["SK-42 X=4027720 Y=7366840", "UTM 37 north 366840 4027720"]
    _run(console, ["compare", *texts], ExitStatus.CONFLICT)

    _title(console, "2  The health sites of Sudan and a day of operations")
    console.print(_SUDAN + "\n")
    against = ["--against", _shown(sudan / "health-sites.geojson"), "--kind", "site"]
    _run(console, ["check", _shown(sudan / "operations.csv"), *against], ExitStatus.CONFLICT)

    _title(console, "3  The service: two parties, a refusal and a replay")
    show_service(console, _run)

    _title(console, "What to try next")
    console.print(_NEXT, soft_wrap=True)
    return ExitStatus.CLEAR


def _examples() -> Path:
    """Return the folder of examples: inside an installed package, beside a checkout's sources."""
    installed = Path(str(files("deconflict"))) / "examples"
    checkout = Path(__file__).parents[3] / "examples"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise InputError(
        f"the examples are neither in {installed} nor in {checkout}", "install the package again"
    )


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _title(console: Console, title: str) -> None:
    console.print(Text(f"\n{title}\n{'─' * len(title)}", style="bold"))


def _run(console: Console, arguments: list[str], expected: ExitStatus) -> None:
    """Run one command as if it had been typed, and show how it ended."""
    from deconflict.cli.main import run

    console.print(Text(f"$ deconflict {shlex.join(arguments)}", style="bold cyan"), soft_wrap=True)
    sys.stdout.flush()
    status = run(arguments)
    if status != expected:
        raise RuntimeError(f"the demo's command ended with {status} instead of {int(expected)}")
    console.print(Text(f"(exit status {int(status)})\n", style="dim"))
