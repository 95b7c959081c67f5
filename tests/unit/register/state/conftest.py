"""Records and entries as the register's tests need them."""

import uuid

import pytest

from deconflict.register.entity import Kind
from deconflict.register.event import Decided
from deconflict.register.state.held import HeightRecord, Held, Subscription, VolumeRecord

NOON_US = 1_795_348_800_000_000
MINUTE_US = 60_000_000


def _identifier(number):
    return str(uuid.UUID(int=number + (0xABCD << 96), version=4))


@pytest.fixture(scope="session")
def noon_us():
    return NOON_US


@pytest.fixture(scope="session")
def minute_us():
    return MINUTE_US


@pytest.fixture(scope="session")
def identifier():
    """Return the identifier of a number; greater numbers sort later."""
    return _identifier


@pytest.fixture(scope="session")
def square():
    """Return a square of 0.01 degrees, whole minutes after noon."""

    def make(lat=46.0, lon=7.0, minutes=(0, 60), **more):
        ring = ((lat, lon), (lat, lon + 0.01), (lat + 0.01, lon + 0.01), (lat + 0.01, lon))
        return VolumeRecord(
            shell=ring,
            lower=HeightRecord(100.0),
            upper=HeightRecord(200.0),
            start_us=NOON_US + minutes[0] * MINUTE_US,
            end_us=NOON_US + minutes[1] * MINUTE_US,
            **more,
        )

    return make


@pytest.fixture(scope="session")
def held(square):
    """Return an operation, or another entity, of the volumes given."""

    def make(number, *volumes, **more):
        volumes = volumes or (square(),)
        fields = {
            "id": _identifier(number),
            "kind": Kind.OPERATION,
            "party": "uss1",
            "version": 1,
            "ovn": f"ovn-{number}",
            "base_url": "https://uss1.example.org/utm",
            "start_us": min(volume.start_us for volume in volumes),
            "end_us": max(volume.end_us for volume in volumes),
            "volumes": volumes,
        }
        return Held(**(fields | more))

    return make


@pytest.fixture(scope="session")
def subscription(square):
    """Return a subscription to operations."""

    def make(number, *volumes, **more):
        volumes = volumes or (square(),)
        fields = {
            "id": _identifier(number),
            "party": "uss2",
            "version": "v1",
            "base_url": "https://uss2.example.org/utm",
            "start_us": min(volume.start_us for volume in volumes),
            "end_us": max(volume.end_us for volume in volumes),
            "volumes": volumes,
            "operations": True,
        }
        return Subscription(**(fields | more))

    return make


@pytest.fixture(scope="session")
def apply():
    """Apply events as the next entry of a register."""

    def do(register, time_us, *events):
        register.apply(register.head, time_us, Decided(command="Test", events=events))

    return do
