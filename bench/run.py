"""Run the benchmarks, each in a process of its own, and print what each prints and its memory.

    python bench/run.py [--quick] [--only NAME]

A benchmark is a file of this folder with ``main(*, quick: bool)``. It measures a baseline in the
same run and prints figures side by side; `--quick` takes smaller sizes.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
MEGABYTES = 1024 * (1024 if sys.platform == "darwin" else 1)


def benchmarks() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(
        path.stem
        for path in HERE.glob("*.py")
        if "\ndef main(*, quick" in path.read_text(encoding="utf-8")
    )


def run(name: str, *, quick: bool) -> int:
    """Run one benchmark; return its exit status."""
    title = f"{name.replace('_', ' ')}{' (quick)' if quick else ''}"
    print(f"\n{title}\n{'=' * len(title)}", flush=True)
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import {name}; {name}.main(quick={quick})"
    )
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603  (our own code)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    print(f"peak memory {usage.ru_maxrss / MEGABYTES:,.0f} MB, {took:.0f} s in all", flush=True)
    return process.returncode


def processor() -> str:
    """Return the processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    names = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [line.split(":", 1)[1].strip() for line in names if line.startswith("model name")]
    return found[0] if found else platform.processor()


def main() -> None:
    names = benchmarks()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes, half an hour in all")
    parser.add_argument("--only", choices=names, help="run this one")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {processor()}")
    statuses = [run(name, quick=chosen.quick) for name in ([chosen.only] if chosen.only else names)]
    sys.exit(max(statuses))


if __name__ == "__main__":
    main()
