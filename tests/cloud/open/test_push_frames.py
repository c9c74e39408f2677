"""The JSON over a consumer's WebSocket: deliveries, message ids, acknowledgements."""

import json
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed
from fleet.cloud.open.push_crypto import Encryption
from fleet.cloud.open.push_frames import acknowledged, delivery, message_id, message_name
from fleet.cloud.push_backlog import CHANNELS, PushMessage

MESSAGE = PushMessage(
    1_700_000_000_123 * 4_096 + 5, "c", "EU", "event", 20, 1_700_000_000_123, "{}"
)


@pytest.mark.parametrize(
    ("encryption", "properties"), [(Encryption.ECB, {}), (Encryption.GCM, {"em": "aes_gcm"})]
)
def test_a_delivery(encryption: Encryption, properties: dict[str, str]) -> None:
    assert json.loads(delivery(MESSAGE, b'{"a":1}', encryption, 3)) == {
        "messageId": message_name(MESSAGE.id, "event"),
        "payload": b64encode(b'{"a":1}').decode(),
        "properties": properties,
        "publishTime": "2023-11-14T22:13:20.123Z",
        "redeliveryCount": 3,
    }


def test_a_name_is_the_brokers_message_id() -> None:
    # MessageIdData of apache/pulsar: 1 ledger, 2 entry, 3 partition.
    data = b64decode(message_name(300 * 4_096 + 1, "event-test"))
    assert data == bytes.fromhex("08ac021001")
    assert b64decode(message_name(300 * 4_096 + 1, "event")) == data + b"\x18" + bytes(
        ((300 * 4_096 + 1) % 11,)
    )


@given(st.integers(0, 2**62), st.sampled_from(CHANNELS))
def test_names_and_ids_are_the_same_thing(number: int, channel: str) -> None:
    assert message_id(message_name(number, channel)) == number


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda data: b64encode(data).decode()))
def test_any_text_is_an_id_or_none(name: str) -> None:
    number = message_id(name)
    assert number is None or number >= 0


def test_no_name_is_long() -> None:
    # To read a number of so many digits would keep the cloud busy.
    assert message_id(b64encode(b"\x08" + b"\xff" * 50 + b"\x01").decode()) is None
    assert message_id(b64encode(b"\x08" + b"\xff" * 40 + b"\x01").decode()) is not None


def test_an_acknowledgement() -> None:
    name = message_name(MESSAGE.id, MESSAGE.topic)
    assert acknowledged(json.dumps({"messageId": name}).encode()) == MESSAGE.id
    assert acknowledged(b'{"messageId":"?"}') is None
    assert acknowledged(b'{"type":"permit","permitMessages":1}') is None


@pytest.mark.parametrize("text", [b"", b"7", b'{"messageId":1}', b'{"messageId":"\xff"}'])
def test_what_is_none(text: bytes) -> None:
    with pytest.raises(Malformed):
        acknowledged(text)
