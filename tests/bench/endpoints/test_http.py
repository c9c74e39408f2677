"""The table of a bench's calls, with a device that only writes down what is asked of it."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.bench.endpoints.calls import Unreadable, make_app
from firmware_sim.bench.endpoints.http import (
    About,
    CodeOrder,
    Happened,
    Now,
    Played,
    Purpose,
    Serial,
    Shown,
    Switch,
    Text,
    lines,
)
from firmware_sim.bench.trace import CurrentTrace, LedTrace


class Paper:
    """A device on paper."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.done: list[object] = []
        self.on: dict[Switch, bool] = {"power": False, "button": False, "link": True}

    def about(self) -> About:
        at = Serial("/dev/pts/9", 1, 2)
        return About(self.index, "nvr", "u", "127.0.0.1", False, "off", at, at, False, "")

    def is_on(self, switch: Switch) -> bool:
        return self.on[switch]

    def switch(self, switch: Switch, *, on: bool) -> None:
        self.on[switch] = on

    async def show_picture(self, content: bytes) -> None:
        self.done.append(content)
        if not content:
            raise Unreadable("the picture: nothing in it")

    def show_text(self, text: str) -> None:
        self.done.append(text)

    def hide(self) -> None:
        self.done.append(None)

    def shown(self) -> Shown:
        return Shown(bool(self.done and self.done[-1]))

    async def led(self, duration_s: float, rate_hz: float, from_s: float | None) -> LedTrace:
        self.done.append(from_s)
        count = int(duration_s * rate_hz)
        return LedTrace(1234.5678 + np.arange(count) / rate_hz, np.full((count, 3), 0.25))

    async def current(self, duration_s: float, rate_hz: float) -> CurrentTrace:
        return CurrentTrace(np.array([0.5]), np.array([210.4]))

    async def audio(self, duration_s: float) -> bytes:
        return b"RIFF"

    def tones(self, since_s: float) -> Sequence[Played]:
        return [Played(since_s, 2)]

    def happenings(self, since_s: float) -> Sequence[Happened]:
        return [Happened(since_s, "It starts.")]

    async def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        return f"{purpose} {wifi_password}"

    async def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        raise NotSeen(f"nobody is there within {timeout_s:g} s")


class Table:
    """Two devices."""

    def __init__(self) -> None:
        self.papers = [Paper(0), Paper(1)]

    @property
    def stands(self) -> Sequence[Paper]:
        return self.papers

    def clock(self) -> Now:
        return Now(12.5, 10.0)


def call(method: str, path: str, table: Table | None = None, **more: Any) -> httpx.Response:
    app = make_app(lines(table or Table()))

    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as caller:
            return await caller.request(method, path, **more)

    return asyncio.run(work())


def test_the_clock_and_the_devices() -> None:
    assert call("GET", "/clock").json() == {"now_s": 12.5, "rate": 10.0}
    assert [about["index"] for about in call("GET", "/devices").json()] == [0, 1]
    about = call("GET", "/devices/1").json()
    assert about["uart"] == {"terminal": "/dev/pts/9", "raw_port": 1, "rfc2217_port": 2}
    assert call("GET", "/devices/2").json()["problem"].startswith("there is no device 2")


@pytest.mark.parametrize("switch", ["power", "button", "link"])
def test_a_switch_is_one_digit_both_ways(switch: Switch) -> None:
    table = Table()
    for value in "101":
        assert call("PUT", f"/devices/1/{switch}", table, content=value).status_code == 204
        assert call("GET", f"/devices/1/{switch}", table).text == value
    assert table.papers[0].on != table.papers[1].on or switch == "link"


@pytest.mark.parametrize("content", ["", "2", "on", " 1", "1\n", "true", "\x00"])
def test_a_switch_takes_nothing_else(content: str) -> None:
    reply = call("PUT", "/devices/0/power", content=content)
    assert (reply.status_code, reply.json()) == (
        400,
        {"problem": "power: the body has to be 0 or 1"},
    )


def test_a_code_a_picture_and_nothing_before_the_lens() -> None:
    table = Table()
    path, text, png = (
        "/devices/0/frame",
        {"content-type": "text/plain; charset=utf-8"},
        {"content-type": "image/png"},
    )
    assert call("PUT", path, table, content="Grüße", headers=text).status_code == 204
    assert call("GET", path, table).json() == {"shown": True, "problem": ""}
    assert call("PUT", path, table, content=b"\x89PNG", headers=png).status_code == 204
    assert call("DELETE", path, table).status_code == 204
    assert table.papers[0].done == ["Grüße", b"\x89PNG", None]
    assert call("PUT", path, table, content=b"", headers=png).status_code == 422
    assert "Content-Type" in call("PUT", path, table, content=b"x").json()["problem"]
    assert call("PUT", path, table, content=b"x" * 5000, headers=text).status_code == 400


