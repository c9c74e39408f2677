"""MQTT 3.1.1 packets to bytes and back, for both ends of a connection.

A codec only: sessions, retries and subscriptions belong to whoever uses it. Written for many
connections: a decoder holds three slots and no buffer between packets. Source: OASIS standard
"MQTT Version 3.1.1", sections 2 and 3; numbers in brackets are its conformance statements.
"""

from collections.abc import Callable

from firmware_sim.errors import Malformed, TooLarge
from firmware_sim.wire.mqtt_packets import (
    ACCEPTED,
    CLEAN,
    NOT_AUTHORIZED,
    PASSWORD,
    QOS_MAX,
    SUBACK_CODES,
    SUBSCRIBE_REFUSED,
    USERNAME,
    WILL,
    WILL_QOS_SHIFT,
    WILL_RETAIN,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
    encode,
    is_plain,
    is_topic_filter,
    is_topic_name,
)
from firmware_sim.wire.stream import StreamDecoder

__all__ = [
    "ACCEPTED",
    "NOT_AUTHORIZED",
    "SIZE_MAX",
    "SUBSCRIBE_REFUSED",
    "Connack",
    "Connect",
    "Decoder",
    "Disconnect",
    "OtherVersion",
    "Packet",
    "Pingreq",
    "Pingresp",
    "Puback",
    "Pubcomp",
    "Publish",
    "Pubrec",
    "Pubrel",
    "Suback",
    "Subscribe",
    "Unsuback",
    "Unsubscribe",
    "Will",
    "encode",
    "is_plain",
    "is_topic_filter",
    "is_topic_name",
]

SIZE_MAX = 65536
"""The longest packet that a decoder takes unless told otherwise, in bytes."""

_MORE = 0x80
_SHIFT_MAX = 21
_WILL_BITS = 0x3C
_VERSION = (b"MQTT", 4)
_NAMES = (b"MQTT", b"MQIsdp")  # the second one's is 3.1


class OtherVersion(Malformed):
    """A CONNECT of MQTT that is not of 3.1.1: its client is to be told so [MQTT-3.1.2-2]."""


class Decoder(StreamDecoder[Packet]):
    """Cuts the byte stream of one connection into packets.

    `feed` raises Malformed or TooLarge; MQTT then wants the connection closed.
    """

    __slots__ = ()

    def __init__(self, size_max: int = SIZE_MAX) -> None:
        """Start a stream whose packets have at most `size_max` bytes."""
        super().__init__(size_max)

    def _measure(self, data: bytes, start: int) -> int:
        if _PARSERS[data[start]] is None:
            raise Malformed(f"no MQTT packet begins with {data[start]:#04x}")
        at, end = start + 1, len(data)
        if at == end:
            return 2
        byte = data[at]
        length, shift = byte & ~_MORE, 7
        while byte & _MORE:
            if shift > _SHIFT_MAX:
                raise Malformed("a remaining length has at most four bytes")
            at += 1
            if at == end:
                return at - start + 1
            byte = data[at]
            length |= (byte & ~_MORE) << shift
            shift += 7
        size = at + 1 - start + length
        if size > self.size_max:
            raise TooLarge(f"an MQTT packet of {size} bytes; the limit is {self.size_max}")
        return size

    def _parse(self, data: bytes, start: int, stop: int) -> Packet:
        parser = _PARSERS[data[start]]
        assert parser is not None  # _measure has seen to it
        at = start + 1
        while data[at] & _MORE:
            at += 1
        return parser(data[start], data[at + 1 : stop])


class _Reader:
    """Takes a packet's body apart from front to back; whatever is missing is Malformed."""

    __slots__ = ("_at", "_body", "_end")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._end = len(body)
        self._at = 0

    @property
    def left(self) -> int:
        return self._end - self._at

    def take(self, size: int) -> bytes:
        start = self._at
        at = self._at = start + size
        if at > self._end:
            raise Malformed("a field reaches beyond its MQTT packet")
        return self._body[start:at]

    def byte(self) -> int:
        return self.take(1)[0]

    def word(self) -> int:
        at = self._at = self._at + 2
        if at > self._end:
            raise Malformed("a field reaches beyond its MQTT packet")
        return self._body[at - 2] << 8 | self._body[at - 1]

    def packet_id(self) -> int:
        return _valid_id(self.word())

    def sized(self) -> bytes:
        return self.take(self.word())

    def text(self) -> str:
        return _decode_text(self.take(self.word()))

    def end(self) -> None:
        if self._at != self._end:
            raise Malformed(f"{self.left} bytes too many in an MQTT packet")


def _publish(head: int, body: bytes) -> Publish:
    if len(body) < 2:
        raise Malformed("PUBLISH without a topic")
    at = (body[0] << 8 | body[1]) + 2
    topic = _decode_text(body[2:at])
    qos = head >> 1 & 3
    packet_id = 0
    if qos:
        at += 2
        if at > len(body):
            raise Malformed("PUBLISH ends before its packet identifier")
        packet_id = _valid_id(body[at - 2] << 8 | body[at - 1])
    elif at > len(body):
        raise Malformed("PUBLISH ends within its topic")
    if not is_topic_name(topic):
        raise Malformed("PUBLISH to an empty topic or to wildcards [MQTT-3.3.2-2]")
    return Publish(topic, body[at:], qos, packet_id, head & 1 == 1, head & 8 == 8)


