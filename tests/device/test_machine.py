"""Each row of the three tables is fired once; each illegal table is refused."""

from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_sim.device import signals as sig
from firmware_sim.device.device import MACHINES, Device, Identity
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.lan_children import cid
from firmware_sim.device.machine import Machine, Row, on
from firmware_sim.device.profile import ActivationError, WhileUpdating
from firmware_sim.device.states import Lifecycle
from firmware_sim.device.timers import Timer, Timers
from firmware_sim.device.update import Loading
from firmware_sim.device.uplink import Errand
from firmware_sim.events import (
    ChildJoined,
    ChildLeft,
    ChildLost,
    ChildReached,
    Event,
    FrameDecoded,
    JoinRefusal,
    LinkUp,
    PowerApplied,
    WifiJoined,
    WifiRefused,
)
from firmware_sim.wire.atop_messages import META_SAVE, ActivationResult, SyncStatus
from firmware_sim.wire.atop_upgrade import UpgradeOffer
from firmware_sim.wire.provisioning import TokenForm, parse_token
from hw_profiles import catalog

ROOT = Path(__file__).parents[2]
TOKEN = "EUabcd1234pro0"
RESULT = ActivationResult(
    dev_id="6cemu000000000000001",
    sec_key="s3cK3y0123456789",
    local_key="l0calK3y01234567",
    schema_id="000001",
    std_time_zone="+00:00",
    schema="[]",
)
OFFER = UpgradeOffer(type=0, version="9.9.9", size="1", url="http://cloud/firmware")
SAMPLES: dict[type[Event], Event] = {
    sig.PairingRead: sig.PairingRead("net", "password", TOKEN),
    sig.TokenOffered: sig.TokenOffered(1, 1, TOKEN, TokenForm.ECB),
    sig.Solicited: sig.Solicited("127.0.0.1"),
    sig.ActivationAccepted: sig.ActivationAccepted(RESULT),
    sig.ActivationRefused: sig.ActivationRefused("TOKEN_FULL"),
    sig.CallFailed: sig.CallFailed("timeout"),
    sig.Released: sig.Released(ResetKind.REMOTE_FACTORY),
    sig.SyncAnswered: sig.SyncAnswered(SyncStatus.RESET_FACTORY),
    sig.TokenHeard: sig.TokenHeard(parse_token(TOKEN)),
    sig.TokenBrought: sig.TokenBrought(parse_token(TOKEN)),
    sig.ErrandAnswered: sig.ErrandAnswered(None),
    sig.UpgradeNoticed: sig.UpgradeNoticed(0),
    sig.UpgradeOffered: sig.UpgradeOffered(msgspec.structs.replace(OFFER, type=9)),
    sig.UpgradeRefused: sig.UpgradeRefused(0),
    sig.ChildRemoved: sig.ChildRemoved(cid("emu0000000000000001", 0), wipe=True),
    sig.ChildUpgradeNoticed: sig.ChildUpgradeNoticed(cid("emu0000000000000001", 0), 0),
    sig.StreamLost: sig.StreamLost("closed"),
    sig.Refused: sig.Refused(4),
    ChildReached: ChildReached(2),
    ChildLost: ChildLost(0),
    ChildJoined: ChildJoined(0),
    ChildLeft: ChildLeft(0),
    FrameDecoded: FrameDecoded(b"no code of ours"),
    LinkUp: LinkUp("127.1.0.1"),
    WifiJoined: WifiJoined("127.1.0.1"),
    WifiRefused: WifiRefused(JoinRefusal.WRONG_PASSWORD),
}
GUARDED: dict[str, Event] = {
    "unknown_to_cloud": sig.ActivationRefused("GATEWAY_NOT_EXISTS"),
    "signed_at_a_wrong_time": sig.ActivationRefused("STALE_TIME", clock_was_wrong=True),
    "unbound": sig.Refused(5),
    "still_bound": sig.SyncAnswered(SyncStatus.ENABLE),
    "is_news": sig.UpgradeOffered(OFFER),
    "overlooks": sig.StreamLost("closed", fin=True),
}


def interrupted(device: Device, holds: bool) -> None:
    device.flash.resetting = ResetKind.REMOTE_UNBIND if holds else None


