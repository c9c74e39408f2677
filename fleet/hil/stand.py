"""One device of a bench in a live world, and the instruments around it, as the calls see them."""

import asyncio

import msgspec

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.endpoints.calls import Unreadable
from firmware_sim.bench.endpoints.http import (
    DURATION_S_MAX,
    About,
    Happened,
    Played,
    Purpose,
    Serial,
    Shown,
    Switch,
)
from firmware_sim.bench.parts.feasa import Feasa
from firmware_sim.bench.station import Station
from firmware_sim.bench.trace import CurrentTrace, LedTrace
from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.scene import check_payload
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.events import (
    ButtonPressed,
    ButtonReleased,
    FrameDecoded,
    PowerApplied,
    PowerRemoved,
)
from firmware_sim.runtime.live.world import LiveWorld
from fleet.hil.device_model import HAND_SLACK_S
from fleet.hil.people import People
from fleet.hil.serial_line import SerialLine
from fleet.run.population import Unit

NO_LIGHT = "off"
GOODBYE_S = 0.1  # what firmware prints before it restarts has left the line by then


class Around(msgspec.Struct, frozen=True):
    """What all stands of a bench share; `start_ms` is when its clock began, in the world's time.

    Without `people` the cloud is somebody else's. `reader` reads pictures.
    """

    world: LiveWorld
    start_ms: int
    reader: FrameReader
    people: People | None

    def now_ms(self) -> int:
        """Return the bench's time."""
        return self.world.now_ms() - self.start_ms


