"""Quotas: counted per day, forgotten in time, limited by default or by ticket."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.quotas import Quotas, QuotaUse, Scope
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings

from .support import DAY_MS, SETTINGS, START_MS, World, assert_reloads

MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS


@pytest.mark.parametrize(
    ("offset_min", "now_ms", "day"),
    [
        (0, MIDNIGHT_MS - 1, "2023-11-13"),
        (0, MIDNIGHT_MS, "2023-11-14"),
        (480, MIDNIGHT_MS + 16 * 3_600_000 - 1, "2023-11-14"),
        (480, MIDNIGHT_MS + 16 * 3_600_000, "2023-11-15"),
        (-300, MIDNIGHT_MS + 5 * 3_600_000 - 1, "2023-11-13"),
        (-300, MIDNIGHT_MS + 5 * 3_600_000, "2023-11-14"),
    ],
)
def test_the_day_turns_in_the_zone_of_the_settings(offset_min: int, now_ms: int, day: str) -> None:
    quotas = Quotas(Settings(quota_day_offset_min=offset_min), nothing, Journal())
    assert quotas.day(now_ms) == day


@given(st.lists(st.tuples(st.sampled_from(list(Scope)), st.sampled_from("ab"), st.integers(0, 3))))
def test_use_is_counted_per_scope_name_and_day(takes: list[tuple[Scope, str, int]]) -> None:
    quotas = Quotas(SETTINGS, nothing, Journal())
    for scope, name, days in takes:
        quotas.take(scope, name, START_MS + days * DAY_MS)
    for scope in Scope:
        for name in "ab":
            for days in range(4):
                standing = quotas.standing(scope, name, START_MS + days * DAY_MS)
                assert standing.used == takes.count((scope, name, days))
    assert sum(quota.used for quota in quotas.all()) == len(takes)


def test_limits_come_from_settings_until_a_ticket_changes_them() -> None:
    settings = msgspec.structs.replace(
        SETTINGS, account_quota_per_day=1, product_quota_per_day=2, quota_limit_max=5
    )
    world = World(settings)
    quotas = world.state.quotas
    assert quotas.standing(Scope.ACCOUNT, "a", START_MS).limit == 1
    assert quotas.standing(Scope.PRODUCT, "a", START_MS).limit == 2
    world.rule(lambda s: s.quotas.take(Scope.ACCOUNT, "a", START_MS))
    assert not quotas.has_room(Scope.ACCOUNT, "a", START_MS)
    assert quotas.has_room(Scope.ACCOUNT, "b", START_MS)
    world.rule(lambda s: s.quotas.raise_limit(Scope.ACCOUNT, "a", 2))
    assert quotas.has_room(Scope.ACCOUNT, "a", START_MS)
    (quota,) = quotas.all()
    assert (quota.used, quota.limit, quota.day) == (1, 2, "2023-11-14")
    for limit in (-1, 6):
        with pytest.raises(Refused) as refused:
            quotas.raise_limit(Scope.PRODUCT, "a", limit)
        assert refused.value.reason is Reason.BAD_REQUEST
    assert_reloads(world)


def test_old_days_are_forgotten() -> None:
    world = World(msgspec.structs.replace(SETTINGS, quota_days_kept=2))
    for day in range(5):
        world.rule(lambda s, day=day: s.quotas.take(Scope.ACCOUNT, "a", START_MS + day * DAY_MS))
    assert [use.day for use in world.store.load(QuotaUse)] == [
        "2023-11-16",
        "2023-11-17",
        "2023-11-18",
    ]
    assert_reloads(world)
