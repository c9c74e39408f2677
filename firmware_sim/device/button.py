"""The reset button: held for the profile's time it raises `ResetHeld`, once per press.

The finger does not care about the supply: a button that is down when power comes on counts from
there, as a boot loader that polls the pin would see it.
"""

from typing import TYPE_CHECKING

from firmware_sim.device.machine import Machine, on
from firmware_sim.device.signals import HoldElapsed, ResetHeld
from firmware_sim.device.states import Button, Lifecycle
from firmware_sim.device.timers import Timer
from firmware_sim.events import ButtonPressed, ButtonReleased, Event, PowerApplied, PowerRemoved

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def powered(device: "Device", _: Event) -> bool:
    """Say whether anything watches the pin."""
    return device.lifecycle is not Lifecycle.OFF


def count(device: "Device", _: Event) -> None:
    """Start counting how long the button is down."""
    device.arm(Timer.HOLD, device.profile.timings.reset_hold_ms)


def recognise(device: "Device", _: Event) -> None:
    """Tell the lifecycle that the gesture is complete."""
    device.raise_signal(ResetHeld())


BUTTON = Machine(
    Button,
    "button",
    (
        on(Button.UP, ButtonPressed, Button.DOWN, guard=powered, action=count),
        on(Button.UP, ButtonPressed, Button.DOWN),
        on(Button.DOWN, PowerApplied, Button.DOWN, action=count),
        on((Button.DOWN, Button.HELD), PowerRemoved, Button.DOWN),
        on(Button.DOWN, HoldElapsed, Button.HELD, action=recognise),
        on((Button.DOWN, Button.HELD), ButtonReleased, Button.UP),
    ),
    ignored={
        Button.UP: (ButtonReleased, PowerApplied, PowerRemoved, HoldElapsed),
        Button.DOWN: (ButtonPressed,),
        Button.HELD: (ButtonPressed, PowerApplied, HoldElapsed),
    },
    timers=(Timer.HOLD,),
)