class Stand:
    """One device; `index` is its number in the world too."""

    def __init__(
        self, around: Around, profile: Profile, unit: Unit, ip: str, station: Station
    ) -> None:
        """Put the instruments of `station` around a device without power."""
        self._around = around
        self._world = around.world
        self._profile = profile
        self._unit = unit
        self._ip = ip
        self.station = station
        self._light = NO_LIGHT
        self._on: dict[Switch, bool] = {"power": False, "button": False, "link": True}
        self._shown = Shown(shown=False)
        station.uart.wishes = _Wishes(self, around.world)
        analyser = Feasa(station.fibre)
        self.console = SerialLine(station.uart, self._typed, around.now_ms)
        self.analyser = SerialLine(analyser, analyser.feed, around.now_ms)
        self.console_at = self.analyser_at = Serial("")

    @property
    def index(self) -> int:
        """Return the number of the device."""
        return self._unit.index

    @property
    def profile(self) -> Profile:
        """Return the model."""
        return self._profile

    @property
    def wired(self) -> bool:
        """Say whether it has an Ethernet socket, and no lens."""
        return self._profile.wired

    def observed(self, what: StateShown | Noted, at_ms: int) -> None:
        """Take what the device shows or tells, at a time of the world."""
        if isinstance(what, StateShown):
            self._light = what.light
        self.station.observed(what, at_ms - self._around.start_ms)
        self.console.look()

    def close(self) -> None:
        """Let the serial lines fall silent."""
        self.console.close()
        self.analyser.close()

    # --- hands ------------------------------------------------------------------------------------

    def is_on(self, switch: Switch) -> bool:
        """Say whether there is power, a finger on the button, a cable in the socket."""
        return self._on[switch]

    def switch(self, switch: Switch, *, on: bool) -> None:
        """Change that; nothing happens when it is so already."""
        if self._on[switch] == on:
            return
        self._on[switch] = on
        if switch == "power":
            self.station.powered(on, self._around.now_ms())
            self._world.tell(self.index, PowerApplied() if on else PowerRemoved())
            self.console.look()
        elif switch == "button":
            self._world.tell(self.index, ButtonPressed() if on else ButtonReleased())
        elif self._profile.wired:
            self._world.plug(self.index, connected=on)
        else:
            self._world.bring(self.index, in_reach=on)

    def _typed(self, data: bytes, now_ms: int) -> bytes:
        self.station.uart.feed(data, now_ms)
        return b""

    # --- the lens ---------------------------------------------------------------------------------

    async def show_picture(self, content: bytes) -> None:
        """Hold a picture to the lens. Raises Unreadable when there is no code in it, and Missing."""
        self._need_lens()
        try:
            payload = await self._around.reader.code_in(content)
        except UsageError as error:
            self._show(None)
            self._shown = Shown(shown=False, problem=str(error))
            self.station.remark(f"{error}.", self._around.now_ms())
            raise Unreadable(str(error)) from None
        self._show(payload)

    def show_text(self, text: str) -> None:
        """Hold a QR code with this text to the lens. Raises UsageError, and Missing."""
        self._need_lens()
        payload = text.encode()
        check_payload(payload)
        self._show(payload)

    def see(self, payload: bytes) -> None:
        """Let its lens read a code that is before a real camera; its firmware may not look."""
        if self.is_on("power") and not self.wired:
            self._world.tell(self.index, FrameDecoded(payload))

    def hide(self) -> None:
        """Take it away. Raises Missing."""
        self._need_lens()
        self._show(None)

    def shown(self) -> Shown:
        """Say what is in front of the lens. Raises Missing."""
        self._need_lens()
        return self._shown

    def _show(self, payload: bytes | None) -> None:
        self._shown = Shown(shown=payload is not None)
        if payload is not None:
            self.station.code_held(self._around.now_ms())
        self._world.show(self.index, payload)

    def _need_lens(self) -> None:
        if self._profile.wired:
            raise Missing("this device has no lens: it takes its token by wire")

    # --- instruments ------------------------------------------------------------------------------

    async def led(self, duration_s: float, rate_hz: float, from_s: float | None) -> LedTrace:
        """Return the light during the next `duration_s`.

        With `from_s` it begins there, which is not more than a minute ago, and ends now or later.
        Raises UsageError.
        """
        now_s = self._around.now_ms() / 1000
        if from_s is not None and not now_s - DURATION_S_MAX <= from_s <= now_s + DURATION_S_MAX:
            raise UsageError(f"from_s: the last {DURATION_S_MAX} s are remembered")
        now_ms, start_ms = _ms(now_s), _ms(now_s if from_s is None else from_s)
        _, end_ms = await self._wait(max(0, start_ms - now_ms + duration_s * 1000) / 1000)
        return self.station.led(start_ms, end_ms, rate_hz)

    async def current(self, duration_s: float, rate_hz: float) -> CurrentTrace:
        """Return the supply current during the next `duration_s`."""
        start_ms, end_ms = await self._wait(duration_s)
        return self.station.current(start_ms, end_ms, rate_hz)

    async def audio(self, duration_s: float) -> bytes:
        """Return what the microphone hears during the next `duration_s`, as a WAV file."""
        return self.station.audio(*await self._wait(duration_s))

    def tones(self, since_s: float) -> list[Played]:
        """Return the prompt tones since then."""
        return [Played(t.at_ms / 1000, t.tone) for t in self.station.tones(_ms(since_s))]

    def happenings(self, since_s: float) -> list[Happened]:
        """Return what happened since then."""
        return [Happened(h.at_ms / 1000, h.text) for h in self.station.happenings(_ms(since_s))]

    def about(self) -> About:
        """Describe the device."""
        failure = self._world.failure
        return About(
            index=self.index,
            profile=self._profile.name,
            uuid=self._unit.uuid,
            ip=self._ip,
            powered=self._on["power"],
            light=self._light,
            uart=self.console_at,
            analyser=self.analyser_at,
            shown=self._shown.shown,
            problem=str(failure) if failure is not None else "",
        )

    async def _wait(self, duration_s: float) -> tuple[int, int]:
        """Let time pass; return from when to when."""
        start_ms = self._around.now_ms()
        end_ms = start_ms + round(duration_s * 1000)
        while (left_ms := end_ms - self._around.now_ms()) > 0:
            await asyncio.sleep(left_ms / 1000)
        return start_ms, end_ms

    # --- people -----------------------------------------------------------------------------------

    async def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        """Return what the phone's code holds. Raises Missing and PeerError."""
        return await self._people().code(self._unit, purpose, wifi_password)

    async def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        """Find the device on the LAN and send it a token. Raises NotSeen, Missing and PeerError."""
        await self._people().by_wire(self._unit, purpose, timeout_s)

    def _people(self) -> People:
        if self._around.people is None:
            raise Missing("nobody with a phone is here: the cloud is somebody else's")
        return self._around.people


class _Wishes:
    """What is asked for at the console: the supply stays on meanwhile."""

    def __init__(self, stand: Stand, world: LiveWorld) -> None:
        self._stand = stand
        self._world = world
        self._loop = asyncio.get_running_loop()

    def reboot(self) -> None:
        """Start the firmware anew, once it has said so."""
        self._loop.call_later(GOODBYE_S, self._restart)

    def factory_reset(self) -> None:
        """Do what a held button does."""
        index, hold_ms = self._stand.index, self._stand.profile.timings.reset_hold_ms
        self._world.tell(index, ButtonPressed())
        hold_s = hold_ms / 1000 + HAND_SLACK_S
        self._loop.call_later(hold_s, self._world.tell, index, ButtonReleased())

    def _restart(self) -> None:
        if self._stand.is_on("power"):
            self._world.tell(self._stand.index, PowerRemoved())
            self._world.tell(self._stand.index, PowerApplied())


def _ms(moment_s: float) -> int:
    return round(1000 * moment_s)
