"""The server of the pages: a free port, a taken one, an end in time."""

import asyncio
import errno
import os
import re
import socket
from pathlib import Path

import httpx
import pytest

from firmware_sim.errors import UsageError
from fleet.web.app import make_app
from fleet.web.feed import Feed
from fleet.web.routes import Call, Room, Route
from fleet.web.server import (
    Address,
    listen,
    parse_address,
    password_for,
    read_password,
    serving,
    url_of,
    usual_place,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8420", Address("127.0.0.1", 8420)),
        ("0", Address("127.0.0.1", 0)),
        (":9000", Address("127.0.0.1", 9000)),
        ("192.0.2.1:80", Address("192.0.2.1", 80)),
        ("[::1]:8080", Address("::1", 8080)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "port", "127.0.0.1:", "1:65536", "1:-1", "ä:80"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(UsageError, match="expected PORT"):
        parse_address(text)


def test_a_password_is_made_up_where_others_can_come() -> None:
    public = Address("192.0.2.1", 80)
    assert password_for(Address(), "") == ""
    assert password_for(Address(), "given") == "given"
    assert password_for(public, "given") == "given"
    assert re.fullmatch(r"[\w-]{12}", password_for(public, ""))
    assert password_for(public, "") != password_for(public, "")


def test_an_address_of_six_is_bracketed() -> None:
    assert url_of("::1", 80) == "http://[::1]:80"
    assert url_of("127.0.0.1", 80) == "http://127.0.0.1:80"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_address_that_is_all_addresses_is_shown_as_one(host: str) -> None:
    shown = httpx.URL(url_of(host, 8420)).host
    assert shown not in ("0.0.0.0", "::", "")


async def test_pages_are_served_as_long_as_the_block_lasts() -> None:
    app = make_app([Room("one", "One", "login.html")])
    async with serving(app, Address()) as url, httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/one")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(f"{url}/one")


async def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: the port is in use; take another"):
            async with serving(make_app([]), Address("127.0.0.1", port)):
                raise AssertionError("it is taken")


def test_a_place_is_taken_before_anything_is_served_there() -> None:
    with listen(Address()) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match="with --web, where 0 is any free one"):
            listen(Address(port=port))
        with usual_place(Address(port=port)) as other:
            assert other.getsockname()[1] != port


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (
            errno.EADDRNOTAVAIL,
            "[::1]:80: this machine does not have that address; with --web, 127.",
        ),
        (
            errno.EACCES,
            "[::1]:80: this user may not have that port; take one above 1023 with --web",
        ),
        (errno.EINVAL, "[::1]:80: Invalid argument; name another place with --web"),
    ],
)
def test_a_place_that_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, number: int, line: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError, match=re.escape(line)):
        listen(Address("::1", 80))


def test_a_password_is_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" šesam öffne dich \nand more\n", "utf-8")
    assert read_password(file) == "šesam öffne dich"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read: No such file or directory; name another file with --web-password-"),
        (b"secret\xff\n", "cannot be read: this is no text in UTF-8; write it into the first line"),
        (b"\nsecret\n", "its first line is to be the password, and it is empty"),
    ],
)
def test_a_file_without_a_password(tmp_path: Path, content: bytes | None, line: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_password(file)
    told = str(caught.value)
    assert told.startswith(f"{file}: ")
    assert line in told
    assert not any(word in told for word in ("secret", "xff", "Errno"))


async def test_open_feeds_do_not_hold_up_the_end() -> None:
    feed = Feed()

    async def listen(_: Call) -> object:
        return feed.response()

    app = make_app([Room("one", "One", "login.html", (Route("GET", "/feed", "Listen", listen),))])
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        async with serving(app, Address(), feed.close) as url:
            request = client.build_request("GET", f"{url}/api/one/feed")
            reply = await client.send(request, stream=True)
            lines = reply.aiter_lines()
            assert await anext(lines) == "retry: 1000"
        assert [line async for line in lines if line] == []
        await reply.aclose()
