"""The packets of MQTT 3.1.1 and how each is written; reading them is in `mqtt`.

Import the packets from `firmware_sim.wire.mqtt`, the public face of both halves. Source: OASIS
standard "MQTT Version 3.1.1", sections 2 and 3; numbers in brackets are its conformance statements.
"""

import struct
from typing import ClassVar

import msgspec

from firmware_sim.errors import UsageError

TEXT_SIZE_MAX = 65535

ACCEPTED = 0
NOT_AUTHORIZED = 5
"""CONNACK code by which a device learns that it was unbound (1..4 are ordinary failures)."""

QOS_MAX = 2
SUBSCRIBE_REFUSED = 0x80

PROTOCOL = b"\x00\x04MQTT\x04"
"""Name and level that open every CONNECT."""

USERNAME, PASSWORD, WILL_RETAIN, WILL, CLEAN = 0x80, 0x40, 0x20, 0x04, 0x02
"""Flags of CONNECT; the quality of the will sits between WILL and WILL_RETAIN."""
WILL_QOS_SHIFT = 3

SUBACK_CODES = frozenset({0, 1, 2, SUBSCRIBE_REFUSED})

_WILDCARDS = ("+", "#")

_WORD = struct.Struct(">H")
_WORD_MAX = 0xFFFF
_SHORT_MAX = 127
_LENGTH_MAX = 128**4 - 1


class Packet(msgspec.Struct, frozen=True, gc=False):
    """Base of all packets."""

    HEAD: ClassVar[int]

    def to_bytes(self) -> bytes:
        """Return the packet as it travels; UsageError when a field does not fit the format."""
        return _frame(self.HEAD, b"")


class _Numbered(Packet, frozen=True):
    """A packet that carries a packet identifier and nothing else."""

    packet_id: int

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        return bytes((self.HEAD, _WORD.size)) + _id(self.packet_id)


class Will(msgspec.Struct, frozen=True, gc=False):
    """What the broker publishes when the connection ends without DISCONNECT."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Connect(Packet, frozen=True):
    """A client introduces itself.

    A password is text here, as that of all known firmware is; bytes that are not UTF-8 are kept as
    surrogates (`surrogateescape`), since the standard lets a password be anything.
    """

    HEAD = 0x10

    client_id: str
    username: str | None = None
    password: str | None = None
    keep_alive_s: int = 120
    clean_session: bool = True
    will: Will | None = None

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        if self.password is not None and self.username is None:
            raise UsageError("CONNECT: a password needs a username [MQTT-3.1.2-22]")
        flags = CLEAN if self.clean_session else 0
        parts = [_text(self.client_id)]
        if self.will is not None:
            flags |= WILL | _check_qos(self.will.qos) << WILL_QOS_SHIFT
            flags |= WILL_RETAIN if self.will.retain else 0
            parts += (_text(self.will.topic), _sized(self.will.payload))
        if self.username is not None:
            flags |= USERNAME
            parts.append(_text(self.username))
        if self.password is not None:
            flags |= PASSWORD
            parts.append(_sized(self.password.encode("utf-8", "surrogateescape")))
        head = PROTOCOL + bytes((flags,)) + _word(self.keep_alive_s)
        return _frame(self.HEAD, head + b"".join(parts))

    def __repr__(self) -> str:
        """Show who connects, never the password."""
        return f"Connect(client_id={self.client_id!r}, keep_alive_s={self.keep_alive_s})"


class Connack(Packet, frozen=True):
    """The broker's answer to CONNECT: 0 accepted, 1..5 refused."""

    HEAD = 0x20

    return_code: int
    session_present: bool = False

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        if not 0 <= self.return_code <= NOT_AUTHORIZED:
            raise UsageError(f"CONNACK: return code {self.return_code} is outside 0..5")
        return bytes((self.HEAD, 2, self.session_present, self.return_code))


class Publish(Packet, frozen=True):
    """An application message; `packet_id` is 0 exactly when `qos` is 0."""

    HEAD = 0x30

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        topic = self.topic.encode()
        if len(topic) > TEXT_SIZE_MAX or not is_topic_name(self.topic):
            raise UsageError(f"PUBLISH: {self.topic!r} is not a topic name")
        head = self.HEAD | _check_qos(self.qos) << 1 | self.retain | self.dup << 3
        body = b"%b%b%b%b" % (
            _WORD.pack(len(topic)),
            topic,
            _id(self.packet_id) if self.qos else b"",
            self.payload,
        )
        return _frame(head, body)


