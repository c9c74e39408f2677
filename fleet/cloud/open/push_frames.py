"""What goes over a consumer's WebSocket: JSON of messages one way, of acknowledgements the other.

The form is that of Apache Pulsar's WebSocket API ("Pulsar WebSocket API", pulsar.apache.org;
apache/pulsar, pulsar-websocket/src/main/java/org/apache/pulsar/websocket/ConsumerHandler.java).
The payload is the vendor's envelope (`fleet.cloud.open.push_crypto`).
"""

import binascii
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import msgspec

from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud.open.push_crypto import Encryption
from fleet.cloud.push_backlog import PRODUCTION, PushMessage

IDS_PER_MS = 4_096
PARTITIONS = 11  # of the production topic; the test topic has none

_NAME_SIZE_MAX = 64  # ours have 16; to read a long one takes its square in time
_DIGIT, _MORE = 0x7F, 0x80
_LEDGER, _ENTRY, _PARTITION = b"\x08", b"\x10", b"\x18"  # fields 1 to 3, varints


class Delivery(msgspec.Struct, frozen=True, rename="camel"):
    """A message as a consumer gets it; `payload` is base64 of the envelope."""

    message_id: str
    payload: str
    properties: dict[str, str]
    publish_time: str
    redelivery_count: int


class Command(msgspec.Struct, frozen=True, rename="camel"):
    """What a consumer says: an acknowledgement, unless `type` is one of Pulsar's other commands."""

    message_id: str = ""
    type: str = ""


_OTHER_COMMANDS = frozenset({"permit", "unsubscribe", "negativeAcknowledge", "isEndOfTopic"})


def acknowledged(text: bytes) -> int | None:
    """Return the id of the message that a consumer acknowledges; None when it names none.

    Raises Malformed.
    """
    command = decode_json(Command, text)
    return None if command.type in _OTHER_COMMANDS else message_id(command.message_id)


def delivery(
    message: PushMessage, envelope: bytes, encryption: Encryption, redeliveries: int
) -> bytes:
    """Return the text of a message that was sent `redeliveries` times before."""
    published = datetime.fromtimestamp(message.time_ms / 1000, UTC)
    return encode_json(
        Delivery(
            message_id=message_name(message.id, message.topic),
            payload=b64encode(envelope).decode(),
            properties={"em": encryption.value} if encryption is Encryption.GCM else {},
            publish_time=published.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            redelivery_count=redeliveries,
        )
    )


def message_name(message_id: int, channel: str) -> str:
    """Return the name by which consumers know a message: base64 of Pulsar's MessageIdData.

    (apache/pulsar, pulsar-common/src/main/proto/PulsarApi.proto)
    """
    ledger, entry = divmod(message_id, IDS_PER_MS)
    data = _LEDGER + _varint(ledger) + _ENTRY + _varint(entry)
    if channel == PRODUCTION:
        data += _PARTITION + _varint(message_id % PARTITIONS)
    return b64encode(data).decode()


def message_id(name: str) -> int | None:
    """Return the id of a message of that name; None when there cannot be one."""
    if len(name) > _NAME_SIZE_MAX:
        return None
    try:
        data = b64decode(name, validate=True)
    except (binascii.Error, ValueError):
        return None
    ledger, rest = _read_varint(data.removeprefix(_LEDGER))
    entry, _ = _read_varint(rest.removeprefix(_ENTRY))
    return ledger * IDS_PER_MS + entry


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > _DIGIT:
        digits.append(number & _DIGIT | _MORE)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _read_varint(data: bytes) -> tuple[int, bytes]:
    """Return the number that `data` begins with, and what follows it."""
    number = 0
    for place, digit in enumerate(data):
        number |= (digit & _DIGIT) << 7 * place
        if not digit & _MORE:
            return number, data[place + 1 :]
    return number, b""
