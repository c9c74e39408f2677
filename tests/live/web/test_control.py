"""The control of live fleets: what is ordered on a page happens to real devices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console

from fleet.commands.pages import pages
from fleet.run.attendance import Attendance, Live, Pages
from fleet.run.command import INTERRUPTED, perform
from fleet.run.ready_file import Papers
from fleet.run.result import RunResult
from fleet.run.up import up

PATIENCE_S = 60.0
Story = Callable[[Live, httpx.AsyncClient], Awaitable[None]]


def visiting(inner: Attendance, story: Story) -> Attendance:
    """Return an attendance during which a program visits the pages, and ends the fleet then."""

    async def visit(live: Live, url: str) -> None:
        try:
            async with (
                httpx.AsyncClient(
                    base_url=url, headers={"X-Fleet": "1"}, timeout=PATIENCE_S
                ) as client,
                asyncio.timeout(2 * PATIENCE_S),
            ):
                await story(live, client)
        finally:
            live.stop.set()

    @asynccontextmanager
    async def attend(live: Live) -> AsyncIterator[Pages]:
        async with inner(live) as seen:
            visitor = asyncio.create_task(visit(live, seen.url))
            yield seen
        await visitor

    return attend


async def call(client: httpx.AsyncClient, path: str, body: object) -> Any:
    reply = await client.post(f"/api/fleet{path}", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def until(client: httpx.AsyncClient, light: str, *indices: int) -> None:
    """Wait until devices show a light."""
    async with asyncio.timeout(PATIENCE_S):
        for index in indices:
            while (await client.get(f"/api/fleet/devices/{index}")).json()["light"] != light:
                await asyncio.sleep(0.05)


def test_hands_on_a_fleet_that_stays(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"

    async def story(_: Live, client: httpx.AsyncClient) -> None:
        while not ready.exists():
            await asyncio.sleep(0.05)
        told = msgspec.json.decode(ready.read_bytes(), type=Papers)
        assert told.pages == str(client.base_url).rstrip("/")
        # Without its network a device shows it, by whatever way it loses it.
        await call(client, "/link", {"filter": {}, "up": False})
        await until(client, "reconnecting", 0, 1)
        await call(client, "/link", {"filter": {}, "up": True})
        await until(client, "online", 0, 1)
        await call(client, "/places/homes/wifi", {"on": False})
        await until(client, "reconnecting", 0)
        await call(client, "/places/homes/wifi", {"on": True})
        await call(client, "/faults", {"kind": "power_cut", "for_s": 1, "devices": [1]})
        await until(client, "off", 1)
        await until(client, "online", 0, 1)
        # Others come, one of a model that was not there; the cloud knows them.
        await call(client, "/devices", {"profile": "ipc-red-green"})
        await call(client, "/devices", {"profile": "dvr"})
        await until(client, "online", 2, 3)
        told = msgspec.json.decode(ready.read_bytes(), type=Papers)
        assert [one.profile for one in told.devices[2:]] == ["ipc-red-green", "dvr"]
        await call(client, "/devices/removal", {"devices": [told.devices[2].uuid]})
        assert len(msgspec.json.decode(ready.read_bytes(), type=Papers).devices) == 3
        await call(client, "/press", {"devices": [3]})
        await until(client, "waiting", 3)
        metrics = (await client.get("/metrics")).text
        assert 'fleet_devices_by_light{light="online"} 2.0' in metrics
        assert "fleet_cloud_up 1.0" in metrics

    with pages("0", None, wanted=True) as attendance:
        code = up(
            devices=2,
            ready_file=ready,
            decoder="zxing",
            attendance=visiting(attendance, story),
            console=Console(quiet=True),
        )
    assert code == 0


def played(story: Story) -> RunResult:
    with pages("0", None, wanted=True) as attendance:
        return perform(
            "batch-unbind",
            devices=8,
            decoder="zxing",
            attendance=visiting(attendance, story),
            console=Console(quiet=True),
        )


def test_a_run_is_paused_ramped_and_stopped() -> None:
    async def story(live: Live, client: httpx.AsyncClient) -> None:
        assert live.run is not None
        assert (await call(client, "/pause", {}))["paused"]
        assert (await call(client, "/ramp", {"operators": 1, "batch_max": 2}))["operators"] == 1
        while live.run.phase != "unbind":
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        now = (await client.get("/api/run/now")).json()
        assert (now["unbound"], now["people"]["paused"]) == (0, True)
        await call(client, "/resume", {})
        while not live.run.tally.unbound:
            await asyncio.sleep(0.05)
        assert (await client.get("/api/run/now")).json()["unbound"] > 0
        await call(client, "/stop", {})

    result = played(story)
    assert result.aborted == INTERRUPTED
    assert result.outcomes.unbound > 0, "the report has what there was"
    assert result.incidents[:2] == (
        "by hand: operators paused",
        "by hand: 1 operators work, batches of 2",
    )
