"""The second table: on the way to an MQTT session, and back after every loss.

Credentials, topics, CONNACK 5 and the back-off law are those of the open vendor SDK
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/mqtt_service.c and utils/backoff_algorithm.c):
CONNACK 5 alone means "this device was unbound"; the device then asks `tuya.device.info.sync` with
its old key and resets itself, also when that call fails. Any other refusal leads to back-off.
"""

from typing import TYPE_CHECKING

from firmware_sim.device import cloud_calls, cloud_link
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.machine import Machine, on
from firmware_sim.device.signals import (
    Admitted,
    BackoffElapsed,
    CallFailed,
    CloudUnwanted,
    CloudWanted,
    ConnectElapsed,
    EndpointsFound,
    LanRemoved,
    PingElapsed,
    Ponged,
    PongElapsed,
    Refused,
    Released,
    ResetHeld,
    StreamLost,
    Subscribed,
    SyncAnswered,
    VersionsTaken,
)
from firmware_sim.device.states import Session
from firmware_sim.device.timers import Timer
from firmware_sim.events import Event, MqttOpened, PowerRemoved
from firmware_sim.wire.atop_messages import SyncStatus
from firmware_sim.wire.mqtt import NOT_AUTHORIZED

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

BACKOFF_FIRST_MS = 1000
BACKOFF_LAST_MS = 8000

DOWN = Session.DOWN
RESOLVING = Session.RESOLVING
DECLARING = Session.DECLARING
CONNECTING = Session.CONNECTING
SUBSCRIBING = Session.SUBSCRIBING
UP = Session.UP
BACKOFF = Session.BACKOFF
SYNCING = Session.SYNCING


def servers_unknown(device: "Device", _: Event) -> bool:
    """Say whether iot-dns has to be asked first."""
    return device.endpoints is None


def versions_new(device: "Device", _: Event) -> bool:
    """Say whether the cloud has not heard of the running firmware yet."""
    return device.flash.versions != cloud_calls.versions(device)


def keep_versions(device: "Device", _: Event) -> None:
    """Remember what was reported; it survives a reset, as in the vendor's SDK."""
    device.flash.versions = cloud_calls.versions(device)
    device.mark_flash()


def unbound(_: "Device", event: Refused) -> bool:
    """Say whether the broker refused us because we are nobody's."""
    return event.code == NOT_AUTHORIZED


def note_refusal(device: "Device", event: Refused) -> None:
    """Note a refusal that is not an unbinding."""
    device.note("mqtt_refused", f"code {event.code}")


def still_bound(_: "Device", event: SyncAnswered) -> bool:
    """Say whether the cloud takes the refusal back."""
    return event.status is SyncStatus.ENABLE


def obey_sync(device: "Device", event: SyncAnswered) -> None:
    """Reset as the cloud says."""
    factory = event.status is SyncStatus.RESET_FACTORY
    device.raise_signal(Released(ResetKind.REMOTE_FACTORY if factory else ResetKind.REMOTE_UNBIND))


def reset_anyway(device: "Device", event: CallFailed) -> None:
    """Reset without an answer: refused by the broker is reason enough for this firmware."""
    note_failure(device, event)
    device.raise_signal(Released(ResetKind.REMOTE_UNBIND))


def note_failure(device: "Device", event: CallFailed) -> None:
    """Note why a call led nowhere."""
    device.note("call_failed", event.reason)


def ask_servers(device: "Device") -> None:
    """Ask iot-dns with the region in flash (entry of RESOLVING)."""
    cloud_calls.resolve(device, device.flash.region, device.flash.env)


def back_off(device: "Device") -> None:
    """Close and wait (entry of BACKOFF): at first not at all, then a random time below a bound.

    The bound doubles up to its end and is never set back while the power is on.
    """
    cloud_calls.forget(device)
    cloud_link.close(device)
    bound_ms = device.backoff_bound_ms
    device.arm(Timer.BACKOFF, 1 + (device.rng.below(bound_ms) if bound_ms else 0))
    device.backoff_bound_ms = min(2 * bound_ms, BACKOFF_LAST_MS) or BACKOFF_FIRST_MS


def ask_status(device: "Device") -> None:
    """Close, and ask what we are (entry of SYNCING)."""
    cloud_link.close(device)
    cloud_calls.sync(device)


def hang_up(device: "Device", _: Event) -> None:
    """Leave the cloud in good order."""
    cloud_calls.forget(device)
    cloud_link.unsubscribe(device)
    cloud_link.close(device)


