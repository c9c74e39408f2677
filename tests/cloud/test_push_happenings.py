"""Every kind of message, raised by what really happens, heard by a consumer of the project."""

from typing import Any

import msgspec

from firmware_sim.events import DeadlineReached
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.devices import Site
from fleet.cloud.open import devices_core, devices_v1, grants_api, homes_api, spaces_api, users
from fleet.cloud.open.gateway import OpenApi
from fleet.cloud.state import State
from tests.cloud.open.program import Program
from tests.cloud.push_world import ACCESS_ID, SECRET, Consumer, PushWorld, Told
from tests.cloud.support import CAMERA, DAY_MS, RECORDER, REPAIR, STRANGER, FakeDevice

SCHEMA = "app"
ROUTES = (
    *grants_api.ROUTES,
    *devices_v1.ROUTES,
    *devices_core.ROUTES,
    *users.ROUTES,
    *homes_api.ROUTES,
    *spaces_api.ROUTES,
)


class Stage:
    """A project with an app of its own, its program, and a consumer of each form."""

    def __init__(self, families: str = "legacy") -> None:
        self.world = PushWorld(push_families=families)
        project = msgspec.structs.replace(self.world.project, schemas=(SCHEMA,))
        self.world.rule(lambda state: state.projects.put(project))
        self.world.rule(_name_the_data_point)
        cloud = self.world.cloud
        cloud._open_api = OpenApi(self.world.state, cloud._link, self.world.entropy, ROUTES)
        self.program = Program(self.world, ACCESS_ID, SECRET)
        self.program.connect()
        self.consumer: Consumer = self.world.connect()
        self.device = FakeDevice(self.world, 0)

    def call(self, method: str, path: str, form: object = None) -> Any:
        body = b"" if form is None else msgspec.json.encode(form)
        envelope = self.program.call(method, path, body=body)
        assert envelope["success"], envelope
        return envelope["result"]

    def belong_to(self, account: str) -> None:
        """Let the project be another account's, whose the products are not."""
        project = self.world.state.projects.get(ACCESS_ID)
        assert project is not None
        theirs = msgspec.structs.replace(project, owner=account)
        self.world.rule(lambda state: state.projects.put(theirs))

    def own(self, uid: str, **changes: Any) -> None:
        """Let the device be `uid`'s."""
        device = self.world.state.devices.get(self.device.uuid)
        assert device is not None
        theirs = msgspec.structs.replace(device, owner=uid, last_owner=uid, **changes)
        self.world.rule(lambda state: state.devices.add(theirs))

    def heard(self) -> list[Told]:
        """Return the messages heard since the last call, acknowledged."""
        deliveries = self.consumer.heard()
        self.consumer.acknowledge(*deliveries)
        return [self.consumer.read(one) for one in deliveries]

    def codes(self) -> list[str]:
        return [message["bizCode"] for message in self.heard()]

    def data(self) -> Told:
        """Return the data of the one message heard, without device and time."""
        (message,) = self.heard()
        data: Told = message["bizData"]
        return data


def _name_the_data_point(state: State) -> None:
    product = state.products.get(CAMERA)
    assert product is not None
    named = product.schema.replace('"id":1', '"id":1,"code":"switch_1"')
    state.products.put(msgspec.structs.replace(product, schema=named))


def test_presence_and_reports() -> None:
    stage = Stage()
    stage.device.go_online()
    assert stage.codes() == ["online"]
    stage.device.report(b'{"1":true}')
    (report,) = stage.heard()
    assert report["protocol"] == 4
    assert "bizCode" not in report
    assert report["productKey"] == stage.device.product_id
    (status,) = report["status"]
    assert status == {"code": "switch_1", "value": True, "1": "true", "t": stage.world.now_ms}
    stage.device.drop()
    assert stage.codes() == ["offline"]


def test_binding_and_unbinding() -> None:
    stage = Stage()
    session = stage.world.consumer(0)
    own = f"/app/v1/devices/{stage.device.dev_id}"
    stage.world.get("DELETE", own, None, session)
    assert stage.codes() == ["delete"]
    stage.device.activate(stage.world.pair_token(session))
    assert stage.codes()[0] == "bindUser"
    stage.call("DELETE", f"/v1.0/devices/{stage.device.dev_id}")
    assert stage.data() == {"devId": stage.device.dev_id, "uid": "uid0"}


