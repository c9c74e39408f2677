"""labgrid for a fleet's bench: `imports: [firmware_sim.bench.labgrid]` in an env file makes it known.

labgrid finds no plug-ins by itself; importing this package registers our resources and drivers
under their class names. Stock drivers are used wherever there is one (power, digital outputs,
serial console). `make_bench(target)` puts both behind the capabilities that test scripts name.
Nothing else imports labgrid: it is the extra `bench`.

Public source: labgrid-project/labgrid, doc/development.rst, and labgrid/factory.py.
"""

from firmware_sim.bench.labgrid import adc, endpoints, feasa, gpiod, hands, prompt, resources
from firmware_sim.bench.labgrid.bench import LabgridBench, make_bench
from firmware_sim.bench.labgrid.protocols import (
    ButtonProtocol,
    ClockProtocol,
    CurrentProtocol,
    FrameProtocol,
    LedProtocol,
    LinkProtocol,
    PhoneProtocol,
    ToneProtocol,
)

__all__ = [
    "ButtonProtocol",
    "ClockProtocol",
    "CurrentProtocol",
    "FrameProtocol",
    "LabgridBench",
    "LedProtocol",
    "LinkProtocol",
    "PhoneProtocol",
    "ToneProtocol",
    "adc",
    "endpoints",
    "feasa",
    "gpiod",
    "hands",
    "make_bench",
    "prompt",
    "resources",
]
