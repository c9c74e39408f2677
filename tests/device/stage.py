"""One device on an empty stage: a clock, what it said last, and the words of a cloud to answer with."""

from typing import Any, TypeVar

import msgspec

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.effects import Effect, StateShown
from firmware_sim.events import Event
from firmware_sim.wire import atop, atop_old, iot_dns, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_children import SubBindResult
from firmware_sim.wire.atop_upgrade import UpgradeOffer
from firmware_sim.wire.provisioning import QrText, encode_qr
from hw_profiles import catalog

T0_MS = 1_700_000_000_000
TOKEN = "EUabcd1234pro0"
AUTH_KEY = "0123456789abcdef0123456789ABCDEF"
UUID = "emu0000000000000001"
DEV_ID = "6cemu000000000000001"
SEC_KEY = "s3cK3y0123456789"
LOCAL_KEY = "l0calK3y01234567"
CODE = encode_qr(QrText("shop", "password1", TOKEN))
BOUND = Flash(
    dev_id=DEV_ID,
    sec_key=SEC_KEY,
    local_key=LOCAL_KEY,
    schema_id="000001",
    time_zone="+00:00",
    region="EU",
    env="pro0",
    ssid="home",
    password="password2",
)

NONCE = b"0123456789ab"
CHILD_TAKEN = SubBindResult(dev_id="6cchild00000000000001", schema_id="000002", schema="[]")
OFFER = UpgradeOffer(type=0, version="1.1.0", size="4096", url="http://cloud/firmware")

E = TypeVar("E", bound=Effect)


