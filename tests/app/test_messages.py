"""The envelope of the console API, and that no struct shows a secret."""

from types import NoneType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed
from fleet.app.errors import CloudRefused
from fleet.app.messages import (
    Credentials,
    HistoryPage,
    LoggedIn,
    PairToken,
    UnbindToken,
    read_reply,
)

GOOD = b'{"success":true,"result":{"rows":[],"next":7},"t":1}'


def test_a_result_is_typed() -> None:
    assert read_reply(GOOD, HistoryPage) == HistoryPage((), 7)


def test_a_result_may_be_absent() -> None:
    assert read_reply(b'{"success":true}', NoneType) is None


def test_a_refusal_has_code_and_message() -> None:
    with pytest.raises(CloudRefused) as caught:
        read_reply(b'{"success":false,"code":"token_full","msg":"30 of 30","t":1}', int)
    assert (caught.value.code, caught.value.message) == ("token_full", "30 of 30")
    assert str(caught.value) == "the cloud refused: 30 of 30 (token_full)"


def test_a_refusal_without_reason_still_is_one() -> None:
    with pytest.raises(CloudRefused, match=r"unknown \(unknown\)|\(unknown\)"):
        read_reply(b'{"success":false}', int)


@pytest.mark.parametrize("size", range(len(GOOD)))
def test_a_cut_reply_is_a_peers_mistake(size: int) -> None:
    with pytest.raises(Malformed):
        read_reply(GOOD[:size], HistoryPage)


@pytest.mark.parametrize(
    "body", [b"[]", b"<html>", b'{"success":true,"result":3}', b'{"success":1}', b'"\xff"']
)
def test_something_else_is_a_peers_mistake(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_reply(body, HistoryPage)


@given(st.binary(max_size=64))
def test_garbage_is_a_peers_mistake(body: bytes) -> None:
    with pytest.raises((Malformed, CloudRefused)):
        read_reply(body, HistoryPage)


@pytest.mark.parametrize(
    "struct",
    [
        Credentials("ann", "s3cret"),
        LoggedIn("s3cret"),
        UnbindToken("s3cret", "b", "qr", 30, 1),
        PairToken("s3cret", 1),
    ],
)
def test_no_struct_shows_its_secret(struct: msgspec.Struct) -> None:
    assert "s3cret" not in repr(struct)
