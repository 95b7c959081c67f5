"""Whom a zone binds: the parties and ids of its `applies_to`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deconflict.register.entity import Entity, Kind, ZoneRule
from deconflict.register.words import called, normal, sentence_case

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Binding:
    """Whom one zone binds.

    Attributes
    ----------
    everyone
        Whether it binds all, its own party included.
    names
        Else the parties and ids that it binds, as `normal` writes them.
    assumed
        What was assumed about it, one sentence or nothing.
    """

    everyone: bool
    names: frozenset[str]
    assumed: tuple[str, ...] = ()

    def by_id(self, entity: Entity) -> bool:
        """Whether the zone names this very entity."""
        return normal(entity.id) in self.names

    def by_party(self, entity: Entity) -> bool:
        """Whether the zone names the entity's party."""
        return entity.party is not None and normal(entity.party) in self.names

    def binds(self, entity: Entity) -> bool:
        """Whether the zone binds the entity, zones never."""
        if entity.kind is Kind.ZONE:
            return False
        return self.everyone or self.by_party(entity) or self.by_id(entity)


def binding_of(zone: Entity) -> Binding:
    """Return whom a zone binds, and what was assumed for want of an `applies_to`."""
    if zone.applies_to is not None:
        names = frozenset(normal(name) for name in zone.applies_to)
        if EVERYONE in names:
            return Binding(everyone=True, names=names - {EVERYONE})
        return Binding(everyone=False, names=names)
    if zone.rule is ZoneRule.AREA_OF_OPERATIONS:
        if zone.party is None:
            return Binding(everyone=False, names=frozenset())
        return Binding(
            everyone=False,
            names=frozenset({normal(zone.party)}),
            assumed=(f"{zone.id} has no applies_to: it binds its own party, {zone.party}",),
        )
    return Binding(
        everyone=True,
        names=frozenset(),
        assumed=(f"{zone.id} has no applies_to: it binds everyone, its own party included",),
    )


def binding_notes(zones: Iterable[Entity], entities: Sequence[Entity]) -> list[str]:
    """Return a sentence for each name that binds nobody in the run.

    A misspelt name in `applies_to` would otherwise lift a zone without a word.
    """
    zones = tuple(zones)
    if not zones:
        return []
    parties = {entity.party for entity in entities if entity.party is not None}
    known = {normal(name) for name in parties.union(entity.id for entity in entities)}
    notes = []
    for zone in zones:
        if zone.applies_to is None:
            if zone.rule is ZoneRule.AREA_OF_OPERATIONS and zone.party is None:
                notes.append(
                    f"{sentence_case(called(zone))} has neither a party nor applies_to: "
                    "it binds nobody"
                )
            continue
        if not zone.applies_to:
            notes.append(f"{sentence_case(called(zone))} has an empty applies_to: it binds nobody")
        notes += [
            f'{sentence_case(called(zone))} applies to "{name}", which is no party or id '
            "in this run: nobody is bound by that name"
            for name in zone.applies_to
            if normal(name) not in known and normal(name) != EVERYONE
        ]
    return notes
