"""Ready volumes: what a draft prepared is not prepared again when its entries are applied."""

from __future__ import annotations

from collections.abc import Mapping

from deconflict.geo.packed.prepared import Prepared, prepared
from deconflict.register.state.held import VolumeRecord
from deconflict.register.state.volume_record import volume_of


class Ready:
    """The prepared volumes of one draft's records, by the very tuple that holds the records."""

    def __init__(self) -> None:
        # The tuple is kept, so that no other can have its identity.
        self._kept: dict[int, tuple[tuple[VolumeRecord, ...], tuple[Prepared, ...]]] = {}

    def of(
        self, records: tuple[VolumeRecord, ...], asked: Mapping[VolumeRecord, Prepared]
    ) -> tuple[Prepared, ...]:
        """Return these volumes ready, and keep them.

        Parameters
        ----------
        records
            The volumes.
        asked
            Those that were prepared to be asked about.
        """
        kept = self._kept.get(id(records))
        if kept is None:
            ready = tuple(asked.get(one) or prepared(volume_of(one)) for one in records)
            kept = self._kept[id(records)] = (records, ready)
        return kept[1]

    def get(self, records: tuple[VolumeRecord, ...]) -> tuple[Prepared, ...] | None:
        """Return these volumes if they were kept."""
        kept = self._kept.get(id(records))
        return None if kept is None else kept[1]