def go_up(device: "Device") -> None:
    """Say what a device says when it comes online (entry of UP)."""
    cloud_link.greet(device)
    device.arm(Timer.PING, 1000 * device.profile.timings.keep_alive_s)


def ping(device: "Device", _: Event) -> None:
    """Ask the broker whether it is still there."""
    cloud_link.ping(device)
    device.arm(Timer.PONG, device.profile.timings.pong_timeout_ms)


def ponged(device: "Device", _: Event) -> None:
    """The broker is there: the next ping is due after the keep-alive time."""
    device.timers.disarm(Timer.PONG)
    device.arm(Timer.PING, 1000 * device.profile.timings.keep_alive_s)


BUSY = tuple(state for state in Session if state is not DOWN)

ROWS = (
    on(DOWN, CloudWanted, RESOLVING, guard=servers_unknown),
    on(DOWN, CloudWanted, DECLARING, guard=versions_new),
    on(DOWN, CloudWanted, CONNECTING),
    on(RESOLVING, EndpointsFound, DECLARING, guard=versions_new),
    on(RESOLVING, EndpointsFound, CONNECTING),
    on(RESOLVING, CallFailed, BACKOFF, action=note_failure),
    on(DECLARING, VersionsTaken, CONNECTING, action=keep_versions),
    on(DECLARING, CallFailed, BACKOFF, action=note_failure),
    on(CONNECTING, MqttOpened, None, action=cloud_link.introduce),
    on(CONNECTING, Admitted, SUBSCRIBING),
    on(CONNECTING, Refused, SYNCING, guard=unbound),
    on(CONNECTING, Refused, BACKOFF, action=note_refusal),
    on(SUBSCRIBING, Subscribed, UP),
    on(UP, PingElapsed, None, action=ping),
    on(UP, Ponged, None, action=ponged),
    on(UP, ResetHeld, None, action=cloud_link.report_local_reset),
    on(UP, LanRemoved, None, action=cloud_link.report_local_reset),
    on(UP, PongElapsed, BACKOFF),
    on((CONNECTING, SUBSCRIBING), ConnectElapsed, BACKOFF),
    on((CONNECTING, SUBSCRIBING, UP), StreamLost, BACKOFF, action=cloud_link.note_loss),
    on(BACKOFF, BackoffElapsed, RESOLVING, guard=servers_unknown),
    on(BACKOFF, BackoffElapsed, DECLARING, guard=versions_new),
    on(BACKOFF, BackoffElapsed, CONNECTING),
    on(SYNCING, SyncAnswered, BACKOFF, guard=still_bound),
    on(SYNCING, SyncAnswered, DOWN, action=obey_sync),
    on(SYNCING, CallFailed, DOWN, action=reset_anyway),
    on(BUSY, CloudUnwanted, DOWN, action=hang_up),
    on(BUSY, PowerRemoved, DOWN),
)

_REPLIES = (EndpointsFound, VersionsTaken, SyncAnswered, CallFailed)
_STREAM = (MqttOpened, StreamLost, Admitted, Refused, Subscribed, Ponged)
_TIMES = (ConnectElapsed, PingElapsed, PongElapsed, BackoffElapsed)
_ALL = (*_REPLIES, *_STREAM, *_TIMES, CloudWanted, ResetHeld, LanRemoved)


def _but(*kept: type[Event]) -> tuple[type[Event], ...]:
    return tuple(event for event in _ALL if event not in kept)


SESSION = Machine(
    Session,
    "session",
    ROWS,
    ignored={
        DOWN: (*_but(CloudWanted), CloudUnwanted, PowerRemoved),
        RESOLVING: _but(EndpointsFound, CallFailed),
        DECLARING: _but(VersionsTaken, CallFailed),
        CONNECTING: _but(MqttOpened, Admitted, Refused, StreamLost, ConnectElapsed),
        SUBSCRIBING: _but(Subscribed, StreamLost, ConnectElapsed),
        UP: _but(PingElapsed, Ponged, PongElapsed, ResetHeld, LanRemoved, StreamLost),
        BACKOFF: _but(BackoffElapsed),
        SYNCING: _but(SyncAnswered, CallFailed),
    },
    enter={
        RESOLVING: ask_servers,
        DECLARING: cloud_calls.declare_versions,
        CONNECTING: cloud_link.open_stream,
        SUBSCRIBING: cloud_link.subscribe,
        UP: go_up,
        BACKOFF: back_off,
        SYNCING: ask_status,
    },
    timers=(Timer.CONNECT, Timer.PING, Timer.PONG, Timer.BACKOFF),
)
