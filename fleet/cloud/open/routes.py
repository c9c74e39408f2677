"""What a call of the Open API is to those who answer it: who calls, what with, and the route.

Handlers are functions of an `OpenCall`; they return what goes into `result` (True for "true",
None for null) or raise `OpenRefused`. Everything that is the same for all calls (signature, token,
subscription, limits) has been checked by then, see `fleet.cloud.open.gateway`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import decode_json
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.api.shapes import has_nul
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.projects import Project
from fleet.cloud.state import State

QUERY_FIELDS_MAX = 128

Shape = TypeVar("Shape", bound=msgspec.Struct)

_EMPTY_MARKS = ("missing required field", "` of length >= 1 ")
_RANGE_MARKS = ("` >", "` <", "` of length", "` multiple of")


class Family(StrEnum):
    """The groups of APIs that a project subscribes to."""

    TOKEN = "token"  # noqa: S105 - the name of a group; nobody has to subscribe to it
    DEVICES = "devices"  # /v1.0/devices: smart home
    INDUSTRY = "industry"  # /v1.0/iot-03: industry
    CORE = "core"  # /v2.0/cloud/thing
    PAIRING = "pairing"
    LOGS = "logs"
    USERS = "users"
    HOMES = "homes"
    SPACES = "spaces"
    STATISTICS = "statistics"


class Caller(msgspec.Struct, frozen=True):
    """Who calls and which data centre: `uid` is the consumer who granted it, "" in simple mode."""

    project: Project
    region: str
    uid: str = ""


class OpenCall(msgspec.Struct, frozen=True):
    """One call that the gateway let through; `path` holds the values of the pattern."""

    state: State
    link: DeviceLink
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    now_ms: int

    def body_as(self, shape: type[Shape]) -> Shape:
        """Return the JSON body as `shape`; an empty body counts as `{}`.

        OpenRefused: 1100 for a field that is not there or is empty and must not be, 1101 for a
        value out of the range that `shape` allows, 1109 for anything else, the character NUL among
        it.
        """
        if has_nul(self.body):
            raise OpenRefused(Code.PARAM_ILLEGAL)
        try:
            return decode_json(shape, self.body or b"{}")
        except Malformed as error:
            raise _param_refused(str(error)) from None

    def query_as(self, shape: type[Shape]) -> Shape:
        """Return the query as `shape` (numbers are read from their text). OpenRefused as above.

        A field without text counts as one that is not there: some clients always send them all.
        """
        given = {name: text for name, text in self.query.items() if text}
        try:
            return msgspec.convert(given, shape, strict=False)
        except msgspec.ValidationError as error:
            raise _param_refused(str(error)) from None

    def ids(self, name: str, ids_max: int) -> list[str]:
        """Return a list of ids from the query, in order and without repetitions.

        Accepted are `name=a,b` and, as tuya-connector-nodejs sends lists, `name[0]=a&name[1]=b`.
        OpenRefused: 1100 for none, 1101 for more than `ids_max`.
        """
        indexed = (text for key, text in self.query.items() if key.startswith(f"{name}["))
        texts = [self.query.get(name, ""), *indexed]
        found = dict.fromkeys(one for text in texts for one in text.split(",") if one)
        if not found:
            raise OpenRefused(Code.PARAM_EMPTY)
        if len(found) > ids_max:
            raise OpenRefused(Code.PARAM_RANGE)
        return list(found)

    def __repr__(self) -> str:
        """Show who calls, not with what: bodies carry passwords."""
        return f"OpenCall({self.caller.project.access_id!r}, uid={self.caller.uid!r})"


class Route(NamedTuple):
    """One line of a table of routes; `{name}` in the pattern is one segment of the path.

    A route that needs no token is signed without one. `family` is a value of `Family`.
    """

    method: str
    pattern: str
    handler: Callable[[OpenCall], object]
    family: str
    needs_token: bool = True


class _Step:
    """Where one may be within a path: the steps from here, and the route that ends here."""

    __slots__ = ("fixed", "named", "names", "route")

    def __init__(self) -> None:
        self.fixed: dict[str, _Step] = {}
        self.named: _Step | None = None
        self.route: Route | None = None
        self.names: tuple[tuple[int, str], ...] = ()  # of its values, with their places in the path

    def add(self, route: Route) -> None:
        segments, step = route.pattern.split("/"), self
        for segment in segments:
            if segment.startswith("{"):
                step.named = step = step.named or _Step()
            else:
                step = step.fixed.setdefault(segment, _Step())
        if step.route is None:
            step.route = route
            step.names = tuple((n, s[1:-1]) for n, s in enumerate(segments) if s.startswith("{"))

    def find(self, segments: list[str], depth: int = 0) -> "_Step | None":
        if depth == len(segments):
            return self if self.route is not None else None
        segment = segments[depth]
        step = self.fixed.get(segment)
        found = step.find(segments, depth + 1) if step is not None else None
        if found is None and self.named is not None and segment:
            found = self.named.find(segments, depth + 1)
        return found


class Routes:
    """All routes as a tree of segments for each method; fixed segments win over named ones."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Plant the trees."""
        self._routes = tuple(routes)
        self._trees: dict[str, _Step] = {}
        for route in self._routes:
            self._trees.setdefault(route.method, _Step()).add(route)

    def __iter__(self) -> Iterator[Route]:
        """Go through all routes."""
        return iter(self._routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route of a request and the values of its path, or None.

        A slash at the end counts for nothing: tuya-iot-py-sdk and tuya-connector-nodejs send it.
        """
        segments = path.removesuffix("/").split("/")
        tree = self._trees.get(method)
        step = tree.find(segments) if tree is not None else None
        if step is None or step.route is None:
            return None
        return step.route, {name: _segment(segments[place]) for place, name in step.names}


def parse_query(text: str) -> dict[str, str]:
    """Return the fields of a query. OpenRefused (1109) for too many, or for what is not UTF-8."""
    pairs = [pair for pair in text.split("&") if pair]
    if len(pairs) > QUERY_FIELDS_MAX:
        raise OpenRefused(Code.PARAM_ILLEGAL)
    try:
        return {_decoded(key): _decoded(value) for key, _, value in map(_split, pairs)}
    except UnicodeDecodeError:
        raise OpenRefused(Code.PARAM_ILLEGAL) from None


def _split(pair: str) -> tuple[str, str, str]:
    return pair.partition("=")


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1", "replace")).decode()


def _segment(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1", "replace")).decode("utf-8", "replace")


def _param_refused(complaint: str) -> OpenRefused:
    """Translate a complaint of the JSON library: "... required field ..", "Expected `int` >= 1"."""
    if any(mark in complaint for mark in _EMPTY_MARKS):
        return OpenRefused(Code.PARAM_EMPTY)
    if any(mark in complaint for mark in _RANGE_MARKS):
        return OpenRefused(Code.PARAM_RANGE)
    return OpenRefused(Code.PARAM_ILLEGAL)