class Puback(_Numbered, frozen=True):
    """QoS 1: the message has been taken over."""

    HEAD = 0x40


class Pubrec(_Numbered, frozen=True):
    """QoS 2, step 1: received."""

    HEAD = 0x50


class Pubrel(_Numbered, frozen=True):
    """QoS 2, step 2: release."""

    HEAD = 0x62


class Pubcomp(_Numbered, frozen=True):
    """QoS 2, step 3: complete."""

    HEAD = 0x70


class Subscribe(Packet, frozen=True):
    """A client asks for messages; `filters` holds pairs of topic filter and highest QoS."""

    HEAD = 0x82

    packet_id: int
    filters: tuple[tuple[str, int], ...]

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        if not self.filters:
            raise UsageError("SUBSCRIBE needs a topic filter [MQTT-3.8.3-3]")
        wishes = (_text(name) + bytes((_check_qos(qos),)) for name, qos in self.filters)
        return _frame(self.HEAD, _id(self.packet_id) + b"".join(wishes))


class Suback(Packet, frozen=True):
    """One code per filter: the granted QoS, or 0x80 refused."""

    HEAD = 0x90

    packet_id: int
    return_codes: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        for code in self.return_codes:
            if code not in SUBACK_CODES:
                raise UsageError(f"SUBACK: {code} is not a return code")
        return _frame(self.HEAD, _id(self.packet_id) + bytes(self.return_codes))


class Unsubscribe(Packet, frozen=True):
    """A client no longer wants these filters."""

    HEAD = 0xA2

    packet_id: int
    filters: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Return the packet as it travels."""
        if not self.filters:
            raise UsageError("UNSUBSCRIBE needs a topic filter [MQTT-3.10.3-2]")
        return _frame(self.HEAD, _id(self.packet_id) + b"".join(map(_text, self.filters)))


class Unsuback(_Numbered, frozen=True):
    """The broker has dropped the filters."""

    HEAD = 0xB0


class Pingreq(Packet, frozen=True):
    """A client shows that it is alive."""

    HEAD = 0xC0


class Pingresp(Packet, frozen=True):
    """The broker shows that it is alive."""

    HEAD = 0xD0


class Disconnect(Packet, frozen=True):
    """A client leaves for good: its will is dropped."""

    HEAD = 0xE0


def encode(packet: Packet) -> bytes:
    """Return the bytes of `packet`; raise UsageError when a field does not fit the format."""
    return packet.to_bytes()


def is_topic_name(text: str) -> bool:
    """Say whether a message can be published under `text` [MQTT-3.3.2-2, MQTT-4.7.3-1]."""
    return text != "" and "+" not in text and "#" not in text and "\0" not in text


def is_topic_filter(text: str) -> bool:
    """Say whether `text` can be subscribed to: a wildcard fills a level, `#` the last one.

    [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1, MQTT-4.7.3-2]
    """
    if is_topic_name(text):
        return True
    if text == "" or "\0" in text or "#" in text[:-1]:
        return False
    return all(level in _WILDCARDS or is_plain(level) for level in text.split("/"))


def is_plain(level: str) -> bool:
    """Say whether a level, or a whole filter, has no wildcard in it."""
    return "+" not in level and "#" not in level


def _frame(head: int, body: bytes) -> bytes:
    """Put first byte and remaining length in front of `body`."""
    size = len(body)
    if size <= _SHORT_MAX:
        return bytes((head, size)) + body
    if size > _LENGTH_MAX:
        raise UsageError(f"an MQTT packet of {size} bytes; the limit is {_LENGTH_MAX}")
    prefix = bytearray((head,))
    while size > _SHORT_MAX:
        prefix.append(size & _SHORT_MAX | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + body


def _word(value: int) -> bytes:
    if not 0 <= value <= _WORD_MAX:
        raise UsageError(f"{value} is outside 0..{_WORD_MAX}")
    return _WORD.pack(value)


def _id(value: int) -> bytes:
    if value == 0:
        raise UsageError("this packet needs a packet identifier from 1 on [MQTT-2.3.1-1]")
    return _word(value)


def _sized(data: bytes) -> bytes:
    return _word(len(data)) + data


def _text(text: str) -> bytes:
    if "\0" in text:
        raise UsageError("a text of MQTT has no NUL character [MQTT-1.5.3-2]")
    return _sized(text.encode())


def _check_qos(qos: int) -> int:
    if not 0 <= qos <= QOS_MAX:
        raise UsageError(f"quality of service {qos} is outside 0..{QOS_MAX}")
    return qos
