from __future__ import annotations

import gc

import pytest

from deconflict.cli.collector import at_rest


def refused() -> None:
    with at_rest():
        raise ValueError(f"refused while the collector runs: {gc.isenabled()}")


@pytest.mark.parametrize("before", [gc.enable, gc.disable])
def test_the_collector_rests_and_then_goes_on_as_before_even_after_a_refusal(before) -> None:
    ran = gc.isenabled()
    try:
        before()
        with pytest.raises(ValueError, match="runs: False"):
            refused()
        assert gc.isenabled() is (before is gc.enable)
    finally:
        (gc.enable if ran else gc.disable)()
