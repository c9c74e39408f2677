"""The room of the demo, called as a browser calls it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import segno
from PIL import Image

from firmware_sim.camera.symbol import flat_picture
from fleet.web.app import make_app
from fleet.web.demo.room import make_room
from fleet.web.demo.shapes import SPEED_MAX
from tests.camera.pictures import bomb, picture
from tests.web.client import browser, proof

pytestmark = pytest.mark.anyio
API = "/api/demo"


class Page:
    """A page of the demo, with its world."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client = client
        self._headers = headers

    async def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        reply = await self.client.post(f"{API}{path}", json=body, headers=self._headers)
        assert reply.status_code == status, reply.text
        told: dict[str, Any] = reply.json()
        return told

    async def send(self, content: bytes) -> httpx.Response:
        return await self.client.post(f"{API}/picture", content=content, headers=self._headers)

    async def now(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.client.get(f"{API}/world")).json()["now"]
        return told

    async def until(self, test: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not test(now := await self.now()):
            await asyncio.sleep(0.01)
        return now

    async def until_light(self, light: str) -> dict[str, Any]:
        return await self.until(lambda now: now["shown"]["light"] == light and not now["busy"])


@asynccontextmanager
async def a_page(profile: str = "", light: str = "waiting") -> AsyncIterator[Page]:
    room = make_room("zxing")
    async with room.life(), browser(make_app([room])) as client:
        page = Page(client, await proof(client))
        if profile:
            await page.post("/start", profile=profile, light=light, speed=SPEED_MAX)
            await page.until_light(light)
        yield page


async def test_what_can_be_chosen() -> None:
    async with a_page() as page:
        assert (await page.client.get("/demo")).status_code == 200
        choices = (await page.client.get(f"{API}/choices")).json()
    assert {"name", "title", "kind", "wired", "hold_ms"} == choices["models"][0].keys()
    assert "unbound" in choices["lights"]
    assert len(choices["chart"]["nodes"]) == 10


async def test_without_a_world_there_is_nothing_to_see() -> None:
    async with a_page() as page:
        assert (await page.client.get(f"{API}/world")).status_code == 204
        for path in ("/events", "/codes/1"):
            assert (await page.client.get(API + path)).status_code == 404
        told = await page.post("/hand", 404, do="power_on")
        assert "start one" in told["error"]
        told = await page.post("/start", 400, profile="nvr", light="disco")
        assert "allowed: booting" in told["error"]


@pytest.mark.parametrize(
    ("password", "header"),
    [("", {"X-Fleet": "1"}), ("s3cret", {"Authorization": "Bearer s3cret"})],
)
async def test_a_program_has_a_world_of_its_own(password: str, header: dict[str, str]) -> None:
    room = make_room("zxing")
    app = make_app([room], password=password)
    async with room.life(), browser(app, **header) as client:
        await client.get("/api/session")
        assert (await client.post(f"{API}/start", json={"profile": "nvr"})).status_code == 200
        assert (await client.get(f"{API}/world")).json()["model"]["name"] == "nvr"
        async with browser(app, **header) as other:
            told = (await other.post(f"{API}/hand", json={"do": "power_on"})).json()
    assert "send the cookie of /api/session" in told["error"]


async def test_unbinding_by_code() -> None:
    async with a_page("ipc-red-green") as page:
        await page.post("/code", role="after_sale", life_s=3600)
        now = await page.until(lambda now: bool(now["codes"]) and not now["busy"])
        [code] = now["codes"]
        assert (code["used"], code["devices_max"]) == (0, 30)
        picture = await page.client.get(f"{API}/codes/{code['number']}")
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.headers["cache-control"] == "no-store"
        await page.post("/hand", do="hold", code=code["number"])
        await page.until_light("unbound")
        await page.post("/hand", do="hide")
        now = await page.until(lambda now: now["codes"][0]["used"] == 1)
        assert now["touch"]["shown"] == 0


async def test_the_wired_way() -> None:
    async with a_page("nvr") as page:
        await page.post("/code", role="owner")
        await page.until(lambda now: bool(now["codes"]) and not now["busy"])
        await page.post("/search")
        await page.until(lambda now: bool(now["found"]) and not now["busy"])
        await page.post("/send", code=1)
        await page.until_light("unbound")
        told = await page.post("/hand", 400, do="hold", code=1)
        assert "no camera" in told["error"]


async def test_every_hand() -> None:
    async with a_page("nvr", "online") as page:
        for do, touch, value in (
            ("unplug", "plugged", False),
            ("plug", "plugged", True),
            ("press", "pressed", True),
            ("release", "pressed", False),
            ("wifi_off", "wifi", False),
            ("wifi_on", "wifi", True),
            ("power_off", "powered", False),
            ("power_on", "powered", True),
        ):
            await page.post("/hand", do=do)
            assert (await page.now())["touch"][touch] is value, do
        await page.post("/hand", do="move", place="warehouse")
        assert (await page.now())["touch"]["place"] == "warehouse"
        told = await page.post("/hand", 400, do="move", place="moon")
        assert "no place" in told["error"]


async def test_time_is_in_the_hands_of_the_page() -> None:
    async with a_page("ipc-red-green") as page:
        await page.post("/time", paused=True, speed=3)
        clock = (await page.now())["clock"]
        assert (clock["paused"], clock["rate"], clock["speed"]) == (True, 0.0, 3.0)
        await page.post("/time", paused=False)
        assert (await page.now())["clock"]["rate"] == 3.0


async def test_a_photograph_is_held_to_the_lens() -> None:
    payload = b'{"s":"Warehouse","p":"warehouse-2024","t":"EUabcdefghpr_0"}'
    content = io.BytesIO()
    Image.fromarray(flat_picture(payload)).save(content, "PNG")
    async with a_page("ipc-red-green") as page:
        await page.post("/time", paused=True)
        reply = await page.send(content.getvalue())
        assert reply.json() == {"size": len(payload)}
        assert (await page.now())["touch"]["shown"] == -1
        await page.post("/time", paused=False)
        await page.until(lambda now: now["shown"]["lifecycle"] != "WAITING")
        await page.until(lambda now: now["touch"]["shown"] == 0)  # it has read it
        assert (await page.send(bytes(5_000_001))).status_code == 413


def large_code() -> bytes:
    """Return a picture of the largest code, with bytes of all kinds in it."""
    content = io.BytesIO()
    payload = bytes(range(256)) * 11 + bytes(137)
    segno.make(payload, mode="byte", error="l", micro=False).save(content, kind="png", scale=4)
    return content.getvalue()


async def test_a_photograph_that_is_none_says_why_and_changes_nothing() -> None:
    async with a_page("ipc-red-green") as page:
        for content, why in (
            (b"nonsense", "not a picture"),
            (picture()[:200], "the picture is damaged"),
            (bomb(10_000), "a decompression bomb: 157 bytes"),
            (bomb(10_000) + bytes(1_000_000), "100 megapixels, at most 50"),
            (large_code(), "QR code of 2953 bytes: must be 1 to 2331"),
        ):
            reply = await page.send(content)
            assert (reply.status_code, why in reply.json()["error"]) == (400, True), reply.text
        assert (await page.now())["touch"]["shown"] == 0


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"s":1}', "Expected `str`, got `int`"),
        (b'{"s":"a","p":"secret","t":"short"}', "a token has 14 printable ASCII characters"),
        (b'{"s":"\xff","p":"secret","t":"EUabcdefghpr_0"}', "not UTF-8"),
        (b"x" * 1100, "a QR text of 1100 bytes; the limit is 1024"),
    ],
    ids=["wrong JSON", "wrong token", "not UTF-8", "too long"],
)
async def test_a_code_that_firmware_ignores_is_noted_with_the_reason(
    payload: bytes, why: str
) -> None:
    async with a_page("ipc-red-green") as page:
        assert (await page.send(picture(payload=payload))).status_code == 200
        await page.until(lambda now: why in json.dumps(now["happened"]))
        assert (await page.now())["shown"]["lifecycle"] == "WAITING"


