"""What happens to a device and what it does, in the words of the field: three tables.

`EVENTS` are what the world tells it, `SIGNALS` what its tables make of that, `EFFECTS` what it
wants done. Nothing that is secret is in any of them: sizes stand for bytes, names for keys.
"""

from collections.abc import Callable, Mapping
from typing import Any

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import signals as sig
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire.mqtt import NOT_AUTHORIZED
from fleet.run.virtual.telling.line import Turn
from fleet.run.virtual.telling.wire_words import announced, frames, request

Say = Callable[[Any, Profile], str]
_UNBOUND = "not authorised: you were unbound"


def _always(text: str) -> Say:
    return lambda _, __: text


def seconds(duration_ms: int) -> str:
    """Return a time as people say it: `3 s`, `0.25 s`."""
    return f"{duration_ms / 1000:g} s"


# --- what the world tells a device --------------------------------------------------------------

EVENTS: Mapping[type[Event], Callable[[Any], str]] = {
    ev.DeadlineReached: lambda _: "a timer runs out",
    ev.ClockSet: lambda event: f"its clock is set ahead by {seconds(event.by_ms)}",
    ev.PowerApplied: lambda _: "power comes on",
    ev.PowerRemoved: lambda _: "power goes away",
    ev.ButtonPressed: lambda _: "the reset button goes down",
    ev.ButtonReleased: lambda _: "the reset button comes up",
    ev.LinkUp: lambda event: f"the cable has a network, address {event.ip}",
    ev.LinkDown: lambda _: "the network is gone",
    ev.WifiJoined: lambda event: f"the Wi-Fi lets it in, address {event.ip}",
    ev.WifiRefused: lambda event: f"the Wi-Fi does not take it: {event.reason.value}",
    ev.ChildReached: lambda event: f"sub-device {event.number} is in reach",
    ev.ChildLost: lambda event: f"sub-device {event.number} answers no more",
    ev.ChildJoined: lambda event: f"sub-device {event.number} is paired with it",
    ev.ChildLeft: lambda event: f"sub-device {event.number} is removed from it",
    ev.FrameDecoded: lambda event: f"the lens reads a QR code of {len(event.text)} bytes",
    ev.HttpReplied: lambda event: f"<- HTTP {event.status}, {len(event.body)} B",
    ev.HttpFailed: lambda event: f"the call gets no answer: {event.reason}",
    ev.MqttOpened: lambda _: "the connection to the broker stands",
    ev.MqttReceived: lambda event: f"<- MQTT, {len(event.data)} B",
    ev.MqttClosed: lambda event: f"the connection to the broker is gone: {event.reason}",
    ev.LanOpened: lambda event: f"LAN client {event.conn} connects",
    ev.LanReceived: lambda event: f"<- LAN client {event.conn}: {frames(event.data)}",
    ev.LanClosed: lambda event: f"LAN client {event.conn} is gone",
    ev.DatagramReceived: lambda event: f"<- UDP {event.port}, {len(event.data)} B for everybody",
}


# --- what its tables make of it -----------------------------------------------------------------


def _held(_: sig.HoldElapsed, profile: Profile) -> str:
    return f"the button was down for {seconds(profile.timings.reset_hold_ms)}: the reset gesture"


def _booted(_: sig.BootElapsed, profile: Profile) -> str:
    return f"the firmware runs, {seconds(profile.timings.boot_ms)} after its start"


def _erased(_: sig.EraseElapsed, __: Profile) -> str:
    return "the binding is erased; identity and last device id stay"


def _accepted(signal: sig.ActivationAccepted, _: Profile) -> str:
    return f"activated: it is {signal.result.dev_id} and has new keys"


def _refused(signal: sig.Refused, _: Profile) -> str:
    meaning = f" ({_UNBOUND})" if signal.code == NOT_AUTHORIZED else ""
    return f"the broker refuses it with {signal.code}{meaning}"


def _answered(signal: sig.ErrandAnswered, _: Profile) -> str:
    if signal.inner is None:
        return "its call was not answered"
    return "its call is answered" + ("" if signal.inner.success else f" {signal.inner.error_code}")


