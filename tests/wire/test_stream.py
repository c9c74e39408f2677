import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, TooLarge
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


def test_a_changed_limit_holds_from_the_next_item_on() -> None:
    class Limited(Lines):
        def _measure(self, data: bytes, start: int) -> int:
            if data[start] > self.size_max:
                raise TooLarge("beyond the limit")
            return super()._measure(data, start)

    decoder = Limited(1)
    found = []
    for item in decoder.each(b"\x01a\x03bcd\x02e"):
        found.append(item)
        decoder.size_max = 3
    assert found == [b"a", b"bcd"]
    assert decoder.feed(b"f") == [b"ef"]


def test_what_is_in_front_of_a_bad_item_is_told_before_the_error() -> None:
    class Picky(Lines):
        def _parse(self, data: bytes, start: int, stop: int) -> bytes:
            if stop - start == 1:
                raise Malformed("empty")
            return super()._parse(data, start, stop)

    items = Picky(256).each(b"\x01a\x00\x01b")
    assert next(items) == b"a"
    with pytest.raises(Malformed):
        next(items)


def test_nothing_fed_nothing_found() -> None:
    decoder = Lines(256)
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\x02a") == []
    assert decoder.feed(b"") == []
    assert decoder.feed(b"b") == [b"ab"]
