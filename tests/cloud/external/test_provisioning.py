"""A broker is told whom to let in: all at first, then what changes, before anybody hears of it."""

import json

import msgspec
import pytest

from firmware_sim.wire import atop
from firmware_sim.wire.mqtt_payload import mqtt_password
from fleet.cloud.external import provisioning
from fleet.cloud.external.dynsec import TOPIC_ANSWERS
from fleet.cloud.external.lines import Line, LineDown
from fleet.cloud.external.roles import GROUP, OWN_CLIENT
from tests.cloud.external.plugin import AtMosquitto, Json, Plugin, activation, go_online, ours
from tests.cloud.support import SETTINGS, FakeDevice, seed

DEV_IDS = [f"bfdevice{n:014}" for n in range(4)]


@pytest.fixture
def world() -> AtMosquitto:
    world = AtMosquitto()
    world.begin()
    return world


# --- at first -----------------------------------------------------------------------------------


def test_all_devices_are_made_known_once(world: AtMosquitto) -> None:
    assert ours(world.plugin) == DEV_IDS
    assert world.prepared == 1
    client = world.plugin.clients[DEV_IDS[1]]
    assert client["password"] == mqtt_password("secret0000000001")
    assert client["clientid"] == DEV_IDS[1]
    writes = world.plugin.writes
    world.kill_and_restart()
    assert world.plugin.writes == writes + 3, "our own password and rights, and the roll call"


def test_nobody_is_served_before_that() -> None:
    world = AtMosquitto()
    world.mute = True
    world.begin()
    assert world.prepared == 0
    assert Line.DEVICES not in world.sessions


def test_our_own_client_is_another_one_with_a_new_password_each_time(world: AtMosquitto) -> None:
    own, role = world.plugin.clients[OWN_CLIENT], world.plugin.roles[OWN_CLIENT]
    assert own["roles"] == [{"rolename": OWN_CLIENT}]
    # Of an earlier version, and meddled with.
    world.plugin.roles[OWN_CLIENT] = {**role, "acls": role["acls"][:1]}
    world.plugin.clients[OWN_CLIENT] = {**own, "roles": []}
    world.kill_and_restart()
    assert world.plugin.clients[OWN_CLIENT]["password"] != own["password"]
    assert world.plugin.clients[OWN_CLIENT]["roles"] == own["roles"]
    assert world.plugin.roles[OWN_CLIENT]["acls"] == role["acls"]
    assert Line.DEVICES in world.sessions


def test_what_changed_while_nobody_looked_is_made_good(world: AtMosquitto) -> None:
    del world.plugin.clients[DEV_IDS[0]]
    world.plugin.clients[DEV_IDS[1]]["textdescription"] = "of old keys"
    world.plugin.clients[DEV_IDS[2]]["disabled"] = True
    world.plugin.roles["cloud_1"] = {}
    world.plugin.clients["cloud_1"] = {
        "password": "p",
        "username": "cloud_1",
        "groups": [{"groupname": GROUP}],
    }
    world.kill_and_restart()
    assert ours(world.plugin) == DEV_IDS
    assert not world.plugin.clients[DEV_IDS[2]]["disabled"]
    device = FakeDevice(world, 1)
    assert go_online(device) == 0
    assert "cloud_1" not in world.plugin.roles


def test_strangers_are_left_as_they_are_and_told_of_once(world: AtMosquitto) -> None:
    stranger = {"password": "p", "username": "bfother", "groups": [{"groupname": GROUP}]}
    world.plugin.clients["bfother"] = dict(stranger)
    world.kill_and_restart()
    assert world.plugin.clients["bfother"] == stranger
    assert world.lines == ["broker: 1 clients of devices that this cloud does not know are left"]


def test_a_long_list_is_asked_for_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioning, "_PAGE", 2)
    monkeypatch.setattr(provisioning, "_MANY", 4)
    world = AtMosquitto()
    world.begin()
    assert world.lines == ["broker: 4 clients are to be made known, which takes a while"]
    writes = world.plugin.writes
    world.kill_and_restart()
    assert world.plugin.writes == writes + 3


