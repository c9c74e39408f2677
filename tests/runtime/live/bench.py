"""One device on a live world, and the cloud that knows it, in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import msgspec

from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Timings
from firmware_sim.effects import JoinWifi, Noted, StateShown
from firmware_sim.events import JoinRefusal, PowerApplied, PowerRemoved
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import Fault, Lasting
from firmware_sim.runtime.live.impaired import Impaired
from firmware_sim.runtime.live.place import Place
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.runtime.place import AnyPlace
from fleet.cloud.edge.process import ServerConfig, serve_cloud
from fleet.cloud.edge.server import Ready
from fleet.cloud.products import Method
from fleet.cloud.seed import AccountSeed, DeviceSeed, ProductSeed, Seed, UserSeed
from fleet.cloud.settings import Settings
from fleet.run.audit import fetch_audit
from hw_profiles import catalog

IP = "127.88.11.1"
SECRET = "audit-secret"
QUICK = Timings(boot_ms=20, retry_ms=50, announce_ms=60_000, keep_alive_s=1, pong_timeout_ms=300)
SEED = DeviceSeed(
    uuid="mischief000000000001",
    auth_key="a" * 32,
    product_id="pid0",
    dev_id="6cmischief0000000001",
    sec_key="s" * 16,
    local_key="l" * 16,
    owner="uid-anna",
)


class Bench:
    """A bound device, switched on, and the cloud that knows it."""

    def __init__(self, world: LiveWorld, device: Device, ready: Ready) -> None:
        self.world = world
        self.device = device
        self.ready = ready
        self.told: list[StateShown | Noted] = []

    @property
    def session(self) -> str:
        return self.device.session.name

    @property
    def lifecycle(self) -> str:
        return self.device.lifecycle.name

    def in_hole(self) -> bool:
        return self.place.hole is not None

    @property
    def place(self) -> Place:
        return self.world._places[0]

    @property
    def lines(self) -> list[Impaired]:
        return self.world._dialer.impairments.lines

    def strike(self, fault: Fault) -> None:
        self.world.strike(0, fault)

    def refusals(self) -> list[JoinRefusal | None]:
        """Return what each attempt to join a network will have come to, from now on."""
        heard: list[JoinRefusal | None] = []
        attachment = self.world._attachment
        answer = attachment._refusal

        def note(place: AnyPlace, effect: JoinWifi) -> JoinRefusal | None:
            heard.append(answer(place, effect))
            return heard[-1]

        attachment._refusal = note  # type: ignore[method-assign]
        return heard

    def waits_s(self) -> list[float]:
        """Return how long each attempt to join a network will have been told to take."""
        waits: list[float] = []
        attachment, loop = self.world._attachment, asyncio.get_running_loop()
        later = attachment._later

        def note(place: AnyPlace, delay_ms: int, then: Callable[[AnyPlace], None]) -> None:
            later(place, delay_ms, then)
            timer = cast("asyncio.TimerHandle", place.joining)  # uvloop's is no subclass
            waits.append(timer.when() - loop.time())

        attachment._later = note  # type: ignore[method-assign]
        return waits

    def end_faults(self) -> None:
        """Let all faults end now."""
        mischief = self.world._mischief
        mischief.close()
        for fault in self.place.faults:
            assert isinstance(fault, Lasting)
            mischief._end(self.place, fault)

    def power(self, *, on: bool) -> None:
        self.world.tell(0, PowerApplied() if on else PowerRemoved())

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not holds():
                await asyncio.sleep(0.005)
        assert self.world.failure is None

    async def online(self) -> None:
        await self.until(lambda: self.session == "UP")

    async def cloud_thinks(self, *, online: bool) -> None:
        async with asyncio.timeout(15):
            while (await self.in_cloud()) != online:
                await asyncio.sleep(0.02)

    async def in_cloud(self) -> bool:
        audit = await fetch_audit(self.ready.url, SECRET)
        return audit.devices[0].online

    def noted(self, kind: str) -> list[str]:
        return [each.detail for each in self.told if isinstance(each, Noted) and each.kind == kind]


def _seed(*, wired: bool) -> Seed:
    return Seed(
        accounts=(AccountSeed("maker@maker", "secret"),),
        users=(UserSeed("uid-anna", "anna", "annas secret"),),
        products=(
            ProductSeed(
                product_id="pid0",
                name="thing",
                category="sp",
                owner="maker@maker",
                method=Method.WIRED if wired else Method.QR,
            ),
        ),
        devices=(SEED,),
    )


@asynccontextmanager
async def bench(
    profile: str = "ipc-red-green", *, keep_alive_s: int = 1, **habits: bool
) -> AsyncIterator[Bench]:
    """Give a device that is online; `habits` are of its firmware."""
    plain = catalog.load(profile)
    model = msgspec.structs.replace(
        plain,
        timings=msgspec.structs.replace(QUICK, keep_alive_s=keep_alive_s),
        firmware=msgspec.structs.replace(plain.firmware, **habits),
    )
    ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    settings = Settings(admin_secret=SECRET, password_iterations=1)
    config = ServerConfig(settings=settings, seed=_seed(wired=model.wired))
    serving = asyncio.create_task(serve_cloud(config, stop, lambda word, _: ready.set_result(word)))
    while not ready.done():
        assert not serving.done(), serving.result()
        await asyncio.sleep(0.005)
    place = ready.result()
    flash = Flash(
        dev_id=SEED.dev_id,
        sec_key=SEED.sec_key,
        local_key=SEED.local_key,
        region="EU",
        ssid="" if model.wired else "anna",
        password="" if model.wired else "annas wifi",
    )
    identity = Identity(SEED.uuid, SEED.auth_key, SEED.product_id)
    device = Device(model, identity, 1, (place.host, place.http_port), flash.image())
    told: list[StateShown | Noted] = []
    world = LiveWorld(
        sites={"home": AccessPoint({"anna": "annas wifi"}, 10)},
        observer=lambda _, what, __: told.append(what),
        broadcast_ip=IP,
    )
    both = Bench(world, device, place)
    both.told = told
    world.add(device, ip=IP, site="home")
    both.power(on=True)
    try:
        await both.online()
        yield both
    finally:
        await world.close()
        stop.set()
        await serving
