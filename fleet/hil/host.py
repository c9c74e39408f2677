"""A bench in one process and one event loop: a cloud, people, Wi-Fi, devices and their endpoints."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from firmware_sim.bench.endpoints.calls import make_app
from firmware_sim.bench.endpoints.http import Now, Serial, lines
from firmware_sim.bench.endpoints.ptys import Ptys
from firmware_sim.bench.endpoints.rfc2217 import ComPort
from firmware_sim.bench.endpoints.server import listen, serving
from firmware_sim.bench.endpoints.tcp import Raw, open_line
from firmware_sim.bench.station import Station
from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.scene import LensSettings
from firmware_sim.device.device import Device, Identity
from firmware_sim.effects import Noted, StateShown
from firmware_sim.errors import UsageError
from firmware_sim.rng import derive
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.scaled import ScaledLoop
from firmware_sim.runtime.live.world import LiveWorld
from fleet.app.cloud_link import CloudLink
from fleet.app.lan_client import LanSearch
from fleet.hil.live_camera import watch
from fleet.hil.people import People
from fleet.hil.premises import Premises, population_of, premises
from fleet.hil.stand import Around, Stand
from fleet.lan.addresses import AddressBlock
from fleet.run import seeding
from fleet.run.phones import LanPhones
from fleet.run.population import Network, Person, Population, Unit
from hw_profiles import catalog

SITE = "bench"
USUAL_WIFI = Network("workshop", "workshop")
_STATION = 5  # branch of the seed; a unit's own are of the population


class Elsewhere(msgspec.Struct, frozen=True):
    """One device that a cloud knows which is not of this bench, at `url` (http://HOST:PORT)."""

    url: str
    uuid: str
    auth_key: str
    product_id: str

    def __repr__(self) -> str:
        """Show which device, never its key."""
        return f"Elsewhere({self.url!r}, {self.uuid!r})"

    def address(self) -> tuple[str, int]:
        """Return host and port. UsageError."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme != "http":
            raise UsageError(f"{self.url!r} is not the URL of a cloud: expected http://HOST:PORT")
        return host, port or 80


class Plan(msgspec.Struct, frozen=True):
    """What is asked for. Port 0 of HTTP is any free one; `serial_dir` is for names of terminals."""

    profile: str
    serial_dir: Path
    count: int = 1
    rate: float = 1.0
    port: int = 0
    seed: int = 1
    decoder: str = "pyzbar"
    bound: bool = True
    wifi: Network = USUAL_WIFI
    elsewhere: Elsewhere | None = None
    camera: str = ""  # what `fleet lens watch` takes: a real camera before all lenses

    def check(self) -> None:
        """Raise UsageError for what cannot be together."""
        if self.elsewhere is not None and (self.count != 1 or self.rate != 1):
            raise UsageError("a cloud that is not of this bench: one device, at a rate of 1")
        if self.camera and catalog.load(self.profile).wired:
            raise UsageError(f"--camera: {self.profile} has no lens, it is paired by wire")


class Host:
    """A bench that runs; made by `open_host`. `url` is where its calls are."""

    def __init__(
        self, plan: Plan, loop: ScaledLoop, around: Around, cloud: Premises | None
    ) -> None:
        """Begin without devices. Without `cloud` there is one elsewhere."""
        self.plan = plan
        self.url = ""
        self._cloud = cloud
        self._around = around
        self._loop = loop
        self._stands: list[Stand] = []
        self._watching: asyncio.Task[None] | None = None

    @property
    def cloud_url(self) -> str:
        """Return where the cloud is."""
        if self._cloud is not None:
            return self._cloud.ready.url
        assert self.plan.elsewhere is not None
        return self.plan.elsewhere.url

    @property
    def people(self) -> tuple[Person, ...]:
        """Return the after-sales account, if the cloud is of this bench."""
        return self._cloud.population.operators if self._cloud is not None else ()

    @property
    def stands(self) -> Sequence[Stand]:
        """Return all devices, in order."""
        return self._stands

    def check(self) -> None:
        """Raise what has gone wrong, if the bench cannot go on."""
        if self._around.world.failure is not None:
            raise self._around.world.failure
        if self._cloud is not None and self._cloud.ended.done():
            self._cloud.ended.result()
            raise UsageError("the cloud of the bench has ended")
        if self._watching is not None and self._watching.done():
            self._watching.result()

    @asynccontextmanager
    async def watching(self, source: str, reader: FrameReader) -> AsyncIterator[None]:
        """Hold what a real camera sees before all lenses, as long as the block lasts."""
        self._watching = asyncio.create_task(watch(source, reader, self._see))
        try:
            yield
        finally:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _see(self, payload: bytes) -> None:
        for stand in self._stands:
            stand.see(payload)

    def clock(self) -> Now:
        """Return the bench's time."""
        return Now(self._around.now_ms() / 1000, self._loop.rate)

    def observe(self, index: int, what: StateShown | Noted, now_ms: int) -> None:
        """Take what a device shows or tells (the world calls this)."""
        self._stands[index].observed(what, now_ms)

    def add(self, population: Population, unit: Unit, ip: str) -> Stand:
        """Put a device on the bench, with instruments and without power."""
        profile = population.profile(unit)
        product_id, flash = unit.product.product_id, b""
        if (elsewhere := self.plan.elsewhere) is not None:
            product_id = elsewhere.product_id
            unit = msgspec.structs.replace(unit, uuid=elsewhere.uuid, auth_key=elsewhere.auth_key)
            iot_dns = elsewhere.address()
        else:
            assert self._cloud is not None
            iot_dns = (self._cloud.ready.host, self._cloud.ready.http_port)
            flash = seeding.device_spec(population, unit, ip, SITE, bound=self.plan.bound).flash
        identity = Identity(unit.uuid, unit.auth_key, product_id)
        station = Station(profile, identity, derive(unit.seed, _STATION))
        stand = Stand(self._around, profile, unit, ip, station)
        self._stands.append(stand)
        device = Device(profile, identity, unit.seed, iot_dns, flash)
        self._around.world.add(device, ip=ip, site=SITE)
        if profile.wired:
            self._around.world.plug(unit.index, connected=True)
        return stand


@asynccontextmanager
async def open_host(plan: Plan) -> AsyncIterator[Host]:
    """Set a bench up in the running `ScaledLoop`, and take it down again.

    Time passes at the pace of the wall until all is there. Raises UsageError for what cannot be.
    """
    async with AsyncExitStack() as stack:
        loop = _loop()
        plan.check()
        population = population_of(plan.profile, plan.count, plan.wifi, plan.seed)
        block = stack.enter_context(AddressBlock())
        listener = listen(plan.port)
        stack.callback(listener.close)
        ptys = Ptys(plan.serial_dir)
        stack.callback(ptys.close)
        cloud = None
        if plan.elsewhere is None:
            cloud = await stack.enter_async_context(premises(population, bound=plan.bound))
        eyes = None
        if not population.products[0].wired:
            pool = await stack.enter_async_context(await DecodePool.open(plan.decoder))
            eyes = Eyes(pool, LensSettings(), plan.seed)
        world = LiveWorld(
            sites={SITE: AccessPoint({plan.wifi.ssid: plan.wifi.password})},
            observer=lambda index, what, now_ms: host.observe(index, what, now_ms),
            eyes=eyes,
            broadcast_ip=block.lan.broadcast_ip,
            seed=plan.seed,
        )
        stack.push_async_callback(world.close)
        reader = await stack.enter_async_context(FrameReader(plan.decoder))
        people = None
        if cloud is not None:
            link = await stack.enter_async_context(CloudLink(cloud.ready.url))
            search = LanSearch(network=block.lan.network, found_max=plan.count)
            phones = LanPhones(await stack.enter_async_context(search))
            people = People(population, link, phones, plan.wifi)
        host = Host(plan, loop, Around(world, world.now_ms(), reader, people), cloud)
        for unit in population.units:
            stand = host.add(population, unit, block.address(unit.index))
            await _wire(stand, ptys, plan.port, stack)
        if plan.camera:
            await stack.enter_async_context(host.watching(plan.camera, reader))
        host.url = await stack.enter_async_context(serving(make_app(lines(host)), listener))
        loop.set_rate(plan.rate)
        try:
            yield host
        finally:
            loop.set_rate(max(1.0, plan.rate))


async def _wire(stand: Stand, ptys: Ptys, port: int, stack: AsyncExitStack) -> None:
    """Lead the serial lines of a stand to where programs can open them."""
    stack.callback(stand.close)
    # Where the bench has a port of its own, the others are above it, and the same next time.
    first = port + 1 + 2 * stand.index if port else 0
    raw = await open_line(stand.console.type, Raw, first)
    stack.callback(raw.close)
    telnet = await open_line(stand.console.type, ComPort, first + 1 if first else 0)
    stack.callback(telnet.close)
    uart = ptys.open(f"uart{stand.index}", stand.console.type)
    for end in (raw, telnet, uart):
        stand.console.connect(end)
    stand.console_at = Serial(str(uart.link), raw.port, telnet.port)
    analyser = ptys.open(f"feasa{stand.index}", stand.analyser.type)
    stand.analyser.connect(analyser)
    stand.analyser_at = Serial(str(analyser.link))


def _loop() -> ScaledLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ScaledLoop), "a bench runs in a loop whose time can be scaled"
    return loop
