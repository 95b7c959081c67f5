"""What a client in order asks, and must be given whatever others do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from asking import Asker


async def round_trip(asker: Asker) -> None:
    """Create a subscription, read it and delete it: each has to succeed."""
    path = f"/dss/v1/subscriptions/{uuid.uuid4()}"
    now = datetime.now(UTC)
    volume = {
        "volume": {
            "outline_circle": {
                "center": {"lat": 46.5, "lng": 7.5},
                "radius": {"value": 50, "units": "M"},
            }
        },
        "time_start": stamp(now + timedelta(minutes=1)),
        "time_end": stamp(now + timedelta(hours=1)),
    }
    asked = {
        "extents": volume,
        "uss_base_url": "https://witness.example.org",
        "notify_for_operational_intents": True,
    }
    made = await asker.ask("PUT", path, asked)
    assert made.status == 200, made
    version = made.json["subscription"]["version"]
    read = await asker.ask("GET", path)
    assert read.json["subscription"]["version"] == version
    gone = await asker.ask("DELETE", f"{path}/{version}")
    assert gone.status == 200, gone


def stamp(instant: datetime) -> dict[str, str]:
    return {"value": instant.strftime("%Y-%m-%dT%H:%M:%SZ"), "format": "RFC3339"}
