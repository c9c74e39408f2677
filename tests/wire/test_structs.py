import msgspec
import pytest

from firmware_sim.errors import Malformed
from firmware_sim.wire.provisioning import QrText
from firmware_sim.wire.structs import decode_json, encode_json


class Sample(msgspec.Struct):
    name: str
    size: int = 0


def test_json_is_compact_utf8() -> None:
    assert encode_json({"name": "Café", "size": 1}) == '{"name":"Café","size":1}'.encode()


def test_decoding_ignores_unknown_keys() -> None:
    assert decode_json(Sample, b'{"name":"a","more":[1]}') == Sample("a")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b'{"size":1}', "missing required field `name`"),
        (b'{"name":1}', "Expected `str`"),
        (b'{"name":"\xff"}', "not UTF-8"),
        (b'{"name":"\\ud800"}', "JSON"),
        (b'{"name":"a"}x', "trailing"),
        (b'{"more":' + b"[" * 100_000, "nested too deeply"),
        (b'{"name":"a","size":' + b"9" * 5_000 + b"}", "out of range"),
    ],
)
def test_bad_json_is_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        decode_json(Sample, data)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_messages_do_not_quote_text() -> None:
    with pytest.raises(Malformed) as caught:
        decode_json(list[QrText], b'[{"s":1,"p":"hunter22","t":"secret"}]')
    assert "hunter22" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    assert repr(QrText("home", "hunter22", "AYnqMwn1NdreKE")) == (
        "QrText(ssid='home', password=***, token=***)"
    )
