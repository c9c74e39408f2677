"""The gateway: what is asked of a call, and the envelope around the answer."""

import re
from typing import Any

import msgspec
import pytest

from firmware_sim.rng import Rng
from fleet.cloud.messages import HttpRequested
from fleet.cloud.open.codes import Code
from fleet.cloud.open.gateway import tid_of
from fleet.cloud.open.signing import Signed, digest, text_v1, texts_v2
from tests.cloud.open.program import (
    ACCESS_ID,
    OTHER_ID,
    OTHER_SECRET,
    SECRET,
    Program,
    connected,
    open_world,
)
from tests.cloud.support import SETTINGS, START_MS, assert_reloads

ECHO = "/v1.0/echo/it"


def settings(**choices: Any) -> Any:
    return msgspec.structs.replace(SETTINGS, **choices)


# --- the envelope -------------------------------------------------------------------------------


def test_a_success_has_result_t_and_tid_and_no_code() -> None:
    program = connected(open_world())
    envelope = program.call("GET", ECHO, {"b": "x y", "a": "ü,/&+%"})
    assert list(envelope) == ["result", "success", "t", "tid"]
    assert envelope["success"] is True
    assert envelope["t"] == START_MS
    assert envelope["result"] == {
        "caller": ACCESS_ID,
        "region": "EU",
        "uid": "",
        "path": {"name": "it"},
        "query": {"a": "ü,/&+%", "b": "x y"},
        "body": "",
    }


def test_a_result_may_be_null() -> None:
    program = connected(open_world())
    assert program.call("GET", "/v1.0/echo/nothing")["result"] is None


def test_a_refusal_has_code_and_words_and_no_result() -> None:
    envelope = Program(open_world()).call("GET", ECHO)
    assert list(envelope) == ["code", "msg", "success", "t", "tid"]
    assert envelope["code"] == 1002
    assert envelope["msg"] == "access_token is null"
    assert envelope["success"] is False


def test_a_tid_has_the_form_of_a_version_1_uuid() -> None:
    entropy = Rng(3).bytes
    tids = [tid_of(START_MS, entropy) for _ in range(200)]
    assert len(set(tids)) == 200
    form = re.compile(r"[0-9a-f]{8}[0-9a-f]{4}1[0-9a-f]{3}[89ab][0-9a-f]{3}[0-9a-f]{12}")
    assert all(form.fullmatch(tid) for tid in tids)
    ticks = int(tids[0][13:16] + tids[0][8:12] + tids[0][:8], 16)
    assert (ticks - 0x01B21DD213814000) // 10_000 == START_MS


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_ms", "fits"), [(-300_001, False), (-300_000, True), (300_000, True), (300_001, False)]
)
def test_a_signature_is_good_for_five_minutes(ahead_ms: int, *, fits: bool) -> None:
    program = connected(open_world())
    program.ahead_ms = ahead_ms
    assert program.call("GET", ECHO)["success"] is fits


def test_how_far_a_clock_may_be_ahead_is_a_setting() -> None:
    program = connected(open_world(settings(open_future_window_s=0)))
    program.ahead_ms = 1
    assert program.code("GET", ECHO) == 1013
    program.ahead_ms = -300_000
    assert program.call("GET", ECHO)["success"]


@pytest.mark.parametrize(
    "t",
    [
        *(
            "",
            "0",
            "1700000000",
            "17000000000000",
            "170000000000",
            "-1700000000000",
            "1_700_000_0000",
        ),
        *("170000000000.", " 170000000000", "١٧٠٠٠٠٠٠٠٠٠٠٠", "x"),
    ],
)
def test_a_time_is_13_digits(t: str) -> None:
    assert Program(open_world()).code("GET", ECHO, change={"t": t}) == 1013


def test_a_call_may_be_repeated_as_it_is() -> None:
    world = open_world()
    program = connected(world)
    headers = program.headers("GET", ECHO, {}, b"", program.token)
    for _ in range(3):
        world.now_ms += 60_000
        assert program.send("GET", ECHO, b"", headers)["success"]


# --- signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["client_id", "sign", "sign_method", "t", "access_token"])
def test_a_header_that_is_missing_counts_as_a_wrong_one(name: str) -> None:
    program = connected(open_world())
    headers = program.headers("GET", ECHO, {}, b"", program.token)
    del headers[name]
    code = program.send("GET", ECHO, b"", headers)["code"]
    assert code == {"client_id": 1005, "t": 1013}.get(name, 1004)


def test_signed_headers_of_other_clients_come_through() -> None:
    program = connected(open_world())
    body = '{"name": "Küche"}'.encode()
    typed = {"Content-type": "application/json"}
    assert program.call("POST", ECHO, {"z": "1", "a": "2"}, body, extra=typed)["success"]
    code = program.code("POST", ECHO, {}, body, extra=typed, change={"content-type": "x"})
    assert code == 1004


