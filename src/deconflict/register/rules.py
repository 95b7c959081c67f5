"""The rules: one table that says who must not meet whom, and who must stay inside what.

The table is ``rules.toml`` beside this module; a user can load another one of the same shape.
What a table may not do is to forget a protection silently: every row of the default table must
be there, if only with ``enforced = false``, and each one that isn't enforced is said in every
report.
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity, Kind, ZoneRule

MAX_BYTES = 1_000_000
"""A table is a page or two; what is larger is no table."""

REMEDY = "correct the table; docs/reference/rules.md explains every column"

_PLACE = re.compile(r" - at `\$?\.?(?P<path>.*)`$", re.DOTALL)
_NUMBER = re.compile(r"\[(\d+)\]")
_WORDS = (
    (re.compile(r"^Object missing required field `(\w+)`"), r"\1 is missing"),
    (re.compile(r"^Object contains unknown field `(.*)`"), r"there is no column \1"),
    (re.compile(r"^Expected `\w+` (>=|<=) (\d+)(\.0)?$"), r"the number is not \1 \2"),
    (re.compile(r"^Expected `array` of length >= (\d+)"), r"fewer than \1 are given"),
    (re.compile(r"^Expected `str`, got .*"), "it is no text"),
    (re.compile(r"^Expected `(?:float|int)`, got .*"), "it is no number"),
    (re.compile(r"^Expected `bool`, got .*"), "it is neither true nor false"),
    (re.compile(r"^Invalid enum value (.*)"), r"\1 is none of the words for it"),
)

Class = Literal["site", "movement", "operation", "hazardous operation"]
"""Classes of entity that a row can name; "operation" holds the hazardous ones too."""

GivesWay = Literal["first", "second", "lower priority", "either"]
Demand = Literal["must not meet", "inside one", "inside if entered"]
Compared = Literal["site", "movement", "operation", "own position", "submitter"]

Metres = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Margin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept free besides what the volumes already hold: metres and seconds."""

    plan_m: Metres = 0.0
    height_m: Metres = 0.0
    time_s: Seconds = 0.0

    @property
    def is_zero(self) -> bool:
        """Whether nothing is added."""
        return not (self.plan_m or self.height_m or self.time_s)


class MeetRow(Margin, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two classes of entity that must not meet.

    `same_party`: whether two of one party are compared too. `gives_way`: who moves.
    """

    name: Name
    first: Class
    second: Class
    same_party: bool = True
    gives_way: GivesWay
    enforced: bool = True
    says: Sentence

    @property
    def demand_is_meeting(self) -> bool:
        """Whether the row keeps two entities apart; always."""
        return True

    def holds_for(self, a: Entity, b: Entity) -> bool:
        """Whether the row judges this pair, `a` being the first."""
        if not (is_of_class(a, self.first) and is_of_class(b, self.second)):
            return False
        return self.same_party or a.party is None or a.party != b.party


class ZoneRow(Margin, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What zones of one rule demand of the classes of entity that they bind."""

    name: Name
    rule: ZoneRule
    binds: Annotated[tuple[Class, ...], msgspec.Meta(min_length=1)]
    demand: Demand
    enforced: bool = True
    says: Sentence

    @property
    def demand_is_meeting(self) -> bool:
        """Whether the row keeps the bound out of the zone, and not inside it."""
        return self.demand == "must not meet"

    def binds_class_of(self, entity: Entity) -> bool:
        """Whether entities such as this one are bound at all."""
        return any(is_of_class(entity, name) for name in self.binds)


class TargetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Positions that the target of a hazardous operation must not be near, at any time."""

    name: Name
    compared_with: Annotated[tuple[Compared, ...], msgspec.Meta(min_length=1)]
    near_m: Metres
    enforced: bool = True
    says: Sentence


class NotationsRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether two statements of one place must agree."""

    enforced: bool = True
    says: Sentence


class StaleRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From which age on a position of a kind is known only to within a reach."""

    kind: Literal["site", "movement", "operation", "zone"]
    max_age_h: Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)]
    reach_m: Metres
    enforced: bool = True
    says: Sentence


class ObtainedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words which say that a position was not measured, and its reach."""

    words: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    reach_m: Metres
    enforced: bool = True
    says: Sentence


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole table; `source` names where it comes from, `notes` what it leaves out."""

    version: Literal[1]
    must_not_meet: tuple[MeetRow, ...]
    zone: tuple[ZoneRow, ...]
    target: tuple[TargetRow, ...]
    two_notations: NotationsRow
    stale: tuple[StaleRow, ...]
    obtained: tuple[ObtainedRow, ...]
    source: str = "the default rules"
    notes: tuple[str, ...] = ()


def is_of_class(entity: Entity, name: str) -> bool:
    """Whether an entity belongs to a class that a row names."""
    if name == "hazardous operation":
        return entity.kind is Kind.OPERATION and entity.hazardous
    return entity.kind == name


@functools.cache
def default_rules() -> Rules:
    """Return the table that comes with the package."""
    text = resources.files("deconflict.register").joinpath("rules.toml").read_bytes()
    return _decoded(text, "rules.toml")


def load_rules(path: Path | str) -> Rules:
    """Read another table, strictly.

    Parameters
    ----------
    path
        A TOML file of the shape of the default one.

    Returns
    -------
    Rules
        With a note for each protection of the default table that it does not enforce.

    Raises
    ------
    InputError
        If the file can't be read or isn't TOML; if it has an unknown column, a wrong type, a
        negative or infinite figure; or if it forgets something that the default table judges (a
        row that is not wanted must be there with ``enforced = false``).
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the rules table {path} can't be read ({error.strerror})",
            "name a TOML file that exists and that you may read",
        ) from error
    if len(text) > MAX_BYTES:
        raise InputError(f"the rules table {path} is larger than {MAX_BYTES:,} bytes", REMEDY)
    rules = _decoded(text, path.name)
    missing = _not_covered(rules, enforced_only=False)
    if missing:
        raise InputError(
            f"the rules table {path.name} says nothing about {', '.join(missing)}",
            "add the row; if the protection is not wanted, write it with enforced = false",
        )
    notes = [
        f"The rules table {path.name} does not enforce: {what}"
        for what in _not_covered(rules, enforced_only=True)
    ]
    notes += [
        f"The rules table {path.name} does not compare two of one party: {row.name}"
        for row in rules.must_not_meet
        if row.enforced and not row.same_party
    ]
    return msgspec.structs.replace(rules, source=f"the rules table {path.name}", notes=tuple(notes))


