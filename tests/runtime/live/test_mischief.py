"""Each fault on a live device and its cloud: what both notice, and that it is over afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvloop

from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Timings
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import PowerApplied, PowerRemoved
from firmware_sim.runtime import faults
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.faults import Fault
from firmware_sim.runtime.live.world import LiveWorld
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
        return self.world._places[0].hole is not None

    def strike(self, fault: Fault) -> None:
        self.world.strike(0, fault)

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
async def bench(profile: str = "ipc-red-green") -> AsyncIterator[Bench]:
    """Give a device that is online."""
    model = msgspec.structs.replace(catalog.load(profile), timings=QUICK)
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


def play(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a scene on the loop that shards use."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())


def test_the_access_point_is_gone_and_back() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.WifiGone(800))
            assert both.lifecycle == "REJOINING"
            assert await both.in_cloud(), "nobody has said goodbye"
            await asyncio.sleep(0.2)
            assert both.lifecycle == "REJOINING", "no network of that name is heard"
            await both.online()
            assert both.world._places[0].faults == ()
            assert not both.world._dialer.impairments._lines, "the second session ended the first"
            both.strike(faults.CablePulled(300))
            assert both.session == "UP", "there is no cable"

    play(scene)


def test_a_device_that_joins_when_the_access_point_is_gone_finds_none() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: both.lifecycle == "REJOINING")
            both.strike(faults.WifiGone(200))
            await asyncio.sleep(0.1)
            assert both.lifecycle == "REJOINING"
            await both.online()

    play(scene)


@pytest.mark.parametrize("moment", ["up", "linking"])
def test_the_cable_is_pulled_and_put_back(moment: str) -> None:
    async def scene() -> None:
        async with bench("gateway") as both:
            place = both.world._places[0]
            if moment == "linking":
                both.power(on=False)
                both.power(on=True)
                assert place.joining is not None
            both.strike(faults.CablePulled(400))
            assert place.joining is None
            await both.until(lambda: both.lifecycle == "REJOINING")
            both.world.plug(0, connected=False)
            both.world.plug(0, connected=True)
            assert place.joining is None, "the other end is still out"
            await both.online()
            both.strike(faults.WifiGone(400))
            assert both.session == "UP", "there is no antenna"

    play(scene)


@pytest.mark.parametrize("profile", ["ipc-red-green", "gateway"])
def test_an_address_that_is_late_is_waited_for_or_asked_for_again(profile: str) -> None:
    async def scene() -> None:
        async with bench(profile) as both:
            both.power(on=False)
            both.strike(faults.DhcpLate(700, 600))
            both.power(on=True)
            await asyncio.sleep(0.5)
            assert not both.world._places[0].linked
            await both.online()

    play(scene)


def test_no_name_no_call_and_no_session() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.DnsRefused(600))
            await asyncio.sleep(0.05)
            assert both.session == "UP", "what stands is not affected"
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: "dns" in both.noted("call_failed"))
            await both.online()

    play(scene)


def test_a_refused_connection_is_tried_again() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.ConnectRefused(600))
            both.power(on=False)
            both.power(on=True)
            await both.until(lambda: "ConnectionRefusedError" in both.noted("call_failed"))
            await both.online()

    play(scene)


def test_a_black_hole_silences_a_session_and_lets_nobody_in() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.BlackHole(2500))
            both.strike(faults.BlackHole(1))
            await both.until(lambda: both.session != "UP")  # no PONG came
            _, connects = both.world.traffic(0)
            await both.until(lambda: both.session == "CONNECTING")
            assert both.in_hole()
            await both.online()
            assert not both.in_hole()
            assert both.world.traffic(0)[1] > connects
            assert both.noted("mqtt_lost") == []

    play(scene)


def test_a_half_open_session_is_noticed_at_both_ends_by_their_own_clocks() -> None:
    async def scene() -> None:
        async with bench() as both:
            assert not both.world.severed(0)
            both.strike(faults.HalfOpen())
            both.strike(faults.DnsRefused(2500))  # so that no new session ends the old one
            both.world._places[0].device.endpoints = None
            assert both.world.severed(0)
            await both.until(lambda: both.session != "UP")
            assert not both.world.severed(0)
            assert await both.in_cloud()
            await both.cloud_thinks(online=False)
            await both.until(lambda: not both.world._dialer.impairments._lines)
            await both.online()
            await both.cloud_thinks(online=True)

    play(scene)


def test_a_half_open_call_ends_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.runtime.live.http_call.TIMEOUT_S", 0.3)

    async def scene() -> None:
        async with bench() as both:
            place = both.world._places[0]
            both.power(on=False)
            both.strike(faults.Slow(500, 30))  # or the call would be over by now
            both.power(on=True)
            await both.until(lambda: place.call is not None and place.call.line is not None)
            both.strike(faults.HalfOpen())
            await both.until(lambda: "timeout" in both.noted("call_failed"))
            await both.online()

    play(scene)


def test_a_slow_link_is_slow() -> None:
    async def scene() -> None:
        async with bench() as both:
            loop = asyncio.get_running_loop()
            both.power(on=False)
            both.strike(faults.Slow(700, 30))
            start_s = loop.time()
            both.power(on=True)
            await both.online()
            assert loop.time() - start_s > 10 * 0.03
            await both.until(lambda: both.world._places[0].faults == ())
            assert both.session == "UP"

    play(scene)


def test_the_power_fails_and_comes_back() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.PowerCut(200))
            both.strike(faults.PowerCut(300))
            assert both.lifecycle == "OFF"
            assert await both.in_cloud(), "nobody has said goodbye"
            both.power(on=True)
            assert both.lifecycle == "OFF", "there is no voltage"
            await both.online()

    play(scene)


def test_what_is_switched_off_meanwhile_stays_off() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.PowerCut(50))
            both.power(on=False)
            await both.until(lambda: both.world._places[0].faults == ())
            assert both.lifecycle == "OFF"
            both.strike(faults.PowerCut(50))
            both.power(on=True)
            await both.online()

    play(scene)


def test_a_world_that_closes_leaves_no_fault_behind() -> None:
    async def scene() -> None:
        async with bench() as both:
            both.strike(faults.BlackHole(60_000))
            both.strike(faults.PowerCut(60_000))
            await both.world.close()
            assert not both.world._mischief._ends
            both.strike(faults.PowerCut(10))
            await asyncio.sleep(0.05)
            assert both.lifecycle == "OFF"

    play(scene)
