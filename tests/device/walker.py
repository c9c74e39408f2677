"""Walks one device through everything that can happen, checking it after each step.

A polite step answers what the device waits for; a rude one does anything at all, in season or not.
"""

from collections.abc import Callable

import msgspec

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.device import Device
from firmware_sim.device.flash import Flash
from firmware_sim.device.lan_children import cid
from firmware_sim.device.profile import Backoff, TimeFrom, WhileUpdating
from firmware_sim.device.states import Lifecycle, Outcome, Session
from firmware_sim.device.uplink import CALLS_MAX
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.rng import Rng
from firmware_sim.wire import atop, mqtt, mqtt_payload, mqtt_rpc
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.discovery import PORT_SOLICITED
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import parse_token
from tests.device.stage import (
    AUTH_KEY,
    CODE,
    DEV_ID,
    LOCAL_KEY,
    NONCE,
    OFFER,
    SEC_KEY,
    TOKEN,
    UUID,
)
from tests.device.strange_bytes import ASK_ALL, COMMANDS, LAN_BYTES, OFFERS, OTHER_CODE, move_child
from tests.device.surroundings import Surroundings

SECRETS = (AUTH_KEY, SEC_KEY, LOCAL_KEY, TOKEN, TOKEN[2:10], "password1", "password2")
IP = "127.1.0.1"


