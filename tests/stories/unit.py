"""One device with real firmware, and what is around it: power, Wi-Fi or cable, a lens, a finger."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire.provisioning import QrText, encode_qr, encode_token_bind
from fleet.cloud import devices as registry
from fleet.cloud.messages import StreamClosed, StreamOpened, StreamReceived
from fleet.cloud.seed import DeviceSeed

if TYPE_CHECKING:
    from tests.stories.harness import Story

WIFI, PASSWORD = "home", "password1"
PRODUCT = "product000000001"


class Unit:
    """One device with its surroundings: power, Wi-Fi or cable, lens, one MQTT connection."""

    def __init__(self, story: "Story", number: int, *, bound: bool) -> None:
        entry = seed_of(number, "uid0")
        self.story = story
        self.uuid = entry.uuid
        self.ip = f"127.20.0.{number + 1}"
        self.identity = Identity(entry.uuid, entry.auth_key, entry.product_id)
        self.flash = (
            Flash(
                dev_id=entry.dev_id,
                sec_key=entry.sec_key,
                local_key=entry.local_key,
                schema_id="schema",
                time_zone="+00:00",
                region="EU",
                env="pr_0",
                ssid=WIFI,
                password=PASSWORD,
            ).image()
            if bound
            else b""
        )
        self.number = number
        self.lens = False
        self.conn = 0
        self.said: list[Effect] = []
        self._make()

    def _make(self) -> None:
        self.device = Device(
            self.story.profile, self.identity, 7 + self.number, ("iot-dns", 80), self.flash
        )

    # --- what a story looks at ------------------------------------------------------------------

    @property
    def known(self) -> registry.Device:
        """Return the device by the cloud's books."""
        found = self.story.state.devices.get(self.uuid)
        assert found is not None
        return found

    @property
    def state(self) -> str:
        return self.device.lifecycle.name

    @property
    def session(self) -> str:
        return self.device.session.name

    @property
    def kept(self) -> Flash:
        """Return what is in the flash."""
        return self.device.flash

    def notes(self, kind: str) -> list[str]:
        """Return what an observer was told of one kind."""
        noted = (effect for effect in self.said if isinstance(effect, fx.Noted))
        return [note.detail for note in noted if note.kind == kind]

    def log(self) -> list[str]:
        """Return the device's log in the cloud."""
        return self.story.log(self.uuid)

    # --- what hands do --------------------------------------------------------------------------

    def power(self) -> None:
        """Switch the device on, and give it time to be where it wants to be."""
        self.tell(ev.PowerApplied())
        self._plug()
        self.story.wait(10_000)

    def _plug(self) -> None:
        if self.story.profile.wired:
            self.tell(ev.LinkUp(self.ip))

    def pull_the_plug(self) -> None:
        """Take the power away."""
        self._hang_up()
        self.lens = False
        self.tell(ev.PowerRemoved())
        self._make()

    def press(self) -> None:
        """Hold the reset button as long as it takes, and let it start again."""
        self.tell(ev.ButtonPressed())
        self.story.wait(self.story.profile.timings.reset_hold_ms)
        self.tell(ev.ButtonReleased())

    def reset(self) -> None:
        """Reset the device by its button, and wait until it waits."""
        self.press()
        self.story.wait(10_000)
        assert self.state == "WAITING"

    def offer(self, token: str) -> None:
        """Hold a code before the lens, or send its token over the LAN."""
        if self.story.profile.wired:
            self.tell(ev.LanOpened(1))
            self.tell(ev.LanReceived(1, encode_token_bind(token, 1)))
        else:
            assert self.lens, "it does not look"
            self.tell(ev.FrameDecoded(encode_qr(QrText(WIFI, PASSWORD, token))))
        self.story.settle()

    def pair(self, token: str) -> None:
        """Offer a token and give the device time to do what follows."""
        self.offer(token)
        self.story.wait(20_000)

    # --- what the world does for it -------------------------------------------------------------

    def tell(self, event: Event) -> None:
        effects = self.device.handle(event, self.story.now_ms)
        self.said += effects
        for effect in effects:
            if isinstance(effect, fx.SaveFlash):
                self.flash = effect.image
            act = _ACTS.get(type(effect))
            if act is not None:
                self.story.queue.append(partial(act, self, effect))

    def receive(self, conn: int, data: bytes) -> None:
        if conn == self.conn:
            self.tell(ev.MqttReceived(data))

    def lose_line(self, conn: int) -> None:
        self.story.lines_open.pop(conn, None)
        if conn == self.conn:
            self.conn = 0
            self.tell(ev.MqttClosed("closed"))

    def _hang_up(self) -> None:
        if self.conn:
            self.story.lines_open.pop(self.conn)
            self.story.handle(StreamClosed(self.conn))
            self.conn = 0

    def _join(self, wish: fx.JoinWifi) -> None:
        there = (wish.ssid, wish.password) == (WIFI, PASSWORD)
        refused = ev.WifiRefused(ev.JoinRefusal.WRONG_PASSWORD)
        self.tell(ev.WifiJoined(self.ip) if there else refused)

    def _open(self, _: fx.OpenMqtt) -> None:
        if self.story.out:
            self.tell(ev.MqttClosed("refused"))
            return
        self.conn = next(self.story.conns)
        self.story.lines_open[self.conn] = self
        self.story.handle(StreamOpened(self.conn))
        self.tell(ev.MqttOpened())

    def _send(self, wish: fx.SendMqtt) -> None:
        if self.conn:
            self.story.handle(StreamReceived(self.conn, wish.data))

    def _close(self, _: fx.CloseMqtt) -> None:
        self._hang_up()

    def _call(self, wish: fx.SendHttp) -> None:
        self.story.call(self, wish)

    def _look(self, _: fx.OpenLens) -> None:
        self.lens = True

    def _look_away(self, _: fx.CloseLens) -> None:
        self.lens = False


_ACTS: dict[type[Effect], Callable[[Unit, Any], None]] = {
    fx.JoinWifi: Unit._join,
    fx.OpenMqtt: Unit._open,
    fx.SendMqtt: Unit._send,
    fx.CloseMqtt: Unit._close,
    fx.SendHttp: Unit._call,
    fx.OpenLens: Unit._look,
    fx.CloseLens: Unit._look_away,
}


def seed_of(number: int, owner: str) -> DeviceSeed:
    """Return how a device is registered, bound to `owner` unless that is empty."""
    bound = bool(owner)
    return DeviceSeed(
        uuid=f"uuid{number:04}",
        auth_key=f"authkey{number:025}",
        product_id=PRODUCT,
        dev_id=f"bfdevice{number:014}" if bound else "",
        sec_key=f"secret{number:010}" if bound else "",
        local_key=f"local{number:011}" if bound else "",
        owner=owner,
    )
