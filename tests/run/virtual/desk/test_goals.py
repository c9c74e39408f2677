"""Every light that a link can name comes about, at the instant that is told, on every model."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run.virtual.desk.goals import PASSING, WAYS, bring, until, ways_of
from hw_profiles import catalog
from tests.run.virtual.desk.desks import Set, play

CASES = [(name, light) for name in catalog.names() for light in ways_of(catalog.load(name))]


@pytest.mark.parametrize(("profile", "light"), CASES)
def test_a_light_comes_about(profile: str, light: str) -> None:
    async def story() -> None:
        it = Set(profile)
        arrived: list[tuple[str, int]] = []
        await bring(
            it.desk,
            it.phones,
            light,
            lambda: arrived.append((it.desk.last.light, it.agenda.now_ms)),
        )
        assert arrived == [(light, it.desk.last.at_ms)]
        assert it.agenda.now_ms == it.desk.last.at_ms
        assert not it.desk.touch.pressed
        assert it.desk.touch.shown == 0
        await until(it.desk, light)

    play(story)


def test_some_lights_are_not_to_be_had() -> None:
    assert "joining" not in ways_of(catalog.load("nvr"))
    assert "activation_failed" not in ways_of(catalog.load("ipc-retry"))
    assert WAYS.keys() > PASSING

    async def story() -> None:
        it = Set("nvr")
        with pytest.raises(UsageError, match="no way to the light 'joining'"):
            await bring(it.desk, it.phones, "joining", lambda: None)
        with pytest.raises(UsageError, match="no way to the light 'disco'"):
            await bring(it.desk, it.phones, "disco", lambda: None)

    play(story)


def test_what_does_not_come_about_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        it = Set("ipc-retry")
        monkeypatch.setattr("fleet.run.virtual.desk.goals.ways_of", lambda _: tuple(WAYS))
        with pytest.raises(UsageError, match="does not come to show 'activation_failed'"):
            await bring(it.desk, it.phones, "activation_failed", lambda: None)

    play(story)
