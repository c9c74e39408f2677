"""THE table: the life of a device from power-on to unbound and bound again.

    off -> booting -> waiting -> joining -> activating -> online -> resetting -> booting -> waiting

A power-on-pairing device: unbound it boots into WAITING and stays there without a time limit
(vendor page "Pairing Mode"). Holding the button resets it locally; that does **not** release a
strong binding, only the cloud can (help page "Device Binding Mode"). A release reaches an online
device as MQTT protocol 11; both kinds of reset erase the flash and reboot (vendor page "Device
Reset"). A device that remembers a binding is REJOINING, not JOINING: it never gives up and its
light does not speak of pairing.
"""

from firmware_sim.device import network, pairing, reset
from firmware_sim.device.lan import announce
from firmware_sim.device.machine import Machine, on
from firmware_sim.device.signals import (
    ActivationAccepted,
    ActivationRefused,
    AnnounceElapsed,
    BootElapsed,
    CallFailed,
    EndpointsFound,
    EraseElapsed,
    FailureElapsed,
    JoinElapsed,
    JoinRefused,
    NetworkLost,
    NetworkUp,
    PairingRead,
    Released,
    ResetHeld,
    RetryElapsed,
    TokenTaken,
)
from firmware_sim.device.states import Lifecycle
from firmware_sim.device.timers import Timer
from firmware_sim.events import PowerApplied, PowerRemoved

OFF = Lifecycle.OFF
BOOTING = Lifecycle.BOOTING
WAITING = Lifecycle.WAITING
JOINING = Lifecycle.JOINING
ACTIVATING = Lifecycle.ACTIVATING
REJOINING = Lifecycle.REJOINING
ONLINE = Lifecycle.ONLINE
RESETTING = Lifecycle.RESETTING
FAILED = Lifecycle.FAILED

POWERED = tuple(state for state in Lifecycle if state is not OFF)
RESETTABLE = tuple(state for state in POWERED if state is not RESETTING)

ROWS = (
    on(OFF, PowerApplied, BOOTING),
    on(POWERED, PowerRemoved, OFF),
    on(BOOTING, BootElapsed, RESETTING, guard=reset.was_interrupted),
    on(BOOTING, BootElapsed, REJOINING, guard=pairing.is_activated),
    on(BOOTING, BootElapsed, WAITING),
    on(WAITING, PairingRead, JOINING, action=network.take_code),
    on(WAITING, TokenTaken, ACTIVATING, action=pairing.take_token),
    on((WAITING, ONLINE), AnnounceElapsed, None, action=announce),
    on(WAITING, NetworkUp, None, action=announce),
    on(JOINING, NetworkUp, ACTIVATING),
    on(JOINING, JoinRefused, FAILED, action=network.give_up),
    on(JOINING, JoinElapsed, FAILED, action=network.give_up),
    on(ACTIVATING, EndpointsFound, None, action=pairing.ask),
    on(ACTIVATING, ActivationAccepted, ONLINE, action=pairing.keep_credentials),
    on(
        ACTIVATING,
        ActivationRefused,
        WAITING,
        guard=pairing.unknown_to_cloud,
        action=pairing.drop_token,
    ),
    on(
        ACTIVATING,
        ActivationRefused,
        None,
        guard=pairing.retries_for_ever,
        action=pairing.retry_later,
    ),
    on(ACTIVATING, ActivationRefused, FAILED, action=pairing.give_up),
    on(ACTIVATING, CallFailed, None, guard=pairing.has_tries_left, action=pairing.retry_later),
    on(ACTIVATING, CallFailed, FAILED, action=pairing.give_up),
    on(ACTIVATING, RetryElapsed, None, action=pairing.resolve),
    on(ACTIVATING, NetworkLost, FAILED, action=network.give_up),
    on(REJOINING, NetworkUp, ONLINE),
    on(REJOINING, JoinRefused, None, action=network.rejoin_later),
    on(REJOINING, JoinElapsed, None, action=network.rejoin_later),
    on(REJOINING, RetryElapsed, None, action=network.rejoin),
    on(ONLINE, NetworkLost, REJOINING),
    on(ONLINE, Released, RESETTING, action=reset.begin_remote),
    on(RESETTABLE, ResetHeld, RESETTING, action=reset.begin_local),
    on(RESETTING, EraseElapsed, BOOTING, action=reset.finish),
    on(FAILED, FailureElapsed, WAITING),
)

_NETWORK = (NetworkUp, NetworkLost, JoinRefused)
_CLOUD = (EndpointsFound, ActivationAccepted, ActivationRefused, CallFailed, Released)
_OFFERS = (PairingRead, TokenTaken)
_TIMES = (
    BootElapsed,
    EraseElapsed,
    FailureElapsed,
    JoinElapsed,
    RetryElapsed,
    AnnounceElapsed,
)


def _but(events: tuple[type, ...], *kept: type) -> tuple[type, ...]:
    return tuple(event for event in events if event not in kept)


IGNORED = {
    OFF: (*_NETWORK, *_CLOUD, *_OFFERS, *_TIMES, ResetHeld, PowerRemoved),
    BOOTING: (*_NETWORK, *_CLOUD, *_OFFERS, *_but(_TIMES, BootElapsed), PowerApplied),
    WAITING: (
        *_but(_NETWORK, NetworkUp),
        *_CLOUD,
        *_but(_TIMES, AnnounceElapsed),
        PowerApplied,
    ),
    JOINING: (NetworkLost, *_CLOUD, *_OFFERS, *_but(_TIMES, JoinElapsed), PowerApplied),
    ACTIVATING: (
        *_but(_NETWORK, NetworkLost),
        Released,
        *_OFFERS,
        *_but(_TIMES, RetryElapsed),
        PowerApplied,
    ),
    REJOINING: (
        NetworkLost,
        *_CLOUD,
        *_OFFERS,
        *_but(_TIMES, JoinElapsed, RetryElapsed),
        PowerApplied,
    ),
    ONLINE: (
        *_but(_NETWORK, NetworkLost),
        *_but(_CLOUD, Released),
        *_OFFERS,
        *_but(_TIMES, AnnounceElapsed),
        PowerApplied,
    ),
    RESETTING: (
        *_NETWORK,
        *_CLOUD,
        *_OFFERS,
        *_but(_TIMES, EraseElapsed),
        ResetHeld,
        PowerApplied,
    ),
    FAILED: (*_NETWORK, *_CLOUD, *_OFFERS, *_but(_TIMES, FailureElapsed), PowerApplied),
}

LIFECYCLE = Machine(
    Lifecycle,
    "lifecycle",
    ROWS,
    ignored=IGNORED,
    enter={
        OFF: reset.lose_power,
        BOOTING: reset.boot,
        WAITING: pairing.open_pairing,
        JOINING: network.join,
        ACTIVATING: pairing.begin,
        REJOINING: network.rejoin,
        ONLINE: pairing.go_online,
        RESETTING: reset.erase,
        FAILED: reset.show_failure,
    },
    leave={
        WAITING: pairing.close_pairing,
        ACTIVATING: pairing.abandon,
        ONLINE: pairing.leave_cloud,
    },
    timers=(Timer.BOOT, Timer.ERASE, Timer.FAILURE, Timer.JOIN, Timer.RETRY, Timer.ANNOUNCE),
)
