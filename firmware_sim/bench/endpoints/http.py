"""The calls of a bench: what is switched, shown and measured at each device, and its clock.

Power, button and link are called as relays with a network are: `0` or `1` in the body of a PUT,
and in the answer to a GET (labgrid: model `rest` of NetworkPowerPort, HttpDigitalOutput). Times are
seconds of the bench's clock.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from starlette.responses import Response

from firmware_sim.bench.endpoints.calls import Budget, Call, Line, NotFound
from firmware_sim.bench.endpoints.tables import SAMPLES_MAX, table
from firmware_sim.bench.trace import CurrentTrace, Floats, LedTrace
from firmware_sim.camera.shots import SIZE_MAX
from firmware_sim.errors import UsageError

DURATION_S_MAX, RATE_HZ_MAX = 60, 1000
TIMEOUT_S_MAX = 600
SINCE_S_MAX = 1e9  # 30 years
_TEXT_MAX = 4096  # bytes; no QR code holds more
Purpose = Literal["pair", "unbind"]
Switch = Literal["power", "button", "link"]


class Now(msgspec.Struct, frozen=True):
    """The bench's time, and how much of it passes per second on the wall."""

    now_s: float
    rate: float


class Serial(msgspec.Struct, frozen=True):
    """Where a serial line is: a terminal, and two TCP ports of this machine."""

    terminal: str
    raw_port: int = 0
    rfc2217_port: int = 0


class Shown(msgspec.Struct, frozen=True):
    """Whether something is in front of the lens, and why it cannot be read, if so."""

    shown: bool
    problem: str = ""


class About(msgspec.Struct, frozen=True):
    """One device. `light` is the name of its pattern; `problem` is why nothing works any more."""

    index: int
    profile: str
    uuid: str
    ip: str
    powered: bool
    light: str
    uart: Serial
    analyser: Serial
    shown: bool
    problem: str


class Played(msgspec.Struct, frozen=True):
    """A prompt tone: when it began, and which."""

    at_s: float
    tone: int


class Happened(msgspec.Struct, frozen=True):
    """What an operator should know."""

    at_s: float
    text: str


class CodeOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which code the phone is to show; a password given stands in for that of the Wi-Fi."""

    purpose: Purpose
    wifi_password: Annotated[str, msgspec.Meta(max_length=64)] | None = None

    def __repr__(self) -> str:
        """Show no password."""
        return f"CodeOrder({self.purpose!r})"


class WireOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which token the phone is to send over the LAN, and how long it may take."""

    purpose: Purpose
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=TIMEOUT_S_MAX)] = 30.0


class Text(msgspec.Struct, frozen=True):
    """What is in a code; there is a password and a token in it."""

    text: str

    def __repr__(self) -> str:
        """Show the size only."""
        return f"Text({len(self.text)} characters)"


class Stand(Protocol):
    """One device, the instruments around it and the people beside it. What it has not is `Missing`."""

    def about(self) -> About:
        """Describe it."""
        ...

    def is_on(self, switch: Switch) -> bool:
        """Say whether there is power, a finger on the button, a cable in the socket."""
        ...

    def switch(self, switch: Switch, *, on: bool) -> None:
        """Change that."""
        ...

    async def show_picture(self, content: bytes) -> None:
        """Hold a picture to the lens; Unreadable when there is no code in it."""
        ...

    def show_text(self, text: str) -> None:
        """Hold a QR code to the lens."""
        ...

    def hide(self) -> None:
        """Take it away."""
        ...

    def shown(self) -> Shown:
        """Say what is in front of the lens."""
        ...

    async def led(self, duration_s: float, rate_hz: float, from_s: float | None) -> LedTrace:
        """Return the light during the next `duration_s`; from a time on, and until now at least."""
        ...

    async def current(self, duration_s: float, rate_hz: float) -> CurrentTrace:
        """Return the supply current during the next `duration_s`."""
        ...

    async def audio(self, duration_s: float) -> bytes:
        """Return what the microphone hears during the next `duration_s`, as a WAV file."""
        ...

    def tones(self, since_s: float) -> Sequence[Played]:
        """Return the prompt tones since then."""
        ...

    def happenings(self, since_s: float) -> Sequence[Happened]:
        """Return what happened since then."""
        ...

    async def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        """Return what the phone's code holds."""
        ...

    async def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        """Find the device on the LAN and send it a token. NotSeen."""
        ...


class Desk(Protocol):
    """All devices of a bench, and its clock."""

    @property
    def stands(self) -> Sequence[Stand]:
        """Return them, in order."""
        ...

    def clock(self) -> Now:
        """Return the time."""
        ...


class _Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=DURATION_S_MAX)]
    rate_hz: Annotated[float, msgspec.Meta(ge=1, le=RATE_HZ_MAX)] = 100.0


class _LedWindow(_Window, frozen=True, forbid_unknown_fields=True):
    """Who samples without a gap says where the last window ended."""

    from_s: float | None = None


class _Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=DURATION_S_MAX)]


class _Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since_s: Annotated[float, msgspec.Meta(ge=-SINCE_S_MAX, le=SINCE_S_MAX)] = 0.0