class Stage:
    """Drives one device by hand."""

    def __init__(self, profile: str = "ipc-red-green", flash: bytes = b"") -> None:
        identity = Identity(UUID, AUTH_KEY, "pid1")
        self.device = Device(catalog.load(profile), identity, 1, ("dns", 80), flash)
        self.now_ms = T0_MS
        self.said: list[Effect] = []
        self.flash = flash

    def habits(self, **habits: Any) -> None:
        """Give the device firmware with other habits than its profile says."""
        profile = self.device.profile
        firmware = msgspec.structs.replace(profile.firmware, **habits)
        self.device.profile = msgspec.structs.replace(profile, firmware=firmware)

    # --- time and events ------------------------------------------------------------------------

    def tell(self, event: Event) -> list[Effect]:
        """Let something happen; a `SaveFlash` anywhere but in front is a failure."""
        effects = self.device.handle(event, self.now_ms)
        for place, effect in enumerate(effects):
            if isinstance(effect, fx.SaveFlash):
                assert place == 0
                self.flash = effect.image
        self.said += effects
        return effects

    def wait(self, delay_ms: int) -> None:
        """Let time pass, and wake the device whenever it wants it."""
        until_ms = self.now_ms + delay_ms
        while (due_ms := self.device.next_deadline_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.tell(ev.DeadlineReached())
        self.now_ms = until_ms

    def all(self, kind: type[E]) -> list[E]:
        """Return everything of one kind that the device ever said."""
        return [effect for effect in self.said if isinstance(effect, kind)]

    def last(self, kind: type[E]) -> E:
        """Return the last thing of one kind."""
        return self.all(kind)[-1]

    def notes(self) -> list[str]:
        return [note.kind for note in self.all(fx.Noted)]

    @property
    def state(self) -> str:
        return self.device.lifecycle.name

    @property
    def session(self) -> str:
        return self.device.session.name

    def lights(self) -> list[str]:
        """Return the lights in the order shown, without repetitions."""
        lights = [shown.light for shown in self.all(StateShown)]
        return [light for i, light in enumerate(lights) if i == 0 or lights[i - 1] != light]

    # --- the answers of a cloud -----------------------------------------------------------------

    def reply(self, body: bytes) -> list[Effect]:
        return self.tell(ev.HttpReplied(self.last(fx.SendHttp).call, 200, body))

    def reply_servers(self) -> list[Effect]:
        assert self.device.call in (Call.RESOLVE, Call.LOCATE)
        endpoints = iot_dns.Endpoints("http://cloud:8080/d.json", "broker:1883")
        return self.reply(iot_dns.encode_reply(endpoints, ["AA=="]))

    def reply_inner(self, inner: bytes, key: str = SEC_KEY) -> list[Effect]:
        et = self.device.dialect.et
        return self.reply(atop.encode_reply(inner, self.now_ms // 1000, key, et, NONCE))

    def reply_error(self, code: str, key: str = AUTH_KEY) -> list[Effect]:
        return self.reply_inner(atop.encode_error(code, "no", self.now_ms // 1000), key)

    def reply_success(self, result: bytes | None = None, key: str = SEC_KEY) -> list[Effect]:
        return self.reply_inner(atop.encode_success(result, self.now_ms // 1000), key)

    def reply_credentials(self, *, wipe: bool = False) -> list[Effect]:
        assert self.device.call is Call.ACTIVATE
        result = atop_old.OldActivationResult(
            dev_id=DEV_ID,
            sec_key=SEC_KEY,
            local_key=LOCAL_KEY,
            schema_id="000001",
            std_time_zone="+00:00",
            schema="[]",
            reset_factory=wipe,
            uid="anna",
        )
        return self.reply_success(messages.encode(result), AUTH_KEY)

    def hear(self, packet: mqtt.Packet) -> list[Effect]:
        """Let a packet of the broker arrive."""
        return self.tell(ev.MqttReceived(mqtt.encode(packet)))

    def message(self, body: bytes, *, qos: int = 0) -> list[Effect]:
        """Let a message of the cloud arrive on the device's topic."""
        version = self.device.dialect.payload
        payload = mqtt_payload.encode(
            LOCAL_KEY.encode(), body, 1, mqtt_payload.SOURCE_CLOUD, version, NONCE
        )
        topic = mqtt_payload.topic_in(DEV_ID)
        return self.hear(mqtt.Publish(topic, payload, qos, packet_id=9 if qos else 0))

    def calls(self) -> list[mqtt_rpc.Request]:
        """Return every call that the device ever made over MQTT."""
        return [
            mqtt_rpc.decode_request(packet.payload)
            for packet in self.packets()
            if isinstance(packet, mqtt.Publish) and packet.topic.startswith("rpc/req/")
        ]

    def messages(self) -> list[mqtt_payload.Message]:
        """Return every message that the device ever sent on its topic."""
        return [
            mqtt_payload.decode(LOCAL_KEY.encode(), packet.payload)
            for packet in self.packets()
            if isinstance(packet, mqtt.Publish) and packet.topic == mqtt_payload.topic_out(DEV_ID)
        ]

    def answer_call(self, result: bytes | None = None, *, code: str = "") -> list[Effect]:
        """Answer the last call over MQTT, with a refusal when there is a `code`."""
        number, t_s = self.calls()[-1].id, self.now_ms // 1000
        response = mqtt_rpc.encode_response(number, t_s, result)
        if code:
            response = mqtt_rpc.encode_error_response(number, t_s, code, "no")
        return self.hear(mqtt.Publish(mqtt_payload.topic_rpc_response(DEV_ID), response))

    def packets(self) -> list[mqtt.Packet]:
        """Return every packet that the device sent since it existed."""
        decoder = mqtt.Decoder()
        data = b"".join(effect.data for effect in self.all(fx.SendMqtt))
        return decoder.feed(data)

    # --- longer ways ----------------------------------------------------------------------------

    def boot(self) -> "Stage":
        self.tell(ev.PowerApplied())
        self.wait(self.device.profile.timings.boot_ms)
        return self

    def hold_button(self) -> None:
        self.tell(ev.ButtonPressed())
        self.wait(self.device.profile.timings.reset_hold_ms)
        self.tell(ev.ButtonReleased())

    def connect(self) -> None:
        """Take the device from ONLINE without a session to a session that is up."""
        if self.device.call is Call.LOCATE:
            self.reply_servers()
        if self.device.call is Call.VERSIONS:
            self.reply_success()
        self.tell(ev.MqttOpened())
        self.hear(mqtt.Connack(0))
        self.acknowledge()
        assert self.session == "UP"

    def acknowledge(self) -> None:
        """Acknowledge all subscriptions."""
        number = 1
        while self.session == "SUBSCRIBING":
            self.hear(mqtt.Suback(number, (1,)))
            number += 1

    def pair(self) -> "Stage":
        """Take a waiting camera to ONLINE and UP."""
        self.tell(ev.FrameDecoded(CODE))
        self.tell(ev.WifiJoined("127.1.0.1"))
        self.reply_servers()
        self.reply_credentials()
        self.connect()
        return self


def online(profile: str = "ipc-red-green", flash: bytes | None = None) -> Stage:
    """Return a device that was bound long ago, at home, with its session up."""
    stage = Stage(profile, flash or BOUND.image()).boot()
    stage.tell(ev.LinkUp("127.1.0.1") if stage.device.profile.wired else ev.WifiJoined("127.1.0.1"))
    stage.connect()
    return stage