def test_devices_behind_others_and_those_that_wait_need_not_be_known() -> None:
    start = seed(3)
    gateway, child, waiting = start.devices
    child = msgspec.structs.replace(
        child,
        gateway=gateway.dev_id,
        owner=gateway.owner,
        node_id="1",
        auth_key="",
        sec_key="",
        local_key="",
    )
    waiting = msgspec.structs.replace(waiting, dev_id="", sec_key="", local_key="", owner="")
    start = msgspec.structs.replace(start, devices=(gateway, child, waiting))
    for wanted, known in ((True, ["acon_uuid0002", DEV_IDS[0]]), (False, [DEV_IDS[0]])):
        settings = msgspec.structs.replace(SETTINGS, broker_waiting_clients=wanted)
        world = AtMosquitto(settings, start=start)
        world.begin()
        assert ours(world.plugin) == known


# --- later --------------------------------------------------------------------------------------


def test_a_device_hears_of_new_keys_when_the_broker_knows_them(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    token = world.unbind_token(world.account("repair"))["token"]
    world.mute = True
    assert world.send("POST", *activation(device, token)) == b""
    exchange = world.last_exchange
    world.mute = False
    world.later(30_000)  # it is silent for too long: all begins anew
    world.later(250)
    assert world.replies.pop(exchange)
    assert device.activate(token) == ""
    assert device.dev_id == DEV_IDS[0]
    assert go_online(device) == 0


def test_a_device_is_told_to_try_again_when_that_takes_too_long(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    token = world.unbind_token(world.account("repair"))["token"]
    world.mute = True
    assert world.send("POST", *activation(device, token)) == b""
    exchange = world.last_exchange
    world.later(SETTINGS.broker_wait_ms - 1)
    assert exchange not in world.replies
    world.later(1)
    told = json.loads(world.replies.pop(exchange))
    inner = atop.decode_inner(atop.decode_reply(json.dumps(told).encode(), device.auth_key))
    assert (inner.success, inner.error_code) == (False, "TRY_AGAIN")
    world.mute = False
    world.later(30_000)
    world.later(250)
    assert device.activate(token) == "", "with the same token"
    assert go_online(device) == 0


def test_an_activation_without_a_broker_waits_as_well(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    token = world.unbind_token(world.account("repair"))["token"]
    lost(world)
    assert world.send("POST", *activation(device, token)) == b""
    exchange = world.last_exchange
    world.later(250)
    assert exchange in world.replies
    assert world.plugin.clients[DEV_IDS[0]]["password"] != mqtt_password("secret0000000000")


def lost(world: AtMosquitto) -> None:
    world.sessions.clear()
    world.handle(LineDown(Line.CONTROL, "lost"))


def test_the_device_of_whoever_removes_it_is_refused(world: AtMosquitto) -> None:
    device = FakeDevice(world, 0)
    world.get("DELETE", f"/app/v1/devices/{device.dev_id}", None, world.consumer(0))
    assert go_online(device) == 5
    assert "acon_uuid0000" in ours(world.plugin), "it may be handed a token now"
    assert device.sync() == "reset"
    device.activate(world.pair_token(world.consumer(1)))
    assert go_online(device) == 0


def test_whom_somebody_waits_for_comes_first(world: AtMosquitto) -> None:
    sessions = [world.consumer(n) for n in range(3)]
    device = FakeDevice(world, 3)
    token = world.unbind_token(world.account("repair"))["token"]
    world.commands.clear()
    world.mute = True
    for n, session in enumerate(sessions):
        world.get("DELETE", f"/app/v1/devices/{DEV_IDS[n]}", None, session)
    world.send("POST", *activation(device, token))
    [under_way] = world.commands
    world.mute = False
    world.commands.clear()
    world.answer(under_way)
    assert [words(command) for command in world.commands] == [
        [
            f"modifyClient {DEV_IDS[3]}",
            f"disableClient {DEV_IDS[1]}",
            f"disableClient {DEV_IDS[2]}",
            "createRole acon_uuid0001",
            "createClient acon_uuid0001",
            "createRole acon_uuid0002",
            "createClient acon_uuid0002",
        ]
    ]


def words(payload: bytes) -> list[str]:
    commands = json.loads(payload)["commands"]
    return [f"{one['command']} {one.get('username') or one.get('rolename')}" for one in commands]


def test_other_changes_of_a_device_are_none_of_the_brokers_business(world: AtMosquitto) -> None:
    writes = world.plugin.writes
    known = world.state.devices.get("uuid0000")
    assert known is not None
    world.rule(lambda state: state.devices.rename(known, "Door", world.now_ms))
    world.later(1)
    assert world.plugin.writes == writes


def test_a_client_that_the_broker_does_not_take_is_given_up(world: AtMosquitto) -> None:
    world.plugin.errors["modifyClient"] = "Internal error"
    device = FakeDevice(world, 0)
    token = world.unbind_token(world.account("repair"))["token"]
    assert world.send("POST", *activation(device, token)) == b"", "it would be refused"
    counts = world.state.counts
    assert counts["broker_commands_refused"] == 3
    assert counts["broker_clients_given_up"] == 1
    assert world.lines[-1].startswith("broker: a client cannot be made known")
    assert world.next_due() == world.now_ms + SETTINGS.broker_wait_ms
    del world.plugin.errors["modifyClient"]
    world.later(SETTINGS.broker_wait_ms)
    assert device.activate(token) == "", "the next attempt tries again"


@pytest.mark.parametrize("command", ["createRole", "createClient", "listClients"])
def test_a_plugin_that_refuses_what_we_need(command: str) -> None:
    world = AtMosquitto()
    world.plugin.errors[command] = "Internal error"
    world.begin()
    if command == "listClients":
        assert world.prepared == 1, "as if it knew nobody"
        return
    assert world.prepared == 0
    assert world.whys == ["its dynamic security refuses what we need"]
    world.plugin.errors.clear()
    world.later(250)
    assert world.prepared == 1


def test_guests_are_the_brokers_own_business(world: AtMosquitto) -> None:
    form = {"name": "monitor", "password": "p", "read": ["#"]}
    assert world.refusal("POST", "/admin/v1/mqtt-clients", form, "the-admin-secret") == (
        "bad_request"
    )


def test_what_other_administrators_are_answered_is_none_of_our_business(
    world: AtMosquitto,
) -> None:
    world.hear(TOPIC_ANSWERS, b'{"responses":[{"command":"listRoles","data":{}}]}')
    world.settle()
    assert set(world.sessions) == set(Line)


def test_a_list_of_an_unknown_form(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_clients(_plugin: Plugin, _command: Json, answer: Json) -> str:
        answer["data"] = {"clients": 3}
        return ""

    monkeypatch.setattr(Plugin, "listClients", list_clients)
    world = AtMosquitto()
    world.begin()
    assert world.prepared == 0
    assert set(world.whys) == {"its dynamic security refuses what we need"}


def test_the_operator_hears_once_of_clients_that_are_given_up(world: AtMosquitto) -> None:
    world.plugin.errors["disableClient"] = "Internal error"
    for n in range(2):
        world.get("DELETE", f"/app/v1/devices/{DEV_IDS[n]}", None, world.consumer(n))
    assert world.state.counts["broker_clients_given_up"] == 2
    assert len(world.lines) == 1


def test_a_change_that_is_taken_back_before_its_turn_is_not_told(world: AtMosquitto) -> None:
    session, device = world.consumer(0), FakeDevice(world, 1)
    token = world.unbind_token(world.account("repair"))["token"]
    world.mute = True
    world.send("POST", *activation(device, token))  # something is under way
    known = world.state.devices.get("uuid0000")
    assert known is not None
    world.get("DELETE", f"/app/v1/devices/{DEV_IDS[0]}", None, session)
    world.rule(lambda state: state.devices.add(known))
    [under_way] = world.commands[-1:]
    world.mute = False
    world.answer(under_way)
    assert go_online(FakeDevice(world, 0)) == 0
    assert not world.plugin.clients[DEV_IDS[0]].get("disabled")
