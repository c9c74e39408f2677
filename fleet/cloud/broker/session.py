"""One MQTT client as the broker remembers it: what it subscribed to and what is under way.

Sans-IO and small, because there is one per connected device: slots, empty containers, and no
buffer while no packet is incomplete. A guest has a `Backlog` besides; its session may outlive its
connection and be taken up by the next one.
"""

from collections import deque

import msgspec

from firmware_sim.wire import mqtt
from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.records import GuestMessage
from fleet.cloud.happenings import Directory, GuestLimits

_PACKET_ID_MAX = 65_535
_SECOND_MS = 1_000
AWAITED = (0, mqtt.Puback.HEAD, mqtt.Pubrec.HEAD)  # what answers a PUBLISH, by QoS
_DUP = 0x08  # MQTT 3.1.1 section 3.3.1.1: set when a PUBLISH is sent again


class Sent(msgspec.Struct):
    """A packet of ours that the client has to answer, by one with the first byte `awaits`.

    `message` is what a guest is sent, until it is known to have it.
    """

    packet: bytes
    tag: str
    sent_ms: int
    resends: int = 0
    awaits: int = mqtt.Puback.HEAD
    message: GuestMessage | None = None

    @classmethod
    def of(cls, message: GuestMessage, now_ms: int) -> "Sent":
        """Return how a message travels that has a packet id: as PUBLISH, or by now as PUBREL."""
        if message.released:
            packet, awaits = mqtt.encode(mqtt.Pubrel(message.packet_id)), mqtt.Pubcomp.HEAD
        else:
            packet = mqtt.encode(
                mqtt.Publish(
                    message.topic, message.payload, message.qos, message.packet_id, message.retain
                )
            )
            awaits = AWAITED[message.qos]
        return cls(packet, "", now_ms, awaits=awaits, message=message)

    def again(self, now_ms: int) -> bytes:
        """Return the packet as it is sent another time; only a PUBLISH is marked so."""
        if self.awaits != mqtt.Pubcomp.HEAD:
            self.packet = bytes((self.packet[0] | _DUP,)) + self.packet[1:]
        self.sent_ms = now_ms
        self.resends += 1
        return self.packet


class Backlog:
    """What a guest is still to be sent, within bounds, and how fast it takes it.

    `again` are packet ids whose packets a new connection has to be sent once more, `retained` the
    topics whose retained messages it asked for, with the filter and its QoS; these come when nothing
    else waits.
    While `waiting`, the connection is busy with what it was given.
    """

    __slots__ = ("again", "limits", "queue", "retained", "size", "unread", "waiting")

    def __init__(self, limits: GuestLimits) -> None:
        """Start with nothing to send."""
        self.limits = limits
        self.queue: deque[GuestMessage] = deque()
        self.again: deque[int] = deque()
        self.retained: dict[str, tuple[str, int]] = {}
        self.size = 0  # bytes of payloads, of those in `queue` and of those under way
        self.unread = 0  # bytes written since the connection last was known to be idle
        self.waiting = False


class Session:
    """A client and its connection `conn`, which is 0 while there is none.

    `client_id` is empty until its CONNECT was accepted. `lasting` sessions outlive connections.
    """

    __slots__ = (
        "_packet_id",
        "_second_ms",
        "_this_second",
        "backlog",
        "client_id",
        "conn",
        "decoder",
        "directory",
        "heard_ms",
        "lasting",
        "packets_max",
        "progress_ms",
        "received",
        "sent",
        "silence_ms_max",
        "subscriptions",
        "username",
        "wake_ms",
        "will",
    )

    def __init__(self, conn: int, settings: BrokerSettings, now_ms: int) -> None:
        """Begin with a client that has some time to say its CONNECT."""
        self.conn = conn
        self.client_id = ""
        self.username = ""
        self.directory: Directory | None = None
        self.decoder = mqtt.Decoder(settings.packet_size_max)
        self.heard_ms = now_ms
        self.silence_ms_max = settings.connect_timeout_ms  # 0: may be silent for ever
        self.wake_ms: int | None = None  # the broker's timer entry that counts
        self.packets_max = settings.packets_per_s_max
        self.subscriptions: dict[str, int] = {}  # topic filter -> granted QoS
        self.sent: dict[int, Sent] = {}  # by packet id, in the order of sending
        self.progress_ms = 0  # when the first of those was answered last
        self.received: set[int] | None = None  # inbound QoS 2 ids between PUBLISH and PUBREL
        self.will: mqtt.Will | None = None
        self.lasting = False
        self.backlog: Backlog | None = None  # a guest's
        self._packet_id = 0
        self._second_ms = now_ms
        self._this_second = 0

    def take_connection_of(self, fresh: "Session") -> None:
        """Go on with the connection on which this client has come back."""
        self.conn, self.decoder, self.wake_ms = fresh.conn, fresh.decoder, fresh.wake_ms
        self.heard_ms = fresh.heard_ms
        self._second_ms, self._this_second = fresh._second_ms, fresh._this_second  # noqa: SLF001 - its own kind

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

    def note_answer(self, packet_id: int, now_ms: int) -> None:
        """Note that a packet in flight is being answered, while it still is in `sent`.

        A client answers in order [MQTT-4.6.0-2, MQTT-4.6.0-3], so whoever answers the first one is
        busy with it and has yet to come to the others, however long ago they were sent.
        """
        if packet_id == next(iter(self.sent)):
            self.progress_ms = now_ms

    def forgive(self, by_ms: int) -> None:
        """Take a time out of all that the client is waited for."""
        self.heard_ms += by_ms
        self.progress_ms += by_ms
        for sent in self.sent.values():
            sent.sent_ms += by_ms

    def silent_until_ms(self) -> int | None:
        """Return when the client must have been heard from again, or None."""
        return self.heard_ms + self.silence_ms_max if self.silence_ms_max else None

    def due_ms(self, settings: BrokerSettings) -> int | None:
        """Return when this session next needs a look: silence or a resend."""
        dues = [] if (silent := self.silent_until_ms()) is None else [silent]
        if self.sent:
            oldest_ms = min(sent.sent_ms for sent in self.sent.values())
            dues.append(max(oldest_ms, self.progress_ms) + settings.resend_after_ms)
        return min(dues, default=None)

    def overdue(self, settings: BrokerSettings, now_ms: int) -> list[int] | None:
        """Return the ids of packets to send again, or None when the client ignores us."""
        ids: list[int] = []
        for packet_id, sent in self.sent.items():
            if max(sent.sent_ms, self.progress_ms) + settings.resend_after_ms > now_ms:
                continue
            if sent.resends >= settings.resends_max:
                return None
            ids.append(packet_id)
        return ids
