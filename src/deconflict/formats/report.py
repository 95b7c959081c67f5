"""A check's answer as JSON and GeoJSON: the same bytes for the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from deconflict.formats.reading import Problem
from deconflict.geo.position import Position
from deconflict.register.entity import Entity
from deconflict.register.report import Conflict, Doubt, Overlap, Report, Shift

_PLAN_DECIMALS = 2
"""Centimetres: what separations are exact to."""
_DEGREE_DECIMALS = 7
"""About a centimetre."""


def as_json(
    report: Report | None, entities: Sequence[Entity], problems: Sequence[Problem]
) -> bytes:
    """Return the answer as a JSON object, indented, ending in a line feed.

    Parameters
    ----------
    report
        The answer; ``None`` if nothing was checked, because of `problems`.
    entities
        What was read, in order.
    problems
        What was refused.

    Returns
    -------
    bytes
        UTF-8. ``verdict`` (``null`` if nothing was checked), ``entities``, ``conflicts``,
        ``unknown``, ``notes`` and ``problems``.
    """
    answer = {
        "verdict": report.verdict.value if report else None,
        "entities": [entity_object(entity) for entity in entities],
        "conflicts": [conflict_object(conflict) for conflict in report.conflicts] if report else [],
        "unknown": [_doubt_object(doubt) for doubt in report.doubts] if report else [],
        "notes": list(report.notes) if report else [],
        "problems": [problem_object(problem) for problem in problems],
    }
    return msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n"


def entity_object(entity: Entity) -> dict[str, object]:
    """Return the entity as it was understood: the read-back of what was typed."""
    reached = [*entity.positions, *entity.also_at]
    return {
        **_name_object(entity),
        "volumes": len(entity.volumes),
        "uncertainty_m": _metres(max(volume.uncertainty_m for volume in entity.volumes)),
        "positions": [position_object(position) for position in reached],
        "assumed": list(entity.assumed),
    }


def position_object(position: Position) -> dict[str, object]:
    """Return the position as JSON shows it: degrees and metres, provenance included."""
    return {
        "lat": round(position.lat_deg, 9),
        "lon": round(position.lon_deg, 9),
        "uncertainty_m": round(position.uncertainty_m, 3),
        "precision_m": round(position.precision_m, 3),
        "datum_uncertainty_m": round(position.datum_uncertainty_m, 3),
        "stated_uncertainty_m": round(position.stated_uncertainty_m, 3),
        "text": position.text,
        "notation": position.notation.value,
        "datum": position.datum,
        "operation": position.operation,
        "obtained": position.obtained,
        "assumed": list(position.assumed),
    }


def conflict_object(conflict: Conflict) -> dict[str, object]:
    """Return one conflict, explained."""
    return {
        "a": _name_object(conflict.a),
        "b": _name_object(conflict.b),
        "check": conflict.check.value,
        "also": [check.value for check in conflict.also],
        "rule": conflict.rule,
        "sentence": conflict.sentence,
        "overlap": _overlap_object(conflict.overlap),
        "nearest": [_point_object(point) for point in conflict.nearest or ()],
        "from": instant(conflict.start),
        "to": instant(conflict.end),
        "assumed": list(conflict.assumed),
        "clears": [_shift_object(shift) for shift in conflict.clears],
    }


def problem_object(problem: Problem) -> dict[str, object]:
    """Return one refusal: where, what is wrong, what to write instead."""
    return {
        "file": problem.file,
        "place": problem.place,
        "field": problem.field,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def instant(moment: datetime | None) -> str | None:
    """Return an RFC 3339 instant in UTC, with as many decimals as it needs."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _name_object(entity: Entity) -> dict[str, object]:
    return {
        "id": entity.id,
        "kind": entity.kind.value,
        "party": entity.party,
        "name": entity.name,
        "source": entity.source,
    }


def _doubt_object(doubt: Doubt) -> dict[str, object]:
    return {
        "a": _name_object(doubt.a),
        "b": _name_object(doubt.b) if doubt.b is not None else None,
        "check": doubt.check.value,
        "sentence": doubt.sentence,
    }


def _overlap_object(overlap: Overlap) -> dict[str, object]:
    return {
        "plan_m": _metres(overlap.plan_m),
        "height_m": _metres(overlap.height_m),
        "time_s": _metres(overlap.time_s),
    }


def _shift_object(shift: Shift) -> dict[str, object]:
    return {
        "entity": shift.entity,
        "action": shift.action,
        "time_s": shift.time_s,
        "height_m": shift.height_m,
        "distance_m": shift.distance_m,
        "bearing_deg": shift.bearing_deg,
        "sentence": shift.sentence,
    }


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, _PLAN_DECIMALS)


def _point_object(point: tuple[float, float]) -> dict[str, float]:
    return {
        "lat": round(point[0], _DEGREE_DECIMALS),
        "lon": round(point[1], _DEGREE_DECIMALS),
    }
