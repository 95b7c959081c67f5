"""What a replay of the record prints is free of OVNs."""

from __future__ import annotations

import json

from deconflict.cli.journal.replay import _as_json
from deconflict.register.entity import Kind
from deconflict.register.state.held import Held, VolumeRecord
from deconflict.server.investigating import Scene

ID = "2f8343be-6482-4d1b-a474-16847e01af1e"
SUFFIX = "019a0000-0000-7000-8000-000000000000"


def test_a_replay_tells_neither_an_ovn_nor_the_suffix_that_makes_one() -> None:
    held = Held(
        id=ID,
        kind=Kind.OPERATION,
        party="alpha",
        version=1,
        ovn=f"{ID}_{SUFFIX}",
        base_url="https://uss.example.org",
        start_us=0,
        end_us=1,
        volumes=(VolumeRecord(circle=(47.0, 8.0, 100.0), start_us=0, end_us=1),),
        ovn_suffix=SUFFIX,
    )
    scene = Scene(1, "bravo", entities=[held], unknown_to_party=[held])
    told = json.dumps(_as_json(scene))
    assert ID in told
    assert SUFFIX not in told