def _decoded(text: bytes, name: str) -> Rules:
    """Return the table in a TOML text, its types and figures checked."""
    try:
        table: dict[str, Any] = tomllib.loads(text.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the rules table {name} is not TOML: {error}", REMEDY) from error
    for key in ("source", "notes"):
        if key in table:
            raise InputError(f"the rules table {name} has the unknown key {key}", REMEDY)
    _refuse_infinite(table, name)
    try:
        rules = msgspec.convert(table, Rules)
    except msgspec.ValidationError as error:
        raise InputError(
            f"the rules table {name} is not valid: {_told(str(error))}", REMEDY
        ) from error
    _refuse_twice(rules, name)
    return rules


def _told(message: str) -> str:
    """Return a decoder's message in words: table, row and column, and what is wrong there."""
    path = ""
    if found := _PLACE.search(message):
        path, message = found["path"], message[: found.start()]
    place = _NUMBER.sub(lambda number: f", row {int(number[1]) + 1}", path).replace(".", ", ")
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    return f"{place}: {message}" if place else message


def _refuse_infinite(value: object, name: str, key: str = "") -> None:
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            _refuse_infinite(inner, name, inner_key)
    elif isinstance(value, list):
        for inner in value:
            _refuse_infinite(inner, name, key)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"the rules table {name} has {key} = {value}", "write a finite number")


def _refuse_twice(rules: Rules, name: str) -> None:
    """Refuse two rows about one thing, since only one of them could hold."""
    seen: set[tuple[str, ...]] = set()
    keys: list[tuple[str, ...]] = [
        ("must_not_meet", *sorted((row.first, row.second))) for row in rules.must_not_meet
    ]
    keys += [("zone", row.rule, bound) for row in rules.zone for bound in row.binds]
    keys += [("target", who) for row in rules.target for who in row.compared_with]
    keys += [("stale", row.kind) for row in rules.stale]
    keys += [("obtained", word) for row in rules.obtained for word in row.words]
    for key in keys:
        if key in seen:
            raise InputError(
                f"the rules table {name} has two rows for {' / '.join(key)}", "keep one of them"
            )
        seen.add(key)


def _not_covered(rules: Rules, *, enforced_only: bool) -> list[str]:
    """Return what the default table judges and this one doesn't, in the default's words."""
    have = _coverage(rules, enforced_only=enforced_only)
    return [
        says
        for key, says in _coverage(default_rules(), enforced_only=True).items()
        if key not in have
    ]


def _coverage(rules: Rules, *, enforced_only: bool) -> dict[tuple[str, ...], str]:
    """Return what a table judges, each with its words."""
    covered: dict[tuple[str, ...], str] = {}
    for row in rules.must_not_meet:
        if row.enforced or not enforced_only:
            covered["meet", *sorted((row.first, row.second))] = f"{row.first} with {row.second}"
    for zone_row in rules.zone:
        if zone_row.enforced or not enforced_only:
            for bound in zone_row.binds:
                covered["zone", zone_row.rule, bound] = f"{bound} with {zone_row.rule} zone"
    for target_row in rules.target:
        if target_row.enforced or not enforced_only:
            for who in target_row.compared_with:
                covered["target", who] = f"target at the position of {who}"
    if rules.two_notations.enforced or not enforced_only:
        covered["two_notations",] = "two notations of one place"
    for stale_row in rules.stale:
        if stale_row.enforced or not enforced_only:
            covered["stale", stale_row.kind] = f"age of the position of a {stale_row.kind}"
    for obtained_row in rules.obtained:
        if obtained_row.enforced or not enforced_only:
            covered["obtained",] = "positions that nobody measured"
    return covered
