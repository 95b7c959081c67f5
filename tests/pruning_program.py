"""`deconflict` whose service prunes however little there is, while the file PRUNE_NOW is there."""

from __future__ import annotations

import os
from pathlib import Path

from deconflict.cli.main import main
from deconflict.server import run
from deconflict.server.coordinator import Coordinator
from deconflict.server.data_folder import DataFolder
from deconflict.server.retention import Retention

SWITCH = Path(os.environ["PRUNE_NOW"])


class Switched(Retention):
    """Retention that a test sets going."""

    def __init__(self, folder: DataFolder, coordinator: Coordinator, days: float) -> None:
        super().__init__(folder, coordinator, days, every_s=0.1, least_entries=256)

    async def prune(self) -> int:
        return await super().prune() if SWITCH.exists() else 0  # noqa: ASYNC240 - a moment


if __name__ == "__main__":
    run.Retention = Switched
    main()
