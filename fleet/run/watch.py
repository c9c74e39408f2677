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
NOTES_PER_DEVICE_MAX = 64
CHANGES_KEPT_MAX = 100_000


class Watch:
    """The last state of every device, counts for the display, and who looks at which device."""

    def __init__(self, count: int, on_change: OnChange | None = None) -> None:
        """Start with `count` devices without power; `on_change` gets each state and the last."""
        self.last = [Seen(index, 0, "OFF", "DOWN", "off", "", "") for index in range(count)]
        self.heard: list[list[Heard]] = [[] for _ in self.last]
        self.lifecycles: Counter[str] = Counter({"OFF": count})
        self.lights: Counter[str] = Counter({"off": count})
        self.changes = 0
        self._on_change = on_change
        self._gazes: list[tuple[Gaze, ...]] = [() for _ in self.last]

    def take_seen(self, seen: Seen) -> None:
        """Take one state and tell whoever looks at this device."""
        before = self.last[seen.index]
        self.last[seen.index] = seen
        self.changes += 1
        if before.lifecycle != seen.lifecycle:
            self.lifecycles[before.lifecycle] -= 1
            self.lifecycles[seen.lifecycle] += 1
        if before.light != seen.light:
            self.lights[before.light] -= 1
            self.lights[seen.light] += 1
        if self._on_change is not None:
            self._on_change(before, seen)
        for gaze in self._gazes[seen.index]:
            gaze.take(seen)

    def take_heard(self, heard: Heard) -> None:
        """Keep one note; of a device that never stops, the oldest ones go."""
        notes = self.heard[heard.index]
        notes.append(heard)
        if len(notes) > NOTES_PER_DEVICE_MAX:
            del notes[0]

    def gone(self, indices: Iterable[int], now_ms: int) -> None:
        """These devices lost their power because their shard died."""
        for index in indices:
            self.take_seen(Seen(index, now_ms, "OFF", "DOWN", "off", "", "ShardDied"))

    def look_at(self, indices: Iterable[int]) -> "Gaze":
        """Return a context in which no change of these devices is missed."""
        return Gaze(self, tuple(indices))

    async def until_all(self, indices: Iterable[int], test: Test, timeout_s: float) -> list[int]:
        """Wait until each of these devices has passed `test` once, which may be so already.

        Return those that did not get there in time.
        """
        with self.look_at(indices) as gaze:
            missing = {i: None for i in gaze.indices if not test(self.last[i])}
            try:
                async with asyncio.timeout(timeout_s):
                    while missing:
                        seen = await gaze.next()
                        if test(seen):
                            missing.pop(seen.index, None)
            except TimeoutError:
                pass
        return list(missing)

    def _add(self, gaze: "Gaze") -> None:
        for index in gaze.indices:
            self._gazes[index] = (*self._gazes[index], gaze)

    def _remove(self, gaze: "Gaze") -> None:
        for index in gaze.indices:
            self._gazes[index] = tuple(one for one in self._gazes[index] if one is not gaze)


class Gaze:
    """Somebody's eyes on some devices: `next` returns their changes in order, none is missed."""

    def __init__(self, watch: Watch, indices: tuple[int, ...]) -> None:
        """Prepare to look; looking starts with the `with` block."""
        self.indices = indices
        self._watch = watch
        self._changes: deque[Seen] = deque(maxlen=CHANGES_KEPT_MAX)
        self._changed = asyncio.Event()

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
        self._changed.set()

    async def next(self) -> Seen:
        """Return the next change; wait for it if there is none yet."""
        while not self._changes:
            self._changed.clear()
            await self._changed.wait()
        return self._changes.popleft()
