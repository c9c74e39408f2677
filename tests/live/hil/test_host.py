"""A whole bench in one process: what a script does to a device, from the shelf to its next owner."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from firmware_sim.bench.endpoints.http import Text
from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.scaled import ScaledLoop
from fleet.hil.host import Elsewhere, Host, Plan, open_host
from hw_profiles import catalog
from tests.live.test_app_live import QUICK

RATE = 20.0
WORKING_S = 600.0  # of the bench, whose time passes fast while others use the machine

Work = Callable[[Host, httpx.AsyncClient], Awaitable[None]]


def run(plan: Plan, work: Work) -> None:
    async def main() -> None:
        async with open_host(plan) as host, _caller(host) as caller:
            await work(host, caller)

    with asyncio.Runner(loop_factory=ScaledLoop) as runner:
        runner.run(main())


def _caller(host: Host) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=host.url, timeout=None)


async def until(caller: httpx.AsyncClient, light: str, index: int = 0) -> None:
    shown = ""
    try:
        async with asyncio.timeout(WORKING_S):
            while shown != light:
                shown = (await caller.get(f"/devices/{index}")).json()["light"]
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"the light does not show {light}, it shows {shown}")


async def put(caller: httpx.AsyncClient, what: str, value: str, kind: str = "") -> None:
    headers = {"content-type": kind} if kind else {}
    reply = await caller.put(f"/devices/0/{what}", content=value, headers=headers)
    assert reply.status_code == 204, reply.text


async def reset(caller: httpx.AsyncClient, profile: str) -> None:
    await put(caller, "button", "1")
    await asyncio.sleep(catalog.load(profile).timings.reset_hold_ms / 1000 + 0.5)
    await put(caller, "button", "0")
    await until(caller, "waiting")


async def show(caller: httpx.AsyncClient, purpose: str) -> None:
    reply = await caller.post("/devices/0/phone/codes", json={"purpose": purpose})
    await put(caller, "frame", reply.json()["text"], "text/plain")


def test_a_camera_is_unbound_and_bound_again_by_codes(tmp_path: Path) -> None:
    async def work(_: Host, caller: httpx.AsyncClient) -> None:
        await put(caller, "power", "1")
        await until(caller, "reconnecting")  # its home is elsewhere
        await reset(caller, "ipc-red-green")
        await show(caller, "unbind")
        await until(caller, "unbound")
        await show(caller, "pair")
        await until(caller, "online")
        await caller.delete("/devices/0/frame")
        await put(caller, "link", "0")
        await until(caller, "reconnecting")
        await put(caller, "link", "1")
        await until(caller, "online")
        light = await caller.get("/devices/0/led?duration_s=1&rate_hz=10")
        last = light.text.splitlines()[-1].split(",")
        assert float(last[2]) > 0.5 > float(last[1])  # green
        await put(caller, "power", "0")
        await until(caller, "off")

    run(Plan("ipc-red-green", tmp_path, rate=RATE), work)


def test_recorders_are_unbound_and_bound_again_by_wire(tmp_path: Path) -> None:
    profile = tmp_path / "quick.toml"
    profile.write_text(QUICK.format(kind="nvr", pairing="wired"))

    async def work(host: Host, caller: httpx.AsyncClient) -> None:
        assert [stand.index for stand in host.stands] == [0, 1]
        assert len({stand.about().uuid for stand in host.stands}) == 2
        order = {"purpose": "unbind", "timeout_s": 1}
        nobody = await caller.post("/devices/1/phone/by-wire", json=order)
        assert (nobody.status_code, "is found on the LAN" in nobody.text) == (504, True)
        await put(caller, "power", "1")
        await until(caller, "online")
        await reset(caller, str(profile))
        for purpose, light in (("unbind", "unbound"), ("pair", "online")):
            order = {"purpose": purpose, "timeout_s": WORKING_S}
            reply = await caller.post("/devices/0/phone/by-wire", json=order)
            assert reply.status_code == 204, reply.text
            await until(caller, light)
        assert (await caller.get("/devices/1")).json()["light"] == "off"

    run(Plan(str(profile), tmp_path / "serial", count=2, rate=RATE), work)


def test_a_console_speaks_and_is_spoken_to(tmp_path: Path) -> None:
    async def work(host: Host, caller: httpx.AsyncClient) -> None:
        at = host.stands[0].console_at
        fd = os.open(at.terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        reader, writer = await asyncio.open_connection("127.0.0.1", at.raw_port)
        await asyncio.sleep(1)
        await put(caller, "power", "1")
        async with asyncio.timeout(WORKING_S):
            heard = await reader.readuntil(b"app: ready")
            await asyncio.sleep(2)
            writer.write(b"help\r")
            heard += await reader.readuntil(b"reboot")
        assert b"firmware 1.0.0" in heard
        assert os.read(fd, 65536)[:200] == heard[:200]
        os.close(fd)
        writer.close()

    run(Plan("nvr", tmp_path, rate=RATE), work)


def test_a_wired_device_has_no_lens_and_a_camera_no_socket(tmp_path: Path) -> None:
    async def work(_: Host, caller: httpx.AsyncClient) -> None:
        assert (await caller.get("/devices/0/frame")).status_code == 404
        code = await caller.post("/devices/0/phone/codes", json={"purpose": "pair"})
        assert (code.status_code, "takes its token by wire" in code.text) == (404, True)

    run(Plan("nvr", tmp_path, rate=RATE), work)


def test_pictures_that_cannot_be_read_are_told_to_the_operator(tmp_path: Path) -> None:
    async def work(_: Host, caller: httpx.AsyncClient) -> None:
        wire = await caller.post("/devices/0/phone/by-wire", json={"purpose": "pair"})
        assert (wire.status_code, "no socket" in wire.text) == (404, True)
        reply = await caller.put(
            "/devices/0/frame", content=b"\x89PNG", headers={"content-type": "image/png"}
        )
        assert reply.status_code == 422
        seen = (await caller.get("/devices/0/frame")).json()
        assert seen == {"shown": False, "problem": reply.json()["problem"]}
        told = (await caller.get("/devices/0/happenings")).json()
        assert any("picture" in one["text"] for one in told)
        long = await caller.put(
            "/devices/0/frame", content="x" * 4000, headers={"content-type": "text/plain"}
        )
        assert long.status_code == 400

    run(Plan("ipc-new", tmp_path, rate=RATE), work)


def test_a_window_of_the_light_may_lie_in_the_past(tmp_path: Path) -> None:
    async def work(host: Host, caller: httpx.AsyncClient) -> None:
        await asyncio.sleep(2)
        from_s = host.clock().now_s - 1.5
        query = f"/devices/0/led?duration_s=1&rate_hz=100&from_s={from_s}"
        rows = (await caller.get(query)).text.splitlines()[1:]
        assert float(rows[0].split(",")[0]) == pytest.approx(from_s, abs=0.02)
        assert len(rows) >= 150  # up to now
        old = await caller.get("/devices/0/led?duration_s=1&rate_hz=100&from_s=-100")
        assert old.status_code == 400

    run(Plan("nvr", tmp_path, rate=RATE), work)


def test_a_device_of_another_cloud_has_nobody_with_a_phone(tmp_path: Path) -> None:
    async def work(host: Host, caller: httpx.AsyncClient) -> None:
        assert host.people == ()
        assert host.cloud_url == "http://127.0.0.1:9"
        host.check()
        reply = await caller.post("/devices/0/phone/codes", json={"purpose": "pair"})
        assert (reply.status_code, "somebody else's" in reply.text) == (404, True)
        assert (await caller.get("/devices/0")).json()["uuid"] == "its-own-uuid"

    there = Elsewhere("http://127.0.0.1:9", "its-own-uuid", "k" * 32, "product")
    assert "k" * 32 not in repr(there)
    run(Plan("ipc-new", tmp_path, elsewhere=there), work)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"count": 0}, "--count 0"),
        ({"count": 5000}, "--count 5000"),
        ({"rate": 1e9}, "rate 1e\\+09"),
        ({"profile": "teapot"}, "teapot"),
        ({"elsewhere": Elsewhere("http://x", "u", "k" * 32, "p"), "rate": 2.0}, "at a rate of 1"),
        ({"elsewhere": Elsewhere("ftp://x", "u", "k" * 32, "p")}, "is not the URL of a cloud"),
        ({"elsewhere": Elsewhere("http://[", "u", "k" * 32, "p")}, "is not the URL of a cloud"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, plan: dict[str, object], words: str
) -> None:
    async def work(_: Host, __: httpx.AsyncClient) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match=words):
        run(Plan(**{"profile": "nvr", "serial_dir": tmp_path, **plan}), work)  # type: ignore[arg-type]
    assert repr(Text("x" * 9)) == "Text(9 characters)"
