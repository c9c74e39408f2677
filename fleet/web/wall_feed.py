"""The light wall's feed: all devices once, then four times a second those that have changed.

A row is a few bytes, and one tick has a bound, so however busy a fleet is, a page gets less than
300 KB a second. A device that has changed five times since it was told is told once; what does not
fit waits for the next tick, the oldest first. Rows are little-endian, in JSON they are base64.
Batches have numbers, 0 for none; which names these are is told beside rows that have them.
"""

import asyncio
import secrets
from array import array
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from struct import Struct

import msgspec
from starlette.responses import StreamingResponse

from firmware_sim.device.indicator import OUTPUTS
from fleet.run.messages import Seen
from fleet.run.stage import HOMES, WAREHOUSE
from fleet.run.watch import REMOVED
from fleet.web.feed import Feed, event, stream
from fleet.web.premises import Premises

TICK_S = 0.25
QUEUE_MAX = 16  # ticks that wait for one page: after four seconds it has to read anew
TICK_BYTES_MAX = 50_000  # of rows and names, before base64: 267 KB/s
BATCHES_MAX = 0x10000  # more than there can be devices
LOST = "lost"
_CHANGED = Struct("<HBH")
_AGO_MS_MAX = 0xFFFF
_MOVED = Struct("<HH")
_PRESENT = Struct("<BIH")
_AGE_MS_MAX = 0xFFFFFFFF
_NAME_BYTES = 12  # with its number, quotation marks and punctuation


class Shape(msgspec.Struct, frozen=True, order=True):
    """All that a lamp of the wall says of a device; rows have its place in `SHAPES`.

    `light` is empty for a device that was taken away and hangs there no more.
    """

    light: str
    lifecycle: str
    operator: str
    place: str


GONE = Shape("", "", "", "")
SHAPES = (
    GONE,
    *dict.fromkeys(
        Shape(line.light, line.lifecycle.name, line.operator, place)
        for place in (HOMES, WAREHOUSE)
        for line in OUTPUTS
    ),
)
_NUMBERS = {
    (shape.light, shape.lifecycle, shape.operator, shape.place): number
    for number, shape in enumerate(SHAPES)
}


class All(msgspec.Struct, frozen=True):
    """Every device by its index, at `at_ms`, of the wall that has this name.

    `rows`, of each: shape (1 byte), for how many ms the light has shown it (4), batch (2).
    """

    wall: str
    at_ms: int
    rows: bytes
    batches: dict[int, str]


class Some(msgspec.Struct, frozen=True):
    """Devices that have changed, at `at_ms`.

    `rows`, of each: its index (2 bytes), shape (1), and for how many ms the light has shown it (2).
    `moved`, of each that is in another operator's batch than before: its index (2), batch (2).
    """

    at_ms: int
    rows: bytes
    moved: bytes
    batches: dict[int, str]


class WallFeed:
    """Tells pages of a wall what the devices of a fleet show. `tell` has to go on meanwhile."""

    def __init__(self, premises: Premises) -> None:
        """Look at the devices of these premises from now on."""
        self.name = secrets.token_urlsafe(6)  # a page that comes back may find another fleet here
        self._feed = Feed(QUEUE_MAX)
        self._premises = premises
        self._supervisor = premises.supervisor
        self._watch = premises.supervisor.watch
        self._since_ms = array("q")
        self._changed: dict[int, None] = {}
        self._batch_told = array("H")
        self._numbers = {"": 0}
        self._grow()
        self._watch.listen(self.saw)

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Tell all pages what has changed as long as the block lasts; then end their streams."""
        task = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            task.cancel()
            self._feed.close()
            await asyncio.gather(task, return_exceptions=True)

    def response(self) -> StreamingResponse:
        """Return the stream for one page."""
        return stream(self._read())

    def saw(self, before: Seen, after: Seen) -> None:
        """Note that a device has entered another state."""
        if after.index >= len(self._since_ms):
            return  # it is about to come
        if before.light != after.light:
            self._since_ms[after.index] = after.at_ms
        if len(self._feed):
            self._changed[after.index] = None

    def tell(self) -> None:
        """Tell all pages what has changed since they were told."""
        if len(self._since_ms) < len(self._premises.population.units):
            self._grow()
        if self._changed:
            self._feed.publish("some", self._some())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.tell()

    async def _read(self) -> AsyncGenerator[bytes, None]:
        # The first event is made when the reader is there, so that no change falls in between.
        async for content in self._feed.read(event("all", self._all())):
            yield content

    def _grow(self) -> None:
        """Take in devices that have come; pages have to read anew who there is."""
        count = len(self._premises.population.units)
        come = self._watch.last[len(self._since_ms) : count]
        self._since_ms.extend(seen.at_ms for seen in come)
        self._batch_told.extend([0] * len(come))
        self._feed.publish(LOST, {})

    def _all(self) -> All:
        now_ms = self._supervisor.now_ms()
        rows = bytearray()
        batches: dict[int, str] = {}
        for seen, since_ms in zip(self._watch.last, self._since_ms, strict=False):
            age_ms = _within(now_ms - since_ms, _AGE_MS_MAX)
            number, name = self._batch(seen.index)
            batches[number] = name
            rows += _PRESENT.pack(self._shape(seen), age_ms, number)
        return All(self.name, now_ms, bytes(rows), batches)

    def _some(self) -> Some:
        now_ms = self._supervisor.now_ms()
        rows, moved = bytearray(), bytearray()
        batches: dict[int, str] = {}
        names_size = 0
        for index in tuple(self._changed):
            if len(rows) + len(moved) + names_size >= TICK_BYTES_MAX:
                break
            del self._changed[index]
            ago_ms = _within(now_ms - self._since_ms[index], _AGO_MS_MAX)
            rows += _CHANGED.pack(index, self._shape(self._watch.last[index]), ago_ms)
            number, name = self._batch(index)
            if number != self._batch_told[index]:
                self._batch_told[index] = number
                moved += _MOVED.pack(index, number)
                names_size += 0 if number in batches else len(name) + _NAME_BYTES
                batches[number] = name
        return Some(now_ms, bytes(rows), bytes(moved), batches)

    def _batch(self, index: int) -> tuple[int, str]:
        """Return number and name of the batch that a device is in."""
        name = self._watch.batches.get(index, "")
        if name not in self._numbers:
            if len(self._numbers) == BATCHES_MAX:
                self._number_anew()
            self._numbers.setdefault(name, len(self._numbers))
        return self._numbers[name], name

    def _number_anew(self) -> None:
        """Forget batches that nobody is in any more; pages have to read anew."""
        names = dict.fromkeys(["", *self._watch.batches.values()])
        self._numbers = {name: number for number, name in enumerate(names)}
        for index in range(len(self._batch_told)):
            self._batch_told[index] = self._numbers[self._watch.batches.get(index, "")]
        self._feed.publish(LOST, {})

    def _shape(self, seen: Seen) -> int:
        if seen.cause == REMOVED:
            return SHAPES.index(GONE)
        place = HOMES
        if self._supervisor.shards:
            place = self._supervisor.host(seen.index).hand(seen.index).site
        return _NUMBERS[seen.light, seen.lifecycle, seen.operator, place]


def _within(age_ms: int, most_ms: int) -> int:
    return min(max(age_ms, 0), most_ms)
