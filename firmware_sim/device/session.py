"""The second table: on the way to an MQTT session, and back after every loss.

Order of the calls, credentials, topics and CONNACK 5 are those of the open vendor SDK
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c and src/mqtt_service.c): versions are
declared once per start, if they have changed, and nothing waits for that to succeed. CONNACK 5
alone means "this device was unbound"; the device then asks `tuya.device.info.sync` with its old
key and resets itself, also when that call fails. Any other refusal leads to back-off.
"""

from typing import TYPE_CHECKING

from firmware_sim.device import (
    backoff,
    built_in,
    children,
    cloud_calls,
    cloud_link,
    questions,
    reporting,
    uplink,
)
from firmware_sim.device.cloud_calls import servers_unknown
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.machine import Machine, on
from firmware_sim.device.signals import (
    Admitted,
    AnswerElapsed,
    AskElapsed,
    BackoffElapsed,
    CallFailed,
    ChildrenDue,
    CloudUnwanted,
    CloudWanted,
    ConfigNoticed,
    ConnectElapsed,
    EndpointsFound,
    ErrandAnswered,
    LocallyReset,
    PingElapsed,
    Ponged,
    PongElapsed,
    Refused,
    Released,
    StreamLost,
    Subscribed,
    SyncAnswered,
    TokenHeard,
    VersionsTaken,
)
from firmware_sim.device.states import Session
from firmware_sim.device.timers import Timer
from firmware_sim.events import Event, MqttOpened, PowerRemoved
from firmware_sim.wire.atop_messages import StampRequest, SyncStatus
from firmware_sim.wire.mqtt import NOT_AUTHORIZED

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

DOWN = Session.DOWN
RESOLVING = Session.RESOLVING
DECLARING = Session.DECLARING
CONNECTING = Session.CONNECTING
SUBSCRIBING = Session.SUBSCRIBING
UP = Session.UP
LISTENING = Session.LISTENING
BACKOFF = Session.BACKOFF
SYNCING = Session.SYNCING


def versions_new(device: "Device", _: Event) -> bool:
    """Say whether the cloud of a paired device has not heard of the running firmware yet."""
    flash = device.flash
    return flash.activated and flash.versions != cloud_calls.versions(device)


def keep_versions(device: "Device", _: Event) -> None:
    """Remember what was reported; it survives a reset, as in the vendor's SDK."""
    device.flash.versions = cloud_calls.versions(device)
    device.mark_flash()


def unpaired(device: "Device", _: Event) -> bool:
    """Say whether this is the session of a device without credentials."""
    return not device.flash.activated


def unbound(device: "Device", event: Refused) -> bool:
    """Say whether the broker refused us because we are nobody's."""
    return event.code == NOT_AUTHORIZED and device.flash.activated


def note_refusal(device: "Device", event: Refused) -> None:
    """Note a refusal that is not an unbinding."""
    device.note("mqtt_refused", f"code {event.code}")


def still_bound(device: "Device", event: SyncAnswered) -> bool:
    """Say whether the cloud takes the refusal back, and the firmware listens to that."""
    return event.status is SyncStatus.ENABLE and device.profile.firmware.obeys_enable


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


def back_off(device: "Device") -> None:
    """Close and wait (entry of BACKOFF)."""
    device.arm(Timer.BACKOFF, backoff.pause_ms(device))
    _forget(device)
    cloud_link.close(device)


def ask_status(device: "Device") -> None:
    """Close, and ask what we are (entry of SYNCING)."""
    cloud_link.close(device)
    cloud_calls.sync(device)


def note_silence(device: "Device", _: PongElapsed) -> None:
    """Note that the broker did not answer a ping."""
    device.note("mqtt_silent", "keep_alive")


def note_delay(device: "Device", _: ConnectElapsed) -> None:
    """Note that getting in took too long."""
    device.note("mqtt_lost", "timeout")


def hang_up(device: "Device", _: Event) -> None:
    """Leave the cloud in good order."""
    _forget(device)
    cloud_link.unsubscribe(device)
    cloud_link.close(device)


def _forget(device: "Device") -> None:
    cloud_calls.forget_session(device)
    uplink.drop(device)


def report_local_reset(device: "Device", _: Event) -> None:
    """Tell the cloud, without waiting, that the button or a LAN client resets us."""
    dialect = device.dialect
    if dialect.rpc:
        uplink.ask(device, dialect.reset, StampRequest(t=device.now_s))
    else:
        cloud_calls.run_errand(device, dialect.reset, b"")


def go_up(device: "Device") -> None:
    """Say what a device says when it comes online (entry of UP)."""
    reporting.report_all(device)
    children.go_up(device)
    questions.ask_soon(device)
    watch(device)


def watch(device: "Device") -> None:
    """Ask the broker from time to time whether it is there (entry of LISTENING)."""
    device.arm(Timer.PING, 1000 * device.profile.timings.keep_alive_s)


