"""tinytuya, unmodified, at work with cameras, recorders and gateways of every LAN version."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import tinytuya

from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.addresses import AddressBlock
from tests.live.lan.home import Home, Plan, Unit, home_of, until
from tests.live.lan.phone import code, dps, phone, visible

# Of each model a switch, another data point with two of its values, and one that only reports.
MODELS: dict[str, tuple[int, int, tuple[Value, Value], int | None]] = {
    "ipc-red-green": (101, 106, ("0", "2"), 110),
    "nvr": (101, 113, (1, 0), 104),
    "gateway": (4, 2, (7, 9), None),
}
WRONG_KEY = "a key of 16 char"
PLAN = [(model, version) for model in MODELS for version in LanVersion]
GATEWAYS = [number for number, (model, _) in enumerate(PLAN) if model == "gateway"]
DEVICE22 = len(PLAN)
HABITS: list[Plan] = [
    ("gateway", LanVersion.V33, {"device22": True}),
    ("nvr", LanVersion.V33, {"device22": True}),
]

every_unit = pytest.mark.parametrize(
    "number", range(len(PLAN)), ids=[f"{model} {version}" for model, version in PLAN]
)
every_version = pytest.mark.parametrize("number", GATEWAYS, ids=list(LanVersion))


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with AddressBlock() as block, home_of(block, [*PLAN, *HABITS]) as home:
        yield home


def switch_of(unit: Unit) -> int:
    return MODELS[unit.profile][0]


# --- one client ---------------------------------------------------------------------------------


@every_unit
def test_status(home: Home, number: int) -> None:
    unit = home[number]
    until(lambda: len(home.reported(unit)) == len(unit.model.data_points))
    with phone(unit, persist=False) as client:
        answer = client.status()
        known = home.reported(unit)
        assert dps(answer) == {each: known[each] for each in visible(unit)}
        assert answer.get("devId") == (None if unit.version.negotiates else unit.dev_id)


@every_unit
def test_a_setting_is_answered_with_what_changed_and_reported_to_the_cloud(
    home: Home, number: int
) -> None:
    unit = home[number]
    switch, other, (first, _), _ = MODELS[unit.profile]
    with phone(unit, persist=False) as client:
        wanted = not dps(client.status())[switch]
        assert dps(client.set_value(switch, wanted)) == {switch: wanted}
        both = {switch: not wanted, other: first}
        assert dps(client.set_multiple_values(both)) == both
        status = dps(client.status())
    assert {each: status[each] for each in both} == both
    until(lambda: both.items() <= home.reported(unit).items())


@every_unit
def test_a_kept_connection_serves_all_requests(home: Home, number: int) -> None:
    unit = home[number]
    switch = switch_of(unit)
    with phone(unit) as client:
        before = dps(client.status())
        kept = client.socket
        assert dps(client.set_value(switch, not before[switch])) == {switch: not before[switch]}
        client.set_value(switch, before[switch], nowait=True)
        assert dps(client.receive()) == {switch: before[switch]}
        assert dps(client.status()) == before
        assert client.socket is kept
        assert home.clients(unit) == 1
    until(lambda: home.clients(unit) == 0)


@every_unit
def test_a_refresh_pushes_what_was_asked_for_and_exists(home: Home, number: int) -> None:
    unit = home[number]
    switch, other, _, _ = MODELS[unit.profile]
    with phone(unit) as client, phone(unit) as listener:
        status = dps(client.status())
        listener.status()
        wanted = {each: status[each] for each in (switch, other)}
        assert dps(client.updatedps([switch, other, 250])) == wanted
        assert dps(listener.receive()) == wanted


@every_unit
def test_a_heartbeat_is_answered(home: Home, number: int) -> None:
    unit = home[number]
    with phone(unit) as client:
        client.status()
        client.set_retry(False)  # the answer is empty, and would be taken for an interim one
        assert client.heartbeat(nowait=False) is None
        assert [(heard.cmd, heard.retcode) for heard in client.raw_recv] == [(9, 0)]
        client.heartbeat()
        assert client.receive() is None
        assert dps(client.status())


@every_unit
def test_which_data_points_there_are(home: Home, number: int) -> None:
    unit = home[number]
    with phone(unit, persist=False) as client:
        assert set(client.detect_available_dps()) == {str(each) for each in visible(unit)}


@pytest.mark.parametrize("version", LanVersion)
def test_what_only_reports_stays_as_it_is(home: Home, version: LanVersion) -> None:
    unit = home[PLAN.index(("nvr", version))]
    _, _, _, fixed = MODELS["nvr"]
    assert fixed is not None
    with phone(unit, timeout_s=0.3) as client:
        before = dps(client.status())
        assert client.set_value(fixed, 2) is None  # acknowledged, and nothing to push
        assert client.raw_recv[0].retcode == 0
        assert dps(client.status()) == before


# --- several clients ----------------------------------------------------------------------------


@every_unit
def test_a_change_by_one_client_is_pushed_to_the_others(home: Home, number: int) -> None:
    unit = home[number]
    switch = switch_of(unit)
    with phone(unit) as client, phone(unit) as second, phone(unit) as third:
        for listener in (second, third):
            listener.status()
        wanted = not dps(client.status())[switch]
        client.set_value(switch, wanted)
        for listener in (second, third):
            assert dps(listener.receive()) == {switch: wanted}


@every_unit
def test_a_change_by_the_cloud_is_pushed(home: Home, number: int) -> None:
    unit = home[number]
    switch, other, values, _ = MODELS[unit.profile]
    with phone(unit) as client:
        wanted: dict[int, Value] = {switch: not dps(client.status())[switch], other: values[1]}
        home.order(unit, wanted)
        assert dps(client.receive()) == wanted
        assert dps(client.cached_status()).items() >= wanted.items()


@every_version
def test_one_client_too_many_is_turned_away_until_there_is_room(home: Home, number: int) -> None:
    unit = home[number]
    with ExitStack() as stack:
        for _ in range(unit.model.firmware.lan_clients_max):
            last = stack.enter_context(phone(unit))
            assert dps(last.status())
        with phone(unit) as late:
            assert code(late.status()) in (901, 904, 914)
            last.close()
            until(lambda: home.clients(unit) < unit.model.firmware.lan_clients_max)
            if unit.version is LanVersion.V32:  # it asked in vain when it was made
                late.detect_available_dps()
            assert dps(late.status())


def test_the_monitor_watches_all_of_them(home: Home) -> None:
    heard: dict[str, dict[int, Value]] = {}

    def hear(device: tinytuya.Device, answer: object) -> None:
        heard.setdefault(device.id, {}).update(dps(answer))

    monitor = tinytuya.Monitor(on_status=hear)
    wanted: dict[str, dict[int, Value]] = {}
    units = home.units[: len(PLAN)]
    with ExitStack() as stack:
        for unit in units:
            client = stack.enter_context(phone(unit))
            client.heartbeat()
            monitor.add(client)
        for unit in units:
            switch = switch_of(unit)
            wanted[unit.dev_id] = {switch: not home.reported(unit)[switch]}
        until(lambda: all(home.clients(unit) == 1 for unit in units))
        for unit in units:
            home.order(unit, wanted[unit.dev_id])

        def watched() -> bool:
            monitor.poll(0.01)
            return heard == wanted

        until(watched)
        monitor.stop()


# --- keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "codes"),
    [
        # The refusal is there, but cannot be read: bad padding, or now and then good padding.
        (LanVersion.V32, {900, 904}),
        (LanVersion.V33, {900, 904}),
        (LanVersion.V34, {914}),
        (LanVersion.V35, {914}),
    ],
)
def test_a_wrong_key(home: Home, version: LanVersion, codes: set[int]) -> None:
    unit = home[PLAN.index(("gateway", version))]
    with phone(unit) as owner, phone(unit, persist=False, key=WRONG_KEY) as client:
        before = dps(owner.status())
        assert code(client.status()) in codes
        assert code(client.set_value(4, not before[4])) in codes
        assert dps(owner.status()) == before


def test_a_wrong_key_of_version_31_reads_everything_and_sets_nothing(home: Home) -> None:
    unit = home[PLAN.index(("gateway", LanVersion.V31))]
    with phone(unit, persist=False, key=WRONG_KEY, timeout_s=0.3) as client:
        before = dps(client.status())
        assert code(client.set_value(4, not before[4])) == 902  # nobody answers
        assert dps(client.status()) == before


# --- devices that refuse a plain query -------------------------------------------------------


def test_a_device22_is_recognised_by_its_refusal(home: Home) -> None:
    with phone(home[DEVICE22]) as client:
        assert dps(client.status()) == {1: "disarmed"}
        assert client.dev_type == "device22"
        assert set(client.detect_available_dps()) == {"1", "2", "3", "4"}
        assert dps(client.status()) == {1: "disarmed", 2: 0, 3: 3, 4: True}
        assert dps(client.set_value(4, value=False)) == {4: False}


def test_a_device22_without_data_point_1(home: Home) -> None:
    with phone(home[DEVICE22 + 1]) as client:
        client.set_retry(False)
        client.status()
        assert client.dev_type == "device22"
        found = {int(each) for each in client.detect_available_dps()}
        assert found == {101, 102, 103, 104, 105, 106, 107, 113, 114}
        assert set(dps(client.status())) == found


# --- sub-devices --------------------------------------------------------------------------------


@every_version
def test_sub_devices(home: Home, number: int) -> None:
    unit = home[number]
    sensor, plug, gone = (unit.child(each) for each in range(3))
    with phone(unit) as gateway, phone(unit) as listener:
        listener.status()
        lamp = tinytuya.Device("plug", cid=plug, parent=gateway)
        wanted = not dps(lamp.status())[1]
        answer = lamp.set_value(1, wanted)
        assert dps(answer) == {1: wanted}
        assert answer["device"] is lamp
        pushed = listener.receive()
        assert dps(pushed) == {1: wanted}
        assert plug in (pushed.get("cid"), pushed.get("data", {}).get("cid"))

        assert dps(lamp.updatedps([1])) == {1: wanted}
        assert dps(listener.receive()) == {1: wanted}

        report = gateway.subdev_query()["data"]
        assert (set(report["online"]), set(report["offline"])) == ({sensor, plug}, {gone})
        if unit.version is LanVersion.V32:
            return  # tinytuya asks for a second one's data points before it knows of it
        assert dps(tinytuya.Device("door", cid=sensor, parent=gateway).status()) == {
            1: False,
            3: "high",
        }
        assert dps(lamp.status())[1] == wanted
        gateway.set_socketTimeout(0.3)
        assert tinytuya.Device("climate", cid=gone, parent=gateway).status() is None
        assert gateway.raw_recv == []


@every_version
def test_a_command_without_meaning_is_not_answered(home: Home, number: int) -> None:
    unit = home[number]
    home.notes(unit)
    with phone(unit) as client:
        client.send(tinytuya.MessagePayload(0x77, b"{}"))
        assert dps(client.status())
    assert home.notes(unit) == [("lan_ignored", "command 0x77")]
    assert 0x77 not in set(Command)
