"""The phone against a real cloud, a real device and a real lens, on loopback."""

import asyncio
import io
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from firmware_sim.device.flash import read_image
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.errors import CloudRefused, DeviceClosed, DeviceRefused
from fleet.app.lan_caller import Asking
from fleet.app.lan_client import LanSearch
from fleet.app.lan_device import LanDevice
from fleet.app.lan_happenings import Pushed
from fleet.app.messages import Ticket
from fleet.cloud.edge.process import ServerConfig
from fleet.cloud.seed import AccountSeed, Seed
from fleet.commands import consumer
from fleet.commands.access import Access
from fleet.commands.hands import Desk, desk
from fleet.commands.own_cloud import Premises, own_cloud
from fleet.commands.script import parse
from fleet.commands.unbind import Batch, Wifi, by_qr, by_wire
from fleet.run.cloud_host import CloudHost
from fleet.run.population import Network, Person

WORKSHOP = Network("Rückläufer", "workshop-pw")
WIFI = Wifi(WORKSHOP.ssid, WORKSHOP.password)
EVE = "eve"
SEARCH_S = 1.5  # a device announces itself within a second
QUICK = """
extends = "red-green"
title = "quick"
category = "sp"
kind = "{kind}"
pairing = "{pairing}"
[timings]
boot_ms = 50
erase_ms = 20
failure_ms = 50
reset_hold_ms = 100
announce_ms = 100
retry_ms = 50
"""
CONTROLLED = """
[[data_points]]
id = 1
code = "switch"
mode = "rw"
type = "obj"
initial = false
property = { type = "bool" }
"""


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=200, markup=False, emoji=False, highlight=False)


@pytest.fixture
def camera(tmp_path: Path) -> str:
    path = tmp_path / "camera.toml"
    path.write_text(QUICK.format(kind="camera", pairing="qr"))
    return str(path)


@pytest.fixture
def gateway(tmp_path: Path) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(QUICK.format(kind="gateway", pairing="wired"))
    return str(path)


def text(screen: Console) -> str:
    return screen.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def access(premises: Premises, person: Person) -> Access:
    return Access(premises.url, person.name, person.password)


async def shown(here: Desk, picture: Path, mood: str) -> None:
    """Hold the code before the lens once the app has written it, until the device shows `mood`."""
    while not picture.exists():
        await asyncio.sleep(0.02)
    await here.run(parse(f"show {picture}; wait {mood}; hide"))


def test_a_camera_is_unbound_by_qr_and_goes_to_the_next_owner(
    camera: str, tmp_path: Path, screen: Console
) -> None:
    async def story() -> None:
        async with (
            own_cloud(camera, 1, WORKSHOP, "zxing", bound=True) as premises,
            desk(premises.setup) as here,
        ):
            eve = Access(premises.url, EVE, "eve-pw")
            await consumer.new_user(eve, screen)
            await here.run(parse("p; wait online; hold; wait waiting"))

            # A strong binding stands: nobody else can pair it.
            picture = tmp_path / "stolen.png"
            stealing = asyncio.ensure_future(consumer.pair_by_qr(eve, WIFI, picture, 30, screen))
            await shown(here, picture, "failed")
            assert await stealing == 1
            assert "already_bound" in text(screen)

            picture = tmp_path / "unbind.png"
            who = access(premises, premises.after_sale)
            unbinding = asyncio.ensure_future(by_qr(who, WIFI, Batch(1), picture, screen))
            await shown(here, picture, "unbound")
            assert await unbinding == 0

            picture = tmp_path / "pair.png"
            pairing = asyncio.ensure_future(consumer.pair_by_qr(eve, WIFI, picture, 30, screen))
            await shown(here, picture, "online")
            assert await pairing == 0

            dev_id = text(screen).split("bound as ")[1].split()[0]
            await consumer.remove_device(eve, dev_id, screen, wipe=True)
            await here.run(parse("wait unbound"))

    asyncio.run(story())