def test_the_key_of_another_project_does_not_fit() -> None:
    world = open_world()
    assert Program(world, ACCESS_ID, OTHER_SECRET).code("GET", ECHO) == 1004
    assert Program(world, OTHER_ID, SECRET).code("GET", ECHO) == 1004
    assert connected(world, access_id=OTHER_ID, secret=OTHER_SECRET).call("GET", ECHO)["success"]


def test_the_token_of_another_project_does_not_fit() -> None:
    world = open_world()
    program = connected(world)
    program.token = connected(world, access_id=OTHER_ID, secret=OTHER_SECRET).token
    assert program.code("GET", ECHO) == 1010


def test_where_token_time_and_nonce_meet_no_digit_can_move() -> None:
    """They stand side by side in the signed text, so only the form of the time keeps them apart."""
    program = connected(open_world())
    headers = program.headers("GET", ECHO, {}, b"", program.token)
    t = headers["t"]
    moved = [
        {"access_token": program.token + t[0], "t": t[1:]},
        {"t": t[:-1], "nonce": t[-1]},
        {"access_token": program.token[:-1], "t": program.token[-1] + t},
        {"access_token": "", "t": program.token + t},
    ]
    codes = [program.send("GET", ECHO, b"", {**headers, **each})["code"] for each in moved]
    assert codes == [1013, 1013, 1013, 1013]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "x\nGET"},
        {"signature-headers": "a\n\n/v1.0/echo/other", "a": "1"},
        {"signature-headers": "a:b", "a": "1\nb:2"},
        {"access_token": "\udc80\u4e2d"},
        {"sign": "\u0130" * 64},
        {"client_id": "\x00"},
        {"client_id": "x' OR '1'='1"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
def test_nothing_in_a_header_gets_past(change: dict[str, str]) -> None:
    program = connected(open_world())
    assert program.code("POST", ECHO, {}, b'{"a": 1}', change=change) in (1004, 1005)


@pytest.mark.parametrize(
    "change", [{"signature-headers": ":" * 5_000}, {"host": "\udc80:99999"}, {"lang": "\x00"}]
)
def test_what_is_not_signed_may_be_anything(change: dict[str, str]) -> None:
    assert connected(open_world()).call("POST", ECHO, {}, b"{}", change=change)["success"]


def test_a_raw_octet_in_the_target_is_signed_and_read_as_it_is() -> None:
    program = connected(open_world())
    headers = program.headers("GET", "/v1.0/echo/Küche", {}, b"", program.token)
    raw = "/v1.0/echo/Küche".encode().decode("latin-1")
    assert program.send("GET", raw, b"", headers)["result"]["path"] == {"name": "Küche"}


def test_a_query_that_is_not_utf8_is_illegal() -> None:
    program = connected(open_world())
    headers = program.headers("GET", ECHO, {}, b"", program.token)
    told = {"client_id": ACCESS_ID, "t": headers["t"]}
    signed = Signed("GET", ECHO, "a=%FF", told, b"", program.token)
    headers["sign"] = digest(SECRET, next(texts_v2(signed)))
    assert program.send("GET", f"{ECHO}?a=%FF", b"", headers)["code"] == 1109
    assert program.send("GET", f"{ECHO}?a=%FE", b"", headers)["code"] == 1004


def test_old_projects_may_sign_the_old_way() -> None:
    for signing in ("v1", "v2", "both"):
        old_fits, new_fits = signing != "v2", signing != "v1"
        world = open_world(signing=signing)
        program = Program(world)
        new = program.call("GET", "/v1.0/token", {"grant_type": "1"})
        assert new["success"] is new_fits
        old = program.call(
            "GET", "/v1.0/token", {"grant_type": "1"}, change={"sign": old_sign(program)}
        )
        assert old["success"] is old_fits
        if old_fits:
            program.keep(old)
            assert program.call("GET", ECHO, change={"sign": old_sign(program)})["success"]


def old_sign(program: Program) -> str:
    headers = {"client_id": program.access_id, "t": str(program.world.now_ms)}
    return digest(program.secret, text_v1(Signed("", "", "", headers, b"", program.token)))


# --- data centres -------------------------------------------------------------------------------


def test_a_centre_is_reached_by_prefix_or_by_host() -> None:
    world = open_world()
    for prefix, change, region in (
        ("", {}, "EU"),
        ("/us", {}, "AZ"),
        ("", {"host": "openapi-ueaz.tuyaus.com:443"}, "UE"),
        ("/cn", {"host": "openapi.tuyain.com"}, "AY"),
    ):
        program = Program(world, prefix=prefix)
        program.keep(program.call("GET", "/v1.0/token", {"grant_type": "1"}, change=change))
        assert program.call("GET", ECHO, change=change)["result"]["region"] == region


def test_a_token_is_good_in_its_centre_only() -> None:
    world = open_world()
    program = connected(world)
    program.prefix = "/us"
    assert program.code("GET", ECHO) == 1010


def test_a_centre_that_is_not_enabled_gives_nothing_but_tokens() -> None:
    world = open_world(regions=("EU", "IN"))
    assert connected(world).call("GET", ECHO)["success"]
    assert connected(world, prefix="/in").call("GET", ECHO)["success"]
    envelope = connected(world, prefix="/us").call("GET", ECHO)
    assert envelope["code"] == 28841107
    assert envelope["msg"].endswith("to enable the data center. ")


def test_addresses_may_be_listed() -> None:
    world = open_world(allowed_ips=("192.0.2.7", "2001:db8::/32"))
    program = connected(world)
    assert program.call("GET", ECHO, change={"x-peer-ip": "2001:db8::1"})["success"]
    for ip in ("192.0.2.8", "", "nonsense"):
        assert program.code("GET", ECHO, change={"x-peer-ip": ip}) == 1114


# --- subscription and plan ----------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "code"), [("expired", 28841002), ("used_up", 28841004)])
def test_a_plan_that_is_over_still_gives_tokens(plan: str, code: int) -> None:
    program = connected(open_world(plan=plan))
    assert program.code("GET", ECHO) == code


def test_a_project_calls_what_it_subscribed_to() -> None:
    program = connected(open_world(families=("spaces",)))
    assert program.call("GET", "/v2.0/cloud/space/child")["success"]
    assert program.code("GET", ECHO) == 28841101
    other = connected(open_world(settings(open_unsubscribed_code=28841105), families=("spaces",)))
    assert other.code("GET", ECHO) == 28841105


# --- paths --------------------------------------------------------------------------------------


def test_what_the_vendor_has_and_we_have_not_is_told_once_by_name() -> None:
    world = open_world()
    program = connected(world)
    for path in ("/v1.0/infrareds/a/remotes", "/v1.0/infrareds/b/remotes", "/v1.0/gibberish"):
        for _ in range(2):
            assert program.code("GET", path) == 1108
    (line,) = world.lines
    assert "infrared remotes" in line
    assert "1108" in line
    assert program.code("GET", "/v1.0/iot-03/weather/x") == 1108
    assert len(world.lines) == 2


def test_strangers_make_no_notes() -> None:
    world = open_world()
    program = Program(world, secret="wrong")
    assert program.code("GET", "/v1.0/infrareds/a/remotes") == 1004
    assert world.lines == []


def test_token_calls_that_are_not_served_are_signed_without_token() -> None:
    program = connected(open_world())
    login = "/v1.0/iot-01/app/ticket/users"
    assert program.code("POST", login, {}, b"{}", token="") == 1108
    assert program.code("POST", login, {}, b"{}") == 1004


def test_methods_and_versions_are_part_of_a_path() -> None:
    program = connected(open_world())
    assert program.code("PUT", ECHO) == 1108
    assert program.code("GET", "/v1.1/echo/it") == 1108
    assert program.call("GET", f"{ECHO}/")["success"]


# --- bodies -------------------------------------------------------------------------------------


def test_a_body_is_json_or_says_nothing() -> None:
    program = connected(open_world())
    json = {"content-type": "Application/JSON; charset=utf-8"}
    assert program.call("POST", ECHO, {}, b'{"a": 1}', change=json)["result"]["body"] == '{"a": 1}'
    assert program.call("POST", ECHO, {}, b'{"a": 1}')["success"]
    assert program.code("POST", ECHO, {}, b"a=1", change={"content-type": "text/plain"}) == 1006
    assert program.call("POST", ECHO, {}, b"", change={"content-type": "text/plain"})["success"]


def test_a_form_is_no_way_around_the_signature() -> None:
    program = connected(open_world())
    headers = program.headers("POST", ECHO, {}, b"", program.token)
    for kind in ("", "; json", "; charset=utf-8", " ;application/json"):
        headers["content-type"] = f"application/x-www-form-urlencoded{kind}"
        assert program.send("POST", ECHO, b'{"a": 1}', headers)["code"] == 1006
    headers["content-type"] = "application/x-www-form-urlencoded+json"
    assert program.send("POST", ECHO, b'{"a": 1}', headers)["code"] == 1004


def test_a_body_has_a_bound() -> None:
    program = connected(open_world(settings(body_size_max=1_024)))
    assert program.code("POST", ECHO, {}, b"x" * 1_025) == Code.SIZE_TOO_LARGE
    assert program.call("POST", ECHO, {}, b"x" * 1_024)["success"]


def test_a_body_that_was_too_large_to_be_kept_is_not_called_a_wrong_signature() -> None:
    world = open_world()
    program = connected(world)
    headers = program.headers("POST", ECHO, {}, b"x", program.token)
    world.handle(HttpRequested(0, "POST", ECHO, headers, b"", too_large=True))
    answer = msgspec.json.decode(world.replies[0])
    assert (answer["code"], answer["msg"]) == (2027, "size too large")
    assert (answer["success"], len(answer["tid"])) == (False, 32)


# --- what is left -------------------------------------------------------------------------------


def test_calls_are_counted_and_survive_a_restart() -> None:
    world = open_world()
    program = connected(world)
    program.code("GET", "/v1.0/nowhere")
    assert world.state.counts["open_calls"] == 2
    assert world.state.counts["open_refused_1108"] == 1
    assert_reloads(world)
    world.kill_and_restart()
    assert program.code("GET", "/v1.0/nowhere") == 1108
