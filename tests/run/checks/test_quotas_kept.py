"""Quotas and codes are recounted from the history: nothing beyond, nothing for a refusal."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleet.cloud import unbinding
from fleet.cloud.history import HistoryRow
from fleet.cloud.quotas import QuotaLimit, Quotas, QuotaUse, Scope
from fleet.cloud.store.records import Delete, Put, Record
from fleet.cloud.tokens import UnbindToken
from fleet.run.checks import quotas_kept
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.quotas_kept import day_of
from fleet.run.scenario import QuotaLimits
from fleet.run.tally import Tally
from tests.run.checks.evidence import KEPT, changed, good, row, with_quota, with_rows
from tests.run.checks.support import a_scene, planted, says

MIDNIGHT_MS = 1_767_225_600_000  # of 2026-01-01
DAY = "2026-01-01"


def test_the_day_begins_when_the_settings_say() -> None:
    assert day_of(MIDNIGHT_MS - 1, 0) == "2025-12-31"
    assert day_of(MIDNIGHT_MS, 0) == DAY
    assert day_of(MIDNIGHT_MS - 3_600_000, 60) == DAY
    assert day_of(MIDNIGHT_MS + 3_600_000 - 1, -60) == "2025-12-31"


# --- at the end ---------------------------------------------------------------------------------


def of_one_batch(evidence: Evidence) -> Evidence:
    rows = [msgspec.structs.replace(row, batch="b") for row in evidence.history]
    return changed(evidence, history=rows)


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("on 1970-01-01: 7 used, 6 devices unbound", lambda e: with_quota(e, used=7)),
        ("on 1970-01-01: 0 used, 6 devices unbound", lambda e: with_quota(e, day="1970-01-02")),
        ("6 used of 5", lambda e: with_quota(e, limit=5)),
        ("its operator saw 0", lambda e: changed(e, tally=Tally())),
        ("batch b: released 6 devices", of_one_batch),
        (
            "counts for 1970-01-03, which was another day",
            lambda e: with_rows(e, row(99, KEPT.uuid, day="1970-01-03")),
        ),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(quotas_kept.at_end(good())) == []
    found = list(quotas_kept.at_end(damage(good())))
    assert any(text in line for line in found), found


def test_days_that_are_forgotten_are_not_compared() -> None:
    evidence = with_rows(good(), row(99, KEPT.uuid, day="1969-12-31", time_ms=-1))
    assert list(quotas_kept.at_end(evidence)) == []


# --- all the while ------------------------------------------------------------------------------


def release(number: int, **changes: Any) -> HistoryRow:
    usual: dict[str, Any] = {
        "id": number, "time_ms": MIDNIGHT_MS, "day": DAY, "account": "me", "owner": "maker",
        "operation": "unbind", "method": "qr", "batch": "b", "uuid": f"u{number}", "dev_id": "",
        "product_id": "p", "status": "ok", "reason": "",
    }  # fmt: skip
    return HistoryRow(**(usual | changes))


def uses(count: int) -> tuple[Record, ...]:
    return QuotaUse("account", "me", DAY, count), QuotaUse("product", "p", DAY, count)


def code(used: int, devices_max: int = 30) -> UnbindToken:
    return UnbindToken("t", "", "b", "me", "qr", devices_max, 0, used)


def found(*transactions: tuple[Record, ...], **settings: Any) -> list[str]:
    scene = a_scene(quota_day_offset_min=0, **settings)
    scene.books.closed.append(quotas_kept.Watcher(scene).written)
    for records in transactions:
        scene.books.take(tuple(map(Put, records)))
    return scene.findings.lines()


def test_what_adds_up_is_no_violation() -> None:
    assert found((release(1), *uses(1), code(1)), (release(2), *uses(2), code(2))) == []
    assert found((release(1, status="refused"), code(0))) == []
    assert found((release(1, operation="bind"),)) == []


@pytest.mark.parametrize(
    ("text", "records", "settings"),
    [
        ("account me: 1 used of 0", (release(1), *uses(1), code(1)), {"account_quota_per_day": 0}),
        ("product p: 1 used of 0", (release(1), *uses(1), code(1)), {"product_quota_per_day": 0}),
        ("0 used, 1 devices unbound", (release(1), code(1)), {}),
        ("1 used, 0 devices unbound", (release(1, status="refused"), *uses(1)), {}),
        ("batch b: released 1 devices, 0 of 30", (release(1), *uses(1), code(0)), {}),
        ("batch b: released 0 devices, 1 of 30", (code(1),), {}),
        ("batch b: released 1 devices, 1 of 0", (release(1), *uses(1), code(1, 0)), {}),
        ("for 2025-12-31, which was 2026-01-01", (release(1, day="2025-12-31"), *uses(1)), {}),
    ],
)
def test_what_does_not_is_one(
    text: str, records: tuple[Record, ...], settings: dict[str, Any]
) -> None:
    lines = found(records, **settings)
    assert any(text in line for line in lines), lines


def test_no_code_releases_more_than_30_whatever_it_says() -> None:
    rows = tuple(release(number) for number in range(31))
    assert found((*rows[:30], *uses(30), code(30, 99))) == []
    lines = found((*rows, *uses(31), code(31, 99)))
    assert lines == ["quotas_kept: batch b: released 31 devices, 31 of 99 places taken, at 0.000 s"]


def test_a_release_that_takes_no_place_is_caught() -> None:
    first, silent = (release(1), *uses(1), code(1)), (release(2), *uses(2))
    lines = found(first, silent)
    assert lines == ["quotas_kept: batch b: released 2 devices, 1 of 30 places taken, at 0.000 s"]
    assert found((release(1), *uses(1))) == [
        "quotas_kept: batch b: released 1 devices, and has no code, at 0.000 s"
    ]


def test_a_code_that_is_over_is_forgotten() -> None:
    scene = a_scene(quota_day_offset_min=0)
    scene.books.closed.append(quotas_kept.Watcher(scene).written)
    scene.books.take(tuple(map(Put, (release(1), *uses(1), code(1)))))
    scene.books.take((Delete(UnbindToken, ("t",)),))
    assert scene.findings.lines() == []
    scene.books.take(tuple(map(Put, (release(2), *uses(2)))))
    assert "released 2 devices, and has no code" in scene.findings.lines()[0]


def test_a_ticket_raises_the_limit_from_then_on() -> None:
    small = {"account_quota_per_day": 1}
    first, second = (release(1), *uses(1), code(1)), (release(2), *uses(2), code(2))
    assert len(found(first, second, **small)) == 1
    assert found(first, (QuotaLimit("account", "me", 2),), second, **small) == []
    lowered = (QuotaLimit("account", "me", 0),)
    assert found(first, lowered, **small) == [], "what was used is used"
    assert len(found(first, lowered, second, **small)) == 1


# --- planted defects ----------------------------------------------------------------------------


def test_a_cloud_without_limits_is_caught() -> None:
    found = planted(
        lambda patch: patch.setattr(Quotas, "has_room", lambda *_: True),
        quotas=QuotaLimits(account=2, product=3),
    )
    assert says(found, "quotas_kept", "quota of account owner@maker: 3 used of 2, at ")
    assert says(found, "quotas_kept", "used of 3, at ")


def test_a_code_that_never_is_full_is_caught() -> None:
    found = planted(lambda patch: patch.setattr(unbinding, "usable", lambda token, _: token))
    assert says(found, "quotas_kept", "released 2 devices, 2 of 1 places taken, at ")


def test_a_refusal_that_is_charged_is_caught() -> None:
    record = unbinding._record

    def charge(state: Any, token: Any, uuid: str, now_ms: int, reason: Any = None) -> None:
        if reason is not None and token is not None:
            state.quotas.take(Scope.ACCOUNT, token.account, now_ms)
        record(state, token, uuid, now_ms, reason)

    found = planted(lambda patch: patch.setattr(unbinding, "_record", charge))
    assert says(found, "quotas_kept", "shop@partner on 2026-01-01: 1 used, 0 devices unbound, at ")
    assert says(found, "quotas_kept", "shop@partner on 2026-01-01: 1 used, 0 devices unbound")


def test_a_release_that_is_charged_to_another_day_is_caught() -> None:
    day = Quotas.day

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Quotas, "day", lambda self, now_ms: day(self, now_ms + 86_400_000))

    assert says(planted(plant), "quotas_kept", "counts for 2026-01-02, which was 2026-01-01, at ")
