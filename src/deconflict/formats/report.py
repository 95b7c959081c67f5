"""A check's answer as JSON and GeoJSON: the same bytes for the same answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deconflict.formats.instant import write_instant
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


def as_geojson(report: Report, problems: Sequence[Problem] = ()) -> bytes:
    """Return the answer as a map: a FeatureCollection, a feature a line.

    Every entity in a conflict or doubt is a feature as `deconflict.formats.geojson_writer` draws
    it, with ``conflicts_with`` and ``doubts_with`` added; each conflict is one more feature, the
    line between the nearest points (a point where they meet), with the conflict as JSON has it in
    its properties. ``verdict``, ``notes`` and ``problems`` (what was skipped) are foreign
    members of the collection.
    """
    # Only maps need the writer, and `deconflict convert` should start fast.
    from deconflict.formats.geojson_writer import picture

    entities: dict[str, Entity] = {}
    conflicts_with: dict[str, set[str]] = {}
    doubts_with: dict[str, set[str]] = {}
    findings = [(conflict.a, conflict.b, conflicts_with) for conflict in report.conflicts]
    doubts = [(doubt.a, doubt.b or doubt.a, doubts_with) for doubt in report.doubts]
    for a, b, partners in (*findings, *doubts):
        entities |= {a.id: a, b.id: b}
        partners.setdefault(a.id, set()).add(b.id)
        partners.setdefault(b.id, set()).add(a.id)
    features = []
    for identifier, entity in sorted(entities.items()):
        drawn = picture(entity)
        drawn["properties"]["conflicts_with"] = sorted(conflicts_with.get(identifier, ()))
        drawn["properties"]["doubts_with"] = sorted(doubts_with.get(identifier, ()))
        features.append(drawn)
    features += [_conflict_feature(conflict) for conflict in report.conflicts]
    lines = b",\n".join(msgspec.json.encode(drawn) for drawn in features)
    head = msgspec.json.encode(
        {
            "verdict": report.verdict.value,
            "notes": list(report.notes),
            "problems": [problem_object(problem) for problem in problems],
        }
    )
    return b'{"type":"FeatureCollection",%s,"features":[\n%s\n]}\n' % (head[1:-1], lines)


def _conflict_feature(conflict: Conflict) -> dict[str, object]:
    points = [[round(lon, 7), round(lat, 7)] for lat, lon in dict.fromkeys(conflict.nearest or ())]
    geometry: dict[str, object] | None = None
    if points:
        geometry = (
            {"type": "Point", "coordinates": points[0]}
            if len(points) == 1
            else {"type": "LineString", "coordinates": points}
        )
    return {"type": "Feature", "properties": conflict_object(conflict), "geometry": geometry}


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
        "from": conflict.start and write_instant(conflict.start),
        "to": conflict.end and write_instant(conflict.end),
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
