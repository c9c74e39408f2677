"""From method and path to a handler: a table of routes, matched segment by segment."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.cloud.api.shapes import has_nul

QUERY_FIELDS_MAX = 16

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Access(Enum):
    """Who may call a route."""

    ANYBODY = auto()
    ACCOUNT = auto()
    CONSUMER = auto()
    ADMIN = auto()


class Call(msgspec.Struct, frozen=True):
    """One request: who makes it (account or uid, "" for others), and what it carries."""

    subject: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    now_ms: int

    def body_as(self, shape: type[Shape]) -> Shape:
        """Return the JSON body as `shape`; an empty body counts as `{}`. Raises Malformed."""
        if has_nul(self.body):
            raise Malformed("JSON: the character NUL in a text")
        return decode_json(shape, self.body or b"{}")

    def query_as(self, shape: type[Shape]) -> Shape:
        """Return the query as `shape`. Raises Malformed."""
        try:
            return msgspec.convert(self.query, shape, strict=False)
        except msgspec.ValidationError as error:
            raise Malformed(f"query: {error}") from None

    def __repr__(self) -> str:
        """Show who calls, not with what: bodies carry passwords."""
        return f"Call({self.subject!r})"


class Route(NamedTuple):
    """One line of the table; `{name}` in the pattern is one segment, handed on by that name."""

    method: str
    pattern: str
    access: Access
    handler: Callable[[Any, Call], object]


class Router:
    """All routes of the people's APIs."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Sort the routes by what is cheap to look at: method and number of segments."""
        self._routes: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        self._plain: dict[tuple[str, str], Route] = {}  # what has no values in its path
        for route in routes:
            segments = route.pattern.split("/")
            if "{" not in route.pattern and self.find(route.method, route.pattern) is None:
                self._plain[route.method, route.pattern] = route
            self._routes.setdefault((route.method, len(segments)), []).append((segments, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route of a request and the values of its path, or None."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, {}
        given = path.split("/")
        for segments, route in self._routes.get((method, len(given)), ()):
            values = _match(segments, given)
            if values is not None:
                return route, values
        return None


def parse_query(text: str) -> dict[str, str]:
    """Return the fields of a query. Raises Malformed for too many."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX))
    except ValueError as error:
        raise Malformed(f"query: {error}") from None


def _match(segments: list[str], given: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for wanted, found in zip(segments, given, strict=True):
        if wanted.startswith("{"):
            values[wanted[1:-1]] = unquote(found)
        elif wanted != found:
            return None
    return values
