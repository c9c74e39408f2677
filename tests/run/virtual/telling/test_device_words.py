"""Everything that can happen to a device has words, and none of them is a secret."""

from types import ModuleType
from typing import Any

import msgspec
import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device import signals as sig
from firmware_sim.device.indicator import LIGHTS
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire.atop import Inner
from fleet.run.virtual.telling import device_words as words
from hw_profiles import catalog
from tests.device import stage
from tests.device.test_machine import SAMPLES

CAMERA = catalog.load("ipc-red-green")
SECRETS = ("password1", stage.TOKEN, stage.TOKEN[2:10], stage.SEC_KEY, stage.LOCAL_KEY)
EVENTS: tuple[Event, ...] = (
    ev.PowerApplied(),
    ev.ClockSet(2500),
    ev.WifiRefused(ev.JoinRefusal.WRONG_PASSWORD),
    ev.FrameDecoded(stage.CODE),
    ev.HttpReplied(1, 200, stage.SEC_KEY.encode()),
    ev.MqttReceived(stage.LOCAL_KEY.encode()),
    ev.LanReceived(1, stage.TOKEN.encode()),
    ev.DatagramReceived(7000, b"x"),
)
EFFECTS: tuple[Effect, ...] = (
    fx.JoinWifi("shop", "password1"),
    fx.SendHttp(1, "cloud", 80, f"/d.json?a=x&uuid=u&t=1&sign={stage.SEC_KEY}&et=1&v=1", b"", 100),
    fx.SendMqtt(stage.SEC_KEY.encode()),
    fx.LanSend(1, stage.TOKEN.encode()),
    fx.SaveFlash(stage.SEC_KEY.encode()),
    fx.Broadcast(6667, b"?"),
)


def kinds(module: ModuleType, base: type) -> set[type]:
    found = (each for each in vars(module).values() if isinstance(each, type))
    return {kind for kind in found if issubclass(kind, base) and kind.__module__ == module.__name__}


def test_there_are_words_for_everything() -> None:
    assert set(words.EVENTS) == kinds(ev, Event) - {Event}
    assert set(words.SIGNALS) == kinds(sig, Event)
    assert set(words.EFFECTS) == kinds(fx, Effect) - {Effect}
    assert set(words.ASIDE) | set(words.TURNS) <= set(words.EVENTS) | set(words.SIGNALS)
    assert set(words.DONE_ASIDE) <= set(words.EFFECTS)


@pytest.mark.parametrize("kind", words.SIGNALS, ids=lambda kind: kind.__name__)
def test_signals_are_told_without_secrets(kind: type[Any]) -> None:
    text = words.SIGNALS[kind](SAMPLES.get(kind) or kind(), CAMERA)
    assert text
    assert not any(secret in text for secret in SECRETS)


def test_events_and_effects_are_told_without_secrets() -> None:
    texts = [words.EVENTS[type(event)](event) for event in EVENTS]
    texts += [words.EFFECTS[type(effect)](effect, CAMERA) for effect in EFFECTS]
    assert all(texts)
    assert not any(secret in text for secret in SECRETS for text in texts)


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        (sig.HoldElapsed(), "the button was down for 3 s: the reset gesture"),
        (sig.Refused(5), "the broker refuses it with 5 (not authorised: you were unbound)"),
        (sig.Refused(3), "the broker refuses it with 3"),
        (sig.ActivationRefused("TOKEN_FULL"), "activation is answered TOKEN_FULL"),
        (sig.ErrandAnswered(None), "its call was not answered"),
        (sig.ErrandAnswered(Inner(success=True)), "its call is answered"),
        (sig.ErrandAnswered(Inner(success=False, error_code="NO")), "its call is answered NO"),
    ],
)
def test_signals_in_the_words_of_the_field(signal: Event, text: str) -> None:
    assert words.SIGNALS[type(signal)](signal, CAMERA) == text


@pytest.mark.parametrize("light", LIGHTS)
def test_a_light_is_told_with_its_pattern(light: str) -> None:
    state = fx.StateShown("WAITING", "DOWN", light, "", "cause")
    text = words.EFFECTS[fx.StateShown](state, CAMERA)
    assert text == f"light {light}: {CAMERA.indicator[light].in_words()}"
    read = msgspec.structs.replace(state, operator="unbound")
    assert words.EFFECTS[fx.StateShown](read, CAMERA) == f"{text}; the operator reads: unbound"


def test_times_are_told_in_seconds() -> None:
    assert [words.seconds(n) for n in (3000, 250, 60_000)] == ["3 s", "0.25 s", "60 s"]
