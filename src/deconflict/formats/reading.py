"""What readers of files take and give: defaults and limits in, entities and problems out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from deconflict.formats.names import party_name
from deconflict.geo.errors import InputError
from deconflict.register.entity import Entity, Kind

MAX_FILE_BYTES = 256 * 1024 * 1024
"""A million small features take about this much; a larger file is refused unread."""

MAX_ENTITIES = 1_000_000
"""The largest set that the sweep is measured for."""

MAX_VERTICES = 10_000
"""Of one entity: ASTM F3548-21 allows as many for an operational intent."""

MAX_NESTING = 32
"""Of geometry collections, folders and elements; real files stay below 10."""

MAX_INFLATED_RATIO = 200
"""Of a zip member's size to its packed size: KML packs about 10 to 30 times, sheets up to 100
times, a zip bomb 1,000 times."""

MAX_PROBLEMS = 1_000
"""More than anybody reads; those beyond are counted."""

MAX_LEFT_OUT = 100_000
"""Problems counted beyond those kept; a file with more is another kind of file, and is left."""

MAX_TEXT = 10_000
"""Characters of one text property."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a part of a file, or the whole of it, is refused.

    Attributes
    ----------
    file
        The file's name as the user gave it.
    place
        Where in the file: ``line 7``, ``feature 3``, ``row 12``; empty: the whole file.
    field
        The property, column, or vertex; empty: the whole place.
    what, remedy
        As in `InputError`: clauses without a full stop.
    """

    file: str
    place: str
    field: str
    what: str
    remedy: str

    @classmethod
    def of(cls, error: InputError, *, file: str, place: str = "") -> Problem:
        """Return the problem that an error at a place of a file is."""
        return cls(file=file, place=place, field=error.field, what=error.what, remedy=error.remedy)

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, self.place, self.field) if part)
        said = f"{where}: {self.what}"
        return f"{said}; {self.remedy}" if self.remedy else said


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What a file holds, and what of it is refused.

    Attributes
    ----------
    entities
        Those that could be read, in the file's order.
    problems
        One for each refused part, in the file's order, at most `MAX_PROBLEMS`.
    problems_left_out
        How many more there are.
    """

    entities: tuple[Entity, ...] = ()
    problems: tuple[Problem, ...] = ()
    problems_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What fills in for that which a file lacks; each stays ``None`` unless the user says so.

    Attributes
    ----------
    kind
        The kind of an entity that states none.
    party
        The party of an entity that names none.
    datum
        The datum of latitude and longitude in text that name none.
    strict_datum
        Whether a grid reference in text that names no datum is refused, and not taken as WGS 84.
    """

    kind: Kind | None = None
    party: str | None = None
    datum: str | None = None
    strict_datum: bool = False

    def __post_init__(self) -> None:
        """Bring the party into the form in which files name it, and refuse one that is none."""
        if self.party is not None:
            object.__setattr__(self, "party", party_name(self.party, "party"))


NO_DEFAULTS = Defaults()
"""What is missing stays missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond which a file or a part of it is refused before any heavy work.

    Attributes
    ----------
    file_bytes
        Size of a file, and of what a packed file inflates to, bytes.
    entities
        Features, placemarks or rows of a file.
    vertices
        Of one entity.
    nesting
        Depth of collections, folders and elements.
    inflated_ratio
        Inflated size of a packed member to its packed size.
    problems
        Problems kept of one file; further ones are counted.
    """

    file_bytes: int = MAX_FILE_BYTES
    entities: int = MAX_ENTITIES
    vertices: int = MAX_VERTICES
    nesting: int = MAX_NESTING
    inflated_ratio: int = MAX_INFLATED_RATIO
    problems: int = MAX_PROBLEMS

    def refuse_larger(self, data: bytes) -> None:
        """Refuse a file that is larger than allowed, before anything is made of it.

        Raises
        ------
        InputError
            If it is.
        """
        if len(data) > self.file_bytes:
            raise InputError(
                f"the file has {len(data):,} bytes, more than {self.file_bytes:,}",
                "split it into several files",
            )


DEFAULT_LIMITS = Limits()
"""The limits that the documentation states."""


class TooManyProblemsError(InputError):
    """So much of a file is refused that the rest of it isn't read."""


@dataclass(slots=True)
class Gathering:
    """Collects what a reader finds in one file.

    Attributes
    ----------
    file
        The file's name as the user gave it.
    limits
        How many entities and problems are kept.
    """

    file: str
    limits: Limits = DEFAULT_LIMITS
    entities: list[Entity] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    problems_left_out: int = 0

    def add(self, entity: Entity) -> None:
        """Keep an entity.

        Raises
        ------
        InputError
            If the file holds more of them than the limit.
        """
        if len(self.entities) >= self.limits.entities:
            raise InputError(
                f"the file holds more than {self.limits.entities:,} entities",
                "split it into several files and check them one after the other",
            )
        self.entities.append(entity)

    def refuse(self, error: InputError, place: str = "") -> None:
        """Keep the problem that an error at a place is, or count it when there are too many.

        Raises
        ------
        InputError
            Once, if there are so many that the rest of the file isn't worth the time.
        """
        if len(self.problems) < self.limits.problems or isinstance(error, TooManyProblemsError):
            self.problems.append(Problem.of(error, file=self.file, place=place))
            return
        self.problems_left_out += 1
        if self.problems_left_out == MAX_LEFT_OUT:
            raise TooManyProblemsError(
                f"more than {MAX_LEFT_OUT:,} parts are refused, so the rest is not read",
                "mend what they have in common, or give the file that was meant",
            )

    def result(self) -> ReadResult:
        """Return what was collected."""
        return ReadResult(
            entities=tuple(self.entities),
            problems=tuple(self.problems),
            problems_left_out=self.problems_left_out,
        )

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.entities)
