"""The diary of a cloud: what it shows of each step, and what it must not show."""

import json
import re

import pytest

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from fleet.cloud.edge.diary import LINES_MAX, Diary
from fleet.cloud.history import HistoryRow, Operation, Status
from fleet.cloud.messages import (
    ClockMoved,
    Commit,
    HttpRequested,
    PushRaised,
    SendReply,
    SendStream,
    StreamReceived,
    TellOperator,
)
from fleet.cloud.push_events import AdmitConsumer, ConsumerOpened, RefuseConsumer
from fleet.cloud.store.records import Put
from tests.cloud.support import START_MS

SECRET = "top0secret"


class Node:
    """Answers every event with the same effects."""

    def __init__(self, *effects: Effect) -> None:
        self.effects = list(effects)

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        return self.effects

    def next_deadline_ms(self) -> int | None:
        return START_MS + 5


def lines_of(event: Event, *effects: Effect) -> list[str]:
    """Return what the diary has after one step, without the time."""
    diary = Diary()
    node = diary.around(Node(*effects))
    assert node.handle(event, START_MS) == list(effects)
    assert node.next_deadline_ms() == START_MS + 5
    assert all(re.match(r"22:13:20\.000 ", line) for line in diary.lines)
    return [line[13:] for line in diary.lines]


def request(target: str, method: str = "GET") -> HttpRequested:
    headers = {"access_token": SECRET, "sign": SECRET}
    return HttpRequested(1, method, target, headers, SECRET.encode())


def reply(answer: object) -> SendReply:
    return SendReply(1, 200, json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("event", "effect", "line"),
    [
        (request("/v1.0/x"), reply({"success": True, "result": SECRET}), "GET /v1.0/x: ok"),
        (
            request(f"/v1.0/x?code={SECRET}"),
            reply({"success": False, "code": 1106, "msg": "permission deny", "tid": "1"}),
            "GET /v1.0/x: 1106 permission deny",
        ),
        (
            request("/console/v1/grants", "POST"),
            reply({"success": False, "code": "no_session", "msg": "log in first"}),
            "POST /console/v1/grants: no_session log in first",
        ),
        (
            request(f"/d.json?a=tuya.device.active&sign={SECRET}", "POST"),
            reply({"result": SECRET, "t": 1}),
            "POST /d.json tuya.device.active: 32 bytes",
        ),
        (request("/d.json?b=1", "POST"), SendReply(1, 200, b"?"), "POST /d.json: 1 bytes"),
        (
            request(f"/v1.0/token/{SECRET}"),
            SendReply(1, 200, b"[]"),
            "GET /v1.0/token/...: 2 bytes",
        ),
        (
            request(f"/v1.0/device/paring/tokens/{SECRET}"),
            reply({"success": True}),
            "GET /v1.0/device/paring/tokens/...: ok",
        ),
        (
            request(f"/console/v1/oem-links/{SECRET}/accept"),
            reply({"success": True}),
            "GET /console/v1/oem-links/.../accept: ok",
        ),
        (
            request(f"/app/v1/pair-tokens/{SECRET}"),
            reply({"success": True}),
            "GET /app/v1/pair-tokens/...: ok",
        ),
        (request("/é\x1b" + 200 * "x"), reply({"success": True}), rf"GET /\xe9\x1b{117 * 'x'}: ok"),
        (DeadlineReached(), PushRaised("online", "dev1", "p", b""), "push: online dev1"),
        (DeadlineReached(), PushRaised("", "dev1", "p", b""), "push: status report dev1"),
        (DeadlineReached(), PushRaised("userDelete", "", "", b"", uid="u1"), "push: userDelete u1"),
        (DeadlineReached(), TellOperator("not served"), "not served"),
        (ConsumerOpened(1, "/", "", "", SECRET), AdmitConsumer(1), "push: a consumer is connected"),
        (
            ConsumerOpened(1, "/", "", "", SECRET),
            RefuseConsumer(1, 401, "no"),
            "push: a consumer was refused with 401",
        ),
    ],
)
def test_a_step_is_a_line(event: Event, effect: Effect, line: str) -> None:
    assert lines_of(event, effect) == [line]
    assert SECRET not in line


def row(status: Status, reason: str) -> Put:
    return Put(
        HistoryRow(
            id=1,
            time_ms=START_MS,
            day="2023-11-14",
            account="a",
            owner="o",
            operation=Operation.UNBIND,
            method="qr",
            batch="b",
            uuid="cam1",
            dev_id="dev1",
            product_id="p",
            status=status,
            reason=reason,
        )
    )


def test_of_operations_it_shows_those_that_were_refused() -> None:
    commit = Commit((row(Status.REFUSED, "product_quota"), row(Status.OK, "")))
    assert lines_of(DeadlineReached(), commit) == ["unbind of cam1 refused: product_quota"]


def test_a_clock_that_was_moved_comes_before_what_fell_due() -> None:
    assert lines_of(ClockMoved(7_201_500), PushRaised("offline", "dev1", "p", b"")) == [
        "the clock was moved by 7201.5 s",
        "push: offline dev1",
    ]


def test_what_devices_say_to_the_broker_is_not_in_it() -> None:
    assert lines_of(StreamReceived(1, b"x"), SendStream(1, b"y")) == []


def test_the_oldest_lines_go() -> None:
    diary = Diary()
    node = diary.around(Node())
    for n in range(LINES_MAX + 5):
        node.handle(ClockMoved(1000 * n), START_MS)
    assert len(diary.lines) == LINES_MAX
    assert diary.lines[-1].endswith(f"by {LINES_MAX + 4} s")
