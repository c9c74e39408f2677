"""What an operator is told."""

import re
from pathlib import Path

import pytest

import firmware_sim
from firmware_sim.bench.parts.happenings import (
    KEPT_MAX,
    NOTES,
    REASONS,
    TONE,
    Happenings,
    note_in_words,
)
from firmware_sim.device import pairing
from firmware_sim.effects import Noted
from firmware_sim.events import JoinRefusal
from firmware_sim.runtime.live.world import HOST_SHORT
from tests.bench.parts.bench_models import CAMERA, state


def kinds() -> set[str]:
    """Return every kind of note that the firmware or a world writes."""
    room = Path(firmware_sim.__file__).parent
    text = "".join(
        path.read_text() for name in ("device", "runtime") for path in (room / name).rglob("*.py")
    )
    return set(re.findall(r'(?:\.note|Noted)\(\s*"(\w+)"', text))


def test_there_are_words_for_every_note() -> None:
    named = kinds() | {HOST_SHORT, pairing.ACTIVATION_RETRY}
    assert len(named) > 20
    assert named - {TONE} == set(NOTES)
    assert {reason.value for reason in JoinRefusal} | {"no_network"} == set(REASONS)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (Noted("join_refused", "wifi_password"), "the password of the Wi-Fi is wrong."),
        (Noted("mqtt_silent", ""), "The cloud fell silent; it connects again."),
        (Noted("activation_refused", "X\x1b[2J\r\n"), "refused to activate it: X?[2J??."),
        (Noted("never\nheard", "of it"), "never?heard: of it."),
    ],
)
def test_notes_in_words(note: Noted, words: str) -> None:
    assert note_in_words(note).endswith(words)


def test_a_state_is_told_when_its_light_changes() -> None:
    happenings = Happenings(CAMERA)
    happenings.shown(state("ONLINE", "reconnecting", session="RESOLVING"), 1)
    happenings.shown(state("ONLINE", "reconnecting", session="CONNECTING"), 2)
    happenings.shown(state("ONLINE", "online", session="UP"), 3)
    happenings.shown(state("OFF", "off"), 4)
    assert [(each.at_ms, each.text) for each in happenings.since(0)] == [
        (1, "It is bound, but not connected to the cloud. Light: blue blinks 250/250 ms."),
        (3, "It is bound and connected to the cloud. Light: blue."),
    ]


def test_tones_are_not_for_the_eye() -> None:
    happenings = Happenings(CAMERA)
    happenings.noted(Noted(TONE, "1"), 1)
    happenings.noted(Noted("bad_qr", "too long"), 2)
    assert [each.at_ms for each in happenings.since(0)] == [2]


def test_only_the_last_are_kept_and_one_can_ask_for_less() -> None:
    happenings = Happenings(CAMERA)
    for at_ms in range(KEPT_MAX + 5):
        happenings.remark("again", at_ms)
    assert len(happenings.since(0)) == KEPT_MAX
    assert [each.at_ms for each in happenings.since(KEPT_MAX + 3)] == [KEPT_MAX + 3, KEPT_MAX + 4]
