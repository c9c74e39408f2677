"""One MQTT client as the broker remembers it: what it subscribed to and what it owes us.

Sans-IO and small, because there is one per connected device: slots, empty containers, and no
buffer while no packet is incomplete.
"""

import msgspec

from firmware_sim.wire import mqtt

_PACKET_ID_MAX = 65_535
_SECOND_MS = 1_000
_DUP = 0x08  # MQTT 3.1.1 section 3.3.1.1: set when a PUBLISH is sent again


class BrokerSettings(msgspec.Struct, frozen=True):
    """Limits and times of the broker; the defaults are ours where MQTT names none."""

    packet_size_max: int = 16_384
    client_id_size_max: int = 64
    topic_size_max: int = 256
    subscriptions_max: int = 16
    inflight_max: int = 32
    packets_per_s_max: int = 1_000  # a filter of SUBSCRIBE counts like a packet
    connect_timeout_ms: int = 10_000
    resend_after_ms: int = 20_000
    resends_max: int = 3


class Sent(msgspec.Struct):
    """A QoS 1 message on its way to a client, until its PUBACK."""

    packet: bytes
    tag: str
    sent_ms: int
    resends: int = 0


class Session:
    """The state of connection `conn`; `client_id` is empty until its CONNECT was accepted."""

    __slots__ = (
        "_packet_id",
        "_second_ms",
        "_this_second",
        "client_id",
        "conn",
        "decoder",
        "heard_ms",
        "received",
        "sent",
        "silence_ms_max",
        "subscriptions",
        "wake_ms",
    )

    def __init__(self, conn: int, packet_size_max: int, silence_ms_max: int, now_ms: int) -> None:
        """Begin with a client that has `silence_ms_max` to say its CONNECT."""
        self.conn = conn
        self.client_id = ""
        self.decoder = mqtt.Decoder(size_max=packet_size_max)
        self.heard_ms = now_ms
        self.silence_ms_max = silence_ms_max  # 0: may be silent for ever
        self.wake_ms: int | None = None  # the broker's timer entry that counts
        self.subscriptions: dict[str, int] = {}  # topic -> granted QoS
        self.sent: dict[int, Sent] = {}  # by packet id
        self.received: set[int] | None = None  # inbound QoS 2 ids between PUBLISH and PUBREL
        self._packet_id = 0
        self._second_ms = now_ms
        self._this_second = 0

    def count(self, packets: int, now_ms: int) -> int:
        """Count what the client sent; return how much that is since a second or less."""
        if now_ms - self._second_ms >= _SECOND_MS:
            self._second_ms = now_ms
            self._this_second = 0
        self._this_second += packets
        return self._this_second

    def next_packet_id(self) -> int:
        """Return a packet id that is not in flight (there are always fewer than ids)."""
        while True:
            self._packet_id = self._packet_id % _PACKET_ID_MAX + 1
            if self._packet_id not in self.sent:
                return self._packet_id

    def forgive(self, by_ms: int) -> None:
        """Take a time out of all that the client is waited for."""
        self.heard_ms += by_ms
        for sent in self.sent.values():
            sent.sent_ms += by_ms

    def silent_until_ms(self) -> int | None:
        """Return when the client must have been heard from again, or None."""
        return self.heard_ms + self.silence_ms_max if self.silence_ms_max else None

    def due_ms(self, settings: BrokerSettings) -> int | None:
        """Return when this session next needs a look: silence or a resend."""
        dues = [] if (silent := self.silent_until_ms()) is None else [silent]
        if self.sent:
            dues.append(min(s.sent_ms for s in self.sent.values()) + settings.resend_after_ms)
        return min(dues, default=None)

    def resend(self, settings: BrokerSettings, now_ms: int) -> list[bytes] | None:
        """Return the packets that are to be sent again, or None when the client ignores us."""
        packets: list[bytes] = []
        for sent in self.sent.values():
            if sent.sent_ms + settings.resend_after_ms > now_ms:
                continue
            if sent.resends == settings.resends_max:
                return None
            sent.packet = bytes((sent.packet[0] | _DUP,)) + sent.packet[1:]
            sent.sent_ms = now_ms
            sent.resends += 1
            packets.append(sent.packet)
        return packets
