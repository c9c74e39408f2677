"""The decoder and the broker, fed with anything."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.cloud.broker.fuzzing import decode_anything, talk_anything


@given(st.binary(max_size=300))
@example(b"\x30\xff\xff\xff\x7f")
@example(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
def test_the_decoder(data: bytes) -> None:
    decode_anything(data)


@settings(max_examples=150)
@given(st.binary(min_size=50, max_size=600))
def test_the_broker(data: bytes) -> None:
    talk_anything(data)
