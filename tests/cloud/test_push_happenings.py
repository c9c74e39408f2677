"""Every kind of message, raised by what really happens, heard by a consumer of the project."""

from typing import Any

import msgspec

from firmware_sim.wire import atop_messages as messages
from fleet.cloud.open import devices_core, devices_v1, grants_api, homes_api, users
from fleet.cloud.open.gateway import OpenApi
from fleet.cloud.state import State
from tests.cloud.open.program import Program
from tests.cloud.push_world import ACCESS_ID, SECRET, Consumer, PushWorld, Told
from tests.cloud.support import CAMERA, FakeDevice

SCHEMA = "app"
ROUTES = (
    *grants_api.ROUTES,
    *devices_v1.ROUTES,
    *devices_core.ROUTES,
    *users.ROUTES,
    *homes_api.ROUTES,
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
    assert stage.data() == {"command": [{"dpId": 1, "value": True}]}


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
