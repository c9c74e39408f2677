"""Calls to the cloud: what they carry, and replies that cannot be read."""

import pytest

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.device.cloud_calls import Call
from firmware_sim.device.flash import Flash, ResetKind
from firmware_sim.wire import atop_messages as messages
from tests.device.stage import (
    AUTH_KEY,
    CODE,
    DEV_ID,
    UUID,
    Stage,
)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b'{"httpsSelfUrl":1}'])
def test_a_reply_that_cannot_be_read_is_a_failed_call(body: bytes) -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply(body)
    assert "bad_reply" in stage.notes()
    assert stage.state == "ACTIVATING"
    stage.tell(ev.HttpReplied(1, 200, b"late"))
    assert stage.state == "ACTIVATING"


def test_activation_carries_the_old_device_id() -> None:
    flash = Flash(dev_id=DEV_ID, last_reset=ResetKind.LOCAL_FACTORY)
    stage = Stage(flash=flash.image()).boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    stage.reply_servers()
    from firmware_sim.wire import atop

    body = atop.decode_request_body(stage.last(fx.SendHttp).body, AUTH_KEY)
    request = messages.decode(body, messages.ActivationRequest)
    assert (request.dev_id, request.token) == (DEV_ID, "abcd1234")
    query = atop.decode_query(stage.last(fx.SendHttp).target)
    assert (query.uuid, query.dev_id) == (UUID, None)
    atop.check_sign(query, AUTH_KEY)


def test_a_late_reply_does_not_answer_the_next_call() -> None:
    stage = Stage().boot()
    stage.tell(ev.FrameDecoded(CODE))
    stage.tell(ev.WifiJoined("127.1.0.1"))
    first = stage.last(fx.SendHttp).call
    stage.tell(ev.HttpFailed(first, "timeout"))
    stage.wait(1000)
    assert stage.tell(ev.HttpReplied(first, 200, b"{}")) == []
    stage.reply_servers()
    assert stage.device.call is Call.ACTIVATE
