"""labgrid targets for tests, made of drivers that remember what was done with them."""

from typing import Any, ClassVar

import attr
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, DigitalOutputProtocol, PowerProtocol
from pexpect import TIMEOUT

import firmware_sim.bench.labgrid
from firmware_sim.bench.labgrid.protocols import (
    ClockProtocol,
    Heard,
    LedProtocol,
    PhoneProtocol,
    Purpose,
    ToneProtocol,
)
from firmware_sim.bench.trace import LedTrace, led_trace

assert firmware_sim.bench.labgrid.__all__  # imported for the names of its drivers


@attr.s(eq=False)
class _Remembering(Driver):  # type: ignore[misc] # labgrid has no types
    bindings: ClassVar[dict[str, Any]] = {}

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.done: list[Any] = []


@target_factory.reg_driver
@attr.s(eq=False)
class TestOutput(_Remembering, DigitalOutputProtocol):  # type: ignore[misc]
    __test__ = False

    def set(self, status: bool) -> None:
        self.done.append(status)

    def get(self) -> bool:
        return bool(self.done and self.done[-1])


@target_factory.reg_driver
@attr.s(eq=False)
class TestPower(_Remembering, PowerProtocol):  # type: ignore[misc]
    __test__ = False

    def on(self) -> None:
        self.done.append("on")

    def off(self) -> None:
        self.done.append("off")

    def cycle(self) -> None:
        raise AssertionError("it would wait on the wall")


@target_factory.reg_driver
@attr.s(eq=False)
class TestConsole(_Remembering, ConsoleProtocol):  # type: ignore[misc]
    """`printed` is what comes next, a piece for each call of `expect`."""

    __test__ = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.printed = b""

    def read(self) -> bytes:
        raise AssertionError

    def write(self, data: bytes) -> None:
        raise AssertionError

    def sendline(self, line: str) -> None:
        self.done.append(line)

    def expect(self, pattern: Any, timeout: float) -> tuple[int, bytes, Any, Any]:
        self.done.append(timeout)
        if pattern is TIMEOUT:
            return 0, self.printed, TIMEOUT, TIMEOUT
        one = pattern[0] if isinstance(pattern, list) else pattern
        found = one.search(self.printed)
        if found is None:
            if isinstance(pattern, list):
                return 1, self.printed, TIMEOUT, TIMEOUT
            raise TIMEOUT("nothing of the kind")
        before, self.printed = self.printed[: found.start()], self.printed[found.end() :]
        return 0, before, found, found[0]


@target_factory.reg_driver
@attr.s(eq=False)
class TestClock(_Remembering, ClockProtocol):
    """It is one second past; ten thousand more pass in a real one."""

    __test__ = False

    def now_s(self) -> float:
        self.done.append("looked")
        return 1.0

    def rate(self) -> float:
        return 10_000.0


@target_factory.reg_driver
@attr.s(eq=False)
class TestLed(_Remembering, LedProtocol):
    """Steady red."""

    __test__ = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.now_s = 0.0

    def sample(self, duration_s: float, from_s: float | None = None) -> LedTrace:
        self.done.append((duration_s, from_s))
        start_s, self.now_s = self.now_s, self.now_s + duration_s
        count = round(duration_s * 100)
        return led_trace([(start_s + n / 100, 0.9, 0.05, 0.05) for n in range(count)])


@target_factory.reg_driver
@attr.s(eq=False)
class TestEar(_Remembering, ToneProtocol):
    __test__ = False

    def tones(self, since_s: float) -> tuple[Heard, ...]:
        return tuple(one for one in self.done if one.at_s >= since_s)


@target_factory.reg_driver
@attr.s(eq=False)
class TestPhone(_Remembering, PhoneProtocol):
    __test__ = False

    def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        return f"{purpose} {wifi_password}"

    def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        self.done.append((purpose, timeout_s))


def make_target(drivers: list[Any], resources: list[Any] | None = None) -> Any:
    """Return a target; its drivers and resources are written as in an env file."""
    config = {"resources": resources or [], "drivers": drivers}
    return target_factory.make_target("main", config)
