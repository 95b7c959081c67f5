"""Availability, reports, and what the service asks of itself."""

from __future__ import annotations

from uuid import UUID

import pytest

from deconflict.register.command import (
    Command,
    Configure,
    FileReport,
    OverrideClock,
    RecordReads,
    SetAvailability,
    Tick,
)
from deconflict.register.decide import decide
from deconflict.register.event import (
    AvailabilitySet,
    ClockOverridden,
    Configured,
    Read,
    ReadBatch,
    Reported,
    Ticked,
)
from deconflict.register.policy import Policy
from deconflict.register.state.held import Readiness


def test_availability_is_set_by_whoever_names_its_version(world):
    decision = world.mark("alpha")
    assert decision.availability.readiness is Readiness.DOWN
    assert decision.availability.version
    assert decision.events == (AvailabilitySet(decision.availability),)
    again = world.mark("alpha", Readiness.NORMAL).availability
    assert again.version != decision.availability.version


@pytest.mark.parametrize("set_before", [False, True])
def test_a_stale_version_of_an_availability_is_refused(world, reason, set_before):
    if set_before:
        world.mark("alpha")
    version = "" if set_before else "x"
    decision = world.do(
        SetAvailability, "arbiter", of="alpha", old_version=version, readiness=Readiness.NORMAL
    )
    assert reason(decision) == "stale"


def test_a_report_gets_an_identifier(world):
    decision = world.do(FileReport, "alpha")
    assert UUID(decision.report).version == 4
    assert decision.events == (Reported(decision.report),)


def test_reads_are_journalled_as_they_are(world):
    batch = ReadBatch("alpha", (Read(1, "GET /x", "00"),))
    assert world.do(RecordReads, "alpha", batch=batch).events == (batch,)


def test_another_policy_comes_into_force_and_the_same_one_is_refused(world, reason):
    policy = Policy(horizon_s=864_000)
    assert world.do(Configure, "", policy=policy).events == (Configured(policy),)
    assert reason(world.do(Configure, "", policy=Policy(horizon_s=864_000))) == "invalid"


@pytest.mark.parametrize(
    "policy",
    [
        Policy(horizon_s=10),
        Policy(most_volumes=5_000),
        Policy(largest_area_km2=float("nan")),
        Policy(kept_after_end_s=-1),
    ],
)
def test_a_policy_that_would_refuse_nearly_all_or_bound_nothing_is_refused(world, policy, reason):
    assert reason(world.do(Configure, "", policy=policy)) == "invalid"


def test_what_an_older_policy_says_stays_beside_a_change(world):
    world.policy = Policy(horizon_s=60, most_volumes=5_000)
    policy = Policy(horizon_s=60, most_volumes=5_000, plain_http=True)
    assert world.do(Configure, "", policy=policy).events == (Configured(policy),)


def test_time_passes(world):
    assert world.do(Tick, "").events == (Ticked(),)


def test_a_clock_is_overridden_in_words(world, reason):
    decision = world.do(OverrideClock, "", words="Meier: clock checked", ahead_s=60)
    assert decision.events == (ClockOverridden("Meier: clock checked", 60),)
    assert reason(world.do(OverrideClock, "", words="  ", ahead_s=60)) == "invalid"


def test_a_command_that_is_not_known_is_a_fault_of_the_program(world):
    with pytest.raises(KeyError):
        decide(world, Command(party="", entropy=bytes(64)))


def test_the_same_command_in_the_same_world_gives_the_same_decision(world):
    command = FileReport(party="alpha", entropy=bytes(range(64)))
    assert decide(world, command) == decide(world, command)
