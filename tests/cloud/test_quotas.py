"""Quotas: counted per day, forgotten in time, limited by default or by ticket."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.quotas import Quotas, QuotaUse, Scope
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.state import State

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


HOUR_MS, MINUTE_MS = 3_600_000, 60_000
STEPS_MS = st.one_of(
    st.integers(0, 3 * DAY_MS), st.sampled_from([0, 1, MINUTE_MS, HOUR_MS, DAY_MS - 1, DAY_MS])
)
NAMES = st.tuples(st.sampled_from(list(Scope)), st.sampled_from("ab"))
ACTS = st.one_of(
    st.tuples(st.just("pass"), STEPS_MS),
    st.tuples(st.just("to_midnight"), st.integers(-1, 1)),
    st.tuples(st.just("charge"), NAMES, st.integers(1, 4)),
    st.tuples(st.just("ticket"), NAMES, st.integers(0, 5)),
    st.tuples(st.just("restart")),
)


class Calendar:
    """A naive model: every device that was let go, with its local date, and the latest limits."""

    def __init__(self, offset_min: int) -> None:
        self.offset = timedelta(minutes=offset_min)
        self.now = datetime.fromtimestamp(START_MS / 1000, UTC)
        self.released: Counter[tuple[Scope, str, str]] = Counter()
        self.limits = {
            (scope, name): 2 if scope is Scope.ACCOUNT else 3 for scope in Scope for name in "ab"
        }

    @property
    def now_ms(self) -> int:
        return (self.now - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)

    @property
    def today(self) -> str:
        return (self.now + self.offset).date().isoformat()

    def pass_(self, ms: int) -> None:
        self.now += timedelta(milliseconds=ms)

    def to_midnight(self, late_ms: int) -> None:
        """Go to the turn of the local day, or a millisecond beside it; never back."""
        local = self.now + self.offset
        turn = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.now = max(self.now, turn - self.offset + timedelta(milliseconds=late_ms))

    def room(self, scope: Scope, name: str) -> int:
        return self.limits[scope, name] - self.released[scope, name, self.today]


def raise_limit(state: State, *args: Any) -> None:
    state.quotas.raise_limit(*args)


def take(state: State, *args: Any) -> None:
    state.quotas.take(*args)


@given(st.sampled_from([-720, -300, -1, 0, 1, 330, 480, 765, 840]), st.lists(ACTS, max_size=40))
def test_nobody_gets_more_or_less_than_the_quota_on_any_side_of_midnight(
    offset_min: int, acts: list[tuple[Any, ...]]
) -> None:
    """Charges, tickets, steps of time and restarts in any order, in zones of all kinds."""
    own = {"account_quota_per_day": 2, "product_quota_per_day": 3}
    settings = msgspec.structs.replace(SETTINGS, quota_day_offset_min=offset_min, **own)
    world, model = World(settings), Calendar(offset_min)
    for act in acts:
        match act:
            case ("pass", ms):
                model.pass_(ms)
            case ("to_midnight", late_ms):
                model.to_midnight(late_ms)
            case ("ticket", (scope, name), limit):
                world.rule(raise_limit, scope, name, limit)
                model.limits[scope, name] = limit
            case ("charge", (scope, name), count):
                for _ in range(count):
                    granted = world.state.quotas.has_room(scope, name, model.now_ms)
                    assert granted == (model.room(scope, name) > 0)
                    if granted:
                        world.rule(take, scope, name, model.now_ms)
                        model.released[scope, name, model.today] += 1
            case ("restart",):
                world.kill_and_restart()
        for scope, name in model.limits:
            quota = world.state.quotas.standing(scope, name, model.now_ms)
            assert (quota.day, quota.limit) == (model.today, model.limits[scope, name])
            assert quota.used == model.released[scope, name, model.today]
