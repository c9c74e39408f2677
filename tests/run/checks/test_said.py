"""What answers say is looked up in the books."""

from typing import Any

import msgspec
import pytest

from firmware_sim.wire import atop, atop_messages
from firmware_sim.wire.structs import encode_json
from fleet.cloud.devices import Device
from fleet.cloud.history import HistoryRow
from fleet.cloud.keys import session_hash
from fleet.cloud.messages import HttpRequested
from fleet.cloud.quotas import QuotaLimit, QuotaUse
from fleet.cloud.sessions import Session
from fleet.cloud.store.records import Put, Record
from fleet.cloud.tokens import PairToken, UnbindToken
from fleet.cloud.users import User
from fleet.run.checks.said import Said
from tests.run.checks.support import a_scene

HEAD = {"authorization": "Bearer s3ss1on"}
ME = Session(session_hash("s3ss1on"), "console", "me", 0)
DAY = "2026-01-01"
QUOTAS = {
    "day": DAY,
    "account": {"used": 2, "limit": 9},
    "products": [{"product_id": "p", "used": 1, "limit": 9}],
}
ROW = {"id": 1, "time_ms": 0, "operation": "bind", "status": "ok", "uuid": "u", "tries": 2}
HISTORY = HistoryRow(
    id=1, time_ms=0, day=DAY, account="", owner="", operation="bind", method="", batch="", uuid="u",
    dev_id="", product_id="", status="ok", reason="", tries=2,
)  # fmt: skip
TOKEN = "EUabcdefghpr_0"
UNBIND = {"token": TOKEN, "batch": "b", "method": "qr", "max_devices": 1, "expires_ms": 0}
OWNED = {"dev_id": "d", "uuid": "u", "product_id": "p", "name": "", "online": True}
DEVICE = Device("u", "k" * 32, "p", dev_id="d", sec_key="secret", owner="me")

SAID: list[tuple[str, str, object, tuple[Record, ...]]] = [
    ("POST", "/console/v1/login", {"session": "new"}, (Session(session_hash("new"), "", "", 0),)),
    ("POST", "/app/v1/login", {"session": "new"}, (Session(session_hash("new"), "", "", 0),)),
    ("POST", "/app/v1/register", {"uid": "eu1"}, (User("eu1", "n", "h"),)),
    (
        "POST",
        "/app/v1/pair-tokens",
        {"token": TOKEN, "expires_ms": 0},
        (PairToken("abcdefgh", TOKEN, "me", 0),),
    ),
    (
        "POST",
        "/console/v1/unbind-tokens",
        UNBIND,
        (UnbindToken("abcdefgh", TOKEN, "b", "me", "qr", 1, 0),),
    ),
    (
        "POST",
        "/console/v1/tickets",
        {"scope": "account", "name": "me", "limit": 5},
        (QuotaLimit("account", "me", 5),),
    ),
    (
        "GET",
        "/console/v1/quotas",
        QUOTAS,
        (QuotaUse("account", "me", DAY, 3), QuotaUse("product", "p", DAY, 1)),
    ),
    ("GET", "/console/v1/history?after=0", {"rows": [ROW], "next": None}, (HISTORY,)),
    ("GET", "/app/v1/devices", [OWNED], (DEVICE,)),
]


def claims(request: HttpRequested, body: bytes, *records: Record) -> list[tuple[str, str]]:
    scene = a_scene()
    said = Said(scene)
    scene.books.take(tuple(map(Put, (ME, *records))))
    return list(said.claims(request, body))


@pytest.mark.parametrize(("method", "target", "result", "records"), SAID)
def test_what_people_are_told_has_to_be_written(
    method: str, target: str, result: object, records: tuple[Record, ...]
) -> None:
    request = HttpRequested(1, method, target, HEAD, b"")
    body = encode_json({"success": True, "result": result, "t": 0})
    assert claims(request, body, *records) == []
    assert len(claims(request, body)) >= 1


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (HISTORY, {"tries": 1}),
        (HISTORY, {"uuid": "another"}),
        (DEVICE, {"owner": "you"}),
        (QuotaUse("account", "me", DAY, 3), {"used": 1}),
    ],
)
def test_and_be_so(record: Any, changes: dict[str, Any]) -> None:
    _, target, result, records = next(one for one in SAID if type(record) in map(type, one[3]))
    rest = [one for one in records if type(one) is not type(record)]
    body = encode_json({"success": True, "result": result, "t": 0})
    request = HttpRequested(1, "GET", target, HEAD, b"")
    assert claims(request, body, *rest, msgspec.structs.replace(record, **changes))


def test_refusals_and_other_answers_claim_nothing() -> None:
    refused = encode_json({"success": False, "code": "bad_login", "msg": "", "t": 0})
    assert claims(HttpRequested(1, "POST", "/app/v1/login", {}, b""), refused) == []
    assert claims(HttpRequested(1, "GET", "/nowhere", {}, b""), b"whatever") == []


def activation(
    sec_key: str, dev_id: str = "d", *, success: bool = True
) -> tuple[HttpRequested, bytes]:
    name, version = atop_messages.ACTIVE
    target, body = atop.encode_request(name, version, 0, "k" * 32, b"{}", uuid="u")
    result = encode_json({"devId": dev_id, "secKey": sec_key})
    inner = atop.encode_success(result, 0) if success else atop.encode_error("TOKEN_DEAD", "", 0)
    return HttpRequested(1, "POST", target, {}, body), atop.encode_reply(inner, 0, "k" * 32)


def test_what_devices_are_granted_has_to_be_written() -> None:
    assert claims(*activation("secret"), DEVICE) == []
    assert claims(*activation("another", success=False), DEVICE) == []
    told = [("u", "was granted keys that are not written")]
    assert claims(*activation("another"), DEVICE) == told
    assert claims(*activation("secret", "e"), DEVICE) == told
    assert claims(*activation("secret")) == [], "of a device that nobody knows"


def test_what_cannot_be_read_claims_nothing() -> None:
    request, _ = activation("secret")
    assert claims(request, b"{}", DEVICE) == []
    broken = HttpRequested(1, "POST", f"{atop.PATH}?nothing", {}, b"")
    assert claims(broken, b"{}", DEVICE) == []
