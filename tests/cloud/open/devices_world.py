"""Cameras whose data points have codes, one that can be online, and the program of their maker.

The device's side is scripted (`FakeDevice`) and speaks MQTT to the cloud; the program's side is
signed HTTP. Only the transport is missing.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from firmware_sim.wire.datapoint import DataPoint, Property, encode_schema
from fleet.cloud.devices import Device
from fleet.cloud.homes import Place
from fleet.cloud.open import devices_core, devices_industry, devices_v1, logs, pairing
from fleet.cloud.open.gateway import OpenApi
from fleet.cloud.settings import Settings
from tests.cloud.open.program import (
    ACCESS_ID,
    OTHER_ID,
    OTHER_SECRET,
    Program,
    connected,
    open_seed,
)
from tests.cloud.support import CAMERA, SETTINGS, FakeDevice, World

POINTS = (
    DataPoint(1, "rw", "obj", Property("bool"), "switch_1"),
    DataPoint(2, "rw", "obj", Property("value", min=10, max=100, step=5, scale=1), "bright_value"),
    DataPoint(3, "rw", "obj", Property("enum", range=("white", "colour")), "work_mode"),
    DataPoint(4, "rw", "obj", Property("string", maxlen=8), "label"),
    DataPoint(5, "ro", "obj", Property("bitmap", maxlen=3), "fault"),
    DataPoint(6, "ro", "raw", None, "picture"),
    DataPoint(7, "wr", "obj", Property("bool"), "device_restart"),
    DataPoint(8, "rw", "obj", Property("bool")),
)
SCHEMA = encode_schema(POINTS)
ROUTES = (
    *devices_v1.ROUTES,
    *devices_industry.ROUTES,
    *devices_core.ROUTES,
    *pairing.ROUTES,
    *logs.ROUTES,
)


class DevicesWorld:
    """A world with two programs: `maker` may use all cameras, `other` none of them."""

    def __init__(self, settings: Settings = SETTINGS, **choices: Any) -> None:
        start = open_seed(**{"schemas": (settings.app_schema,), **choices})
        products = tuple(
            msgspec.structs.replace(one, schema=SCHEMA) if one.product_id == CAMERA else one
            for one in start.products
        )
        self.world = World(settings, msgspec.structs.replace(start, products=products))
        cloud = self.world.cloud
        cloud._open_api = OpenApi(self.world.state, cloud._link, self.world.entropy, self.routes())
        self.maker = connected(self.world)
        self.other = connected(self.world, access_id=OTHER_ID, secret=OTHER_SECRET)
        self.camera = FakeDevice(self.world, 0)

    def home(self, uid: str) -> str:
        """Make one more home for a consumer; return its id."""
        self.world.now_ms += 1
        made = self.world.rule(lambda s: s.homes.make(uid, Place("Villa"), self.world.now_ms))
        return str(made.home_id)

    def home_of_camera(self) -> str:
        """Return the id of the home that the first camera is in."""
        home = self.world.state.homes.of_device(self.device())
        assert home is not None
        return home.home_id

    def space(self, access_id: str = ACCESS_ID) -> str:
        """Make a space for a project; return its id."""
        now_ms = self.world.now_ms
        made = self.world.rule(lambda s: s.spaces.make(access_id, "EU", "Hall", now_ms))
        return str(made.space_id)

    @property
    def maker_uid(self) -> str:
        """Return the id that the maker's project has as an owner of devices."""
        project = self.world.state.projects.get(ACCESS_ID)
        assert project is not None
        return project.uid

    def routes(self) -> Iterable[Any]:
        own = {(route.method, route.pattern) for route in ROUTES}
        served = self.world.cloud._open_api._routes
        return [*ROUTES, *(one for one in served if (one.method, one.pattern) not in own)]

    def get(self, path: str, **query: object) -> Any:
        return self.ask("GET", path, query)

    def ask(self, method: str, path: str, query: dict[str, object] | None = None) -> Any:
        """Make a call of the maker's program without body; return the result of a success."""
        return _result(self.maker.call(method, path, _texts(query or {})))

    def send(self, method: str, path: str, form: object) -> Any:
        """Make a call with a body; return the result of a success."""
        return _result(self.maker.call(method, path, None, msgspec.json.encode(form)))

    def refused(
        self,
        method: str,
        path: str,
        form: object = None,
        program: Program | None = None,
        /,
        **query: object,
    ) -> int:
        """Make a call that is refused; return the code."""
        body = msgspec.json.encode(form) if form is not None else b""
        return (program or self.maker).code(method, path, _texts(query), body)

    def device(self, number: int = 0) -> Device:
        """Return a camera as the registry has it."""
        found = self.world.state.devices.get(f"uuid{number:04}")
        assert found is not None
        return found

    def online(self) -> FakeDevice:
        """Let the first camera come online."""
        self.camera.go_online()
        return self.camera

    def commands(self) -> list[Any]:
        """Return what the camera was sent since the last time: data of protocol 5."""
        packets = self.camera.heard()
        self.camera.acknowledge(packets)
        return [msgspec.json.decode(one.data) for one in self.camera.told(packets)]


def _result(envelope: dict[str, Any]) -> Any:
    assert envelope["success"], envelope
    return envelope["result"]


def _texts(query: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items()}
