"""What the bodies of answers mean, and that nothing else gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed
from firmware_sim.wire import lan_body
from firmware_sim.wire.lan_body import ChildStatus, Status
from firmware_sim.wire.lan_frame import Command, Frame
from fleet.app.lan_happenings import (
    REFUSAL_SIZE_MAX,
    Acknowledged,
    Answer,
    Reason,
    Refused,
    read_answer,
)
from tests.wire.support import outcome


def frame(command: Command, return_code: int = 0) -> Frame:
    return Frame(1, command, b"still sealed", return_code)


@pytest.mark.parametrize(
    ("command", "body", "answer"),
    [
        (Command.DP_QUERY, b'{"devId":"d","dps":{"1":true}}', Status({1: True}, None, "d")),
        (Command.DP_QUERY_NEW, b'{"dps":{"1":5},"cid":"c"}', Status({1: 5}, "c")),
        (
            Command.EXT_STREAM,
            b'{"reqType":"subdev_online_stat_report","data":{"online":["a"],"offline":["b"]}}',
            ChildStatus(("a",), ("b",)),
        ),
        (Command.CONTROL, b"", Acknowledged(0)),
        (Command.DP_REFRESH, b"{}", Acknowledged(0)),
    ],
)
def test_each_command_has_its_answer(command: Command, body: bytes, answer: Answer) -> None:
    assert read_answer(frame(command), body) == answer


def test_vendor_firmware_acknowledges_with_code_1() -> None:
    assert read_answer(frame(Command.CONTROL_NEW, 1), b"") == Acknowledged(1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lan_body.NOTHING_TO_REPORT, Reason.NOTHING_TO_REPORT),
        (lan_body.BAD_FORMAT, Reason.BAD_FORMAT),
        (lan_body.BAD_DATA, Reason.BAD_DATA),
        (lan_body.WRONG_DEVICE, Reason.WRONG_DEVICE),
        (b"out of paper", Reason.OTHER),
    ],
)
@pytest.mark.parametrize("command", [Command.DP_QUERY, Command.CONTROL, Command.EXT_STREAM])
def test_a_text_is_an_error(command: Command, text: bytes, reason: Reason) -> None:
    assert read_answer(frame(command, 1), text) == Refused(reason, text.decode())


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]\n", b"\xff\xfe", "schön".encode(), b"x" * (REFUSAL_SIZE_MAX + 1)]
)
def test_a_query_is_not_answered_by_anything_else(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_answer(frame(Command.DP_QUERY), body)


@given(st.sampled_from(list(Command)), st.binary(max_size=200))
def test_garbage_is_an_answer_or_a_peers_mistake(command: Command, body: bytes) -> None:
    assert isinstance(outcome(read_answer, frame(command), body), Answer | Malformed)
