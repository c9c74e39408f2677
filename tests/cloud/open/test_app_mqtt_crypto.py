"""The envelope of a message to a user's program, opened as the vendor's client opens it."""

import base64
import json

import pytest

from firmware_sim.errors import PeerError
from firmware_sim.rng import Rng
from firmware_sim.wire.ciphers import ecb_decrypt, gcm_decrypt
from fleet.cloud.open.app_mqtt_crypto import ECB_VERSION, GCM_VERSION, envelope

PASSWORD = "1893f705127e974fb43bacad3c2f6183"
KEY = b"127e974fb43bacad"
PLAIN = '{"devId":"bf1","name":"Küche"}'.encode()
T_MS = 1_700_000_000_000


def sealed(version: str) -> dict[str, object]:
    text = envelope(version, PASSWORD, 20, PLAIN, T_MS, Rng(1).bytes)
    assert text.isascii()
    opened: dict[str, object] = json.loads(text)
    assert list(opened) == ["protocol", "pv", "t", "data", "sign"]
    assert (opened["protocol"], opened["t"]) == (20, T_MS)
    return opened


def test_version_1_is_ecb() -> None:
    data = base64.b64decode(str(sealed(ECB_VERSION)["data"]))
    assert ecb_decrypt(KEY, data) == PLAIN


def test_version_2_is_gcm_with_the_time_authenticated() -> None:
    data = base64.b64decode(str(sealed(GCM_VERSION)["data"]))
    assert int.from_bytes(data[:4], "big") == 12
    assert gcm_decrypt(KEY, data[4:16], data[16:], str(T_MS).encode()) == PLAIN
    with pytest.raises(PeerError):
        gcm_decrypt(KEY, data[4:16], data[16:], b"1")


def test_no_two_messages_of_version_2_look_alike() -> None:
    chance = Rng(1).bytes
    texts = {envelope(GCM_VERSION, PASSWORD, 4, PLAIN, T_MS, chance) for _ in range(3)}
    assert len(texts) == 3