def test_names_commands_and_upgrades() -> None:
    stage = Stage()
    stage.device.go_online()
    stage.call("PUT", f"/v1.0/devices/{stage.device.dev_id}", {"name": "Tür"})
    online, renamed = stage.heard()
    assert (online["bizCode"], renamed["bizCode"]) == ("online", "nameUpdate")
    assert renamed["bizData"] == {"devId": stage.device.dev_id, "name": "Tür"}
    for version in ("1.0.0", "1.0.1"):
        channel = messages.ChannelVersion(
            ota_channel=0, protocol_ver="2.2", baseline_ver="40.07", soft_ver=version
        )
        update = messages.VersionsUpdate(versions=messages.versions_text((channel,)), t=1)
        assert stage.device.call(messages.VERSIONS_UPDATE.name, update, "4.1").success
    assert stage.data() == {"devId": stage.device.dev_id, "moduleType": 0, "upgradeStatus": 3}
    status = messages.UpgradeStatusUpdate(type=9, upgrade_status=2, t=1)
    assert stage.device.call(messages.UPGRADE_STATUS_UPDATE.name, status, "4.1").success
    assert stage.data() == {"devId": stage.device.dev_id, "moduleType": 9, "upgradeStatus": 2}
    command = {"commands": [{"code": "switch_1", "value": True}]}
    stage.call("POST", f"/v1.0/devices/{stage.device.dev_id}/commands", command)
    (commanded,) = stage.heard()
    assert commanded["bizCode"] == "deviceDpCommand"
    assert commanded["command"] == [{"dpId": 1, "value": True}]


def test_users_of_the_projects_app() -> None:
    stage = Stage()
    form = {"country_code": "49", "username": "u", "password": "0" * 32, "username_type": 3}
    uid = stage.call("POST", f"/v1.0/apps/{SCHEMA}/user", form)["uid"]
    assert stage.data() == {"uid": uid, "schema": SCHEMA, "time": stage.world.now_ms}
    stage.call("POST", f"/v1.0/apps/{SCHEMA}/user", form)
    assert stage.codes() == ["userUpdate"]
    home = {"uid": uid, "home": {"name": "Nest"}, "rooms": ["Attic"]}
    home_id = stage.call("POST", "/v1.0/home/create-home", home)
    created, room = stage.heard()
    assert created["bizData"]["homeName"] == "Nest"
    assert (created["bizCode"], room["bizCode"]) == ("homeCreate", "roomCreate")
    stage.call("PUT", f"/v1.0/homes/{home_id}", {"name": "Den"})
    stage.call("DELETE", f"/v1.0/homes/{home_id}")
    assert stage.codes() == ["homeUpdate", "homeDelete"]


def test_what_only_the_newer_form_tells() -> None:
    stage = Stage("iot_core")
    for state in (1, 0):
        stage.call("POST", f"/v2.0/cloud/thing/{stage.device.dev_id}/freeze", {"state": state})
    assert stage.codes() == ["deviceFreeze", "deviceUnFreeze"]
    space = stage.call("POST", "/v2.0/cloud/space/creation", {"name": "Shop"})
    device = stage.world.state.devices.by_dev_id(stage.device.dev_id)
    stage.world.rule(lambda s: s.devices.move(device, stage.world.now_ms, space=str(space)))
    stage.call("DELETE", f"/v2.0/cloud/space/{space}")
    assert stage.data()["spaceId"] == ""


def test_what_is_nobodys_is_told_of_no_more() -> None:
    stage = Stage()
    stage.device.activate(stage.world.unbind_token(stage.world.account(REPAIR))["token"])
    stage.device.go_online()
    stage.device.drop()
    assert stage.codes() == ["delete"]


def test_a_user_who_is_deleted_leaves_nothing_untold() -> None:
    stage = Stage()
    stage.belong_to(STRANGER)
    form = {"country_code": "49", "username": "u", "password": "0" * 32, "username_type": 3}
    uid = stage.call("POST", f"/v1.0/apps/{SCHEMA}/user", form)["uid"]
    stage.own(uid)
    stage.call("POST", "/v1.0/home/create-home", {"uid": uid, "home": {"name": "Nest"}})
    stage.heard()
    user = stage.world.state.users.get(uid)
    stage.world.rule(lambda s: s.users.prepare_delete(user, stage.world.now_ms))
    stage.world.now_ms += 7 * DAY_MS
    stage.world.handle(DeadlineReached())
    gone, home, person = stage.heard()
    assert gone["bizData"] == {"devId": stage.device.dev_id, "uid": uid}
    assert (gone["bizCode"], home["bizCode"]) == ("delete", "homeDelete")
    assert (home["bizData"]["homeName"], person["bizCode"]) == ("Nest", "userDelete")


def test_a_take_over_from_another_data_centre_is_told_in_both() -> None:
    stage = Stage()
    abroad = stage.world.connect(prefix="/us")
    stage.own("uid0", product_id=RECORDER)
    stage.device.product_id = RECORDER
    site = Site(region="AZ")
    now_ms = stage.world.now_ms
    token = stage.world.rule(lambda s: s.tokens.make_pair_token("uid1", now_ms, site=site))
    assert stage.device.activate(token.text) == ""
    assert stage.data() == {"devId": stage.device.dev_id, "uid": "uid0"}
    assert [abroad.read(one)["bizCode"] for one in abroad.heard()] == ["bindUser"]