def ping(device: "Device", _: Event) -> None:
    """Ask the broker whether it is still there."""
    cloud_link.ping(device)
    device.arm(Timer.PONG, device.profile.timings.pong_timeout_ms)


def ponged(device: "Device", _: Event) -> None:
    """The broker is there: the next ping is due after the keep-alive time."""
    device.timers.disarm(Timer.PONG)
    device.arm(Timer.PING, 1000 * device.profile.timings.keep_alive_s)


STREAMING = (CONNECTING, SUBSCRIBING, UP, LISTENING)
BUSY = tuple(state for state in Session if state is not DOWN)

ROWS = (
    on(DOWN, CloudWanted, RESOLVING, guard=servers_unknown),
    on(DOWN, CloudWanted, DECLARING, guard=versions_new),
    on(DOWN, CloudWanted, CONNECTING),
    on(RESOLVING, EndpointsFound, DECLARING, guard=versions_new),
    on(RESOLVING, EndpointsFound, CONNECTING),
    on(RESOLVING, CallFailed, None, guard=built_in.are_left, action=built_in.take),
    on(RESOLVING, CallFailed, BACKOFF, action=note_failure),
    on(DECLARING, VersionsTaken, CONNECTING, action=keep_versions),
    on(DECLARING, CallFailed, CONNECTING, action=note_failure),
    on(CONNECTING, MqttOpened, None, action=cloud_link.introduce),
    on(CONNECTING, Admitted, SUBSCRIBING),
    on(CONNECTING, Refused, SYNCING, guard=unbound),
    on(CONNECTING, Refused, BACKOFF, action=note_refusal),
    on(SUBSCRIBING, Subscribed, LISTENING, guard=unpaired),
    on(SUBSCRIBING, Subscribed, UP),
    on((UP, LISTENING), PingElapsed, None, action=ping),
    on((UP, LISTENING), Ponged, None, action=ponged),
    on((UP, LISTENING), PongElapsed, BACKOFF, action=note_silence),
    on(UP, AskElapsed, None, action=questions.ask_all),
    on(UP, ConfigNoticed, None, action=questions.ask_config),
    on(UP, ChildrenDue, None, action=children.attend),
    on((SUBSCRIBING, UP), ErrandAnswered, None, action=uplink.errand_answered),
    on(UP, AnswerElapsed, None, action=uplink.give_up),
    on(UP, LocallyReset, None, action=report_local_reset),
    on(LISTENING, TokenHeard, None, action=cloud_link.bring_token),
    on((CONNECTING, SUBSCRIBING), ConnectElapsed, BACKOFF, action=note_delay),
    on(STREAMING, StreamLost, None, guard=cloud_link.overlooks),
    on(STREAMING, StreamLost, BACKOFF, action=cloud_link.note_loss),
    on(BACKOFF, BackoffElapsed, RESOLVING, guard=servers_unknown),
    on(BACKOFF, BackoffElapsed, CONNECTING),
    on(SYNCING, SyncAnswered, BACKOFF, guard=still_bound),
    on(SYNCING, SyncAnswered, DOWN, action=obey_sync),
    on(SYNCING, CallFailed, DOWN, action=reset_anyway),
    on(BUSY, CloudUnwanted, DOWN, action=hang_up),
    on(BUSY, PowerRemoved, DOWN),
)

_REPLIES = (EndpointsFound, VersionsTaken, SyncAnswered, CallFailed, ErrandAnswered)
_STREAM = (MqttOpened, StreamLost, Admitted, Refused, Subscribed, Ponged)
_HEARD = (TokenHeard, ConfigNoticed)
_TIMES = (
    *(ConnectElapsed, PingElapsed, PongElapsed, BackoffElapsed, AskElapsed, AnswerElapsed),
    ChildrenDue,
)
_ALL = (*_REPLIES, *_STREAM, *_HEARD, *_TIMES, CloudWanted, LocallyReset)


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
        SUBSCRIBING: _but(Subscribed, StreamLost, ConnectElapsed, ErrandAnswered),
        UP: _but(
            *(PingElapsed, Ponged, PongElapsed, StreamLost, AskElapsed, AnswerElapsed),
            *(ConfigNoticed, ErrandAnswered, LocallyReset, ChildrenDue),
        ),
        LISTENING: _but(PingElapsed, Ponged, PongElapsed, StreamLost, TokenHeard),
        BACKOFF: _but(BackoffElapsed),
        SYNCING: _but(SyncAnswered, CallFailed),
    },
    enter={
        RESOLVING: cloud_calls.locate,
        DECLARING: cloud_calls.declare_versions,
        CONNECTING: cloud_link.open_stream,
        SUBSCRIBING: cloud_link.subscribe,
        UP: go_up,
        LISTENING: watch,
        BACKOFF: back_off,
        SYNCING: ask_status,
    },
    timers=(
        *(Timer.CONNECT, Timer.PING, Timer.PONG, Timer.BACKOFF, Timer.ASK, Timer.ANSWER),
        Timer.CHILDREN,
    ),
)
