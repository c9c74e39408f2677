"""The application: pages, menu, static files."""

import pytest

from fleet.light.colours import DARK, SHADES
from fleet.web.app import STATIC, make_app
from fleet.web.routes import Room
from tests.web.client import browser

pytestmark = pytest.mark.anyio

APP = make_app([Room("one", "One", "login.html"), Room("quiet", "", "")])


async def test_the_first_room_is_home() -> None:
    async with browser(APP) as client:
        reply = await client.get("/")
    assert (reply.status_code, reply.headers["location"]) == (303, "/one")


async def test_a_page_is_a_file_and_is_looked_at_again() -> None:
    async with browser(APP) as client:
        reply = await client.get("/one")
    assert reply.content == (STATIC / "login.html").read_bytes()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"


async def test_rooms_without_title_are_not_in_the_menu_and_those_without_page_have_none() -> None:
    async with browser(APP) as client:
        about = (await client.get("/api/session")).json()
        quiet = await client.get("/quiet")
    assert about["pages"] == [{"name": "one", "title": "One"}]
    assert (about["trusted"], about["password"]) == (True, False)
    assert quiet.status_code == 404


async def test_nothing_outside_the_static_folder_is_served() -> None:
    async with browser(APP) as client:
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
            assert (await client.get(path)).status_code == 404, path


async def test_what_is_not_there_says_so_in_the_form_of_the_caller() -> None:
    async with browser(APP) as client:
        call = await client.get("/api/nothing")
        other_way = await client.put("/api/session", headers={"x-fleet": "1"})
        page = await client.get("/nothing%3Cb%3E")
    assert (call.status_code, call.json()["error"]) == (
        404,
        "there is nothing at /api/nothing; /api/openapi.json has all calls",
    )
    assert (other_way.status_code, "allow" in other_way.headers) == (405, True)
    assert other_way.json()["error"].startswith("/api/session is not called by PUT")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert page.text == "there is nothing at /nothing<b>; the pages begin at /\n"


async def test_strangers_do_not_learn_the_menu() -> None:
    app = make_app([Room("one", "One", "login.html")], password="secret")
    async with browser(app) as client:
        about = (await client.get("/api/session")).json()
    assert about["pages"] == []
    assert about["trusted"] is False


async def test_the_colours_of_lights_are_those_of_pictures_and_terminals() -> None:
    async with browser(APP) as client:
        colours = (await client.get("/api/colours")).json()
    assert colours["dark"] == DARK
    assert colours["shades"]["red"]["lit"] == SHADES["red"].lit
    assert colours["shades"].keys() == SHADES.keys()
