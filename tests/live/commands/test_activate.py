"""`fleet app activate` finds its device on loopback by uuid or by address."""

import asyncio
import io
import socket
from contextlib import AbstractContextManager, closing, nullcontext

import pytest
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import (
    PORT_CONTROL,
    PORT_ENCRYPTED,
    Announcement,
    encode_announcement,
)
from firmware_sim.wire.lan_frame import FrameCutter
from firmware_sim.wire.provisioning import decode_token_bind, encode_token_bind_reply
from fleet.app.lan_caller import LOOPBACK_BROADCAST
from fleet.commands.activate import Where, with_token

TOKEN = "EUabcdefghpr_0"
IP = "127.6.4.1"
NETWORK = "127.6.4.0/24"


def announce(_: str) -> AbstractContextManager[None]:
    card = Announcement(
        ip=IP,
        gw_id="u1",
        active=0,
        encrypt=True,
        product_key="p1",
        version="3.4",
        token=True,
    )
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((IP, 0))
        sender.sendto(encode_announcement(card), (LOOPBACK_BROADCAST, PORT_ENCRYPTED))
    return nullcontext()


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a token as a device does."""
    with closing(writer):
        for raw in FrameCutter().feed(await reader.read(4096)):
            bind = decode_token_bind(raw)
            assert bind.token == TOKEN
            writer.write(encode_token_bind_reply(raw.sequence, 0, bind.form, bytes(12)))


@pytest.mark.parametrize(("name", "form"), [("u1", None), (IP, "gcm")])
def test_the_device_is_searched_and_gets_its_token(
    name: str, form: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Console(file=io.StringIO(), width=200)
    monkeypatch.setattr(screen, "status", announce)  # that is when the search has begun

    async def story() -> int:
        server = await asyncio.start_server(take, IP, PORT_CONTROL)
        async with server:
            where = Where(name, form=form, search_s=10.0, network=NETWORK)
            return await with_token(where, TOKEN, screen)

    assert asyncio.run(story()) == 0
    assert "token accepted" in screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_device_that_is_not_there_is_one_line() -> None:
    where = Where("u9", search_s=0.01, network=NETWORK)
    with pytest.raises(UsageError, match=r"u9 does not wait .* \(searched 0\.01 s\)"):
        asyncio.run(with_token(where, TOKEN, Console(file=io.StringIO())))
