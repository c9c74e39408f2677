"""`fleet app status` and `set` against devices on loopback: what is printed, and the exit code."""

import asyncio
import io
import json
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire import lan_body
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.discovery import PORT_CONTROL
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.commands.control import change, parse, show
from fleet.commands.targets import Target
from tests.app.fake_device import CHILD, DEV_ID, KEY, FakeDevice, listening


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=200, markup=False, emoji=False, highlight=False)


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def target(ip: str, version: LanVersion, key: str = KEY) -> Target:
    return Target(DEV_ID, ip, key, version)


def with_devices(work: Coroutine[Any, Any, int], **devices: FakeDevice) -> int:
    """Do the work while each device listens at 127.6.5.<its number>."""

    async def story() -> int:
        async with AsyncExitStack() as stack:
            for name, device in devices.items():
                ip = f"127.6.5.{name[1:]}"
                await stack.enter_async_context(listening(device, ip, PORT_CONTROL))
            return await work

    return asyncio.run(story())


# --- status -------------------------------------------------------------------------------------


def test_each_device_is_a_line(screen: Console) -> None:
    old, new = FakeDevice(LanVersion.V31), FakeDevice(LanVersion.V35)
    targets = [target("127.6.5.1", old.version), target("127.6.5.2", new.version)]
    work = show(targets, None, screen, as_json=False)
    assert with_devices(work, n1=old, n2=new) == 0
    assert text(screen) == (
        f'{DEV_ID}  127.6.5.1  3.1  1=false  101=7  102="Café"\n'
        f'{DEV_ID}  127.6.5.2  3.5  1=false  101=7  102="Café"\n'
    )


def test_a_device_that_fails_is_a_line_too(screen: Console) -> None:
    good = FakeDevice(LanVersion.V34)
    targets = [target("127.6.5.9", good.version), target("127.6.5.1", good.version)]
    assert with_devices(show(targets, None, screen, as_json=False), n1=good) == 1
    failed, fine = text(screen).splitlines()
    assert failed == f"device {DEV_ID} at 127.6.5.9: cannot connect (Connection refused)"
    assert fine.startswith(f"{DEV_ID}  127.6.5.1  3.4  1=false")


def test_a_sub_device_is_named(screen: Console) -> None:
    gateway = FakeDevice(LanVersion.V33)
    work = show([target("127.6.5.1", gateway.version)], CHILD, screen, as_json=False)
    assert with_devices(work, n1=gateway) == 0
    assert text(screen) == f"{DEV_ID}/{CHILD}  127.6.5.1  3.3  1=true\n"


def test_lines_of_json(screen: Console, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = FakeDevice(LanVersion.V33), FakeDevice(LanVersion.V35)
    bad.refusal = lan_body.NOTHING_TO_REPORT
    targets = [target("127.6.5.1", good.version), target("127.6.5.2", bad.version)]
    assert with_devices(show(targets, None, screen, as_json=True), n1=good, n2=bad) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "id": DEV_ID,
        "ip": "127.6.5.1",
        "version": "3.3",
        "dps": {"1": False, "101": 7, "102": "Café"},
    }
    assert second["error"].endswith("the device refused: json obj data unvalid (nothing_to_report)")
    assert text(screen) == ""


def test_a_key_that_is_none_is_the_callers_mistake(screen: Console) -> None:
    work = show([target("127.6.5.1", LanVersion.V33, "short")], None, screen, as_json=False)
    with pytest.raises(UsageError, match="local key has 16"):
        with_devices(work)


# --- set ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cid", [None, CHILD])
def test_what_was_set_is_shown(screen: Console, cid: str | None) -> None:
    device = FakeDevice(LanVersion.V35)
    work = change(target("127.6.5.1", device.version), {1: True}, cid, screen, as_json=False)
    assert with_devices(work, n1=device) == 0
    assert text(screen).endswith("127.6.5.1  3.5  1=true\n")
    assert device.values(cid)[1] is True


