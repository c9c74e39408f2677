"""One unbinding through real sockets: cloud process, broker, lens, LAN broadcast, light.

The story of the README, device by device: what it is told, what its light says, what the cloud
has on record afterwards.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Profile, Timings
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import ButtonPressed, ButtonReleased, PowerApplied, PowerRemoved
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.eyes import Eyes
from firmware_sim.runtime.live.journal import FlashJournal
from firmware_sim.runtime.live.world import LiveWorld
from fleet.app import qr
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.lan_client import LanSearch, send_tokens
from fleet.cloud.edge.process import ServerConfig, run
from fleet.cloud.edge.server import Ready
from fleet.cloud.products import Method as ProductMethod
from fleet.cloud.seed import AccountSeed, DeviceSeed, ProductSeed, Seed, UserSeed
from hw_profiles import catalog

SHOP = ("Müller GmbH – Lager 日本", "päßwort123")
IPS = ("127.88.7.1", "127.88.7.2")


FAST = Timings(boot_ms=200, erase_ms=100, reset_hold_ms=400, failure_ms=300, announce_ms=500)


def fast(name: str) -> Profile:
    """Return a model whose button and boot do not keep a test waiting."""
    return msgspec.structs.replace(catalog.load(name), timings=FAST)


def device_seed(number: int) -> DeviceSeed:
    return DeviceSeed(
        uuid=f"story{number:015d}",
        auth_key=f"{number:032d}",
        product_id=f"pid{number}",
        dev_id=f"6cstory{number:013d}",
        sec_key=f"sec{number:013d}",
        local_key=f"loc{number:013d}",
        owner="uid-anna",
    )


DEVICES = (device_seed(0), device_seed(1))
SEED = Seed(
    accounts=(AccountSeed(name="acme", password="secret1"),),
    users=(UserSeed(uid="uid-anna", name="anna", password="secret2"),),
    products=(
        ProductSeed(product_id="pid0", name="Camera", category="sp", owner="acme"),
        ProductSeed(
            product_id="pid1",
            name="Gateway",
            category="wg2",
            owner="acme",
            method=ProductMethod.WIRED,
        ),
    ),
    devices=DEVICES,
)


@asynccontextmanager
async def cloud(folder: Path) -> AsyncIterator[Ready]:
    """Run a cloud process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(ServerConfig(data=str(folder), seed=SEED), theirs))
    process.start()
    try:
        ready = await asyncio.to_thread(ours.recv)
        assert isinstance(ready, Ready)
        yield ready
    finally:
        ours.close()
        process.terminate()
        await asyncio.to_thread(process.join, 10)


class Bench:
    """A camera and a gateway that were bound at home, now in the warehouse."""

    def __init__(self, ready: Ready, eyes: Eyes, folder: Path) -> None:
        self.shown: dict[int, list[StateShown]] = {0: [], 1: []}
        self.notes: list[tuple[int, str]] = []
        sites = {
            "home": AccessPoint({"anna": "annas wifi"}, join_ms=20),
            "warehouse": AccessPoint(dict([SHOP]), join_ms=20),
        }
        self.world = LiveWorld(
            sites=sites,
            observer=self.observe,
            eyes=eyes,
            journal=FlashJournal(folder / "flash"),
        )
        for number, profile in enumerate(("ipc-red-green", "gateway")):
            seed = DEVICES[number]
            flash = Flash(
                dev_id=seed.dev_id,
                sec_key=seed.sec_key,
                local_key=seed.local_key,
                region="EU",
                env="pr_0",
                ssid="anna",
                password="annas wifi",
            )
            device = Device(
                fast(profile),
                Identity(seed.uuid, seed.auth_key, seed.product_id),
                number,
                (ready.host, ready.http_port),
                flash.image(),
            )
            self.world.add(device, ip=IPS[number], site="home")

    def observe(self, index: int, effect: StateShown | Noted, _: int) -> None:
        if isinstance(effect, StateShown):
            self.shown[index].append(effect)
        else:
            self.notes.append((index, effect.kind))

    def tell_all(self, event: PowerApplied | PowerRemoved | ButtonPressed | ButtonReleased) -> None:
        for index in (0, 1):
            self.world.tell(index, event)

    async def until(self, index: int, *, light: str) -> None:
        async with asyncio.timeout(30):
            while self.world.device(index).light != light:
                assert self.world.failure is None
                await asyncio.sleep(0.01)

    async def reset_in_the_warehouse(self) -> None:
        self.tell_all(PowerApplied())
        for index in (0, 1):
            await self.until(index, light="online")
        self.tell_all(PowerRemoved())
        for index in (0, 1):
            self.world.move(index, "warehouse")
        self.tell_all(PowerApplied())
        self.tell_all(ButtonPressed())
        for index in (0, 1):
            await self.until(index, light="waiting")
        self.tell_all(ButtonReleased())


@pytest.mark.timeout(120)
def test_one_unbinding_by_code_and_one_by_wire(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path))
    images = FlashJournal.replay(tmp_path / "flash")
    assert set(images) == {0, 1}


async def story(folder: Path) -> None:
    lens = LensSettings(frames_per_second=15)
    async with (
        cloud(folder / "cloud") as ready,
        await DecodePool.open("pyzbar") as pool,
        CloudLink(f"http://{ready.host}:{ready.http_port}") as link,
    ):
        bench = Bench(ready, Eyes(pool, lens, seed=1), folder)
        operator = await ConsoleClient.login(link, "acme", "secret1")
        await bench.reset_in_the_warehouse()

        token = await operator.unbind_token("qr")
        bench.world.show(0, qr.payload(*SHOP, token.token))
        await bench.until(0, light="unbound")
        bench.world.show(0, None)

        token = await operator.unbind_token("wired")
        async with LanSearch() as search:
            found = await search.wait_for([DEVICES[1].uuid], 20)
        assert [each.ip for each in found] == [IPS[1]]
        deliveries = await send_tokens(found, token.token)
        assert all(delivery.accepted for delivery in deliveries)
        await bench.until(1, light="unbound")

        page = await operator.history()
        assert [(row.uuid, row.method, row.status) for row in page.rows] == [
            (DEVICES[0].uuid, "qr", "ok"),
            (DEVICES[1].uuid, "wired", "ok"),
        ]
        quotas = await operator.quotas()
        assert quotas.account.used == 2
        await plug_and_unplug(bench)
        await bench.world.close()
    for index in (0, 1):
        operators = [shown.operator for shown in bench.shown[index] if shown.operator]
        assert operators[0] == "waiting"
        assert operators[-1] == "unbound"
        assert "unbinding" in operators


async def plug_and_unplug(bench: Bench) -> None:
    """The cable of the gateway is pulled: it can be found no more, and again when it is back."""
    bench.world.plug(0, connected=False)  # a camera has no socket for it
    bench.world.plug(1, connected=False)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(IPS[1], 6668)
    bench.world.plug(1, connected=True)
    async with LanSearch() as search:
        found = await search.wait_for([DEVICES[1].uuid], 20)
    assert len(found) == 1
