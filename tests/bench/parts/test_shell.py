"""The commands of the console."""

import pytest

from firmware_sim.bench.parts.shell import COMMANDS, HELP, Answer, Facts, Level, Wish, run
from firmware_sim.device.flash import Flash
from tests.bench.parts.bench_models import CAMERA, RECORDER, T0


@pytest.fixture
def facts() -> Facts:
    return Facts(
        CAMERA, "bench1", "1.2.3", "WAITING", "DOWN", "waiting", operator="waiting", booted_ms=T0
    )


def lines(facts: Facts, line: str) -> tuple[str, ...]:
    return run(facts, line, T0 + 1500).lines


def test_help_names_every_command(facts: Facts) -> None:
    assert [name.split()[0] for name in HELP] == list(COMMANDS)
    assert [line.split()[0] for line in lines(facts, "HELP")] == list(COMMANDS)


def test_what_it_is_and_does(facts: Facts) -> None:
    assert lines(facts, "version")[1:] == ("firmware 1.2.3", "uuid     bench1")
    assert lines(facts, "status") == (
        "state    waiting",
        "cloud    down",
        "operator waiting",
        "uptime   1.500 s",
    )
    assert lines(facts, "led") == ("led waiting: red blinks 250/250 ms",)


@pytest.mark.parametrize(
    ("lifecycle", "state"), [("WAITING", "idle"), ("REJOINING", "joining"), ("ONLINE", "up")]
)
def test_the_network(facts: Facts, lifecycle: str, state: str) -> None:
    facts.lifecycle = lifecycle
    assert lines(facts, "net") == (f"wlan0: {state}", "mqtt: down")
    facts.profile = RECORDER
    assert lines(facts, "net")[0] == f"eth0: {state}"


def test_flash_is_told_by_name_only(facts: Facts) -> None:
    told = lines(facts, "flash")
    assert told[0] == "partitions: boot image_a image_b config user"
    assert told[1].split()[1:] == list(Flash.__struct_fields__)


def test_the_log_has_levels(facts: Facts) -> None:
    assert lines(facts, "log") == ("log level info",)
    assert lines(facts, "log debug") == ("log level debug",)
    assert facts.level is Level.DEBUG
    assert lines(facts, "log loud") == ("log: level is one of error warn info debug",)
    assert facts.level is Level.DEBUG


def test_wishes(facts: Facts) -> None:
    assert run(facts, "reboot", T0) == Answer(("rebooting",), Wish.REBOOT)
    assert run(facts, "Factory-Reset now", T0).wish is Wish.FACTORY_RESET


def test_nothing_and_nonsense(facts: Facts) -> None:
    assert run(facts, "   ", T0) == Answer()
    assert lines(facts, "rm -rf /") == ("rm: command not found, try help",)
