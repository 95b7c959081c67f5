"""What tests ask of the machine: free ports, small disks, libraries before the C library."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FAULTS = Path(__file__).with_name("faults")


def free_port() -> int:
    """Return a port that nothing has, out of those that the system gives to no one by itself.

    A server that is stopped and started again finds its port free then.
    """
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount something on a folder, or skip with what the system says."""
    tool = shutil.which("mount")
    if tool is None:
        pytest.skip("there is no mount command")
    folder.mkdir(exist_ok=True)
    done = subprocess.run([tool, *options, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path, view: Path) -> Iterator[Path]:
    """Show a folder elsewhere, where nothing can be written, or skip."""
    with mounted(view, "--bind", str(folder)):
        done = subprocess.run(
            ["mount", "-o", "remount,ro,bind", str(view)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"a read-only mount is not allowed here: {done.stderr.strip()}")
        yield view


def fill(ballast: Path, *, but: int = 0) -> None:
    """Fill a disk with a file until so many bytes are left."""
    disk = os.statvfs(ballast.parent)
    with ballast.open("ab") as file:
        file.write(bytes(max(0, disk.f_bavail * disk.f_frsize - but)))


def preloaded(source: str, folder: Path) -> Path:
    """Return a library made of a C file in tests/faults, or skip."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler, so no call to the system can be made to fail")
    made = folder / f"{source}.so"
    if not made.exists():
        arguments = ["-O1", "-shared", "-fPIC", "-o", str(made), str(FAULTS / source), "-ldl"]
        subprocess.run([compiler, *arguments], check=True)
    return made