def _connect(_head: int, body: bytes) -> Connect:
    reader = _Reader(body)
    name, level = reader.sized(), reader.byte()
    if name not in _NAMES:
        raise Malformed("CONNECT of a protocol that is not MQTT [MQTT-3.1.2-1]")
    if (name, level) != _VERSION:
        raise OtherVersion("CONNECT is not of MQTT 3.1.1")
    flags = reader.byte()
    keep_alive_s = reader.word()
    client_id = reader.text()
    will = _will(flags, reader)
    if flags & 1 or (flags & PASSWORD and not flags & USERNAME):
        raise Malformed("CONNECT with flags that exclude each other [MQTT-3.1.2-3, MQTT-3.1.2-22]")
    username = reader.text() if flags & USERNAME else None
    password = reader.sized().decode("utf-8", "surrogateescape") if flags & PASSWORD else None
    reader.end()
    return Connect(client_id, username, password, keep_alive_s, bool(flags & CLEAN), will)


def _will(flags: int, reader: _Reader) -> Will | None:
    qos = flags >> WILL_QOS_SHIFT & 3
    if not flags & WILL:
        if flags & _WILL_BITS:
            raise Malformed("CONNECT with the flags of a will but no will [MQTT-3.1.2-11]")
        return None
    topic = reader.text()
    if qos > QOS_MAX or not is_topic_name(topic):
        raise Malformed("CONNECT with a will that cannot be published")
    return Will(topic, reader.sized(), qos, bool(flags & WILL_RETAIN))


def _connack(_head: int, body: bytes) -> Connack:
    reader = _Reader(body)
    flags, code = reader.byte(), reader.byte()
    reader.end()
    if flags > 1 or code > NOT_AUTHORIZED:
        raise Malformed("CONNACK with a reserved flag or code")
    return Connack(code, flags == 1)


def _subscribe(_head: int, body: bytes) -> Subscribe:
    reader = _Reader(body)
    packet_id = reader.packet_id()
    filters: list[tuple[str, int]] = []
    while reader.left:
        name, qos = reader.text(), reader.byte()
        if not name or qos > QOS_MAX:
            raise Malformed("SUBSCRIBE with an empty filter or a bad quality of service")
        filters.append((name, qos))
    if not filters:
        raise Malformed("SUBSCRIBE without a filter [MQTT-3.8.3-3]")
    return Subscribe(packet_id, tuple(filters))


def _suback(_head: int, body: bytes) -> Suback:
    reader = _Reader(body)
    packet_id, codes = reader.packet_id(), tuple(reader.take(reader.left))
    if not codes or not SUBACK_CODES.issuperset(codes):
        raise Malformed("SUBACK without codes or with a reserved one [MQTT-3.9.3-2]")
    return Suback(packet_id, codes)


def _unsubscribe(_head: int, body: bytes) -> Unsubscribe:
    reader = _Reader(body)
    packet_id = reader.packet_id()
    filters = []
    while reader.left:
        filters.append(reader.text())
    if not filters or "" in filters:
        raise Malformed("UNSUBSCRIBE without a filter or with an empty one [MQTT-3.10.3-2]")
    return Unsubscribe(packet_id, tuple(filters))


def _numbered(kind: Callable[[int], Packet]) -> Callable[[int, bytes], Packet]:
    """Return the parser of a packet that is a packet identifier and nothing else."""

    def parse(_head: int, body: bytes) -> Packet:
        if len(body) != 2:
            raise Malformed("an MQTT acknowledgement carries two bytes")
        return kind(_valid_id(body[0] << 8 | body[1]))

    return parse


def _bare(packet: Packet) -> Callable[[int, bytes], Packet]:
    """Return the parser of a packet that carries nothing."""

    def parse(_head: int, body: bytes) -> Packet:
        if body:
            raise Malformed("an MQTT packet that carries nothing has a body")
        return packet

    return parse


def _valid_id(value: int) -> int:
    if value == 0:
        raise Malformed("packet identifier 0 [MQTT-2.3.1-1]")
    return value


def _decode_text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("a text of MQTT is not UTF-8 [MQTT-1.5.3-1]") from None
    if "\0" in text:
        raise Malformed("a text of MQTT has a NUL character [MQTT-1.5.3-2]")
    return text


# Keyed by the whole first byte, so that reserved flag bits fail here [MQTT-2.2.2-2]. PUBLISH has
# eight legal ones per QoS and none for QoS 3 [MQTT-3.3.1-4] or a repeated QoS 0 [MQTT-3.3.1-2].
_PARSERS: list[Callable[[int, bytes], Packet] | None] = [None] * 256
for _flags in (0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0xA, 0xB, 0xC, 0xD):
    _PARSERS[Publish.HEAD | _flags] = _publish
for _kind in (Puback, Pubrec, Pubrel, Pubcomp, Unsuback):
    _PARSERS[_kind.HEAD] = _numbered(_kind)
for _packet in (Pingreq(), Pingresp(), Disconnect()):
    _PARSERS[_packet.HEAD] = _bare(_packet)
_PARSERS[Connect.HEAD] = _connect
_PARSERS[Connack.HEAD] = _connack
_PARSERS[Subscribe.HEAD] = _subscribe
_PARSERS[Suback.HEAD] = _suback
_PARSERS[Unsubscribe.HEAD] = _unsubscribe
