"""No light lies, at no instant, and nobody sees another one."""

from collections.abc import Callable

import pytest

from firmware_sim.device.device import Device
from firmware_sim.effects import Effect
from firmware_sim.events import Event
from fleet.run.checks import lights_agree
from fleet.run.checks.evidence import Evidence
from tests.run.checks.evidence import KEPT, changed, good, with_chip, without_chip
from tests.run.checks.support import planted, says


def last_seen(evidence: Evidence) -> Evidence:
    lights = list(evidence.lights)
    lights[KEPT.index] = changed(lights[KEPT.index], light="waiting")  # type: ignore[arg-type,call-overload]
    return changed(evidence, lights=lights)


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        (
            "shows 'online', but WAITING is 'unbound'",
            lambda e: with_chip(e, KEPT.index, light="online"),
        ),
        ("was last seen with 'waiting'", last_seen),
        ("no light 'disco'", lambda e: with_chip(e, KEPT.index, light="disco")),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(lights_agree.at_end(good())) == []
    assert any(text in line for line in lights_agree.at_end(damage(good())))


def test_a_chip_that_nobody_has_looked_at_shows_nothing() -> None:
    assert list(lights_agree.at_end(without_chip(good(), KEPT.index))) == []


def test_a_light_that_is_stuck_is_caught() -> None:
    show = Device._show

    def stuck(device: Device, cause: Event) -> None:
        if device.lifecycle.name != "FAILED":
            show(device, cause)

    found = planted(lambda patch: patch.setattr(Device, "_show", stuck))
    assert says(found, "lights_agree", "shows 'registering', but FAILED is 'activation_failed', at")


def test_a_light_that_nobody_is_told_of_is_caught() -> None:
    handle = Device.handle

    def hush(device: Device, event: Event, now_ms: int) -> list[Effect]:
        effects = handle(device, event, now_ms)
        return [one for one in effects if getattr(one, "session", "") != "SUBSCRIBING"]

    found = planted(lambda patch: patch.setattr(Device, "handle", hush))
    text = "seen as ONLINE/CONNECTING with 'reconnecting', and is ONLINE/SUBSCRIBING with 'reconn"
    assert says(found, "lights_agree", text)