SIGNALS: Mapping[type[Event], Say] = {
    sig.BootElapsed: _booted,
    sig.EraseElapsed: _erased,
    sig.FailureElapsed: _always("the failure was shown long enough"),
    sig.JoinElapsed: _always("nobody has answered on the Wi-Fi"),
    sig.RetryElapsed: _always("it is time for another try"),
    sig.AnnounceElapsed: _always("it is time to announce itself on the LAN"),
    sig.HoldElapsed: _held,
    sig.ConnectElapsed: _always("the broker has not answered in time"),
    sig.PingElapsed: _always("nothing was said for the keep-alive time"),
    sig.PongElapsed: _always("the broker has not answered the ping"),
    sig.BackoffElapsed: _always("the pause before the next connection is over"),
    sig.AskElapsed: _always("it is time for what is asked once per boot"),
    sig.AnswerElapsed: _always("the time for answers over MQTT is over"),
    sig.StepElapsed: _always("a piece of the new firmware is there"),
    sig.ChildrenDue: _always("something is to be done about sub-devices"),
    sig.IdleElapsed: _always("LAN clients may have been silent for too long"),
    sig.ResetHeld: _always("a local reset is asked for"),
    sig.PairingRead: lambda signal, _: f"the code is a pairing code, for Wi-Fi {signal.ssid!r}",
    sig.Solicited: lambda signal, _: f"{signal.ip} asks everybody who they are",
    sig.LanRemoved: _always("a LAN client asks it to forget its binding"),
    sig.TokenOffered: lambda signal, _: f"LAN client {signal.conn} hands over a token",
    sig.TokenHeard: _always("the cloud sends a token"),
    sig.TokenBrought: _always("a token came from the cloud"),
    sig.EndpointsFound: _always("iot-dns has named the servers"),
    sig.CallFailed: lambda signal, _: f"the call has failed: {signal.reason}",
    sig.ActivationAccepted: _accepted,
    sig.ActivationRefused: lambda signal, _: f"activation is answered {signal.code}",
    sig.VersionsTaken: _always("the cloud knows the versions"),
    sig.ErrandAnswered: _answered,
    sig.UpgradeNoticed: lambda signal, _: f"there may be new firmware for channel {signal.channel}",
    sig.UpgradeOffered: lambda signal, _: f"firmware {signal.offer.version} is offered",
    sig.UpgradeRefused: lambda signal, _: f"no firmware is named for channel {signal.channel}",
    sig.ChildUpgradeNoticed: lambda signal, _: f"there may be firmware for {signal.node_id}",
    sig.Upgraded: _always("the new firmware is installed"),
    sig.ConfigNoticed: _always("its configuration has changed"),
    sig.LocallyReset: _always("the cloud is told of the reset, if it can be"),
    sig.Released: lambda signal, _: f"the cloud orders a reset ({signal.kind.name.lower()})",
    sig.ChildRemoved: lambda signal, _: f"sub-device {signal.node_id} is nobody's any more",
    sig.SyncAnswered: lambda signal, _: f"info.sync is answered {signal.status.value}",
    sig.CloudWanted: _always("a session with the cloud is wanted"),
    sig.CloudUnwanted: _always("no session with the cloud is wanted"),
    sig.StreamLost: lambda signal, _: f"the MQTT stream is lost: {signal.reason}",
    sig.Admitted: _always("the broker lets it in"),
    sig.Refused: _refused,
    sig.Subscribed: _always("it hears its topics"),
    sig.Ponged: _always("the broker is there"),
}

ASIDE: frozenset[type[Event]] = frozenset(
    {
        *(sig.PingElapsed, sig.Ponged, sig.IdleElapsed, sig.Solicited, sig.AnswerElapsed),
        *(ev.DatagramReceived, ev.LanClosed),
    }
)
"""What happens again and again for as long as a device has power, or means nothing to it."""

TURNS: Mapping[type[Event], Turn] = {
    ev.ButtonPressed: Turn.BUTTON,
    sig.Released: Turn.RELEASED,
}


# --- what it wants done -------------------------------------------------------------------------


def _light(effect: fx.StateShown, profile: Profile) -> str:
    reading = f"; the operator reads: {effect.operator}" if effect.operator else ""
    return f"light {effect.light}: {profile.indicator[effect.light].in_words()}{reading}"


EFFECTS: Mapping[type[Effect], Say] = {
    fx.JoinWifi: lambda effect, _: f"-> Wi-Fi {effect.ssid!r}: may I join",
    fx.LeaveWifi: _always("leaves the Wi-Fi"),
    fx.SendHttp: lambda effect, _: f"-> {request(effect.target, effect.body)}",
    fx.OpenMqtt: lambda effect, _: f"-> connects to the broker, {effect.host}:{effect.port}",
    fx.SendMqtt: lambda effect, _: f"-> MQTT, {len(effect.data)} B",
    fx.CloseMqtt: _always("closes its connection to the broker"),
    fx.Broadcast: lambda effect, _: f"-> UDP {effect.port}: {announced(effect.data)}",
    fx.SendDatagram: lambda effect, _: (
        f"-> UDP {effect.ip}:{effect.port}: {announced(effect.data)}"
    ),
    fx.OpenLan: lambda effect, _: f"takes LAN clients on TCP {effect.port}",
    fx.CloseLan: _always("takes no LAN clients any more"),
    fx.LanSend: lambda effect, _: f"-> LAN client {effect.conn}: {frames(effect.data)}",
    fx.LanClose: lambda effect, _: f"sends LAN client {effect.conn} away",
    fx.SaveFlash: lambda effect, _: f"writes its flash, {len(effect.image)} B, before all else",
    fx.OpenLens: _always("looks for QR codes"),
    fx.CloseLens: _always("looks no more"),
    fx.SoundTone: lambda effect, _: f"sounds tone {effect.tone}",
    fx.StateShown: _light,
    fx.Noted: lambda effect, _: f"notes {effect.kind}: {effect.detail}",
}

DONE_ASIDE: frozenset[type[Effect]] = frozenset(
    {fx.SoundTone, fx.LeaveWifi, fx.CloseLens, fx.CloseLan, fx.CloseMqtt, fx.LanClose}
)
"""What a device does on the way, and a newcomer need not know."""