def test_a_gateway_is_found_and_unbound_by_wire(gateway: str, screen: Console) -> None:
    async def story() -> None:
        async with (
            own_cloud(gateway, 2, WORKSHOP, "zxing", bound=True) as premises,
            desk(premises.setup) as here,
        ):
            await here.run(parse("p; wait online; hold; wait waiting"))
            who = access(premises, premises.after_sale)
            uuid = premises.setup.identity.uuid
            assert await by_wire(who, Batch(wait_s=30), SEARCH_S, uuid, screen) == 0
            await here.run(parse("wait unbound"))
            owner = access(premises, premises.owner)
            assert await consumer.pair_by_wire(owner, SEARCH_S, uuid, 30, screen) == 0
            await here.run(parse("wait online"))

    asyncio.run(story())
    assert "token accepted" in text(screen)
    assert "unbound 1\n" in text(screen)


@pytest.mark.parametrize("version", list(LanVersion))
def test_a_bound_gateway_is_controlled_over_the_lan_until_it_is_reset(
    version: LanVersion, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.toml"
    text = QUICK.format(kind="gateway", pairing="wired")
    path.write_text(f'{text}{CONTROLLED}[firmware]\nlan_version = "{version}"\n')

    async def story() -> None:
        async with (
            own_cloud(str(path), 5, WORKSHOP, "zxing", bound=True) as premises,
            desk(premises.setup) as here,
            LanSearch(network=f"{here.ip}/32", asking=Asking(answer_ip="127.6.6.6")) as search,
        ):
            flash = read_image(premises.setup.flash)
            await here.run(parse("p; wait online"))
            while not [heard for heard in search.finder.heard if heard.id == flash.dev_id]:
                await asyncio.sleep(0.01)
            [heard] = search.finder.heard
            assert (heard.version, heard.active) == (version, 2)

            door = LanDevice(heard.ip, heard.id, flash.local_key, heard.version)
            async with door as device:
                assert (await device.status()).dps == {1: False}
                await device.set({1: True})
                assert (await device.status()).dps == {1: True}
                push = await anext(device.pushes())
                assert isinstance(push, Pushed)
                assert push.status.dps == {1: True}
                with pytest.raises(DeviceRefused):
                    await device.status("no such sub-device")
                await here.run(parse("hold; wait waiting"))
                pushes = device.pushes()
                with pytest.raises(DeviceClosed):
                    await anext(pushes)
            while not search.finder.found:
                await asyncio.sleep(0.01)
            [waiting] = search.finder.heard
            assert (waiting.id, waiting.awaits_token) == (premises.setup.identity.uuid, True)

    asyncio.run(asyncio.wait_for(story(), 30))


def test_every_console_call_is_understood_by_the_cloud(camera: str) -> None:
    async def story() -> None:
        async with own_cloud(camera, 3, WORKSHOP, "zxing", bound=True) as premises:
            who = access(premises, premises.after_sale)
            async with CloudLink(who.url) as link:
                console = await ConsoleClient.login(link, who.name, who.password)
                token = await console.unbind_token("qr", max_devices=3, life_s=60)
                assert (token.max_devices, token.used, token.cancelled) == (3, 0, False)
                assert await console.token_state(token.batch) == token
                await console.cancel(token.batch)
                await console.cancel(token.batch)
                assert (await console.token_state(token.batch)).cancelled
                [product] = await console.products()
                quotas = await console.quotas()
                assert [one.product_id for one in quotas.products] == [product.product_id]
                ticket = Ticket("account", who.name, quotas.account.limit + 1)
                assert await console.ticket(ticket) == ticket
                assert (await console.quotas()).account.limit == ticket.limit
                assert (await console.history()).rows == ()
                uuid = premises.setup.identity.uuid
                assert (await console.device_log(uuid)).next is None
                with pytest.raises(CloudRefused, match="no_permission"):
                    await console.ticket(Ticket("product", product.product_id, 1))

    asyncio.run(story())


def test_the_phone_outlives_a_cloud_that_is_killed(tmp_path: Path) -> None:
    async def story() -> None:
        died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        seed = Seed(accounts=(AccountSeed(name="ann", password="ann-pw"),))
        host = CloudHost(ServerConfig(data=str(tmp_path / "cloud"), seed=seed), died.set_result)
        try:
            await host.start()
            async with CloudLink(host.url) as link:
                console = await ConsoleClient.login(link, "ann", "ann-pw")
                before = await console.unbind_token("qr")
                os.kill(host.pid, signal.SIGKILL)
                await died
                waiting = asyncio.ensure_future(console.token_state(before.batch))
                await host.replace()
                assert await waiting == before  # what was told before the kill is still true
        finally:
            await host.stop(1.0)

    asyncio.run(story())
