"""What a user's program hears of the user's devices, from which moment on, and until when."""

import msgspec
import pytest

from firmware_sim.events import DeadlineReached
from firmware_sim.wire import mqtt
from fleet.cloud.homes import Member
from tests.cloud.app_world import INDUSTRY, Listener
from tests.cloud.open.people_world import PeopleWorld
from tests.cloud.open.test_assets_api import AssetsWorld
from tests.cloud.support import FakeDevice, World

HOUR_MS = 3_600_000


def fired(world: World) -> None:
    """Let the deadline that the cloud named come."""
    due_ms = world.cloud.next_deadline_ms()
    assert due_ms is not None
    world.now_ms = max(world.now_ms, due_ms)
    world.handle(DeadlineReached())


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_program_hears_what_happens_to_a_device(version: str) -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0", version=version).listen()
    camera = FakeDevice(people.world, 0)
    camera.go_online()
    camera.report(b'{"1":true}')
    online, report = one.heard()
    assert (online["protocol"], online["data"]["bizCode"]) == (20, "online")
    assert online["data"]["devId"] == camera.dev_id
    assert online["t"] == people.world.now_ms
    assert report["protocol"] == 4
    assert report["data"]["devId"] == camera.dev_id
    [status] = report["data"]["status"]
    assert (status["1"], status["value"]) == ("true", True)
    people.ask("PUT", f"/v1.0/devices/{camera.dev_id}", {"name": "Porch"})
    [renamed] = one.heard()
    assert renamed["data"]["bizData"]["name"] == "Porch"
    camera.drop()
    people.ask("DELETE", f"/v1.0/devices/{camera.dev_id}")
    assert one.codes() == ["offline", "delete"]


def test_a_new_device_is_told() -> None:
    people = PeopleWorld()
    camera = FakeDevice(people.world, 0)
    people.ask("DELETE", f"/v1.0/devices/{camera.dev_id}")
    one = Listener(people.maker, "uid1").listen()
    camera.activate(people.world.pair_token(people.world.consumer(1)))
    [bound] = one.heard()
    assert bound["data"]["bizCode"] == "bindUser"
    assert bound["data"]["bizData"] == {"devId": camera.dev_id, "uid": "uid1"}


def test_only_who_lives_with_the_device_hears_of_it() -> None:
    people = PeopleWorld()
    world = people.world
    owner, member, stranger = (
        Listener(people.maker, uid).listen() for uid in ("uid0", "uid1", "uid2")
    )
    home = world.state.homes.first_of("uid0")
    assert home is not None
    world.rule(lambda s: s.homes.put_member(home, Member("uid1", "member", "Ann")))
    FakeDevice(world, 0).go_online()
    assert [one.codes() for one in (owner, member, stranger)] == [["online"], ["online"], []]


def test_events_of_users_and_homes_are_not_for_programs() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    people.ask("POST", "/v1.0/home/create-home", {"uid": "uid0", "home": {"name": "Villa"}})
    assert one.heard() == []


def test_two_programs_of_a_user_hear_the_same_each_in_its_own_way() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0", "one").listen()
    two = Listener(people.maker, "uid0", "two", "2.0").listen(INDUSTRY)
    FakeDevice(people.world, 0).go_online()
    (first,), (second,) = one.heard(), two.heard()
    assert first["data"] == second["data"]


def test_nothing_is_kept_for_who_is_not_there() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    one.drop()
    FakeDevice(people.world, 0).go_online()
    assert one.connect() == 0
    assert one.subscribe() == 0
    assert one.heard() == []


def test_a_consent_that_has_ended_ends_the_hearing() -> None:
    people = PeopleWorld()
    one = Listener(people.guest(0), "uid0").listen()
    camera = FakeDevice(people.world, 0)
    camera.go_online()
    assert one.codes() == ["online"]
    people.world.now_ms += 2 * HOUR_MS - 1
    camera.drop()
    assert one.codes() == ["offline"]
    people.world.now_ms += 1
    camera.go_online()
    assert one.heard() == []


def test_a_device_of_another_data_centre_is_not_heard_of() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    device = people.world.state.devices.get("uuid0000")
    assert device is not None
    moved = msgspec.structs.replace(device, region="AZ")
    people.world.rule(lambda s: s.devices.add(moved))
    FakeDevice(people.world, 0).go_online()
    assert one.heard() == []


# --- the connection -----------------------------------------------------------------------------


def test_connections_end_with_their_credentials() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    end_ms = people.world.now_ms + 2 * HOUR_MS
    while not one.cut:
        fired(people.world)
    assert people.world.now_ms == end_ms
    assert one.connect() == 5
    people.maker.connect()
    one.listen()


def test_what_is_wrong_is_refused_with_the_code_on_which_clients_ask_again() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0")
    one.ask()
    for change in ({"password": "x"}, {"username": "x"}, {"client_id": "cloud_x"}):
        assert one.connect(**change) == 5
    assert one.connect() == 0


@pytest.mark.parametrize("topic", ["cloud/token/in/x", "smart/device/in/bf", "#", "+/token/in/x"])
def test_no_other_topic_is_heard(topic: str) -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    assert one.subscribe(topic) == 0x80


def test_nothing_can_be_published() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    one.say(mqtt.Publish(topic=f"cloud/token/out/{'bf' * 11}", payload=b"{}"))
    assert one.cut


def test_after_a_restart_credentials_are_asked_for_anew() -> None:
    people = PeopleWorld()
    one = Listener(people.maker, "uid0").listen()
    people.world.cloud = people.world.load()
    assert one.connect() == 5


# --- asset users --------------------------------------------------------------------------------


def worker(world: AssetsWorld, *assets: str) -> Listener:
    """Return the program of an asset user who may work in `assets`, listening."""
    program = world.worker(*assets)
    [uid] = world.world.state.users.of_apps({f"assets:{program.access_id}"})
    return Listener(program, uid, version="2.0").listen(INDUSTRY)


def test_an_asset_user_hears_of_what_is_in_the_assets() -> None:
    world = AssetsWorld()
    one = worker(world, world.hall)
    camera = world.online()
    FakeDevice(world.world, 1).go_online()  # in no asset
    assert [each["data"]["devId"] for each in one.heard()] == [camera.dev_id]
    world.world.rule(lambda s: s.asset_grants.revoke(one.uid, [world.hall]))
    camera.report(b'{"1":true}')
    assert one.heard() == []


def test_an_asset_user_hears_how_the_projects_own_device_goes() -> None:
    world = AssetsWorld()
    own = msgspec.structs.replace(world.device(), owner=world.maker_uid)
    world.world.rule(lambda s: s.devices.add(own))
    one = worker(world, world.hall)
    world.ask("DELETE", f"/v1.0/devices/{own.dev_id}")
    assert one.codes() == ["delete"]
