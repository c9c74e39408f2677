"""The life of a device as a picture: states and transitions of the firmware's table, laid out.

What there is to draw comes from the table (`firmware_sim.device.lifecycle`); where a state lies, and
how a transition is called in two words, are the tables here, and a test compares them with that one.
A transition that starts from nearly everywhere is drawn once, as an arrow from nowhere.
"""

from collections.abc import Iterator, Mapping
from math import copysign

import msgspec

from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.machine import Row

ANYWHERE = "*"
FROM_ANYWHERE_MIN = 5  # states, from which one arrow is enough
COLUMN_PX, ROW_PX, LEFT_PX, TOP_PX = 230, 128, 160, 74
NODE_PX = (122, 44)
SIZE_PX = (LEFT_PX + 3 * COLUMN_PX + 92, TOP_PX + 2 * ROW_PX + 122)
_APART_PX = 9  # there and back again

PLACES: Mapping[str, tuple[int, int]] = {
    "OFF": (0, 0),
    "BOOTING": (1, 0),
    "REJOINING": (2, 0),
    "UPDATING": (3, 0),
    "RESETTING": (0, 1),
    "WAITING": (1, 1),
    "ACTIVATING": (2, 1),
    "ONLINE": (3, 1),
    "JOINING": (2, 2),
    "FAILED": (3, 2),
}
"""Column and row of each state."""

WORDS: Mapping[str, str] = {
    "PowerApplied": "power on",
    "PowerRemoved": "power off",
    "ResetHeld": "button held",
    "was_interrupted": "reset was cut off",
    "is_at_home": "bound, on cable",
    "is_activated": "bound",
    "BootElapsed": "nobody's",
    "PairingRead": "code read",
    "TokenOffered": "token by LAN",
    "TokenBrought": "token by cloud",
    "WifiJoined": "in the Wi-Fi",
    "WifiRefused": "Wi-Fi refused",
    "JoinElapsed": "no answer",
    "ActivationAccepted": "accepted",
    "unknown_to_cloud": "unknown",
    "ActivationRefused": "refused",
    "CallFailed": "no cloud",
    "LinkDown": "network lost",
    "LinkUp": "cable in",
    "is_news": "new firmware",
    "Upgraded": "installed",
    "Released": "released by cloud",
    "LanRemoved": "removed by LAN",
    "EraseElapsed": "erased",
    "FailureElapsed": "shown long enough",
}
"""Transitions in two words: by what the table asks besides, else by what happens."""

_BOTTOM_1, _BOTTOM_2 = 2.52, 2.72  # rows below the last one
_VIA: Mapping[tuple[str, str], tuple[tuple[float, float], ...]] = {
    ("FAILED", "WAITING"): ((3, _BOTTOM_1), (1, _BOTTOM_1)),
    ("ONLINE", "RESETTING"): ((3.36, 1), (3.36, _BOTTOM_2), (0, _BOTTOM_2)),
    ("UPDATING", "RESETTING"): ((3.36, 0), (3.36, _BOTTOM_2), (0, _BOTTOM_2)),
    ("UPDATING", "BOOTING"): ((3, -0.4), (1, -0.4)),
}
"""The ways of those that would run through others: columns and rows."""
_LABEL_AT: Mapping[tuple[str, str], float] = {
    ("BOOTING", "ONLINE"): 0.3,
    ("ONLINE", "UPDATING"): 0.66,
}
"""How far along its way a transition is named, where that is not in the middle."""
_LABEL_OF_TWO = 0.32  # of those that go there and back again
_LINE_PX = 14


class Node(msgspec.Struct, frozen=True):
    """A state; x and y are its middle, in pixels of the picture."""

    name: str
    x: float
    y: float


class Edge(msgspec.Struct, frozen=True):
    """All transitions between two states; `source` "*" stands for nearly every state.

    `points` are the corners of its way, the tip last; (`x`, `y`) is the middle of its `labels`.
    """

    source: str
    target: str
    labels: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    x: float
    y: float