def activated(device: Device, holds: bool) -> None:
    device.flash.sec_key = RESULT.sec_key if holds else ""


def at_home(device: Device, holds: bool) -> None:
    device.ip = "127.1.0.1" if holds else ""


def offered_before(device: Device, holds: bool) -> None:
    device.token = parse_token(TOKEN) if holds else None


def give_habits(device: Device, **habits: Any) -> None:
    firmware = msgspec.structs.replace(device.profile.firmware, **habits)
    device.profile = msgspec.structs.replace(device.profile, firmware=firmware)


def retrying(device: Device, holds: bool) -> None:
    give_habits(device, activation_error=ActivationError.RETRY if holds else ActivationError.FAIL)


def knowing_servers(device: Device, holds: bool) -> None:
    give_habits(device, built_in_servers=holds)
    device.iot_dns_anchor = b"DER"
    if holds:
        device.endpoints = None


def loading(device: Device, holds: bool) -> None:
    device.loading = Loading("9.9.9", 50 if holds else 100)


def stubborn(device: Device, holds: bool) -> None:
    give_habits(device, reset_during_update=WhileUpdating.REFUSE if holds else WhileUpdating.OBEY)


def tries(device: Device, holds: bool) -> None:
    device.tries = 0 if holds else 1000


def powered(device: Device, holds: bool) -> None:
    device.lifecycle = Lifecycle.WAITING if holds else Lifecycle.OFF


def unresolved(device: Device, holds: bool) -> None:
    if holds:
        device.endpoints = None


def undeclared(device: Device, holds: bool) -> None:
    from firmware_sim.device.cloud_calls import versions

    device.flash.versions = "" if holds else versions(device)


ARRANGE: dict[str, Callable[[Device, bool], None]] = {
    "was_interrupted": interrupted,
    "is_activated": activated,
    "is_at_home": at_home,
    "is_ours": offered_before,
    "retries_for_ever": retrying,
    "are_left": knowing_servers,
    "is_loading": loading,
    "refuses_reset": stubborn,
    "overlooks": lambda device, holds: give_habits(device, notices_fin=not holds),
    "unpaired": lambda device, holds: activated(device, not holds),
    "is_news": lambda *_: None,
    "has_tries_left": tries,
    "powered": powered,
    "servers_unknown": unresolved,
    "versions_new": undeclared,
    "unknown_to_cloud": lambda *_: None,
    "signed_at_a_wrong_time": lambda *_: None,
    "unbound": lambda *_: None,
    "still_bound": lambda *_: None,
}
ROWS = [
    pytest.param(machine, row, id=f"{machine.attribute} {row}")
    for machine in MACHINES
    for row in machine.rows
]


def a_device(profile: str = "ipc-red-green") -> Device:
    from firmware_sim.device.cloud_calls import Servers

    identity = Identity("emu0000000000000001", "0123456789abcdef0123456789ABCDEF", "pid1")
    device = Device(catalog.load(profile), identity, 1, ("127.0.0.1", 80))
    device.now_ms = 1_700_000_000_000
    device.lifecycle = Lifecycle.WAITING
    device.endpoints = Servers(("127.0.0.1", 80), ("127.0.0.1", 1883))
    device.offer = sig.PairingRead("net", "password", TOKEN)
    device.token = parse_token(TOKEN)
    device.loading = Loading("9.9.9")
    device.errands = (Errand(META_SAVE, b"{}", None),)
    flash = device.flash
    flash.dev_id, flash.sec_key, flash.local_key = RESULT.dev_id, RESULT.sec_key, RESULT.local_key
    return device


