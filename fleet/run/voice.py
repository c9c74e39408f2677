"""What firmware can say to its cloud, in whosever name: signed calls, and sessions with the broker.

The voice of tampered firmware. It speaks the formats of its generation (`firmware_sim.wire`) and does
not care whether what it says is true. What comes back is one word: the code of a refusal, `CONNACK 4`,
`SUBACK 128`, `CLOSED`, or `DONE`. A broker hangs up without a word on whoever speaks on a topic that is
not its own; on everybody else it does so only when it ends itself.
"""

from collections.abc import Callable

import msgspec

from firmware_sim.device.profile import Profile
from firmware_sim.errors import PeerError
from firmware_sim.rng import Rng
from firmware_sim.wire import atop, atop_old, mqtt, mqtt_payload
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.generation import DIALECTS
from fleet.app.errors import CloudUnreachable
from fleet.run.door import Door, Line

DONE = "DONE"
CLOSED = "CLOSED"
UNREADABLE = "UNREADABLE"
_KEEP_ALIVE_S = 60


class Asked(msgspec.Struct, frozen=True):
    """One call as it travels; whoever overhears it can send it again."""

    target: str
    body: bytes
    key: str

    def __repr__(self) -> str:
        """Show which path, never the signature or the key."""
        return f"Asked({self.target.partition('?')[0]})"


class Voice:
    """Speaks through `door` like firmware of a `profile` and a product."""

    def __init__(
        self, door: Door, profile: Profile, product_id: str, rng: Rng, now_ms: Callable[[], int]
    ) -> None:
        """Draw nonces from `rng`; `now_ms` is the clock."""
        self._door = door
        self._firmware = profile.firmware
        self._product_id = product_id
        self._rng = rng
        self._now_ms = now_ms
        self._dialect = DIALECTS[profile.firmware.generation]

    # --- calls ----------------------------------------------------------------------------------

    def activation(self, uuid: str, key: str, token: str, dev_id: str = "") -> Asked:
        """Return the call that asks to be activated by the 8 characters of a token, or without."""
        request = messages.activation_request(
            token,
            self._product_id,
            self._firmware.software_version,
            self._now_ms() // 1000,
            dev_id,
            protocol_ver=self._firmware.generation,
            options=self._dialect.options,
        )
        other = atop_old.other_text(token) if self._dialect.old else ""
        return self._signed(
            self._dialect.activation, messages.encode(request), key, uuid=uuid, other=other
        )

    def reset(self, dev_id: str, key: str, skew_s: int = 0) -> Asked:
        """Return the call that says that somebody has held the button."""
        return self._signed(self._dialect.reset, self._stamp(), key, dev_id=dev_id, skew_s=skew_s)

    def existence(self, dev_id: str, key: str) -> Asked:
        """Return the call that asks whether the device still is somebody's."""
        api = atop_old.EXIST if self._dialect.old else messages.EXIST
        return self._signed(api, self._stamp(), key, dev_id=dev_id)

    def _stamp(self) -> bytes:
        stamp = messages.StampRequest(t=self._now_ms() // 1000)
        return b"" if self._dialect.old else messages.encode(stamp)

    def _signed(
        self,
        api: messages.Api,
        data: bytes,
        key: str,
        *,
        uuid: str | None = None,
        dev_id: str | None = None,
        other: str = "",
        skew_s: int = 0,
    ) -> Asked:
        dialect = self._dialect
        target, body = atop.encode_request(
            api.name,
            api.version,
            self._now_ms() // 1000 + skew_s,
            key,
            data,
            uuid=uuid,
            dev_id=dev_id,
            et=dialect.et,
            nonce=self._rng.bytes(dialect.nonce_size),
            old=dialect.old,
            other=other,
        )
        return Asked(target, body, key)

    async def say(self, asked: Asked) -> str:
        """Make a call; return the code of the refusal, or `DONE`. Raises CloudUnreachable."""
        inner = await self._answer(asked)
        return UNREADABLE if inner is None else inner.error_code if not inner.success else DONE

    async def exists(self, dev_id: str, key: str) -> bool:
        """Ask whether the device still is somebody's. Raises CloudUnreachable."""
        inner = await self._answer(self.existence(dev_id, key))
        try:
            return inner is not None and messages.decode(inner.result, messages.ExistResult).exist
        except PeerError:
            return False

    async def _answer(self, asked: Asked) -> atop.Inner | None:
        """Return what is answered; None for what the key cannot open."""
        reply = await self._door.call(asked.target, asked.body)
        try:
            return atop.decode_inner(atop.decode_reply(reply, asked.key, self._dialect.et))
        except PeerError:
            return None

    # --- the broker -----------------------------------------------------------------------------

    async def knock(self, name: str, key: str) -> str:
        """Try to connect under a name; return what is answered. Raises CloudUnreachable."""
        line = await self._door.dial()
        try:
            return await _introduced(line, name, key)
        finally:
            line.close()

    async def subscribe(self, name: str, key: str, topic_filter: str) -> str:
        """Connect, and try to hear a filter. Raises CloudUnreachable."""
        packet = mqtt.Subscribe(packet_id=1, filters=((topic_filter, 1),))
        word = await self._in_session(name, key, packet)
        if word == CLOSED:
            raise CloudUnreachable("the broker hung up")
        return word

    async def publish(self, name: str, key: str, topic: str, payload: bytes) -> str:
        """Connect, and try to say something on a topic. Raises CloudUnreachable."""
        return await self._in_session(name, key, mqtt.Publish(topic, payload, qos=1, packet_id=1))

    async def _in_session(self, name: str, key: str, packet: mqtt.Packet) -> str:
        line = await self._door.dial()
        try:
            admitted = await _introduced(line, name, key)
            if admitted != DONE:
                return admitted
            line.send(packet)
            return _word(await line.packet())
        finally:
            line.close()


async def _introduced(line: Line, name: str, key: str) -> str:
    password = mqtt_payload.mqtt_password(key)
    line.send(
        mqtt.Connect(client_id=name, username=name, password=password, keep_alive_s=_KEEP_ALIVE_S)
    )
    word = _word(await line.packet())
    if word == CLOSED:
        raise CloudUnreachable("the broker hung up")
    return word


def _word(packet: mqtt.Packet | None) -> str:
    """Return what the broker's answer comes to."""
    if packet is None:
        return CLOSED
    if isinstance(packet, mqtt.Connack) and packet.return_code != mqtt.ACCEPTED:
        return f"CONNACK {packet.return_code}"
    if isinstance(packet, mqtt.Suback) and mqtt.SUBSCRIBE_REFUSED in packet.return_codes:
        return f"SUBACK {mqtt.SUBSCRIBE_REFUSED}"
    return DONE
