"""The apps beside the desk: codes and what comes of them, and the wired way."""

import asyncio

import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire.provisioning import decode_qr
from fleet.run.virtual.desk import phones
from fleet.run.virtual.desk.goals import bring, until
from fleet.run.virtual.desk.phones import LOOK_AFTER_S, Order, in_words
from fleet.run.virtual.desk.scene import (
    AFTER_SALE,
    FIRST_OWNER,
    NEW_HOME,
    NEXT_OWNER,
    NO_RIGHT,
    OWNER,
    PARTNER,
    WAREHOUSE,
)
from tests.run.virtual.desk.desks import Set, play

MOMENT_S = LOOK_AFTER_S + 1


async def waiting(profile: str = "ipc-red-green") -> Set:
    it = Set(profile)
    await bring(it.desk, it.phones, "waiting", lambda: None)
    return it


@pytest.mark.parametrize("role", [OWNER, PARTNER, AFTER_SALE])
def test_who_has_the_right_unbinds_with_a_code(role: str) -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(role))
        assert (code.purpose, code.method, code.devices_max, code.used) == ("unbind", "qr", 30, 0)
        it.phones.hold(code.number)
        assert it.desk.touch.shown == code.number
        await until(it.desk, "joining")
        await asyncio.sleep(0)
        assert it.desk.touch.shown == 0  # it has read it
        await until(it.desk, "unbound")
        await asyncio.sleep(MOMENT_S)
        assert it.desk.last.light == "unbound"
        now = it.phones.codes[code.number]
        assert (now.used, now.outcome, now.ok) == (1, "unbound", True)
        assert "the app says: unbound" in it.said(code.account)

    play(story)


def test_the_next_owner_pairs_what_was_unbound() -> None:
    async def story() -> None:
        it = Set()
        await bring(it.desk, it.phones, "unbound", lambda: None)
        it.desk.move(NEW_HOME)
        code = await it.phones.order(Order(NEXT_OWNER))
        assert (code.purpose, code.devices_max) == ("pair", 1)
        assert (await it.phones.look(code.number)).ok is None
        it.phones.hold(code.number)
        await until(it.desk, "online")
        await asyncio.sleep(MOMENT_S)
        now = it.phones.codes[code.number]
        assert (now.used, now.ok) == (1, True)

    play(story)


def test_what_belongs_to_somebody_is_not_paired() -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(NEXT_OWNER))
        it.phones.hold(code.number)
        await until(it.desk, "activation_failed")
        await asyncio.sleep(MOMENT_S)
        now = it.phones.codes[code.number]
        assert now.ok is False
        assert "unbound first" in now.outcome

    play(story)


def test_who_has_no_right_is_refused() -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(NO_RIGHT))
        it.phones.hold(code.number)
        await until(it.desk, "activation_failed")
        await asyncio.sleep(MOMENT_S)
        assert (
            it.phones.codes[code.number].outcome == "refused, this account has no right to do that"
        )

    play(story)


@pytest.mark.parametrize("role", [OWNER, FIRST_OWNER])
def test_a_code_runs_out(role: str) -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(role, life_s=10))
        await asyncio.sleep((code.expires_ms - it.agenda.now_ms) / 1000 + 1)
        it.phones.hold(code.number)
        await until(it.desk, "activation_failed")
        await asyncio.sleep(MOMENT_S)
        assert it.phones.codes[code.number].ok is False

    play(story)


def test_a_mistyped_password_keeps_it_out_of_the_wifi() -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(OWNER, right_password=False))
        told = decode_qr(it.phones.payload(code.number))
        right = it.desk.network(WAREHOUSE)
        assert told.ssid == right.ssid == code.ssid
        assert told.password != right.password
        it.phones.hold(code.number)
        await until(it.desk, "join_failed")

    play(story)


def test_power_cut_in_the_middle_ends_well_in_the_end() -> None:
    async def story() -> None:
        it = await waiting()
        code = await it.phones.order(Order(OWNER))
        it.phones.hold(code.number)
        await until(it.desk, "joining")
        it.desk.power(on=False)
        await until(it.desk, "off")
        it.desk.power(on=True)
        await until(it.desk, "waiting")
        it.phones.hold(code.number)
        await until(it.desk, "unbound")

    play(story)


def test_the_wired_way() -> None:
    async def story() -> None:
        it = await waiting("nvr")
        code = await it.phones.order(Order(AFTER_SALE))
        assert code.method == "wired"
        with pytest.raises(UsageError, match="search first"):
            await it.phones.send(code.number)
        [found] = await it.phones.search()
        assert found.uuid == it.desk.unit.uuid
        assert await it.phones.send(code.number) == "accepted"
        await until(it.desk, "unbound")

    play(story)


def test_nothing_is_found_where_nothing_waits() -> None:
    async def story() -> None:
        it = Set("nvr")
        assert await it.phones.search() == ()
        assert it.said("app")[-1] == "finds none"

    play(story)


def test_old_codes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "CODES_MAX", 2)

    async def story() -> None:
        it = Set()
        for _ in range(3):
            await it.phones.order(Order(OWNER))
        assert [*it.phones.codes] == [2, 3]
        with pytest.raises(UsageError, match="make a new one"):
            it.phones.payload(1)

    play(story)


def test_refusals_in_words() -> None:
    assert in_words("token_dead") == "the code has run out"
    assert in_words("product_mismatch") == "product mismatch"
