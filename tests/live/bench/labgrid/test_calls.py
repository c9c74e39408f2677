"""Calls to a bench: answers, refusals in its own words, and time limits."""

import socket
from collections.abc import Iterator

import msgspec
import pytest

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.bench.labgrid.calls import Caller, to_json
from firmware_sim.errors import UsageError
from tests.live.bench.labgrid.stand_in import StandIn, serve


@pytest.fixture
def bench() -> Iterator[StandIn]:
    with serve() as bench:
        yield bench


@pytest.fixture
def caller(bench: StandIn) -> Iterator[Caller]:
    caller = Caller(bench.url + "/")
    yield caller
    caller.close()


def test_a_body_goes_out_and_one_comes_back(bench: StandIn, caller: Caller) -> None:
    bench.answer("POST /codes", '{"text": "x"}')
    assert caller.call("POST", "/codes", body=to_json(purpose="pair")) == b'{"text": "x"}'
    assert bench.asked == [("POST", "/codes", "application/json", b'{"purpose":"pair"}')]


def test_a_refusal_is_said_in_the_words_of_the_bench(bench: StandIn, caller: Caller) -> None:
    bench.answer("PUT /frame", '{"problem": "no code can be read in it"}', 422)
    with pytest.raises(UsageError, match="/frame: no code can be read in it"):
        caller.call("PUT", "/frame", body=b"GIF")


def test_what_does_not_come_in_time_is_not_seen(bench: StandIn, caller: Caller) -> None:
    bench.answer("POST /by-wire", '{"problem": "no device is found"}', 504)
    with pytest.raises(NotSeen, match="no device is found"):
        caller.call("POST", "/by-wire", body=b"{}")


def test_what_is_no_bench_is_quoted(bench: StandIn, caller: Caller) -> None:
    with pytest.raises(UsageError, match="HTTP 404 not here"):
        caller.call("GET", "/nowhere")
    bench.answer("GET /tones", "<html>")
    with pytest.raises(UsageError, match="this is no bench"):
        caller.ask("/tones", dict[str, int])


def test_an_answer_has_a_type(bench: StandIn, caller: Caller) -> None:
    bench.answer("GET /clock", '{"now_s": 5, "rate": 10}')

    class Time(msgspec.Struct):
        now_s: float
        rate: float

    assert caller.ask("/clock", Time) == Time(5, 10)


def test_nobody_there_is_said_at_once() -> None:
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        port = dead.getsockname()[1]
    caller = Caller(f"http://127.0.0.1:{port}")
    with pytest.raises(UsageError, match=r"no answer \(ConnectionError\)"):
        caller.call("GET")


def test_a_bench_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        caller = Caller(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(UsageError, match=r"no answer \(ReadTimeout\)"):
            caller.call("GET", answer_s=0.05)
        caller.close()


def test_a_table_has_rows_of_numbers(bench: StandIn, caller: Caller) -> None:
    bench.answer("GET /", "time_s,milliamps\n0.0,5\n0.5,6.25\n")
    assert caller.table("time_s,milliamps", {"duration_s": 1, "rate_hz": 2}) == [
        (0.0, 5.0),
        (0.5, 6.25),
    ]
    assert bench.asked[0].path == "/?duration_s=1&rate_hz=2"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "columns are ''"),
        ("a,b\n1,2\n", "columns are 'a,b'"),
        ("time_s,milliamps\n1\n", "too short"),
        ("time_s,milliamps\n1,2,3\n", "too long"),
        ("time_s,milliamps\n1,x\n", "could not convert"),
    ],
)
def test_what_is_no_table_is_refused(
    bench: StandIn, caller: Caller, text: str, problem: str
) -> None:
    bench.answer("GET /", text)
    with pytest.raises(UsageError, match=problem):
        caller.table("time_s,milliamps", {})


def test_a_password_of_a_url_is_not_told(bench: StandIn) -> None:
    place = bench.url.removeprefix("http://")
    caller = Caller(f"http://me:hush@{place}")
    with pytest.raises(UsageError) as told:
        caller.call("GET", "/nowhere")
    caller.close()
    assert str(told.value).startswith(f"http://{place}/nowhere: HTTP 404")
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        port = dead.getsockname()[1]
    lost = Caller(f"http://me:hush@127.0.0.1:{port}/x")
    with pytest.raises(UsageError) as told:
        lost.call("GET", "/y")
    assert str(told.value) == f"http://127.0.0.1:{port}/x/y: no answer (ConnectionError)"
    assert told.value.__suppress_context__
    with pytest.raises(UsageError, match=r"^http://127.0.0.1:99999/x is no URL: Port out of range"):
        Caller("http://me:hush@127.0.0.1:99999/x?key=hush")
