"""The QR code on a device, and whatever else a camera may read in its place."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire.device_code import (
    SIZE_MAX,
    DeviceCode,
    decode_device_code,
    encode_device_code,
)

# As the format string in tuya/tuya-connect-kit-for-mqtt-embedded-c, examples/
# switch_demo_non_qrcode/switch_demo_non_qrcode.c, writes it.
GOLDEN = "https://smartapp.tuya.com/s/p?p=camera0000000001&uuid=uuid0001&v=2.0"
CODE = DeviceCode("camera0000000001", "uuid0001")
IDS = st.from_regex(r"[0-9A-Za-z_-]{1,16}", fullmatch=True)


def test_golden_both_ways() -> None:
    assert encode_device_code(CODE) == GOLDEN
    assert decode_device_code(GOLDEN) == CODE


@given(IDS, IDS)
def test_round_trip(product_id: str, uuid: str) -> None:
    code = DeviceCode(product_id, uuid)
    assert decode_device_code(encode_device_code(code)) == code


def test_further_fields_are_ignored() -> None:
    assert decode_device_code(f"{GOLDEN}&lang=de") == CODE


def test_it_means_nothing_cut_off_anywhere_before_its_uuid_begins() -> None:
    for size in range(GOLDEN.index("uuid0001")):
        with pytest.raises(Malformed):
            decode_device_code(GOLDEN[:size])


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"s":"shop","p":"secret","t":"EUabcd1234pr_0"}',
        GOLDEN.replace("https", "http"),
        GOLDEN.replace("smartapp", "stupidapp"),
        GOLDEN.replace("/s/p", "/s/q"),
        GOLDEN.replace("uuid0001", "uuid%000"),
        GOLDEN.replace("uuid0001", "u" * 26),
        GOLDEN + "&x=1" * 9,
        "https://[smartapp",
    ],
)
def test_other_texts(text: str) -> None:
    with pytest.raises(Malformed):
        decode_device_code(text)


def test_long_texts() -> None:
    with pytest.raises(TooLarge):
        decode_device_code("x" * (SIZE_MAX + 1))


@given(st.text(max_size=SIZE_MAX + 9) | st.text(max_size=40).map(lambda text: f"{GOLDEN}{text}"))
def test_garbage(text: str) -> None:
    with contextlib.suppress(PeerError):
        assert decode_device_code(text).uuid


@pytest.mark.parametrize("code", [DeviceCode("", "x"), DeviceCode("x", ""), DeviceCode("x", "&")])
def test_ids_that_no_device_has(code: DeviceCode) -> None:
    with pytest.raises(UsageError, match="device code"):
        encode_device_code(code)