@pytest.mark.parametrize("profile", ["ipc-red-green", "gateway"])
@pytest.mark.parametrize(("machine", "row"), ROWS)
def test_row_fires(machine: Machine[Any], row: Row, profile: str) -> None:
    device = a_device(profile)
    setattr(device, machine.attribute, row.state)
    event = SAMPLES.get(row.event) or row.event()
    for other in machine.rows:
        if (other.state, other.event) == (row.state, row.event):
            if other.guard is not None:
                ARRANGE[other.guard.__name__](device, other is row)
            if other is row:
                break
    if row.guard is not None:
        event = GUARDED.get(row.guard.__name__, event)
    if row.guard is None and row.target is not None and row.event is sig.CallFailed:
        device.tries = 1000
    device.timers.arm(machine.timers[0], device.now_ms + 9_999_999)

    assert machine.step(device, event) is row

    assert getattr(device, machine.attribute) is (row.target or row.state)
    if row.target is not None:
        assert device.timers._deadlines[machine.timers[0]] != device.now_ms + 9_999_999


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each.attribute)
def test_every_pair_is_answered(machine: Machine[Any]) -> None:
    known = {(row.state, row.event) for row in machine.rows}
    for state in machine.states:
        for event in machine.events:
            rows = machine._table[(state, event)]
            assert bool(rows) == ((state, event) in known)


def test_a_row_reads_like_a_sentence() -> None:
    lines = [str(row) for machine in MACHINES for row in machine.rows]
    assert "WAITING --PowerRemoved--> OFF" in lines
    assert "BOOTING --BootElapsed [was_interrupted]--> RESETTING" in lines
    assert "UP --PingElapsed / ping--> (stay)" in lines


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: each.attribute)
def test_rows_and_tables_say_where_they_stand(machine: Machine[Any]) -> None:
    def at(place: str) -> str:
        path, _, number = place.partition(":")
        lines = (ROOT / path).read_text().splitlines()[int(number) - 1 :]
        return "".join(line.strip() for line in lines[:8])

    assert "= Machine(" in at(machine.place)
    for row in machine.rows:
        before, words, *_ = at(row.place).split("on(")  # of this row; others may follow
        assert (before, row.event.__name__ in words) == ("", True), row


# --- tables that must not be built --------------------------------------------------------------


class Lamp(Enum):
    DARK = auto()
    LIT = auto()


class Owner:
    def __init__(self) -> None:
        self.timers = Timers()
        self.lamp = Lamp.DARK
        self.log: list[str] = []


def yes(*_: object) -> bool:
    return True


def test_a_missing_pair_is_refused() -> None:
    rows = [on(Lamp.DARK, PowerApplied, Lamp.LIT)]
    with pytest.raises(ValueError, match="LIT on PowerApplied: neither handled nor ignored"):
        Machine(Lamp, "lamp", rows, ignored={})


def test_a_pair_both_handled_and_ignored_is_refused() -> None:
    rows = [on(Lamp, PowerApplied, Lamp.LIT)]
    with pytest.raises(ValueError, match="DARK on PowerApplied: handled and ignored"):
        Machine(Lamp, "lamp", rows, ignored={Lamp.DARK: (PowerApplied,)})


def test_a_dead_row_is_refused() -> None:
    rows = [on(Lamp, PowerApplied, Lamp.LIT), on(Lamp, PowerApplied, Lamp.DARK)]
    with pytest.raises(ValueError, match="a row below an unguarded one"):
        Machine(Lamp, "lamp", rows, ignored={})


def test_an_open_end_is_refused() -> None:
    rows = [on(Lamp, PowerApplied, Lamp.LIT, guard=yes)]
    with pytest.raises(ValueError, match="the last row has a guard"):
        Machine(Lamp, "lamp", rows, ignored={})


def test_hooks_run_in_order_and_timers_of_the_state_end_with_it() -> None:
    machine = Machine(
        Lamp,
        "lamp",
        [on(Lamp.DARK, PowerApplied, Lamp.LIT, action=lambda owner, _: owner.log.append("act"))],
        ignored={Lamp.LIT: (PowerApplied,)},
        enter={Lamp.LIT: lambda owner: owner.log.append("enter")},
        leave={Lamp.DARK: lambda owner: owner.log.append("leave")},
        timers=(Timer.BOOT,),
    )
    owner = Owner()
    owner.timers.arm(Timer.BOOT, 5)
    assert machine.step(owner, PowerApplied()) is machine.rows[0]
    assert owner.log == ["leave", "act", "enter"]
    assert not owner.timers.armed(Timer.BOOT)
    assert machine.step(owner, PowerApplied()) is None
