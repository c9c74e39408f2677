"""Targets and headers, without a connection; with one: tests/live/cloud/edge/test_headers.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.edge.http_head import lines, target_of, told_of


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        (b"/x?a=b", "/x?a=b", ""),
        (b"/x?a=/b?c#d", "/x?a=/b?c", ""),
        (b"//x/y", "//x/y", ""),
        (b"/%FF%2F", "/%FF%2F", ""),
        (b"*", "*", ""),
        (b"http://h", "/", "h"),
        (b"http://h?a=b//c", "/?a=b//c", "h"),
        (b"HTTP://h:80/x", "/x", "h:80"),
        (b"http://[::1]:80/x", "/x", "[::1]:80"),
        (b"h:80", "", ""),
        (b"", "", ""),
        (b"/a b", "", ""),
        (b"http:///x", "", ""),
    ],
)
def test_a_target_is_path_and_query_and_perhaps_a_host(url: bytes, target: str, host: str) -> None:
    assert target_of(url) == (target, host)


@given(st.binary(max_size=40))
def test_any_target_is_understood_or_not(url: bytes) -> None:
    target, host = target_of(url)
    assert target or not host
    assert target_of(b"/" + url)[0].isascii()


def test_only_what_is_read_or_signed_is_told() -> None:
    headers = [(b"t", b"1"), (b"signature-headers", b"a:b"), (b"b", b"\xe9"), (b"c", b"2")]
    assert told_of(headers) == {"t": "1", "signature-headers": "a:b", "b": "é"}
    assert told_of([(b"t", b"1"), (b"t", b"2")]) == {"t": "2"}


def test_a_line_is_one_line() -> None:
    assert lines([("location", "/\r\nx: y\x00é"), ("a", "b")]) == b"location: /  x: y ?\r\na: b\r\n"