def test_what_is_only_pushed_counts_as_taken(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    device.hidden = {103}
    work = change(target("127.6.5.1", device.version), {103: "x"}, None, screen, as_json=False)
    assert with_devices(work, n1=device) == 0


@pytest.mark.parametrize("as_json", [True, False])
def test_what_the_device_has_not_taken_is_told(
    screen: Console, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    device = FakeDevice(LanVersion.V34)
    device.fixed = {101}
    wanted: dict[int, Value] = {1: True, 101: 8}
    work = change(target("127.6.5.1", device.version), wanted, None, screen, as_json=as_json)
    assert with_devices(work, n1=device) == 1
    if as_json:
        assert json.loads(capsys.readouterr().out)["dps"] == {"1": True, "101": 7}
    else:
        assert text(screen).endswith("1=true  101=7\nthe device has not taken data point 101\n")


def test_what_the_device_does_not_speak_of_is_not_taken(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    device.fixed = {250}
    work = change(target("127.6.5.1", device.version), {250: True}, None, screen, as_json=False)
    assert with_devices(work, n1=device) == 1
    assert text(screen).endswith("the device has not taken data point 250\n")


def test_a_push_of_somebody_else_confirms_nothing(screen: Console) -> None:
    gateway = FakeDevice(LanVersion.V34)
    gateway.fixed, gateway.chatter = {7}, {7: 5}
    work = change(target("127.6.5.1", gateway.version), {7: 5}, CHILD, screen, as_json=False)
    assert with_devices(work, n1=gateway) == 1


def test_a_number_is_no_truth(screen: Console) -> None:
    device = FakeDevice(LanVersion.V34)
    device.fixed = {1}
    device.dps[1] = 1
    work = change(target("127.6.5.1", device.version), {1: True}, None, screen, as_json=False)
    assert with_devices(work, n1=device) == 1


def test_a_device_that_hangs_up_has_taken_nothing(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    device.fatal = {Command.CONTROL}
    work = change(target("127.6.5.1", device.version), {1: True}, None, screen, as_json=False)
    assert with_devices(work, n1=device) == 1
    assert text(screen) == f"device {DEV_ID} at 127.6.5.1: it closed the connection\n"


def test_what_no_frame_can_hold_is_the_callers_mistake(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    too_long: dict[int, Value] = {102: "x" * 5000}
    work = change(target("127.6.5.1", device.version), too_long, None, screen, as_json=False)
    with pytest.raises(UsageError, match="exceeds a frame"):
        with_devices(work, n1=device)


def test_a_question_that_no_frame_can_hold_is_the_callers_mistake(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    work = show([target("127.6.5.1", device.version)], "x" * 5000, screen, as_json=False)
    with pytest.raises(UsageError, match="exceeds a frame"):
        with_devices(work, n1=device)


def test_what_a_device_says_cannot_harm_a_screen(screen: Console) -> None:
    device = FakeDevice(LanVersion.V33)
    device.dps = {102: "\x9b31m[red]\u202egnp"}
    work = show([target("127.6.5.1", device.version)], None, screen, as_json=False)
    assert with_devices(work, n1=device) == 0
    assert text(screen) == f'{DEV_ID}  127.6.5.1  3.3  102="\\x9b31m[red]\\u202egnp"\n'


def test_what_a_list_calls_a_device_cannot_harm_a_screen(screen: Console) -> None:
    named = Target("\x1b[2J", "127.6.5.2", KEY, LanVersion.V33)
    assert with_devices(show([named], None, screen, as_json=False)) == 1
    assert text(screen).startswith("device \\x1b[2J at 127.6.5.2: cannot connect")


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("true", True),
        ("false", False),
        ("5", 5),
        ("-40", -40),
        ("warm", "warm"),
        ("", ""),
        ('"5"', "5"),
        ('"two words"', "two words"),
        ("1.5", "1.5"),
        ("a=b", "a=b"),
        ("{}", "{}"),
        ("Café", "Café"),
        ("True", "True"),
        ("null", "null"),
        (str(1 << 70), str(1 << 70)),
    ],
)
def test_values_are_what_they_look_like(given: str, value: Value) -> None:
    [parsed] = parse([f"7={given}"]).values()
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    "given", ["", "1", "=true", "x=1", "0=1", "256=1", "-1=1", "²=1", "9" * 5000 + "=1"]
)
def test_what_sets_nothing_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"sets nothing: expected DP=VALUE"):
        parse([given])


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        parse(["1=\udcff"])