def test_traces_are_tables() -> None:
    rows = call("GET", "/devices/0/led?duration_s=0.02&rate_hz=100").text.splitlines()
    assert rows == [
        "time_s,red,green,blue",
        "1234.5678,0.25,0.25,0.25",
        "1234.5778,0.25,0.25,0.25",
    ]
    assert call("GET", "/devices/0/led?duration_s=0").text == "time_s,red,green,blue\n"
    current = call("GET", "/devices/0/current?duration_s=1&rate_hz=1")
    assert (current.text, current.headers["content-type"]) == (
        "time_s,milliamps\n0.5000,210.4\n",
        "text/csv; charset=utf-8",
    )


def test_a_window_may_have_begun_where_the_last_one_ended() -> None:
    table = Table()
    call("GET", "/devices/0/led?duration_s=1", table)
    call("GET", "/devices/0/led?duration_s=1&from_s=12.25", table)
    assert table.papers[0].done == [None, 12.25]


@pytest.mark.parametrize(
    "query",
    ["", "duration_s=-1", "duration_s=61", "duration_s=nan", "duration_s=1&rate_hz=0", "x=1"],
)
def test_a_window_has_bounds(query: str) -> None:
    assert call("GET", f"/devices/0/led?{query}").status_code == 400


def test_what_is_heard_and_what_happened() -> None:
    assert call("GET", "/devices/0/audio.wav?duration_s=1").content == b"RIFF"
    assert call("GET", "/devices/0/tones?since_s=2.5").json() == [{"at_s": 2.5, "tone": 2}]
    assert call("GET", "/devices/0/happenings").json() == [{"at_s": 0.0, "text": "It starts."}]


def test_the_phone() -> None:
    def post(path: str, **order: object) -> httpx.Response:
        return call("POST", f"/devices/0/phone/{path}", json=order)

    assert post("codes", purpose="pair").json() == {"text": "pair None"}
    assert post("codes", purpose="unbind", wifi_password="x").json() == {"text": "unbind x"}
    reply = post("by-wire", purpose="pair", timeout_s=3)
    assert (reply.status_code, reply.json()["problem"]) == (504, "nobody is there within 3 s")
    for odd in ({}, {"purpose": "sell"}, {"purpose": "pair", "timeout_s": 0}, {"purpose": 1}):
        assert post("by-wire", **odd).status_code == 400


def test_codes_and_passwords_are_not_shown() -> None:
    assert "secret" not in repr(Text("secret")) + repr(CodeOrder("pair", "secret"))


METHODS = st.sampled_from(["GET", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"])
PLACES = st.sampled_from(
    [
        "power",
        "button",
        "link",
        "frame",
        "led",
        "current",
        "tones",
        "phone/codes",
        "phone/by-wire",
        "",
    ]
)
TYPES = st.sampled_from(["", "text/plain", "image/png", "application/json", "text/html", "\x80"])


@settings(max_examples=60)
@given(METHODS, st.text(max_size=4), PLACES, TYPES, st.binary(max_size=200))
def test_whatever_is_sent_is_answered_in_one_sentence(
    method: str, index: str, place: str, kind: str, content: bytes
) -> None:
    path = f"/devices/{quote(index, safe='') or 0}/{place}"
    headers = {"content-type": kind.encode("latin-1")}
    reply = call(method, path, content=content, headers=headers)
    assert reply.status_code < 500 or reply.status_code == 504
    if reply.status_code >= 400:
        assert list(reply.json()) == ["problem"]
        assert "\n" not in reply.json()["problem"]


@pytest.mark.parametrize("since_s", ["nan", "inf", "-inf", "1e308", "-1e308"])
@pytest.mark.parametrize("what", ["tones", "happenings"])
def test_since_when_is_a_time_that_can_be(what: str, since_s: str) -> None:
    answer = call("GET", f"/devices/0/{what}?since_s={since_s}")
    assert (answer.status_code, "since_s" in answer.json()["problem"]) == (400, True)


def test_all_callers_together_have_so_many_samples_on_order() -> None:
    table = Table()
    app = make_app(lines(table))

    async def work() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as caller:
            path = "/devices/0/led?duration_s=60&rate_hz=1000"
            asked = [asyncio.create_task(caller.get(path)) for _ in range(101)]
            return [(await one).status_code for one in asked]

    for paper in table.papers:
        paper.led = _never_mind  # type: ignore[method-assign]
    codes = asyncio.run(work())
    assert (codes.count(200), codes.count(503)) == (100, 1)


async def _never_mind(duration_s: float, rate_hz: float, from_s: float | None) -> LedTrace:
    for _ in range(1000):
        await asyncio.sleep(0)
    return LedTrace(np.zeros(0), np.zeros((0, 3)))
