"""Drivers for a bench that is reached by HTTP: simulated ones, and real ones that answer likewise."""

from functools import cached_property
from typing import Any, ClassVar, Final

import attr
import msgspec
import numpy as np
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from firmware_sim.bench.labgrid.calls import ANSWER_S, Caller, to_json
from firmware_sim.bench.labgrid.clocks import clock_of
from firmware_sim.bench.labgrid.protocols import (
    ClockProtocol,
    CurrentProtocol,
    FrameProtocol,
    Heard,
    LedProtocol,
    PhoneProtocol,
    Purpose,
    ToneProtocol,
)
from firmware_sim.bench.trace import EMPTY, CurrentTrace, LedTrace, led_trace

PIECE_S: Final = 60.0
"""The longest time span that is asked for in one call."""


class _Time(msgspec.Struct):
    now_s: float
    rate: float


class _Text(msgspec.Struct):
    text: str


class _Tone(msgspec.Struct):
    at_s: float
    tone: int


@attr.s(eq=False)
class _Endpoint(Driver):
    """Calls the URL of its resource `at` while it is active."""

    def on_activate(self) -> None:
        """Prepare to call."""
        self.caller = Caller(self.at.url)

    def on_deactivate(self) -> None:
        """Give the connection up."""
        self.caller.close()

    @cached_property
    def pace(self) -> float:
        """Return bench seconds per second on the wall."""
        return clock_of(self.target).rate

    def answer_s(self, duration_s: float) -> float:
        """Return how long an answer may take on the wall that waits for so much of the bench's time."""
        return duration_s / self.pace + ANSWER_S

    def samples(
        self, columns: str, duration_s: float, more: dict[str, float]
    ) -> list[tuple[float, ...]]:
        """Return the samples of the next `duration_s` at the rate of the resource."""
        query = {"duration_s": duration_s, "rate_hz": self.at.rate_hz, **more}
        return self.caller.table(columns, query, self.answer_s(duration_s))


def _pieces(duration_s: float) -> list[float]:
    whole, rest = divmod(duration_s, PIECE_S)
    return [PIECE_S] * int(whole) + ([rest] if rest > 0 else [])


@target_factory.reg_driver
@attr.s(eq=False)
class FleetLedDriver(_Endpoint, LedProtocol):
    """A colour sensor behind an endpoint."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetLed"}

    @Driver.check_active
    @step(args=["duration_s"])
    def sample(self, duration_s: float, from_s: float | None = None) -> LedTrace:
        """Return the light during the next `duration_s` of the bench's clock, or from a time on."""
        trace = EMPTY
        for piece_s in _pieces(duration_s):
            since = {} if from_s is None else {"from_s": round(from_s, 4)}
            rows = self.samples("time_s,red,green,blue", piece_s, since)
            trace = trace.then(led_trace([(t, r, g, b) for t, r, g, b in rows]))
            if len(trace.times_s):
                from_s = float(trace.times_s[-1]) + 1 / self.at.rate_hz
        return trace


@target_factory.reg_driver
@attr.s(eq=False)
class FleetCurrentDriver(_Endpoint, CurrentProtocol):
    """A current meter behind an endpoint."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetCurrent"}

    @Driver.check_active
    @step(args=["duration_s"])
    def sample(self, duration_s: float) -> CurrentTrace:
        """Return the supply current during the next `duration_s`, of the bench's clock."""
        rows: list[tuple[float, ...]] = []
        for piece_s in _pieces(duration_s):
            rows += self.samples("time_s,milliamps", piece_s, {})
        times_s, milliamps = np.asarray(rows, dtype=np.float64).reshape(-1, 2).T
        return CurrentTrace(times_s, milliamps)


@target_factory.reg_driver
@attr.s(eq=False)
class FleetFrameDriver(_Endpoint, FrameProtocol):
    """Puts pictures before a lens: that of a simulated device, or on a monitor before a real one."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetFrame"}

    @Driver.check_active
    @step()  # without its argument: a code is a secret
    def show(self, picture: bytes | str) -> None:
        """Show a picture, or a QR code with a text. Raises UsageError for what cannot be read."""
        if isinstance(picture, str):
            self.caller.call("PUT", body=picture.encode(), kind="text/plain; charset=utf-8")
        else:
            self.caller.call("PUT", body=picture, kind=_kind(picture))

    @Driver.check_active
    @step()
    def hide(self) -> None:
        """Take it away."""
        self.caller.call("DELETE")


@target_factory.reg_driver
@attr.s(eq=False)
class FleetPhoneDriver(_Endpoint, PhoneProtocol):
    """The apps that a bench has for its people."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetPhone"}

    @Driver.check_active
    @step(args=["purpose"])
    def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        """Return the text of a code."""
        body = to_json(purpose=purpose, wifi_password=wifi_password)
        return msgspec.json.decode(self.caller.call("POST", "/codes", body=body), type=_Text).text

    @Driver.check_active
    @step(args=["purpose"])
    def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        """Find the device on the LAN and send it a token. Raises NotSeen."""
        body = to_json(purpose=purpose, timeout_s=timeout_s)
        self.caller.call("POST", "/by-wire", body=body, answer_s=self.answer_s(timeout_s))


@target_factory.reg_driver
@attr.s(eq=False)
class FleetToneDriver(_Endpoint, ToneProtocol):
    """A microphone behind an endpoint."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetTones"}

    @Driver.check_active
    def tones(self, since_s: float) -> tuple[Heard, ...]:
        """Return what was played since a time of the bench's clock."""
        heard = self.caller.ask("", list[_Tone], {"since_s": since_s})
        return tuple(Heard(one.at_s, one.tone) for one in heard)


@target_factory.reg_driver
@attr.s(eq=False)
class FleetClockDriver(_Endpoint, ClockProtocol):
    """The clock of a bench whose time may pass faster."""

    bindings: ClassVar[dict[str, Any]] = {"at": "FleetClock"}

    @Driver.check_active
    def now_s(self) -> float:
        """Return the bench's time."""
        return self.caller.ask("", _Time).now_s

    @Driver.check_active
    def rate(self) -> float:
        """Return bench seconds per second on the wall."""
        return self.caller.ask("", _Time).rate


_KINDS: Final = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"))


def _kind(picture: bytes) -> str:
    return next((kind for start, kind in _KINDS if picture.startswith(start)), "image/unknown")
