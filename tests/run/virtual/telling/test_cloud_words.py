"""The cloud's answers and commits in words."""

import msgspec
import pytest

from firmware_sim.wire import atop, iot_dns
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow, LogRow
from fleet.cloud.messages import HttpRequested, SendReply
from fleet.cloud.quotas import QuotaUse
from fleet.cloud.sessions import Session
from fleet.cloud.store.records import Delete, Put, Record
from fleet.cloud.tokens import PairToken, UnbindToken
from fleet.cloud.users import User
from fleet.run.virtual.telling import cloud_words

KEY = "0123456789abcdef"
TARGET, _ = atop.encode_request("tuya.device.active", "4.4", 1, KEY, b"{}", uuid="u")
DEVICE = Device("uuid1", "authkey", "pid", sec_key="sec", local_key="local")
ROW = HistoryRow(1, 0, "day", "me", "maker", "unbind", "qr", "batch1", "u", "d", "p", "ok", "")
BATCH = UnbindToken("token8ch", "EUtoken8chpro0", "batch1", "me", "qr", 30, 1, used=3)
PAIRING = PairToken("token8ch", "EUtoken8chpro0", "uid", 1)


def answer(target: str, body: bytes) -> str:
    return cloud_words.answer(
        HttpRequested(1, "POST", target, {}, b""), SendReply(1, 200, body), KEY
    )


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (atop.encode_success(b'{"secKey":"s3cret"}', 1), "success"),
        (atop.encode_error("TOKEN_FULL", "no", 1), "refused, TOKEN_FULL"),
    ],
)
def test_devices_are_answered(inner: bytes, words: str) -> None:
    sealed, plain = atop.encode_reply(inner, 1, KEY), atop.encode_reply(inner, 1, "", atop.ET_NONE)
    assert answer(TARGET, sealed) == f"{words}, {len(sealed)} B"
    assert answer(TARGET, plain) == f"{words}, {len(plain)} B"


def test_an_answer_that_no_key_opens_is_an_answer() -> None:
    sealed = atop.encode_reply(atop.encode_success(b"{}", 1), 1, "another_key_0000")
    assert answer(TARGET, sealed) == f"answered, {len(sealed)} B"


def test_iot_dns_and_people_are_answered() -> None:
    servers = iot_dns.encode_reply(iot_dns.Endpoints("https://c/d.json", "c:8883"), ("Y2VydA==",))
    assert answer(iot_dns.PATH, servers) == f"the servers are at c:8883, {len(servers)} B"
    assert answer("/console/v1/login", b'{"success":true,"result":1}') == "success, 27 B"
    refused = b'{"success":false,"code":"bad_login"}'
    assert answer("/console/v1/login", refused) == f"refused, bad_login, {len(refused)} B"
    assert answer("/console/v1/login", b"?") == "answered, 1 B"


def test_who_logs_in_says_so() -> None:
    assert cloud_words.name_given(b'{"name":"me","password":"secret"}') == "me"
    assert cloud_words.name_given(b"[]") == cloud_words.name_given(b"\xff") == ""


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (ROW, "history: unbind ok"),
        (
            msgspec.structs.replace(ROW, status="refused", reason="token_full"),
            "history: unbind refused (token_full)",
        ),
        (LogRow(1, 0, "u", "bound", ""), "device log: bound"),
        (QuotaUse("account", "me", "day", 7), "quota of account me: 7 used"),
        (DEVICE, "device: no owner"),
        (msgspec.structs.replace(DEVICE, owner="uid"), "device: bound"),
        (
            msgspec.structs.replace(DEVICE, pending_reset="reset"),
            "device: no owner, to be told: reset",
        ),
        (BATCH, "batch batch1: 3 of 30 devices"),
        (PAIRING, "pairing token: good for one device"),
        (msgspec.structs.replace(PAIRING, spent_by="u"), "pairing token: spent"),
        (Session("hash", "console", "me", 1), "session of the console"),
    ],
    ids=str,
)
def test_records_are_told_without_what_is_secret_in_them(record: Record, words: str) -> None:
    assert cloud_words.kept([Put(record), Put(record)]) == [words]


def test_what_has_no_words_of_its_own_is_told_by_the_name_of_its_table() -> None:
    assert cloud_words.kept([Delete(Session, ("hash",)), Delete(User, ("uid",))]) == [
        "sessions: one less",
        "users: one less",
    ]


def test_a_commit_is_about_the_batch_of_its_token_or_its_history() -> None:
    assert cloud_words.batch([Put(DEVICE), Put(BATCH)]) == "batch1"
    assert cloud_words.batch([Delete(Session, ("hash",)), Put(ROW)]) == "batch1"
    bound = msgspec.structs.replace(ROW, operation="bind", batch="")
    assert cloud_words.batch([Put(bound)]) == cloud_words.batch([]) == ""