class Walker(Surroundings):
    """One device and a seed."""

    def __init__(self, profile: str, seed: int, flash: bytes = b"") -> None:
        super().__init__(profile, flash)
        self.rng = Rng(seed)
        self.device.lan_version = tuple(LanVersion)[seed % len(LanVersion)]
        self.habits(
            backoff=tuple(Backoff)[seed % 2],
            time_from=tuple(TimeFrom)[seed % 3 == 0],
            notices_fin=bool(seed % 3),
            obeys_enable=bool(seed % 4),
            reset_during_update=tuple(WhileUpdating)[seed % 5 == 0],
        )
        self.dying = False
        self.moody = True
        self.told: list[str] = []
        self.visited: set[Lifecycle | Session] = set()

    # --- one event, its effects, and what must hold ---------------------------------------------

    def tell(self, event: Event) -> list[Effect]:
        self.told.append(type(event).__name__)
        was_off = self.device.lifecycle is Lifecycle.OFF
        effects = self.device.handle(event, self.now_ms)
        if self.dying:
            del effects[self.pick(len(effects) + 1) :]
        for place, effect in enumerate(effects):
            if isinstance(effect, fx.SaveFlash):
                assert place == 0, "nothing is told before it is kept"
                self.flash = effect.image
            self.carry(effect)
        self.said += effects
        if self.dying:
            self.kill()
        elif was_off and self.device.lifecycle is Lifecycle.OFF:
            assert effects == []
        self.check(event, effects)
        return effects

    def check(self, event: Event, effects: list[Effect]) -> None:
        device = self.device
        saved = self.flash or Flash().image()
        assert device.flash.image() == saved, "what the chip holds is what was saved"
        shown = [effect for effect in effects if isinstance(effect, fx.StateShown)]
        if shown and not self.dying:
            assert (shown[-1].lifecycle, shown[-1].session) == (self.state, self.session)
            assert (shown[-1].light, shown[-1].operator) == (device.light, device.operator)
        text = repr(effects) + repr(event) + repr(device.flash) + repr(device.token)
        for secret in SECRETS:
            assert secret not in text + repr(device.offer)
        calls = sum(isinstance(effect, fx.SendHttp) for effect in effects)
        assert calls <= 1 + device.dialect.old, "only a last call may overtake one under way"
        self.check_session()
        self.visited |= {device.lifecycle, device.session}
        self.check_life()
        self.check_bounds()

    def check_session(self) -> None:
        """Sessions are had where they belong; one may be missing while a reset is put off."""
        device = self.device
        has_session = device.session is not Session.DOWN
        if device.lifecycle is Lifecycle.UPDATING:
            assert device.loading is not None
            assert has_session or device.refuses_reset
            return
        assert device.loading is None or device.lifecycle is Lifecycle.RESETTING
        listens = device.profile.firmware.awaits_token_online and bool(device.ip)
        at_home = device.lifecycle is Lifecycle.ONLINE
        assert has_session == (at_home or (listens and device.lifecycle is Lifecycle.WAITING))
        assert at_home or device.session not in (Session.UP, Session.SYNCING)
        assert not at_home or device.session is not Session.LISTENING

    def check_life(self) -> None:
        """A device without power holds nothing; one with power is never left without a way on."""
        device = self.device
        due_ms = device.next_deadline_ms()
        if device.lifecycle is Lifecycle.OFF:
            held = (device.call, device.decoder, device.clients, device.token, device.offer)
            assert (*held, device.loading, device.awaited, device.errands) == (*(None,) * 7, ())
            assert (due_ms, device.ip) == (None, "")
            return
        if device.call is not None:
            assert self.called is not None, "it waits for a call that is not under way"
            assert self.called.call == device.call_number
        at_rest = device.lifecycle is Lifecycle.WAITING or (
            device.profile.wired and device.lifecycle is Lifecycle.REJOINING and not device.ip
        )
        assert at_rest or due_ms is not None or device.call is not None
        flash = device.flash
        kind = flash.last_reset if flash.resetting is None else flash.resetting
        unbound = kind is not None and kind.remote
        if flash.resetting is not None or device.lifecycle is Lifecycle.WAITING:
            assert device.outcome is (Outcome.UNBOUND if unbound else Outcome.NONE)
        assert unbound or device.outcome is not Outcome.UNBOUND
        if device.lifecycle is Lifecycle.WAITING:
            assert not device.flash.activated
            assert self.lens != device.profile.wired
        if device.lifecycle in (Lifecycle.WAITING, Lifecycle.ONLINE, Lifecycle.UPDATING):
            assert self.listening == bool(device.ip)

    def check_bounds(self) -> None:
        device = self.device
        assert device.decoder is None or device.decoder.pending_size <= 2048
        clients = device.clients or {}
        assert len(clients) <= device.profile.firmware.lan_clients_max
        assert all(client.cutter.pending_size <= 4096 for client in clients.values())
        assert all(client.ignored <= 3 for client in clients.values())
        assert set(clients) <= set(self.conns)
        assert len(device.flash.image()) < 1024
        assert len(device.awaited or ()) <= CALLS_MAX
        assert len(device.errands) <= CALLS_MAX

    # --- steps ----------------------------------------------------------------------------------

    def pick(self, count: int) -> int:
        return self.rng.below(count)

    def polite(self) -> None:
        """Do what the device waits for: the join, the reply, the broker's answer, or time."""
        device = self.device
        if device.lifecycle is Lifecycle.OFF:
            self.tell(ev.PowerApplied())
        elif device.profile.wired and not device.ip:
            self.tell(ev.LinkUp(IP))
        elif self.joining:
            self.joining = False
            self.tell(ev.WifiJoined(IP))
        elif self.called is not None:
            self.answer()
        elif self.stream == "opening":
            self.stream = "open"
            self.tell(ev.MqttOpened())
        elif self.waiting:
            packet = self.waiting.pop(0)
            if isinstance(packet, mqtt.Connack) and self.moody and not self.pick(12):
                packet = mqtt.Connack(1 + self.pick(5))
            self.hear(packet)
        else:
            self.pass_time()

    def answer(self) -> None:
        """Answer the call that is under way, and well; a moody cloud refuses some activations."""
        called, self.called = self.called, None
        assert called is not None
        if self.device.call is None:
            self.tell(ev.HttpReplied(called.call, 200, b"nobody waits for this"))
        elif self.device.call in (Call.RESOLVE, Call.LOCATE):
            self.reply_servers()
        elif self.device.call is Call.ACTIVATE:
            if self.moody and not self.pick(8):
                self.reply_error("TOKEN_FULL")
            else:
                self.reply_credentials()
        elif self.device.call in (Call.VERSIONS, Call.ERRAND):
            self.reply_success(self.result_of(atop.decode_query(called.target).a))
        elif self.device.dialect.old:
            self.reply_success((b'{"exist":true}', b'{"exist":false}')[self.pick(2)])
        else:
            status = ("enable", "reset", "reset_factory")[self.pick(3)]
            self.reply_success(b'{"status":"%s"}' % status.encode())

    def pass_time(self) -> None:
        """Let the next deadline come; a world may be late, but wakes nobody twice."""
        due_ms = self.device.next_deadline_ms()
        if due_ms is None:
            self.now_ms += 1000
            return
        self.now_ms = max(self.now_ms, due_ms) + (0 if self.pick(4) else self.pick(10_000))
        self.tell(ev.DeadlineReached())
        again_ms = self.device.next_deadline_ms()
        assert again_ms is None or again_ms > self.now_ms

    def set_clock(self) -> None:
        by_ms = 1 + self.pick(100_000_000)
        self.now_ms += by_ms
        self.tell(ev.ClockSet(by_ms))

    def rude(self) -> None:
        """Do anything at all."""
        RUDE[self.pick(len(RUDE))](self)

    def power_cut(self) -> None:
        self.forget_world()
        self.tell(ev.PowerRemoved())

    def die_in_a_step(self) -> None:
        """The process dies while it carries out the effects of a step."""
        self.dying = True
        self.polite()
        self.dying = False

    def kill(self) -> None:
        """The process dies: all that is left is the flash."""
        self.forget_world()
        device = self.device
        self.device = Device(
            device.profile, device.identity, 1, ("dns", 80), self.flash, device.lan_version
        )

    def lose_network(self) -> None:
        self.called, self.stream, self.joining = None, "", False
        self.conns.clear()
        self.listening = False
        self.tell(ev.LinkDown())

    def cable(self) -> None:
        if self.device.profile.wired and not self.device.ip:
            self.tell(ev.LinkUp(IP))

    def wifi(self) -> None:
        if self.device.profile.wired:
            return
        refusals = tuple(ev.JoinRefusal)
        choice = self.pick(3)
        self.joining = False
        self.tell(ev.WifiJoined(IP) if choice == 2 else ev.WifiRefused(refusals[choice]))

    def frame(self) -> None:
        if self.device.profile.wired:
            return
        codes = (CODE, OTHER_CODE, b"hello", b"\xff", b'{"s":"n","p":"password1","t":"short"}')
        self.tell(ev.FrameDecoded(codes[self.pick(len(codes))]))

    def bad_reply(self) -> None:
        """Answer the call badly, or one that is long over: nobody may listen to that."""
        device = self.device
        key = AUTH_KEY if device.call is Call.ACTIVATE else device.flash.sec_key or SEC_KEY
        code = ("GATEWAY_NOT_EXISTS", "TOKEN_FULL", "")[self.pick(3)]
        inner = atop.encode_error(code, "no", self.now_ms // 1000)
        reply = atop.encode_reply(inner, 1, key, device.dialect.et, NONCE)
        bodies = (b"", b"\xff", b"{}", b'{"result":"","t":1}', inner, reply)
        choice, late = self.pick(len(bodies) + 1), self.pick(2)
        number = device.call_number - late
        if not late:
            self.called = None
        if choice == len(bodies):
            effects = self.tell(ev.HttpFailed(number, "timeout"))
        else:
            effects = self.tell(ev.HttpReplied(number, 200 + 300 * self.pick(2), bodies[choice]))
        assert not (late and effects)

    def close_stream(self) -> None:
        self.stream = ""
        self.tell(ev.MqttClosed("closed", fin=bool(self.pick(2))))

    def broker(self) -> None:
        """Let bytes of a broker arrive, right or wrong, whole or in two pieces."""
        t_s = self.now_ms // 1000
        bodies = (
            mqtt_payload.encode_reset(DEV_ID, t_s, ("reset", "reset_factory")[self.pick(2)]),
            mqtt_payload.encode_dp_command(t_s, COMMANDS[self.pick(len(COMMANDS))]),
            mqtt_payload.encode_config_notice(t_s),
            mqtt_payload.encode_child_reset(DEV_ID, cid(UUID, self.pick(4)), t_s, "reset"),
            b'{"protocol":11,"t":1,"data":{}}',
        )
        payload = mqtt_payload.encode(
            LOCAL_KEY.encode(),
            bodies[self.pick(len(bodies))],
            1,
            mqtt_payload.SOURCE_CLOUD,
            self.device.dialect.payload,
            NONCE,
        )
        token = mqtt_payload.encode_token(parse_token(TOKEN), t_s)
        qos = self.pick(2)
        topic = mqtt_payload.topic_in(DEV_ID)
        packets: tuple[mqtt.Packet, ...] = (
            mqtt.Connack(0),
            mqtt.Connack(self.pick(6)),
            mqtt.Suback(1 + self.pick(3), (1,)),
            mqtt.Suback(1, (0x80,)),
            mqtt.Publish(topic, payload, qos, packet_id=9 * qos),
            mqtt.Publish(topic, payload, 1, packet_id=8),
            mqtt.Publish(topic, b"garbage"),
            mqtt.Publish(mqtt_payload.topic_rpc_response(DEV_ID), self.answer_to_a_call()),
            mqtt.Publish(
                mqtt_payload.topic_activation(UUID),
                mqtt_payload.encode(AUTH_KEY[:16].encode(), token, 1, mqtt_payload.SOURCE_CLOUD),
            ),
            mqtt.Pingresp(),
            mqtt.Unsuback(3),
        )
        packet = packets[self.pick(len(packets))]
        if self.device.session is Session.CONNECTING and self.pick(2):
            packet = mqtt.Connack(5)
        data = mqtt.encode(packet)
        if not self.pick(8):
            data = self.rng.bytes(self.pick(40)) + data
        cut = self.pick(len(data) + 1)
        self.tell(ev.MqttReceived(data[:cut]))
        if self.stream == "open" and self.pick(4):
            self.tell(ev.MqttReceived(data[cut:]))

    def announce_firmware(self) -> None:
        channel = self.pick(2) * self.pick(2)
        self.message(mqtt_payload.encode_upgrade_notice(DEV_ID, self.now_ms // 1000, channel))

    def answer_to_a_call(self) -> bytes:
        """Return an answer to the last call over MQTT, or to none, that may offer firmware."""
        offer = msgspec.structs.replace(OFFER, version=f"1.{self.pick(3)}.0")
        results = (None, b"null", b"{}", messages.encode(offer), messages.encode(offer))
        number = max(0, self.device.rpc_id - self.pick(2))
        if not self.pick(6):
            return mqtt_rpc.encode_error_response(number, 1, "BUSY", "no")
        return mqtt_rpc.encode_response(number, 1, results[self.pick(len(results))])

    def client_comes(self) -> None:
        if self.listening:
            self.conn += 1
            self.conns.append(self.conn)
            self.tell(ev.LanOpened(self.conn))

    def client_speaks(self) -> None:
        conn = self.conns[self.pick(len(self.conns))] if self.conns else 99
        choice = LAN_BYTES if self.device.flash.activated else OFFERS
        data = choice[self.pick(len(choice))]
        cut = self.pick(len(data)) if not self.pick(4) else len(data)
        self.tell(ev.LanReceived(conn, data[:cut]))

    def solicit(self) -> None:
        self.tell(ev.DatagramReceived(PORT_SOLICITED, (ASK_ALL, b"noise")[self.pick(2)]))

    def client_goes(self) -> None:
        conn = self.conns.pop(self.pick(len(self.conns))) if self.conns else 99
        self.tell(ev.LanClosed(conn))


RUDE: tuple[Callable[[Walker], object], ...] = (
    Walker.power_cut,
    Walker.die_in_a_step,
    lambda walker: walker.tell(ev.PowerApplied()),
    lambda walker: walker.tell(ev.ButtonPressed()),
    lambda walker: walker.tell(ev.ButtonReleased()),
    lambda walker: walker.tell(ev.DeadlineReached()),
    lambda walker: walker.tell(ev.MqttOpened()),
    Walker.pass_time,
    Walker.set_clock,
    Walker.lose_network,
    Walker.cable,
    Walker.wifi,
    Walker.frame,
    Walker.frame,
    Walker.bad_reply,
    Walker.close_stream,
    Walker.broker,
    Walker.broker,
    Walker.broker,
    Walker.announce_firmware,
    lambda walker: walker.tell(move_child(walker.pick)),
    Walker.client_comes,
    Walker.client_speaks,
    Walker.client_speaks,
    Walker.client_goes,
    Walker.solicit,
)
