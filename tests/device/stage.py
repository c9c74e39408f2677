"""One device on an empty stage: a clock, what it said last, and the words of a cloud to answer with."""

from typing import TypeVar

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.effects import Effect, StateShown
from firmware_sim.events import Event
from firmware_sim.wire import atop, iot_dns, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
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

E = TypeVar("E", bound=Effect)


class Stage:
    """Drives one device by hand."""

    def __init__(self, profile: str = "ipc-red-green", flash: bytes = b"") -> None:
        identity = Identity(UUID, AUTH_KEY, "pid1")
        self.device = Device(catalog.load(profile), identity, 1, ("dns", 80), flash)
        self.now_ms = T0_MS
        self.said: list[Effect] = []
        self.flash = flash

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
        assert self.device.call is Call.RESOLVE
        endpoints = iot_dns.Endpoints("http://cloud:8080/d.json", "broker:1883")
        return self.reply(iot_dns.encode_reply(endpoints, ["AA=="]))

    def reply_inner(self, inner: bytes, key: str = SEC_KEY) -> list[Effect]:
        return self.reply(atop.encode_reply(inner, self.now_ms // 1000, key))

    def reply_error(self, code: str, key: str = AUTH_KEY) -> list[Effect]:
        return self.reply_inner(atop.encode_error(code, "no", self.now_ms // 1000), key)

    def reply_success(self, result: bytes | None = None, key: str = SEC_KEY) -> list[Effect]:
        return self.reply_inner(atop.encode_success(result, self.now_ms // 1000), key)

    def reply_credentials(self, *, wipe: bool = False) -> list[Effect]:
        assert self.device.call is Call.ACTIVATE
        result = messages.ActivationResult(
            dev_id=DEV_ID,
            sec_key=SEC_KEY,
            local_key=LOCAL_KEY,
            schema_id="000001",
            std_time_zone="+00:00",
            schema="[]",
            reset_factory=wipe,
        )
        return self.reply_success(messages.encode(result), AUTH_KEY)

    def hear(self, packet: mqtt.Packet) -> list[Effect]:
        """Let a packet of the broker arrive."""
        return self.tell(ev.MqttReceived(mqtt.encode(packet)))

    def message(self, body: bytes, *, qos: int = 0) -> list[Effect]:
        """Let a message of the cloud arrive on the device's topic."""
        payload = mqtt_payload.encode(LOCAL_KEY.encode(), body, 1, mqtt_payload.SOURCE_CLOUD)
        topic = mqtt_payload.topic_in(DEV_ID)
        return self.hear(mqtt.Publish(topic, payload, qos, packet_id=9 if qos else 0))

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
        if self.device.call is Call.RESOLVE:
            self.reply_servers()
        if self.device.call is Call.VERSIONS:
            self.reply_success()
        self.tell(ev.MqttOpened())
        self.hear(mqtt.Connack(0))
        for number in (1, 2, 3):
            self.hear(mqtt.Suback(number, (1,)))
        assert self.session == "UP"

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
