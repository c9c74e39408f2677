"""THE table: the life of a device from power-on to unbound and bound again.

    off -> booting -> waiting -> joining -> activating -> online -> resetting -> booting -> waiting

A power-on-pairing device: unbound it boots into WAITING and stays there without a time limit
(vendor page "Pairing Mode"). Holding the button resets it locally; that does **not** release a
strong binding, only the cloud can (help page "Device Binding Mode"). A release reaches an online
device as MQTT protocol 11; both kinds of reset erase the flash and reboot (vendor page "Device
Reset"). A device that remembers a binding is REJOINING, not JOINING: it never gives up and its
light does not speak of pairing. One that loads new firmware is UPDATING, and goes on working.
"""

from firmware_sim.device import built_in, children, lan, network, pairing, reset, update
from firmware_sim.device.cloud_calls import servers_unknown
from firmware_sim.device.machine import Machine, on
from firmware_sim.device.signals import (
    ActivationAccepted,
    ActivationRefused,
    AnnounceElapsed,
    BootElapsed,
    CallFailed,
    ChildRemoved,
    ChildUpgradeNoticed,
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
    StepElapsed,
    TokenBrought,
    TokenOffered,
    Upgraded,
    UpgradeNoticed,
    UpgradeOffered,
    UpgradeRefused,
)
from firmware_sim.device.states import Lifecycle
from firmware_sim.device.timers import Timer
from firmware_sim.events import (
    ChildJoined,
    ChildLeft,
    ChildLost,
    ChildReached,
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
UPDATING = Lifecycle.UPDATING
RESETTING = Lifecycle.RESETTING
FAILED = Lifecycle.FAILED


AT_HOME = (ONLINE, UPDATING)


def _powered_but(*states: Lifecycle) -> tuple[Lifecycle, ...]:
    return tuple(state for state in Lifecycle if state not in (OFF, *states))


ROWS = (
    on(OFF, PowerApplied, BOOTING, action=children.take_stock),
    on(_powered_but(), PowerRemoved, OFF),
    on(BOOTING, BootElapsed, RESETTING, guard=reset.was_interrupted),
    on(BOOTING, BootElapsed, ONLINE, guard=pairing.is_at_home, action=lan.serve),
    on(BOOTING, BootElapsed, REJOINING, guard=pairing.is_activated),
    on(BOOTING, BootElapsed, WAITING, action=lan.serve),
    on(WAITING, FrameDecoded, None, action=pairing.read_code),
    on(WAITING, PairingRead, JOINING, action=pairing.take_code),
    on(WAITING, TokenOffered, ACTIVATING, action=pairing.take_token),
    on(WAITING, TokenBrought, ACTIVATING, action=pairing.take_sent_token),
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
    on(
        ACTIVATING,
        ActivationRefused,
        None,
        guard=pairing.signed_at_a_wrong_time,
        action=pairing.retry_later,
    ),
    on(ACTIVATING, ActivationRefused, FAILED, action=pairing.give_up),
    on(ACTIVATING, CallFailed, None, guard=built_in.are_left, action=built_in.take),
    on(ACTIVATING, CallFailed, None, guard=pairing.has_tries_left, action=pairing.retry_later),
    on(ACTIVATING, CallFailed, FAILED, action=pairing.give_up),
    on(ACTIVATING, RetryElapsed, None, guard=servers_unknown, action=pairing.resolve),
    on(ACTIVATING, RetryElapsed, None, action=pairing.ask),
    on(ACTIVATING, LinkDown, FAILED, action=network.cut_off),
    on(REJOINING, WifiJoined, ONLINE, action=network.arrive),
    on(REJOINING, WifiRefused, None, action=network.rejoin_later),
    on(REJOINING, JoinElapsed, None, action=network.rejoin_later),
    on(REJOINING, RetryElapsed, None, action=network.rejoin),
    on(ONLINE, LinkDown, REJOINING, action=network.depart),
    on(ONLINE, UpgradeNoticed, None, action=update.ask),
    on(ONLINE, UpgradeRefused, None, action=update.report_failure),
    on(ONLINE, UpgradeOffered, UPDATING, guard=update.is_news, action=update.begin),
    on(ONLINE, UpgradeOffered, None, action=update.decline),
    on(UPDATING, StepElapsed, None, guard=update.is_loading, action=update.advance),
    on(UPDATING, StepElapsed, None, action=update.install),
    on(UPDATING, Upgraded, BOOTING, action=update.restart),
    on(UPDATING, LinkDown, REJOINING, action=update.break_off),
    on(UPDATING, Released, None, guard=update.refuses_reset, action=update.refuse_reset),
    on(UPDATING, ResetHeld, None, guard=update.refuses_reset, action=update.refuse_reset),
    on(AT_HOME, Released, RESETTING, action=reset.begin_remote),
    on(AT_HOME, LanRemoved, RESETTING, action=reset.begin_by_lan),
    on(_powered_but(RESETTING), ResetHeld, RESETTING, action=reset.begin_local),
    on(RESETTING, EraseElapsed, BOOTING, action=reset.finish),
    on(FAILED, FailureElapsed, WAITING),
    # The cable and the LAN, which do not wait for anybody's state.
    on((BOOTING, RESETTING), LinkUp, None, action=network.arrive),
    on(WAITING, LinkUp, None, action=pairing.appear),
    on(FAILED, LinkUp, None, action=lan.plugged),
    on(REJOINING, LinkUp, ONLINE, action=lan.plugged),
    on(_powered_but(ACTIVATING, *AT_HOME), LinkDown, None, action=network.depart),
    on((WAITING, *AT_HOME), AnnounceElapsed, None, action=lan.announce),
    on((WAITING, *AT_HOME), Solicited, None, action=lan.answer_solicitation),
    on(_powered_but(), IdleElapsed, None, action=lan.idle),
    on(ACTIVATING, TokenOffered, None, guard=pairing.is_ours, action=lan.accept),
    on(_powered_but(WAITING), TokenOffered, None, action=lan.refuse),
    # Sub-devices, which come and go even while their gateway has no power.
    on(Lifecycle, ChildReached, None, action=children.reached),
    on(Lifecycle, ChildLost, None, action=children.lost),
    on(_powered_but(), ChildJoined, None, action=children.joined),
    on(_powered_but(), ChildLeft, None, action=children.left),
    on(AT_HOME, ChildRemoved, None, action=children.removed),
    on(ONLINE, ChildUpgradeNoticed, None, action=children.upgrade_noticed),
)

_WIFI = (WifiJoined, WifiRefused)
_CLOUD = (
    *(EndpointsFound, ActivationAccepted, ActivationRefused, CallFailed, Released),
    *(UpgradeNoticed, UpgradeOffered, UpgradeRefused, Upgraded, ChildRemoved),
    ChildUpgradeNoticed,
)
_OF_CHILDREN = (ChildRemoved, ChildUpgradeNoticed)
_CODES = (FrameDecoded, PairingRead, TokenBrought)
_TIMES = (
    *(BootElapsed, EraseElapsed, FailureElapsed, JoinElapsed, RetryElapsed, AnnounceElapsed),
    StepElapsed,
)
_LAN = (Solicited, LanRemoved)


def _but(events: tuple[type, ...], *kept: type) -> tuple[type, ...]:
    return tuple(event for event in events if event not in kept)


IGNORED = {
    OFF: (
        *(*_WIFI, *_CLOUD, *_CODES, *_TIMES, *_LAN),
        *(PowerRemoved, ResetHeld, LinkUp, LinkDown, TokenOffered, IdleElapsed),
        *(ChildJoined, ChildLeft),
    ),
    BOOTING: (*_WIFI, *_CLOUD, *_CODES, *_but(_TIMES, BootElapsed), *_LAN, PowerApplied),
    WAITING: (*_WIFI, *_CLOUD, *_but(_TIMES, AnnounceElapsed), LanRemoved, PowerApplied),
    JOINING: (*_CLOUD, *_CODES, *_but(_TIMES, JoinElapsed), *_LAN, PowerApplied, LinkUp),
    ACTIVATING: (
        *(*_WIFI, Released, *_CODES, *_but(_TIMES, RetryElapsed), *_LAN),
        *(UpgradeNoticed, UpgradeOffered, UpgradeRefused, Upgraded, ChildRemoved),
        *(ChildUpgradeNoticed, PowerApplied, LinkUp),
    ),
    REJOINING: (*_CLOUD, *_CODES, *_but(_TIMES, JoinElapsed, RetryElapsed), *_LAN, PowerApplied),
    ONLINE: (
        *_but(_CLOUD, Released, UpgradeNoticed, UpgradeOffered, UpgradeRefused, *_OF_CHILDREN),
        *(*_WIFI, *_CODES, *_but(_TIMES, AnnounceElapsed), PowerApplied, LinkUp),
    ),
    UPDATING: (
        *(*_WIFI, *_but(_CLOUD, Released, Upgraded, ChildRemoved), *_CODES),
        *(*_but(_TIMES, AnnounceElapsed, StepElapsed), PowerApplied, LinkUp),
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
        UPDATING: update.load,
        RESETTING: reset.erase,
        FAILED: reset.show_failure,
    },
    leave={
        WAITING: pairing.close_pairing,
        ACTIVATING: pairing.abandon,
    },
    timers=(
        *(Timer.BOOT, Timer.ERASE, Timer.FAILURE, Timer.JOIN, Timer.RETRY, Timer.ANNOUNCE),
        Timer.STEP,
    ),
)
