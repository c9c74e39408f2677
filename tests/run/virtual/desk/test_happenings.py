"""What is told at a desk: states, transitions of the table, words with and without details."""

import asyncio

from fleet.run.virtual.desk.goals import until
from fleet.run.virtual.desk.happenings import Shown, Told, Turned
from tests.run.virtual.desk.desks import START_MS, Set, play


def test_what_happens_is_told_in_its_order_with_its_time() -> None:
    async def story() -> Set:
        it = Set()
        await asyncio.sleep(1)
        it.desk.power(on=True)
        await until(it.desk, "online")
        return it

    told = play(story).told
    turned = [one for one in told if isinstance(one, Turned)]
    assert [(one.state, one.target, one.event) for one in turned] == [
        ("OFF", "BOOTING", "PowerApplied"),
        ("BOOTING", "REJOINING", "BootElapsed"),
        ("REJOINING", "ONLINE", "WifiJoined"),
    ]
    assert turned[0].at_ms == START_MS + 1000
    times = [one.at_ms for one in told]
    assert times == sorted(times)
    [first] = [one for one in told if isinstance(one, Shown) and one.light == "booting"]
    assert (first.lifecycle, first.cause) == ("BOOTING", "PowerApplied")


def test_details_are_for_who_wants_them_and_hold_no_secrets() -> None:
    async def story() -> Set:
        it = Set()
        it.desk.power(on=True)
        await until(it.desk, "online")
        it.desk.cloud.crash()
        return it

    it = play(story)
    told = [one for one in it.told if isinstance(one, Told)]
    plain = [one.text for one in told if not one.detail]
    assert "light online: green" in plain
    assert "switch the power on" in plain
    assert not any("MQTT" in text or "session" in text for text in plain)
    details = " ".join(one.text for one in told if one.detail)
    assert "MQTT CONNECT" in details
    assert "crash" in details  # of what enters no lines
    unit = it.desk.unit
    everything = " ".join(one.text for one in told)
    for secret in (unit.auth_key, unit.sec_key, unit.local_key, unit.home.password):
        assert secret not in everything
