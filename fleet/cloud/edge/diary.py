"""What was said to a cloud and what came of it, in lines for whoever looks at a test that failed.

A node around the cloud's. It shows calls with their answers, operations that were refused, what
programs are told by message push, and the clock; no header, query or body, and no token in a path.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.node import Node
from firmware_sim.wire import atop
from fleet.cloud.history import HistoryRow, Status
from fleet.cloud.messages import (
    ClockMoved,
    Commit,
    HttpRequested,
    PushRaised,
    SendReply,
    TellOperator,
)
from fleet.cloud.push_events import AdmitConsumer, RefuseConsumer
from fleet.cloud.store.records import Change, Put

LINES_MAX = 200
_PATH_SIZE_MAX = 120
_SECRET_PART = re.compile(r"/(tokens?|oem-links|[a-z]+-tokens)/[^/]+")
_DEVICE_CALL = re.compile(r"[?&]a=([\w.]+)")


class _Answer(msgspec.Struct):
    """What tells how a call ended, in all the forms of an answer; devices get sealed ones."""

    success: bool | None = None
    code: int | str = ""
    msg: str = ""


class Diary:
    """Passes everything on to the node that it is put around, and remembers the latest of it."""

    def __init__(self) -> None:
        """Begin with an empty one."""
        self._node: Node | None = None
        self._lines: deque[str] = deque(maxlen=LINES_MAX)

    def around(self, node: Node) -> Node:
        """Return itself as a node that does what `node` does."""
        self._node = node
        return self

    @property
    def lines(self) -> list[str]:
        """Return what happened, the latest last, each with the cloud's time (UTC)."""
        return list(self._lines)

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take an event and return effects in order."""
        assert self._node is not None, "it is put around a node first"
        effects = self._node.handle(event, now_ms)
        time = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%H:%M:%S.%f}"[:-3]
        if isinstance(event, ClockMoved):
            self._lines.append(f"{time} the clock was moved by {event.by_ms / 1000:g} s")
        for effect in effects:
            if text := _told(event, effect):
                self._lines.append(f"{time} {text}")
        return effects

    def next_deadline_ms(self) -> int | None:
        """Return when `DeadlineReached` is wanted next, or None."""
        assert self._node is not None, "it is put around a node first"
        return self._node.next_deadline_ms()


def _told(event: Event, effect: Effect) -> str:
    """Return what an effect of a step tells about it; "" for nothing that people ask for."""
    match effect:
        case SendReply(body=body) if isinstance(event, HttpRequested):
            return f"{_asked(event)}: {_answered(body)}"
        case Commit(changes=changes):
            return ", ".join(_refusals(changes))
        case PushRaised(biz_code=biz_code):
            return f"push: {biz_code or 'status report'} {effect.dev_id or effect.uid}".rstrip()
        case AdmitConsumer():
            return "push: a consumer is connected"
        case RefuseConsumer():
            return f"push: a consumer was refused with {effect.status}"
        case TellOperator(line=line):
            return line
    return ""


def _asked(request: HttpRequested) -> str:
    path, _, query = request.target.partition("?")
    path = _SECRET_PART.sub(r"/\1/...", path)[:_PATH_SIZE_MAX]
    call = _DEVICE_CALL.search(f"?{query}") if path == atop.PATH else None
    shown = f"{request.method} {path}{f' {call[1]}' if call is not None else ''}"
    return shown.encode("unicode_escape").decode()


def _answered(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError:
        answer = _Answer()
    if answer.success is False:
        return f"{answer.code} {answer.msg}"
    return "ok" if answer.success else f"{len(body)} bytes"


def _refusals(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        row = change.record if isinstance(change, Put) else None
        if isinstance(row, HistoryRow) and row.status == Status.REFUSED:
            yield f"{row.operation} of {row.uuid} refused: {row.reason}"
