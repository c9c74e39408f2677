"""The monitor's page and calls: what is shown, who may change it, and why something is not shown."""

import asyncio
import io

import httpx
import pytest
from PIL import Image

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import read
from firmware_sim.camera.strategy import Strategy
from firmware_sim.errors import UsageError
from fleet.web.app import make_app
from fleet.web.monitor import Look, Monitor, make_rooms
from tests.camera.pictures import PAYLOAD, bomb, picture
from tests.web.client import browser

pytestmark = pytest.mark.anyio
FRAME = "/devices/0/frame"
PNG, TEXT = {"content-type": "image/png"}, {"content-type": "text/plain; charset=utf-8"}


def monitor_and_client(password: str = "") -> tuple[Monitor, httpx.AsyncClient]:
    monitor = Monitor(Look(), "zxing")
    return monitor, browser(make_app(make_rooms(monitor), password=password))


async def code_on(client: httpx.AsyncClient) -> bytes | None:
    reply = await client.get("/api/monitor/picture")
    assert reply.headers["cache-control"] == "no-store"
    return (
        read(reply.content, Strategy(make_decoder("zxing"))).text
        if reply.status_code == 200
        else None
    )


async def test_a_script_shows_a_picture_a_text_and_nothing() -> None:
    monitor, client = monitor_and_client()
    async with monitor.life(), client:
        assert (await client.get(FRAME)).json() == {"shown": False, "problem": ""}
        assert (await client.put(FRAME, content=picture(), headers=PNG)).status_code == 204
        assert (await client.get("/api/monitor/picture")).content == picture(), "as it is"
        assert (await client.put(FRAME, content=PAYLOAD, headers=TEXT)).status_code == 204
        assert await code_on(client) == PAYLOAD
        assert (await client.delete(FRAME)).status_code == 204
        assert await code_on(client) is None


async def test_a_code_has_one_pixel_per_module_and_its_quiet_zone() -> None:
    monitor, _ = monitor_and_client()
    monitor.show_text(b"x")
    assert monitor.picture is not None
    with Image.open(io.BytesIO(monitor.picture[0])) as code:
        grey = code.convert("L")
        assert grey.size == (21 + 8, 21 + 8)
        assert grey.crop((0, 0, 29, 4)).getextrema() == (255, 255)
        assert grey.getpixel((4, 4)) == 0


async def test_pages_are_told_and_a_script_hears_whether_there_is_one() -> None:
    monitor, client = monitor_and_client()
    async with client:
        monitor.show_text(PAYLOAD)
        told = (await client.get(FRAME)).json()
        assert told == {"shown": True, "problem": "no browser shows the page of this monitor"}
        page = monitor.feed.read()
        waiting = asyncio.ensure_future(anext(page))
        await asyncio.sleep(0)
        assert (await client.get(FRAME)).json() == {"shown": True, "problem": ""}
        monitor.hide()
        assert b'"number":2,"shown":false' in await waiting
        await page.aclose()


async def test_a_code_that_a_camera_ignores_is_shown_and_the_reason_is_said() -> None:
    monitor, client = monitor_and_client()
    async with monitor.life(), client:
        page = monitor.feed.read()
        waiting = asyncio.ensure_future(anext(page))
        await asyncio.sleep(0)
        wrong = b'{"s":"a","p":"secret","t":"short"}'
        assert (await client.put(FRAME, content=wrong, headers=TEXT)).status_code == 204
        problem = (await client.get(FRAME)).json()["problem"]
        assert problem.endswith("ignores this code: a token has 14 printable ASCII characters")
        assert await code_on(client) == wrong
        await waiting
        await page.aclose()


@pytest.mark.parametrize(
    ("content", "headers", "status", "why"),
    [
        (b"nonsense", PNG, 422, "the picture: not a picture"),
        (picture()[:200], PNG, 422, "the picture is damaged"),
        (bomb(10_000), PNG, 422, "a decompression bomb"),
        (picture("TIFF"), PNG, 422, "browsers show PNG"),
        (b"", TEXT, 422, "QR code of 0 bytes"),
        (b"x" * 3000, TEXT, 422, "QR code of 3000 bytes"),
        (b"x", {"content-type": "text/html"}, 415, "text/plain"),
        (b"x", {}, 415, "text/plain"),
    ],
    ids=["nonsense", "cut off", "bomb", "tiff", "no text", "3 kB", "html", "no type"],
)
async def test_what_cannot_be_shown(
    content: bytes, headers: dict[str, str], status: int, why: str
) -> None:
    monitor, client = monitor_and_client()
    async with monitor.life(), client:
        monitor.show_text(PAYLOAD)
        reply = await client.put(FRAME, content=content, headers=headers)
        assert reply.status_code == status
        assert why in reply.json()["problem"]
        assert await code_on(client) == PAYLOAD, "what was shown stays"


async def test_a_picture_may_have_so_many_bytes() -> None:
    monitor, client = monitor_and_client()
    async with monitor.life(), client:
        reply = await client.put(FRAME, content=bytes(5_000_001), headers=PNG)
        assert (reply.status_code, monitor.now.shown) == (413, False)


async def test_pages_of_others_and_foreign_names_change_nothing() -> None:
    monitor, client = monitor_and_client()
    async with client:
        for headers, status in (
            ({"origin": "http://evil.example"}, 403),
            ({"sec-fetch-site": "cross-site"}, 403),
            ({"host": "evil.example"}, 421),
        ):
            reply = await client.put(FRAME, content=PAYLOAD, headers={**TEXT, **headers})
            assert reply.status_code == status
        # A page of others may send this without asking first, so it is none of the calls.
        assert (await client.post(FRAME, content=PAYLOAD, headers=TEXT)).status_code in (403, 405)
    assert not monitor.now.shown


async def test_beyond_this_machine_a_password_is_asked_for() -> None:
    monitor, client = monitor_and_client("correct horse")
    async with monitor.life(), client:
        refused = await client.put(FRAME, content=PAYLOAD, headers=TEXT)
        assert refused.status_code == 401
        assert (await client.get("/monitor")).headers["location"] == "/login"
        wrong = await client.put(FRAME, content=PAYLOAD, headers=TEXT, auth=("any", "wrong"))
        assert (wrong.status_code, monitor.now.shown) == (401, False)
        # What clients make of http://any:correct%20horse@host
        right = await client.put(
            FRAME, content=PAYLOAD, headers=TEXT, auth=("any", "correct horse")
        )
        assert (right.status_code, monitor.now.shown) == (204, True)


async def test_the_page_is_told_how_to_show_frames() -> None:
    monitor = Monitor(Look(size_pct=40, brightness_pct=70, invert=True, black=True), "zxing")
    async with browser(make_app(make_rooms(monitor))) as client:
        assert (await client.get("/api/monitor/look")).json() == {
            "size_pct": 40,
            "brightness_pct": 70,
            "invert": True,
            "black": True,
        }
        assert "monitor.js" in (await client.get("/monitor")).text
        calls = (await client.get("/api/openapi.json")).json()["paths"]
        assert set(calls[FRAME]) == {"put", "delete", "get"}


async def test_a_picture_of_the_command_line_is_named() -> None:
    monitor, _ = monitor_and_client()
    async with monitor.life():
        with pytest.raises(UsageError, match=r"^a\.png: not a picture"):
            await monitor.show_picture(b"nonsense", "a.png")
