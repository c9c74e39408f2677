"""What stands at a bench, as an env file names it: addresses and numbers, no behaviour.

A URL is one of `fleet bench` (`firmware_sim/bench/README.md` has the calls) or of anything that
answers the same way.
"""

from typing import Any

import attr
from labgrid.factory import target_factory
from labgrid.resource.common import Resource

_TEXT = attr.validators.instance_of(str)
_INT = attr.validators.instance_of(int)
_BOOL = attr.validators.instance_of(bool)


@attr.s(eq=False)
class _Url(Resource):
    """Something that is reached by HTTP."""

    url: str = attr.ib(validator=_TEXT)


@target_factory.reg_resource
@attr.s(eq=False)
class FleetLed(_Url):
    """A colour sensor that answers with the light of a time span; `rate_hz` samples per second."""

    rate_hz: float = attr.ib(default=100.0, converter=float)


@target_factory.reg_resource
@attr.s(eq=False)
class FleetFrame(_Url):
    """What is in front of the lens: a simulated bench, or a monitor (`fleet app show`)."""


@target_factory.reg_resource
@attr.s(eq=False)
class FleetPhone(_Url):
    """The apps of the people around; `/codes` and `/by-wire` are below the URL."""


@target_factory.reg_resource
@attr.s(eq=False)
class FleetCurrent(_Url):
    """A meter in the supply line; `rate_hz` samples per second."""

    rate_hz: float = attr.ib(default=100.0, converter=float)


@target_factory.reg_resource
@attr.s(eq=False)
class FleetTones(_Url):
    """A microphone beside the speaker."""


@target_factory.reg_resource
@attr.s(eq=False)
class FleetClock(_Url):
    """The bench's clock. Without it, time is that on the wall."""


@target_factory.reg_resource
@attr.s(eq=False)
class FleetModel(Resource):
    """Which model is under test: the name of a profile in `hw_profiles`, or a path."""

    profile: str = attr.ib(validator=_TEXT)


def _channels(value: Any) -> tuple[dict[str, Any], ...]:
    return tuple(dict(channel) for channel in value)


@target_factory.reg_resource
@attr.s(eq=False)
class FleetIioAdc(Resource):
    """Photodiodes on an analogue-digital converter that Linux knows (IIO).

    `device` is its folder below `/sys/bus/iio/devices`. Each of `channels` has the `file` to read
    there (`in_voltage0_raw`), the `colour` that its diode sees (white if it has no filter), and
    what it reads in the `dark` and at `full` light.
    """

    device: str = attr.ib(validator=_TEXT)
    channels: tuple[dict[str, Any], ...] = attr.ib(converter=_channels)
    rate_hz: float = attr.ib(default=100.0, converter=float)


@target_factory.reg_resource
@attr.s(eq=False)
class FleetGpioLine(Resource):
    """A line of a GPIO chip (`/dev/gpiochip0`) by its number; `active_low` if 0 V means on."""

    chip: str = attr.ib(validator=_TEXT)
    line: int = attr.ib(validator=_INT)
    active_low: bool = attr.ib(default=False, validator=_BOOL)
