"""Which endpoint answers a method and path: a tree of segments, walked once a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from deconflict.standards.service import Endpoint, Family


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint, the family that words its errors, and the names of its path's parameters."""

    family: Family
    endpoint: Endpoint
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    rest: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoMethod:
    """A path that is there, but not for this method."""

    family: Family
    allowed: tuple[str, ...]


class Router:
    """Finds endpoints; a literal segment goes before a parameter.

    Parameters
    ----------
    families
        Their paths begin with "/" and hold parameters as whole segments in curly brackets; one
        that begins with an asterisk, such as "{*path}", stands for all that follows.

    Raises
    ------
    ValueError
        If two endpoints have the same method and path.
    """

    def __init__(self, families: Sequence[Family]) -> None:
        self._root = _Node()
        for family in families:
            for endpoint in family.endpoints:
                self._add(family, endpoint)

    def _add(self, family: Family, endpoint: Endpoint) -> None:
        node = self._root
        names = []
        for segment in endpoint.path.split("/")[1:]:
            if segment.startswith("{*"):
                names.append(segment[2:-1])
                node.rest = node.rest or _Node()
                node = node.rest
            elif segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.children.setdefault(segment, _Node())
        if endpoint.method in node.routes:
            raise ValueError(f"two endpoints answer {endpoint.method} {endpoint.path}")
        node.routes[endpoint.method] = Route(family, endpoint, tuple(names))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | NoMethod | None:
        """Return the route and its parameters.

        Parameters
        ----------
        method
            "GET".
        path
            As received, still percent-encoded, so that an encoded slash parts nothing.
        """
        segments = path.split("/")
        node = self._root
        values = []
        for segment in segments[1:]:  # the way of nearly every request: no turning back
            child = node.children.get(segment)
            if child is None:
                child = node.any
                if child is None:
                    break
                values.append(decoded(segment))
            node = child
        else:
            route = node.routes.get(method)
            if route is not None:
                return route, dict(zip(route.names, values, strict=True))
        return self._search(method, segments[1:])

    def _search(
        self, method: str, segments: list[str]
    ) -> tuple[Route, dict[str, str]] | NoMethod | None:
        """Look at every way through the tree, for what the first way did not find."""
        found: list[tuple[_Node, tuple[str, ...]]] = []
        _walk(self._root, segments, 0, (), found)
        for node, values in found:
            route = node.routes.get(method)
            if route is not None:
                return route, dict(zip(route.names, values, strict=True))
        if not found:
            return None
        allowed = tuple(sorted({each for node, _ in found for each in node.routes}))
        return NoMethod(next(iter(found[0][0].routes.values())).family, allowed)


def _walk(
    node: _Node,
    segments: list[str],
    depth: int,
    values: tuple[str, ...],
    found: list[tuple[_Node, tuple[str, ...]]],
) -> None:
    if depth == len(segments):
        if node.routes:
            found.append((node, values))
        return
    segment = segments[depth]
    child = node.children.get(segment)
    if child is not None:
        _walk(child, segments, depth + 1, values, found)
    if node.any is not None:
        _walk(node.any, segments, depth + 1, (*values, decoded(segment)), found)
    if node.rest is not None:
        found.append((node.rest, (*values, decoded("/".join(segments[depth:])))))


def decoded(text: str) -> str:
    """Return a percent-encoded text decoded; what is no UTF-8 becomes U+FFFD."""
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text