class Chart(msgspec.Struct, frozen=True):
    """The whole picture; lengths are in pixels."""

    width: int
    height: int
    node_width: int
    node_height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def chart() -> Chart:
    """Return the picture of a device's life."""
    nodes = tuple(Node(name, *_point(*place)) for name, place in PLACES.items())
    ways = _ways()
    edges = tuple(_edge(source, target, labels, ways) for (source, target), labels in ways.items())
    return Chart(*SIZE_PX, *NODE_PX, nodes, edges)


def word_of(row: Row) -> str:
    """Return what a transition is called."""
    guard = row.guard.__name__ if row.guard is not None else ""
    return WORDS.get(guard) or WORDS[row.event.__name__]


def _ways() -> dict[tuple[str, str], tuple[str, ...]]:
    turning = [row for row in LIFECYCLE.rows if row.target not in (None, row.state)]
    from_where: dict[tuple[str, str], int] = {}
    for row in turning:
        key = (row.event.__name__, _target(row))
        from_where[key] = from_where.get(key, 0) + 1
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in turning:
        often = from_where[row.event.__name__, _target(row)] >= FROM_ANYWHERE_MIN
        source = ANYWHERE if often else row.state.name
        found.setdefault((source, _target(row)), {})[word_of(row)] = None
    return {way: tuple(labels) for way, labels in found.items()}


def _target(row: Row) -> str:
    assert row.target is not None, "it stays where it is"
    return row.target.name


def _edge(
    source: str,
    target: str,
    labels: tuple[str, ...],
    ways: Mapping[tuple[str, str], tuple[str, ...]],
) -> Edge:
    if source == ANYWHERE:
        x, y = _point(*PLACES[target])
        tip = (x - NODE_PX[0] / 2, y)
        middle = tip[0] / 2, y - _LINE_PX - 6
        return Edge(source, target, ("any state:", *labels), ((0.0, y), tip), *middle)
    places = (PLACES[source], *_VIA.get((source, target), ()), PLACES[target])
    points = tuple(_point(*place) for place in places)
    start, end = points[0], points[-1]
    of_two = len(points) == 2 and (target, source) in ways
    if of_two:
        points = _aside(points[0], points[1])
    points = (
        _border(points[0], points[1], start),
        *points[1:-1],
        _border(points[-1], points[-2], end),
    )
    longest = max(range(len(points) - 1), key=lambda i: _distance(points[i], points[i + 1]))
    (x0, y0), (x1, y1) = points[longest], points[longest + 1]
    level = y0 == y1
    share = _LABEL_AT.get((source, target), _LABEL_OF_TWO if of_two and not level else 0.5)
    x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
    if of_two and level:  # beside the line: there is no room between two
        y += (1 if x1 > x0 else -1) * (_LINE_PX * len(labels) / 2 + 3)
    return Edge(source, target, labels, points, x, y)


def _point(column: float, row: float) -> tuple[float, float]:
    return LEFT_PX + column * COLUMN_PX, TOP_PX + row * ROW_PX


def _aside(
    start: tuple[float, float], end: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Move a line to its right, so that the way back has room on the other side."""
    length = _distance(start, end)
    dx = -(end[1] - start[1]) / length * _APART_PX
    dy = (end[0] - start[0]) / length * _APART_PX
    return (start[0] + dx, start[1] + dy), (end[0] + dx, end[1] + dy)


def _border(
    inside: tuple[float, float], outside: tuple[float, float], middle: tuple[float, float]
) -> tuple[float, float]:
    """Return where a line from `inside` a node to `outside` leaves it; `middle` is that of the node."""
    dx, dy = outside[0] - inside[0], outside[1] - inside[1]
    shares = [
        (centre + copysign(side / 2, d) - at) / d
        for side, d, at, centre in zip(NODE_PX, (dx, dy), inside, middle, strict=True)
        if d
    ]
    share = min(shares)
    return inside[0] + dx * share, inside[1] + dy * share


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


def texts() -> Iterator[str]:
    """Yield the transitions as sentences, for those who do not see the picture."""
    for (source, target), labels in _ways().items():
        start = "from any state" if source == ANYWHERE else source
        yield f"{start} to {target}: {', '.join(labels)}"