Do = Callable[[Stand, Call], Coroutine[Any, Any, object]]


def lines(desk: Desk) -> list[Line]:
    """Return the table of a bench's calls."""
    orders = Budget(SAMPLES_MAX, "samples on order")

    async def clock(_: Call) -> object:
        return desk.clock()

    async def devices(_: Call) -> object:
        return [stand.about() for stand in desk.stands]

    def at(do: Do) -> Callable[[Call], Coroutine[Any, Any, object]]:
        async def call(call: Call) -> object:
            return await do(_stand(desk, call.number("index")), call)

        return call

    return [
        Line("GET", "/clock", clock),
        Line("GET", "/devices", devices),
        *(
            Line(method, f"/devices/{{index}}{path}", at(do), body_max)
            for method, path, do, body_max in _TABLE
        ),
        Line("GET", "/devices/{index}/led", at(_led(orders)), 0),
        Line("GET", "/devices/{index}/current", at(_current(orders)), 0),
    ]


def _stand(desk: Desk, index: int) -> Stand:
    if index >= len(desk.stands):
        raise NotFound(f"there is no device {index}: this bench has 0 to {len(desk.stands) - 1}")
    return desk.stands[index]


async def _about(stand: Stand, _: Call) -> object:
    return stand.about()


def _get(switch: Switch) -> Do:
    async def get(stand: Stand, _: Call) -> object:
        return Response("1" if stand.is_on(switch) else "0", media_type="text/plain")

    return get


def _put(switch: Switch) -> Do:
    async def put(stand: Stand, call: Call) -> object:
        if call.content not in (b"0", b"1"):
            raise UsageError(f"{switch}: the body has to be 0 or 1")
        stand.switch(switch, on=call.content == b"1")
        return None

    return put


async def _show(stand: Stand, call: Call) -> object:
    if call.content_type == "text/plain":
        if len(call.content) > _TEXT_MAX:
            raise UsageError(f"a QR code holds no text of {len(call.content)} bytes")
        stand.show_text(call.text())
    elif call.content_type.startswith("image/"):
        await stand.show_picture(call.content)
    else:
        raise UsageError("say by Content-Type whether this is a picture (image/png) or text/plain")
    return None


async def _hide(stand: Stand, _: Call) -> object:
    stand.hide()
    return None


async def _shown(stand: Stand, _: Call) -> object:
    return stand.shown()


def _led(orders: Budget) -> Do:
    async def led(stand: Stand, call: Call) -> object:
        asked = call.asked(_LedWindow)

        async def columns() -> Sequence[Floats]:
            trace = await stand.led(asked.duration_s, asked.rate_hz, asked.from_s)
            return trace.times_s, trace.rgb

        behind = asked.from_s is not None  # a window that began before is longer than was asked for
        count = round((DURATION_S_MAX if behind else asked.duration_s) * asked.rate_hz)
        return await table("time_s,red,green,blue", columns, count, orders)

    return led


def _current(orders: Budget) -> Do:
    async def current(stand: Stand, call: Call) -> object:
        asked = call.asked(_Window)

        async def columns() -> Sequence[Floats]:
            trace = await stand.current(asked.duration_s, asked.rate_hz)
            return trace.times_s, trace.milliamps

        count = round(asked.duration_s * asked.rate_hz)
        return await table("time_s,milliamps", columns, count, orders)

    return current


async def _audio(stand: Stand, call: Call) -> object:
    return Response(await stand.audio(call.asked(_Recording).duration_s), media_type="audio/wav")


async def _tones(stand: Stand, call: Call) -> object:
    return stand.tones(call.asked(_Since).since_s)


async def _happenings(stand: Stand, call: Call) -> object:
    return stand.happenings(call.asked(_Since).since_s)


async def _code(stand: Stand, call: Call) -> object:
    order = call.body(CodeOrder)
    return Text(await stand.code(order.purpose, order.wifi_password))


async def _by_wire(stand: Stand, call: Call) -> object:
    order = call.body(WireOrder)
    await stand.by_wire(order.purpose, order.timeout_s)
    return None


_SWITCHES: tuple[Switch, ...] = ("power", "button", "link")
_FEW, _SMALL, _PICTURE = 16, 1024, SIZE_MAX + 1  # bytes; a picture that is too large is told so
_TABLE: tuple[tuple[str, str, Do, int], ...] = (
    ("GET", "", _about, 0),
    *(("GET", f"/{switch}", _get(switch), 0) for switch in _SWITCHES),
    *(("PUT", f"/{switch}", _put(switch), _FEW) for switch in _SWITCHES),
    ("GET", "/frame", _shown, 0),
    ("PUT", "/frame", _show, _PICTURE),
    ("DELETE", "/frame", _hide, 0),
    ("GET", "/audio.wav", _audio, 0),
    ("GET", "/tones", _tones, 0),
    ("GET", "/happenings", _happenings, 0),
    ("POST", "/phone/codes", _code, _SMALL),
    ("POST", "/phone/by-wire", _by_wire, _SMALL),
)
