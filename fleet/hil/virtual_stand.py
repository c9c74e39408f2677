"""One device on a stand in virtual time, with instruments around it, driven from outside by calls.

The desk is that of demos and pages: firmware, cloud, networks, people. Its loop runs only while
somebody lets time pass, in the caller's own thread, and waits for nothing.

The device stands in the warehouse, where goods that come back are worked at. It is still bound to
its first owner, whose Wi-Fi is not heard here.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from firmware_sim.bench.station import Station
from firmware_sim.device.device import Identity
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    Event,
    PowerApplied,
    PowerRemoved,
)
from firmware_sim.rng import derive
from firmware_sim.runtime.virtual.agenda import Agenda
from firmware_sim.runtime.virtual.loop import NOISE_MS, VirtualLoop
from fleet.hil.device_model import HAND_SLACK_S
from fleet.run.virtual.desk.scene import WAREHOUSE, Desk

START_MS: Final = 1_767_225_600_000  # 2026-01-01, as of every run in virtual time
REBOOT_S: Final = 0.1
PIECE_MS: Final = 50  # how much time passes between two looks
_DEVICE = 0
_STATION = 4  # branch of the seed; the desk uses those before it
R = TypeVar("R")


class VirtualStand:
    """A device, its desk and its instruments. Close it at the end."""

    def __init__(self, profile: str, seed: int) -> None:
        """Set everything up; nothing has happened yet, and the device has no power.

        Raises UsageError for an unknown model, and where an event loop runs in this thread.
        """
        self._closed = False
        self._agenda = Agenda(START_MS)
        self._runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(self._agenda))
        try:
            self.desk = self.do(lambda: _lay(profile, self._agenda, seed))
        except BaseException:
            self._runner.close()
            raise
        unit = self.desk.unit
        identity = Identity(unit.uuid, unit.auth_key, unit.product.product_id)
        self.station = Station(self.profile, identity, derive(seed, _STATION))
        self.station.uart.wishes = _Wishes(self)
        self.desk.instruments.append(self._observed)

    def close(self) -> None:
        """End it; whoever is still at work in it is called off."""
        _refuse_loop()
        self._closed = True
        self._runner.close()

    # --- time -----------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """Return the time since the stand was set up, which its instruments know as well."""
        return self._agenda.now_ms - START_MS

    @property
    def now_s(self) -> float:
        """Return the same in seconds."""
        return self.now_ms / 1000

    def pass_s(self, duration_s: float) -> None:
        """Let so much time pass, in whole milliseconds: at least one if it is not 0. UsageError."""
        self._pass_ms(_whole_ms(duration_s))

    def wait_for(self, look: Callable[[], R | None], timeout_s: float) -> R | None:
        """Return what `look` finds as soon as it finds anything; None: it does not, in this time.

        It looks at once, then every `PIECE_MS`. Raises UsageError for what is no duration.
        """
        end_ms = self.now_ms + _whole_ms(timeout_s)
        while (found := look()) is None and self.now_ms < end_ms:
            self._pass_ms(min(PIECE_MS, end_ms - self.now_ms))
        return found

    def _pass_ms(self, duration_ms: int) -> None:
        self.let(lambda: asyncio.sleep(duration_ms / 1000))

    def let(self, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Let somebody do something that takes time, and return what came of it.

        Raises UsageError where an event loop runs in this thread or the stand is closed, and
        whatever the work raises.
        """
        _refuse_loop()
        if self._closed:
            raise UsageError("this bench has been taken down")
        return self._runner.run(work())

    def do(self, act: Callable[[], R]) -> R:
        """Do something at this instant, as those who live in the loop would; as `let`."""

        async def at_once() -> R:
            return act()

        return self.let(at_once)

    # --- hands ----------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """Return the model of the device."""
        return self.desk.profile

    def power(self, *, on: bool) -> None:
        """Switch the supply on or off."""

        def switch() -> None:
            self.station.powered(on, self.now_ms)
            self.desk.power(on=on)

        if on != self.desk.touch.powered:
            self.do(switch)

    def show(self, payload: bytes | None) -> None:
        """Hold a code to the lens until it is taken away (None), as a picture on a monitor is."""

        def hold() -> None:
            if payload is not None:
                self.station.code_held(self.now_ms)
            self.desk.world.show(_DEVICE, payload)

        self.do(hold)

    def _observed(self, what: StateShown | Noted, at_ms: int) -> None:
        self.station.observed(what, at_ms - START_MS)


class _Wishes:
    """What is asked for at the console. The supply stays on meanwhile."""

    def __init__(self, stand: VirtualStand) -> None:
        self._stand = stand

    def reboot(self) -> None:
        """Start the firmware anew, once it has printed that it will."""

        def restart() -> None:
            if self._stand.desk.touch.powered:
                self._tell(PowerRemoved())
                self._tell(PowerApplied())

        self._later(REBOOT_S, restart)

    def factory_reset(self) -> None:
        """Do what a held button does."""
        hold_s = self._stand.profile.timings.reset_hold_ms / 1000 + HAND_SLACK_S
        self._stand.do(lambda: self._tell(ButtonPressed()))
        self._later(hold_s, lambda: self._tell(ButtonReleased()))

    def _tell(self, event: Event) -> None:
        self._stand.desk.world.tell(_DEVICE, event)

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        self._stand.do(lambda: asyncio.get_running_loop().call_later(delay_s, act))


def _whole_ms(duration_s: float) -> int:
    if not 0 <= duration_s < math.inf:
        raise UsageError(f"{duration_s!r} seconds is no time that can pass")
    return math.ceil(1000 * duration_s - NOISE_MS) or int(duration_s > 0)


def _lay(profile: str, agenda: Agenda, seed: int) -> Desk:
    desk = Desk(profile, agenda, lambda _: None, seed)
    desk.start()
    desk.move(WAREHOUSE)
    return desk


def _refuse_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        "a bench in virtual time has a loop of its own: use it in a test that is no coroutine"
    )
