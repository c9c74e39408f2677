"""A Feasa LED Analyser on a serial port: a real one, or the one that a simulated bench has.

Commands are ASCII lines. `capture1` (for dim lamps) to `capture5` (for bright ones) measure all
fibres, `getrgbi01` returns what fibre 1 has seen: three numbers of the colour, 0 to 255, and its
intensity, 0 to 99999. The automatic range is slow, and refuses lamps that blink.

Public source: Feasa, "LED Analyser Functional Version" user manual, "Capture Commands" and "Get Data
Commands".
"""

import re
from typing import Any, ClassVar, Final

import attr
import serial
import serial.rfc2217
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.resource import SerialPort
from labgrid.step import step
from labgrid.util.proxy import proxymanager

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid.clocks import clock_of, on_the_wall_s
from firmware_sim.bench.labgrid.protocols import LedProtocol
from firmware_sim.bench.trace import LedTrace, led_trace
from firmware_sim.errors import UsageError

_RGBI: Final = re.compile(rb"(\d{3}) +(\d{3}) +(\d{3}) +(\d{5})")
_CAPTURE: Final = re.compile(r"(?i)capture[1-5]")
_ENDS: Final = b"\r\n\x04"  # an answer ends with a line end, some models add EOT
_ANSWER_MAX: Final = 200
_CAPTURE_S: Final = 3.0  # the slowest capture, with margin


def _fibres(value: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in value)


@target_factory.reg_driver
@attr.s(eq=False)
class FleetFeasaLedDriver(Driver, LedProtocol):
    """Samples a light as fast as the analyser answers.

    `fibres` look at the parts of one indicator (two for a red lamp beside a blue one). `dark` and `full`
    are the intensities that the analyser shows with the lamp off and on, in the range of `capture`;
    the scale is logarithmic ex factory.
    """

    bindings: ClassVar[dict[str, Any]] = {"port": {"SerialPort", "NetworkSerialPort"}}
    fibres: tuple[int, ...] = attr.ib(default=(1,), converter=_fibres)
    dark: int = attr.ib(default=30_000, validator=attr.validators.instance_of(int))
    full: int = attr.ib(default=65_000, validator=attr.validators.instance_of(int))
    capture: str = attr.ib(default="capture3", validator=attr.validators.matches_re(_CAPTURE))

    def on_activate(self) -> None:
        """Open the line."""
        self._clock = clock_of(self.target)
        self._line = serial_line(self.port)
        self._line.timeout = on_the_wall_s(self._clock, _CAPTURE_S)
        try:
            self._line.open()
        except serial.SerialException as error:
            raise Missing(f"the LED analyser cannot be reached: {error}") from None

    def on_deactivate(self) -> None:
        """Close the line."""
        self._line.close()

    @Driver.check_active
    @step(args=["duration_s"])
    def sample(self, duration_s: float, from_s: float | None = None) -> LedTrace:  # noqa: ARG002 - it remembers nothing
        """Return the light during the next `duration_s`. UsageError if this is no analyser."""
        end_s = self._clock.now_s() + duration_s
        rows = []
        while (at_s := self._clock.now_s()) < end_s:
            if b"OK" not in self._ask(self.capture).upper():
                raise UsageError(f"the LED analyser does not know {self.capture!r}")
            rows.append((at_s, *self._light()))
        return led_trace(rows)

    def _light(self) -> tuple[float, float, float]:
        """Return the last capture, 0 to 1; the fibres together."""
        total = [0.0, 0.0, 0.0]
        for fibre in self.fibres:
            answer = self._ask(f"getrgbi{fibre:02}")
            found = _RGBI.search(answer)
            if found is None:
                raise UsageError(f"fibre {fibre} of the LED analyser: {answer!r} is no light")
            *rgb, intensity = map(int, found.groups())
            share = (intensity - self.dark) / (self.full - self.dark)
            scale = min(max(share, 0.0), 1.0) / max(*rgb, 1)
            total = [value + part * scale for value, part in zip(total, rgb, strict=True)]
        red, green, blue = (min(value, 1.0) for value in total)
        return red, green, blue

    def _ask(self, command: str) -> bytes:
        self._line.reset_input_buffer()
        self._line.write(command.encode() + b"\r\n")
        answer = b""
        while len(answer) < _ANSWER_MAX:
            byte = self._line.read(1)
            if not byte:
                raise UsageError(f"the LED analyser does not answer {command!r}")
            if byte not in _ENDS:
                answer += byte
            elif answer:
                break
        return answer


def serial_line(port: Any) -> Any:
    """Return the line of a serial port, or of one that is reached over the network; not opened."""
    if isinstance(port, SerialPort):
        line = serial.Serial()
        line.port = port.port
    elif port.protocol == "rfc2217":
        host, number = proxymanager.get_host_and_port(port)
        line = serial.rfc2217.Serial()
        line.port = f"rfc2217://{host}:{number}?ign_set_control"
    else:
        host, number = proxymanager.get_host_and_port(port)
        line = serial.serial_for_url(f"socket://{host}:{number}", do_not_open=True)
    line.baudrate = port.speed
    return line
