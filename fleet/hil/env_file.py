"""The env file by which labgrid finds a bench: `pytest --lg-env env.yaml`.

One target per device: `main`, `device-1`, `device-2` and so on. Stock resources and drivers wherever
labgrid has them, else those of `firmware_sim.bench.labgrid`. Public source: labgrid-project/labgrid,
doc/configuration.rst.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from firmware_sim.bench.endpoints.http import Serial
from firmware_sim.bench.endpoints.tcp import HOST
from firmware_sim.errors import UsageError

MAIN: Final = "main"
BAUD: Final = 115_200
OFF_S: Final = 2.0  # how long a supply that is cycled stays off, in the bench's time
Via = Literal["terminal", "rfc2217", "raw"]

Part = dict[str, dict[str, Any]]


class Member(msgspec.Struct, frozen=True):
    """One device: its model, what its calls begin with, and its console."""

    profile: str
    wired: bool
    url: str
    uart: Serial


class Bench(msgspec.Struct, frozen=True):
    """What an env file says of a bench; one at a cloud of others has no `phones`."""

    url: str
    rate: float
    members: tuple[Member, ...]
    via: Via = "terminal"
    phones: bool = True


def env_text(bench: Bench) -> str:
    """Return the env file of a bench, as YAML."""
    head = [
        "# Written by `fleet bench`; it is true as long as that runs.",
        f"# Time passes {bench.rate:g} times as fast there as on the wall.",
        "imports:",
        "- firmware_sim.bench.labgrid",
        "features:",
        "- sim",
        "targets:",
    ]
    body = [
        line for index, member in enumerate(bench.members) for line in _target(bench, index, member)
    ]
    return "\n".join((*head, *body, ""))


def write(path: Path, bench: Bench) -> None:
    """Write the env file of a bench. Raises UsageError."""
    try:
        path.write_text(env_text(bench), "utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write the env file: {error.strerror}") from None


def target_name(index: int) -> str:
    """Return what the target of a device is called."""
    return f"device-{index}" if index else MAIN


def _target(bench: Bench, index: int, member: Member) -> Iterator[str]:
    yield f"  {target_name(index)}:"
    yield "    resources:"
    yield from _list(_resources(bench, index, member))
    yield "    drivers:"
    yield from _list(_drivers(bench, member))


def _resources(bench: Bench, index: int, member: Member) -> Iterator[Part]:
    power = f"{bench.url}/devices/{{index}}/power"
    yield {"NetworkPowerPort": {"model": "rest", "host": power, "index": index}}
    for name in ("button", "link"):
        yield {
            "HttpDigitalOutput": {
                "name": name,
                "url": f"{member.url}/{name}",
                "body_asserted": "1",
                "body_deasserted": "0",
            }
        }
    yield _console(bench.via, member.uart)
    yield {"FleetModel": {"profile": member.profile}}
    yield {"FleetLed": {"url": f"{member.url}/led"}}
    if not member.wired:
        yield {"FleetFrame": {"url": f"{member.url}/frame"}}
    if bench.phones:
        yield {"FleetPhone": {"url": f"{member.url}/phone"}}
    yield {"FleetCurrent": {"url": f"{member.url}/current"}}
    yield {"FleetTones": {"url": f"{member.url}/tones"}}
    yield {"FleetClock": {"url": f"{bench.url}/clock"}}


def _console(via: Via, uart: Serial) -> Part:
    if via == "terminal":
        return {"RawSerialPort": {"name": "uart", "port": uart.terminal, "speed": BAUD}}
    port = uart.raw_port if via == "raw" else uart.rfc2217_port
    return {
        "NetworkSerialPort": {
            "name": "uart",
            "host": HOST,
            "port": port,
            "speed": BAUD,
            "protocol": via,
        }
    }


def _drivers(bench: Bench, member: Member) -> Iterator[Part]:
    yield {"NetworkPowerDriver": {"name": "power", "delay": OFF_S / bench.rate}}
    for name in ("button", "link"):
        yield {"HttpDigitalOutputDriver": {"name": name, "bindings": {"http": name}}}
        yield {f"Fleet{name.title()}Driver": {"bindings": {"output": name}}}
    yield {"SerialDriver": {"bindings": {"port": "uart"}}}
    yield {"FleetLedDriver": {}}
    if not member.wired:
        yield {"FleetFrameDriver": {}}
    if bench.phones:
        yield {"FleetPhoneDriver": {}}
    for name in ("Current", "Tone", "Clock"):
        yield {f"Fleet{name}Driver": {}}


def _list(parts: Iterable[Part]) -> Iterator[str]:
    """Write parts as a list; a text in JSON is one in YAML too."""
    for part in parts:
        for name, values in part.items():
            yield f"    - {name}:" + ("" if values else " {}")
            for key, value in values.items():
                yield f"        {key}: {json.dumps(value)}"
