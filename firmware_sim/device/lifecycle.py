"""THE table: the life of a device from power-on to unbound and bound again.

    off -> booting -> waiting -> joining -> activating -> online -> resetting -> booting -> waiting

A power-on-pairing device: unbound it boots into WAITING and stays there without a time limit
(vendor page "Pairing Mode"). Holding the button resets it locally; that does **not** release a
strong binding, only the cloud can (help page "Device Binding Mode"). A release reaches an online
device as MQTT protocol 11; both kinds of reset erase the flash and reboot (vendor page "Device
Reset"). A device that remembers a binding is REJOINING, not JOINING: it never gives up and its
light does not speak of pairing.
"""

from firmware_sim.device import lan, network, pairing, reset
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
    IdleElapsed,
    JoinElapsed,
    LanRemoved,
    PairingRead,
    Released,
    ResetHeld,
    RetryElapsed,
    Solicited,
    TokenOffered,
)
from firmware_sim.device.states import Lifecycle
from firmware_sim.device.timers import Timer
from firmware_sim.events import (
    FrameDecoded,
    LinkDown,
    LinkUp,
    PowerApplied,
    PowerRemoved,
    WifiJoined,
    WifiRefused,
)

OFF = Lifecycle.OFF
BOOTING = Lifecycle.BOOTING
WAITING = Lifecycle.WAITING
JOINING = Lifecycle.JOINING
ACTIVATING = Lifecycle.ACTIVATING
REJOINING = Lifecycle.REJOINING
ONLINE = Lifecycle.ONLINE
RESETTING = Lifecycle.RESETTING
FAILED = Lifecycle.FAILED


def _powered_but(*states: Lifecycle) -> tuple[Lifecycle, ...]:
    return tuple(state for state in Lifecycle if state not in (OFF, *states))


ROWS = (
    on(OFF, PowerApplied, BOOTING),
    on(_powered_but(), PowerRemoved, OFF),
    on(BOOTING, BootElapsed, RESETTING, guard=reset.was_interrupted),
    on(BOOTING, BootElapsed, ONLINE, guard=pairing.is_at_home, action=lan.serve),
    on(BOOTING, BootElapsed, REJOINING, guard=pairing.is_activated),
    on(BOOTING, BootElapsed, WAITING, action=lan.serve),
    on(WAITING, FrameDecoded, None, action=pairing.read_code),
    on(WAITING, PairingRead, JOINING, action=pairing.take_code),
    on(WAITING, TokenOffered, ACTIVATING, action=pairing.take_token),
    on(JOINING, WifiJoined, ACTIVATING, action=network.arrive),
    on(JOINING, WifiRefused, FAILED, action=network.give_up),
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
    on(ACTIVATING, LinkDown, FAILED, action=network.cut_off),
    on(REJOINING, WifiJoined, ONLINE, action=network.arrive),
    on(REJOINING, WifiRefused, None, action=network.rejoin_later),
    on(REJOINING, JoinElapsed, None, action=network.rejoin_later),
    on(REJOINING, RetryElapsed, None, action=network.rejoin),
    on(ONLINE, LinkDown, REJOINING, action=network.depart),
    on(ONLINE, Released, RESETTING, action=reset.begin_remote),
    on(ONLINE, LanRemoved, RESETTING, action=reset.begin_by_lan),
    on(_powered_but(RESETTING), ResetHeld, RESETTING, action=reset.begin_local),
    on(RESETTING, EraseElapsed, BOOTING, action=reset.finish),
    on(FAILED, FailureElapsed, WAITING),
    # The cable and the LAN, which do not wait for anybody's state.
    on((BOOTING, RESETTING), LinkUp, None, action=network.arrive),
    on(WAITING, LinkUp, None, action=lan.appear),
    on(FAILED, LinkUp, None, action=lan.plugged),
    on(REJOINING, LinkUp, ONLINE, action=lan.plugged),
    on(_powered_but(ACTIVATING, ONLINE), LinkDown, None, action=network.depart),
    on((WAITING, ONLINE), AnnounceElapsed, None, action=lan.announce),
    on((WAITING, ONLINE), Solicited, None, action=lan.answer_solicitation),
    on(_powered_but(), IdleElapsed, None, action=lan.idle),
    on(ACTIVATING, TokenOffered, None, guard=pairing.is_ours, action=lan.accept),
    on(_powered_but(WAITING), TokenOffered, None, action=lan.refuse),
)

_WIFI = (WifiJoined, WifiRefused)
_CLOUD = (EndpointsFound, ActivationAccepted, ActivationRefused, CallFailed, Released)
_CODES = (FrameDecoded, PairingRead)
_TIMES = (BootElapsed, EraseElapsed, FailureElapsed, JoinElapsed, RetryElapsed, AnnounceElapsed)
_LAN = (Solicited, LanRemoved)


def _but(events: tuple[type, ...], *kept: type) -> tuple[type, ...]:
    return tuple(event for event in events if event not in kept)


IGNORED = {
    OFF: (
        *(*_WIFI, *_CLOUD, *_CODES, *_TIMES, *_LAN),
        *(PowerRemoved, ResetHeld, LinkUp, LinkDown, TokenOffered, IdleElapsed),
    ),
    BOOTING: (*_WIFI, *_CLOUD, *_CODES, *_but(_TIMES, BootElapsed), *_LAN, PowerApplied),
    WAITING: (*_WIFI, *_CLOUD, *_but(_TIMES, AnnounceElapsed), LanRemoved, PowerApplied),
    JOINING: (*_CLOUD, *_CODES, *_but(_TIMES, JoinElapsed), *_LAN, PowerApplied, LinkUp),
    ACTIVATING: (
        *(*_WIFI, Released, *_CODES, *_but(_TIMES, RetryElapsed), *_LAN),
        *(PowerApplied, LinkUp),
    ),
    REJOINING: (*_CLOUD, *_CODES, *_but(_TIMES, JoinElapsed, RetryElapsed), *_LAN, PowerApplied),
    ONLINE: (
        *(*_WIFI, *_but(_CLOUD, Released), *_CODES, *_but(_TIMES, AnnounceElapsed)),
        *(PowerApplied, LinkUp),
    ),
    RESETTING: (
        *_WIFI,
        *_CLOUD,
        *_CODES,
        *_but(_TIMES, EraseElapsed),
        ResetHeld,
        *_LAN,
        PowerApplied,
    ),
    FAILED: (*_WIFI, *_CLOUD, *_CODES, *_but(_TIMES, FailureElapsed), *_LAN, PowerApplied),
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