@pytest.mark.parametrize(
    ("file", "kind", "begin"),
    [
        ("waiting.gif", "image/gif", b"GIF89a"),
        ("waiting.apng", "image/apng", b"\x89PNG"),
        ("unbound.png", "image/png", b"\x89PNG"),
        ("online.svg", "image/svg+xml", b"<"),
    ],
)
async def test_pictures_of_lights(file: str, kind: str, begin: bytes) -> None:
    async with a_page() as page:
        reply = await page.client.get(f"{API}/lights/ipc-red-green/{file}")
    assert reply.headers["content-type"] == kind
    assert reply.content.startswith(begin)
    assert f'ipc-red-green-{file}"' in reply.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/lights/toaster/waiting.gif", 404),
        ("/lights/nvr/waiting.exe", 404),
        ("/lights/nvr/disco.gif", 400),
        ("/lights/.%2Fmine.toml/waiting.gif", 404),
        ("/codes/one", 404),
        ("/codes/" + "9" * 5000, 404),
    ],
)
async def test_what_is_no_picture(path: str, status: int) -> None:
    async with a_page() as page:
        assert (await page.client.get(API + path)).status_code == status


async def test_two_pages_of_a_browser_share_a_world_and_another_browser_has_its_own() -> None:
    room = make_room("zxing")
    app = make_app([room])
    async with room.life(), browser(app) as anna, browser(app) as ben:
        for client, profile in ((anna, "nvr"), (ben, "gateway")):
            page = Page(client, await proof(client))
            await page.post("/start", profile=profile)
        assert (await anna.get(f"{API}/world")).json()["model"]["name"] == "nvr"
        assert (await ben.get(f"{API}/world")).json()["model"]["name"] == "gateway"


async def test_no_secret_is_on_the_page() -> None:
    async with a_page("ipc-red-green", "unbound") as page:
        told = (await page.client.get(f"{API}/world")).text
    for secret in ("warehouse-2024", "EUabc", "sec_key", "local_key", "authKey", "Bearer"):
        assert secret not in told
