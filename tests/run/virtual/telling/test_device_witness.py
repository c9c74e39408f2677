"""What a witness of one device tells: step by step, in words, with the rows."""

from collections.abc import Sequence

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Identity
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire import mqtt
from fleet.run.virtual.telling.device_witness import DeviceWitness
from fleet.run.virtual.telling.line import Line, Turn
from hw_profiles import catalog
from tests.device.stage import AUTH_KEY, BOUND, CODE, DEV_ID, T0_MS, UUID

LIFECYCLE = "firmware_sim/device/lifecycle.py"


class Told:
    """A device with a witness, and what that has told."""

    def __init__(self, profile: str = "ipc-red-green", flash: bytes = b"") -> None:
        self.steps: list[tuple[Line, ...]] = []
        identity = Identity(UUID, AUTH_KEY, "pid1")
        witness = DeviceWitness("device 7", self.steps.append)
        self.device = witness.make(catalog.load(profile), identity, 1, ("dns", 80), flash)
        self.now_ms = T0_MS

    def tell(self, event: Event, after_ms: int = 0) -> Sequence[Line]:
        self.now_ms += after_ms
        self.effects: list[Effect] = self.device.handle(event, self.now_ms)
        return self.steps[-1]

    def boot(self) -> Sequence[Line]:
        self.tell(ev.PowerApplied())
        return self.tell(ev.DeadlineReached(), 5000)


def texts(lines: Sequence[Line], *, asides: bool = False) -> list[str]:
    return [line.text for line in lines if asides or not line.aside]


def test_an_event_is_told_with_its_row_and_the_light() -> None:
    lines = Told().tell(ev.PowerApplied())
    assert texts(lines) == ["power comes on [lifecycle OFF -> BOOTING]", "light booting: red"]
    assert lines[0].who == "device 7"
    assert lines[0].place.startswith(f"{LIFECYCLE}:")
    assert lines[-1].pattern == catalog.load("ipc-red-green").indicator["booting"]
    assert [line.text for line in lines if line.aside] == ["power comes on [button UP ignores it]"]


def test_a_timer_is_told_as_what_it_means() -> None:
    assert texts(Told().boot()) == [
        "the firmware runs, 2 s after its start [lifecycle BOOTING -> WAITING]",
        "looks for QR codes",
        "light waiting: red blinks 250/250 ms; the operator reads: waiting",
    ]


def test_a_deadline_that_means_nothing_is_told_aside() -> None:
    lines = Told().tell(ev.DeadlineReached())
    assert texts(lines) == []
    assert texts(lines, asides=True) == ["a timer runs out"]


def test_signals_follow_the_event_that_they_are_made_of() -> None:
    told = Told()
    told.boot()
    assert texts(told.tell(ev.FrameDecoded(CODE)))[:3] == [
        f"the lens reads a QR code of {len(CODE)} bytes [lifecycle WAITING]",
        "the code is a pairing code, for Wi-Fi 'shop' [lifecycle WAITING -> JOINING]",
        "-> Wi-Fi 'shop': may I join",
    ]


def test_what_is_done_again_is_told_aside_until_its_life_changes() -> None:
    told = Told(flash=BOUND.image())
    told.boot()
    refused = ev.WifiRefused(ev.JoinRefusal.NO_SUCH_NETWORK)
    first = "the Wi-Fi does not take it: wifi_not_found [lifecycle REJOINING]"
    assert texts(told.tell(refused)) == [first]
    assert texts(told.tell(refused)) == []
    told.tell(ev.PowerRemoved())
    told.boot()
    assert texts(told.tell(refused)) == [first]


def test_a_reply_is_told_with_what_it_answers() -> None:
    told = Told("nvr", BOUND.image())
    told.tell(ev.PowerApplied())
    told.tell(ev.LinkUp("10.0.0.2"))
    told.tell(ev.DeadlineReached(), 5000)
    assert any(isinstance(effect, fx.SendHttp) for effect in told.effects)
    lines = told.tell(ev.HttpReplied(1, 200, b"?"))
    assert lines[0].text == "<- HTTP 200, 1 B: the answer to /v2/url_config"
    assert lines[0].place.startswith("firmware_sim/device/cloud_calls.py:")
    assert told.tell(ev.HttpReplied(9, 200, b"?"))[0].text == "<- HTTP 200, 1 B"


def test_the_stream_is_read_however_it_is_cut() -> None:
    told = Told()
    packet = mqtt.encode(mqtt.Connack(5))
    assert told.tell(ev.MqttReceived(packet[:3]))[0].text == "<- MQTT part of a packet, 3 B"
    assert told.tell(ev.MqttReceived(packet[3:]))[0].text == (
        "<- MQTT CONNACK 5 (not authorised), 1 B"
    )
    assert told.tell(ev.MqttReceived(b"\x00\x00"))[0].text == "<- MQTT what is not MQTT, 2 B"
    told.tell(ev.MqttOpened())  # a new stream begins anew
    assert "CONNACK" in told.tell(ev.MqttReceived(packet))[0].text


def test_acknowledgements_that_change_nothing_are_told_aside() -> None:
    told = Told()
    assert texts(told.tell(ev.MqttReceived(mqtt.encode(mqtt.Suback(1, (1,)))))) == []
    assert texts(told.tell(ev.LanOpened(1))) == ["LAN client 1 connects"]


def test_the_button_and_a_release_are_turns() -> None:
    told = Told(flash=BOUND.image())
    told.boot()
    assert told.tell(ev.ButtonPressed())[0].turn is Turn.BUTTON
    assert told.tell(ev.ButtonReleased())[0].turn is None
    off = Told().tell(ev.ButtonPressed())
    assert [line.turn for line in off] == [Turn.BUTTON]


def test_nothing_secret_is_told() -> None:
    told = Told(flash=BOUND.image())
    told.boot()
    told.tell(ev.WifiJoined("10.0.0.2"))
    told.tell(ev.HttpFailed(1, "dns"))
    everything = repr(told.steps)
    secrets = (BOUND.sec_key, BOUND.local_key, BOUND.password, AUTH_KEY)
    assert not any(secret in everything for secret in secrets)
    assert DEV_ID not in texts(told.steps[0])
