"""The lenses of a live world: who looks at what, frame by frame.

A camera takes frames only while its firmware wants codes and a phone is in view; nothing is
rendered for an empty scene. Each frame is computed and decoded by the pool's workers, from that
camera's own seed; a frame that the pool has no room for is dropped, as a busy camera drops it.
"""

import asyncio
from collections.abc import Callable

from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings
from firmware_sim.errors import UsageError
from firmware_sim.rng import derive

Tell = Callable[[bytes], None]
UNREAD_FRAMES = 50
"""Frames of a phone that is held on without being read, after which somebody should know."""


class _Eye:
    """One camera."""

    __slots__ = ("frame", "payload", "read", "seed", "tell", "timer")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.payload: bytes | None = None
        self.tell: Tell | None = None
        self.frame = 0
        self.read = False
        self.timer: asyncio.TimerHandle | None = None


class Eyes:
    """All cameras of a world. `failure` is why none of them sees any more, None while they do."""

    def __init__(
        self,
        pool: DecodePool,
        settings: LensSettings,
        seed: int,
        unread: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take the pool, which the caller closes; `seed` fixes every camera's scene.

        `unread` is told a camera that has looked at a code for `UNREAD_FRAMES` in vain.
        """
        self._unread = unread
        self._loop = asyncio.get_running_loop()
        self._pool = pool
        self._settings = settings
        self._seed = seed
        self._eyes: dict[int, _Eye] = {}
        self.failure: UsageError | None = None

    def open_lens(self, index: int, tell: Tell) -> None:
        """The firmware of camera `index` wants codes: hand them to `tell`."""
        eye = self._eye(index)
        eye.tell = tell
        self._look(index, eye)

    def close_lens(self, index: int) -> None:
        """The firmware wants no more codes."""
        eye = self._eyes.get(index)
        if eye is not None:
            eye.tell = None
            self._rest(eye)

    def show(self, index: int, payload: bytes | None) -> None:
        """A phone with this code comes into view, or the phone goes away (None)."""
        eye = self._eye(index)
        self._rest(eye)
        eye.payload = payload
        eye.frame = 0
        eye.read = False
        self._look(index, eye)

    def _eye(self, index: int) -> _Eye:
        if index not in self._eyes:
            self._eyes[index] = _Eye(derive(self._seed, index))
        return self._eyes[index]

    def _rest(self, eye: _Eye) -> None:
        if eye.timer is not None:
            eye.timer.cancel()
            eye.timer = None

    def _look(self, index: int, eye: _Eye) -> None:
        if eye.tell is not None and eye.payload is not None and eye.timer is None:
            period_s = 1 / self._settings.frames_per_second
            phase = eye.seed % 1000 / 1000  # cameras do not expose in step
            eye.timer = self._loop.call_later(period_s * phase, self._expose, index, eye)

    def _expose(self, index: int, eye: _Eye) -> None:
        eye.timer = self._loop.call_later(
            1 / self._settings.frames_per_second, self._expose, index, eye
        )
        look = Look(index, eye.seed, eye.frame, eye.payload, self._settings)
        eye.frame += 1
        if eye.frame == UNREAD_FRAMES and not eye.read:
            self._unread(index)
        try:
            sight = self._pool.submit(look)
        except UsageError as error:
            self.failure = error
            self._rest(eye)
            return
        if sight is not None:
            sight.add_done_callback(lambda future: self._seen(eye, look, future.result()))

    def _seen(self, eye: _Eye, look: Look, sight: Sight) -> None:
        """Tell the camera what it read, unless it or the phone turned away meanwhile."""
        if sight.text is not None and eye.tell is not None and eye.payload == look.payload:
            eye.read = True
            eye.tell(sight.text)
