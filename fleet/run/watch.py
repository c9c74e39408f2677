"""What the people of a run see of the devices: the last state of each, and each change from now on.

Shards report every change; people wait for a light, not for a message. All indices here are
those of the whole population.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from fleet.run.messages import Heard, Seen

Test = Callable[[Seen], bool]
OnChange = Callable[[Seen, Seen], None]  # before, after
OnNote = Callable[[Heard], None]
REFUSALS = frozenset({"activation_refused", "join_refused"})
"""The notes that somebody asks for at the end of a run."""
SHARD_DIED, REMOVED = "ShardDied", "Removed"
"""Causes of darkness that no device knows of."""
NOTES_PER_DEVICE_MAX = 64
CHANGES_KEPT_MAX = 100_000


class Watch:
    """The last state of every device, counts for the display, and who looks at which device.

    `batches` says in which operator's batch a device is, or was last.
    """

    def __init__(self, count: int, *listeners: OnChange) -> None:
        """Start with `count` devices without power; `listeners` get each state and the last."""
        self.last = [Seen(index, 0, "OFF", "DOWN", "off", "", "") for index in range(count)]
        self.heard: list[list[Heard]] = [[] for _ in self.last]
        self.lifecycles: Counter[str] = Counter({"OFF": count})
        self.lights: Counter[str] = Counter({"off": count})
        self.changes = 0
        self.batches: dict[int, str] = {}
        self._listeners = listeners
        self._note_listeners: tuple[OnNote, ...] = ()
        self._gazes: list[_Gazes] = [_NOBODY for _ in self.last]

    def listen(self, listener: OnChange) -> None:
        """Let one more hear each state, with the last one before it."""
        self._listeners = (*self._listeners, listener)

    def listen_to_notes(self, listener: OnNote) -> None:
        """Let somebody hear each note, whether it is kept or not."""
        self._note_listeners = (*self._note_listeners, listener)

    def take_seen(self, seen: Seen) -> None:
        """Take one state and tell whoever looks at this device."""
        before = self.last[seen.index]
        if before.cause == REMOVED:  # what was on its way when it was taken away
            return
        self.last[seen.index] = seen
        self.changes += 1
        if before.lifecycle != seen.lifecycle:
            self.lifecycles[before.lifecycle] -= 1
            self.lifecycles[seen.lifecycle] += 1
        if before.light != seen.light:
            self.lights[before.light] -= 1
            self.lights[seen.light] += 1
        for tell in self._listeners:
            tell(before, seen)
        for gaze in self._gazes[seen.index]:
            gaze.take(seen)

    def begin_batch(self, batch: str, indices: Iterable[int]) -> None:
        """Devices are now those of an operator's batch."""
        self.batches |= dict.fromkeys(indices, batch)

    def take_heard(self, heard: Heard) -> None:
        """Keep one note that says why; of a device that never stops, the oldest ones go."""
        for tell in self._note_listeners:
            tell(heard)
        if heard.kind not in REFUSALS:
            return
        notes = self.heard[heard.index]
        notes.append(heard)
        if len(notes) > NOTES_PER_DEVICE_MAX:
            del notes[0]

    def gone(self, indices: Iterable[int], now_ms: int, cause: str = SHARD_DIED) -> None:
        """These devices lost their power because their shard died, or for another `cause`."""
        for index in indices:
            self.take_seen(Seen(index, now_ms, "OFF", "DOWN", "off", "", cause))

    def grow(self, count: int) -> None:
        """Take in more devices without power, until there are `count`."""
        new = range(len(self.last), count)
        self.last += [Seen(index, 0, "OFF", "DOWN", "off", "", "") for index in new]
        self.heard += [[] for _ in new]
        self._gazes += [_NOBODY for _ in new]
        self.lifecycles["OFF"] += len(new)
        self.lights["off"] += len(new)

    def look_at(self, indices: Iterable[int]) -> "Gaze":
        """Return a context in which no change of these devices is missed."""
        return Gaze(self, tuple(indices))

    async def until_all(self, indices: Iterable[int], test: Test, timeout_s: float) -> list[int]:
        """Wait until each of these devices has passed `test` once, which may be so already.

        Return those that did not get there in time.
        """
        missing = {i: None for i in indices if not test(self.last[i])}
        if not missing:
            return []
        loop = asyncio.get_running_loop()
        wait = _Wait(missing, test, loop.create_future())
        timer = loop.call_later(timeout_s, wait.end)
        self._add(wait)
        try:
            await wait.over
        finally:
            self._remove(wait)
            timer.cancel()
        return list(missing)

    def _add(self, eyes: "Gaze | _Wait") -> None:
        for index in eyes.indices:
            self._gazes[index] = (*self._gazes[index], eyes)

    def _remove(self, eyes: "Gaze | _Wait") -> None:
        for index in eyes.indices:
            gazes = self._gazes[index]
            self._gazes[index] = _NOBODY if len(gazes) == 1 else _without(gazes, eyes)


class Gaze:
    """Somebody's eyes on some devices: `next` returns their changes in order, none is missed."""

    def __init__(self, watch: Watch, indices: tuple[int, ...]) -> None:
        """Prepare to look; looking starts with the `with` block."""
        self.indices = indices
        self._watch = watch
        self._changes: deque[Seen] = deque(maxlen=CHANGES_KEPT_MAX)
        self._changed: asyncio.Future[None] | None = None  # of whoever waits for the next one

    def __enter__(self) -> Self:
        """Start looking."""
        self._watch._add(self)  # noqa: SLF001 - one idea in two classes
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gaze away."""
        self._watch._remove(self)  # noqa: SLF001

    def take(self, seen: Seen) -> None:
        """Note one change."""
        self._changes.append(seen)
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def next(self) -> Seen:
        """Return the next change; wait for it if there is none yet. One at a time may ask."""
        while not self._changes:
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed
        return self._changes.popleft()


class _Wait:
    """Somebody who waits until each of some devices has passed a test: woken once, at the end."""

    __slots__ = ("_missing", "_test", "indices", "over")

    def __init__(self, missing: dict[int, None], test: Test, over: asyncio.Future[None]) -> None:
        """Take out of `missing` what passes; `over` is done when nothing is left."""
        self.indices = tuple(missing)
        self.over = over
        self._missing = missing
        self._test = test

    def take(self, seen: Seen) -> None:
        """Look at one change."""
        if seen.index in self._missing and not self.over.done() and self._test(seen):
            del self._missing[seen.index]
            if not self._missing:
                self.end()

    def end(self) -> None:
        """Wait no longer."""
        if not self.over.done():
            self.over.set_result(None)


_Gazes = tuple[Gaze | _Wait, ...]
_NOBODY: _Gazes = ()


def _without(gazes: _Gazes, eyes: Gaze | _Wait) -> _Gazes:
    return tuple(one for one in gazes if one is not eyes)
