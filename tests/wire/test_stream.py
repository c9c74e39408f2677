from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire.stream import StreamDecoder

from .support import pieces


class Lines(StreamDecoder[bytes]):
    """Items of one size byte and as many bytes as it says."""

    def _measure(self, data: bytes, start: int) -> int:
        return 1 + data[start]

    def _parse(self, data: bytes, start: int, stop: int) -> bytes:
        return data[start + 1 : stop]


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(0, 30)))
def test_any_cut_of_a_stream_gives_the_same_items(items: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(bytes((len(item),)) + item for item in items)
    decoder = Lines(256)
    assert [found for piece in pieces(stream, sizes) for found in decoder.feed(piece)] == items
    assert decoder.pending_size == 0


def test_only_the_incomplete_item_is_held() -> None:
    decoder = Lines(256)
    assert decoder.feed(b"\x01a\x03bc") == [b"a"]
    assert decoder.pending_size == 3
    assert decoder.feed(b"d") == [b"bcd"]
    assert decoder.pending_size == 0


def test_nothing_fed_nothing_found() -> None:
    decoder = Lines(256)
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\x02a") == []
    assert decoder.feed(b"") == []
    assert decoder.feed(b"b") == [b"ab"]
