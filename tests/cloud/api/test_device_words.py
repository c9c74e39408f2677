"""Messages in the version of the device, whichever that is."""

import msgspec
import pytest

from firmware_sim.rng import Rng
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from firmware_sim.wire.mqtt_payload import PayloadVersion
from fleet.cloud.api import device_words
from fleet.cloud.api.device_words import Words
from fleet.cloud.devices import Device
from fleet.cloud.settings import Settings

DEVICE = Device("uuid", "authkey0authkey0", "pid", dev_id="dev", local_key="localkey0localke")
MESSAGE = b'{"protocol":5,"t":1,"data":{}}'
VERSIONS = {"": b"2.2", "2.1": b"2.1", "2.2": b"2.2", "2.3": b"2.3"}


def words(first: str = "both") -> Words:
    settings = msgspec.structs.replace(Settings(), first_message_version=first)
    return Words(settings, Rng(3).bytes)


@pytest.mark.parametrize("generation", VERSIONS)
def test_an_activated_device_is_told_in_its_own_version(generation: str) -> None:
    device = msgspec.structs.replace(DEVICE, generation=generation)
    payload = words().wrap(device, MESSAGE)
    assert payload[:3] == VERSIONS[generation]
    assert mqtt_payload.decode(aes_key(DEVICE.local_key), payload).protocol == 5
    assert device_words.version_for(device) is PayloadVersion(payload[:3])
    assert device_words.unwrap(device, payload).protocol == 5
    assert device_words.generation_of(payload) == (generation or "2.2")


@pytest.mark.parametrize(
    ("first", "generation", "told"),
    [
        ("both", "", [b"2.2", b"2.3"]),
        ("2.2", "", [b"2.2"]),
        ("2.3", "", [b"2.3"]),
        ("both", "2.1", [b"2.1"]),
        ("2.3", "2.2", [b"2.2"]),
    ],
)
def test_one_that_waits_is_told_in_each_version_that_it_may_read(
    first: str, generation: str, told: list[bytes]
) -> None:
    device = msgspec.structs.replace(DEVICE, generation=generation)
    payloads = words(first).wrap_first(device, MESSAGE)
    assert [payload[:3] for payload in payloads] == told
    for payload in payloads:
        assert mqtt_payload.decode(aes_key(DEVICE.auth_key), payload).protocol == 5


def test_no_nonce_and_no_number_twice() -> None:
    talk = words()
    newest = msgspec.structs.replace(DEVICE, generation="2.3")
    first, second = talk.wrap(newest, MESSAGE), talk.wrap(newest, MESSAGE)
    assert first[12:24] != second[12:24]
    assert [int.from_bytes(payload[3:7], "big") for payload in (first, second)] == [1, 2]


def test_a_crc_does_not_count() -> None:
    payload = bytearray(words().wrap(DEVICE, MESSAGE))
    payload[3] ^= 1
    assert device_words.unwrap(DEVICE, bytes(payload)).protocol == 5
