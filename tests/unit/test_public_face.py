from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deconflict


@pytest.mark.parametrize("name", deconflict.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(deconflict, name)
    if callable(value) and name != "LatLon":
        assert value.__doc__


def test_type_checkers_see_the_same_names_as_programs_do() -> None:
    tree = ast.parse(Path(deconflict.__file__).read_text(encoding="utf-8"))
    seen = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deconflict.")
        for alias in node.names
    }
    lived = {(home, name) for home, names in deconflict._HOMES.items() for name in names}
    assert seen == lived


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    program = "import sys, deconflict; print([m for m in sys.modules if 'deconflict.' in m])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        deconflict.nonsense  # noqa: B018
