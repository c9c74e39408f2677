"""`fleet app show`: a QR code on a monitor, before the lens of a real device.

The page is served to this machine, and shown by a browser that fills the screen, if there is one.
What is on it can be changed while it is shown: by calls that every bench has, so by test scripts.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from rich.console import Console

from firmware_sim.camera.scene import PAYLOAD_SIZE_MAX
from firmware_sim.camera.sources.files import content_of
from fleet.commands.kiosk import kiosk
from fleet.commands.pages import PASSWORD
from fleet.commands.plain import plain
from fleet.run.hosting import in_loop, stop_signal
from fleet.web.app import make_app
from fleet.web.monitor import BENCH, NAME, Look, Monitor, make_rooms
from fleet.web.server import Address, listen, parse_address, password_for, read_password, serving

_STDIN = "-"
_INTERRUPTED = 130
Show = Callable[[bytes], None]
Follow = Callable[[Show], Coroutine[None, None, int]]


class Wish(msgspec.Struct, frozen=True):
    """What is to be shown, and how: a picture's file, a text, what an account makes, or nothing yet.

    `follow` makes a code, shows it, and returns the exit code when nothing is left to be shown.
    """

    look: Look
    decoder: str
    picture: Path | None = None
    text: str | None = None
    follow: Follow | None = None
    browser: bool = True


def show(wish: Wish, where: str | None, password_file: Path | None, console: Console) -> int:
    """Show it until Ctrl-C or SIGTERM, or until its code is used up; return the exit code.

    The page is at `where`, `[ADDRESS:]PORT`, or at any free port of this machine. Raises UsageError
    for what cannot be shown, and for a place that cannot be had.
    """
    given = os.environ.get(PASSWORD, "") if password_file is None else read_password(password_file)
    address = Address() if where is None else parse_address(where)
    return in_loop(_show(wish, address, given, console))


async def _show(wish: Wish, address: Address, given: str, console: Console) -> int:
    monitor = Monitor(wish.look, wish.decoder)

    def say(problem: str) -> None:
        if problem:
            console.print(plain(problem.encode()), soft_wrap=True)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(monitor.life())
        stop = await stack.enter_async_context(stop_signal())
        await _begin(monitor, wish, say)
        url = await stack.enter_async_context(_served(monitor, address, given, console))
        shown = wish.browser and await stack.enter_async_context(kiosk(f"{url}/{NAME}"))
        how = "a browser shows it" if shown else "open it on the monitor, full screen"
        console.print(f"monitor: {url}/{NAME} ({how}; Ctrl-C ends it)", soft_wrap=True)
        console.print(f"for test scripts: {url}{BENCH}/frame", soft_wrap=True)
        if wish.follow is None:
            await stop.wait()
            return 0
        following = wish.follow(lambda code: say(monitor.show_text(code)))
        return await _until(following, stop)


async def _begin(monitor: Monitor, wish: Wish, say: Callable[[str], None]) -> None:
    if wish.picture is not None:
        content = await asyncio.to_thread(content_of, wish.picture)
        say(await monitor.show_picture(content, str(wish.picture)))
    elif wish.text is not None:
        payload = _typed() if wish.text == _STDIN else wish.text.encode(errors="surrogateescape")
        say(monitor.show_text(payload))


def _typed() -> bytes:
    """Return what comes on standard input; one byte more than a code holds, if there is more."""
    return sys.stdin.buffer.read(PAYLOAD_SIZE_MAX + 1)


@asynccontextmanager
async def _served(
    monitor: Monitor, address: Address, given: str, console: Console
) -> AsyncIterator[str]:
    """Serve the monitor; gives the URL by which this machine comes to it.

    That is never asked for a password, also where others are.
    """
    rooms = make_rooms(monitor)

    def served(place: Address, password: str) -> AbstractAsyncContextManager[str]:
        return serving(make_app(rooms, password=password), listen(place), monitor.feed.close)

    async with AsyncExitStack() as stack:
        if address.loopback:
            yield await stack.enter_async_context(served(address, given))
            return
        password = password_for(address, given)
        url = await stack.enter_async_context(served(address, password))
        console.print(f"for others: {url}/{NAME}", soft_wrap=True)
        if password != given:
            console.print(f"password of the pages: {password}", soft_wrap=True)
        yield await stack.enter_async_context(served(Address(), ""))


async def _until(following: Coroutine[None, None, int], stop: asyncio.Event) -> int:
    """Return the exit code of `following`, or that of Ctrl-C once `stop` is set."""
    work, stopped = asyncio.create_task(following), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else _INTERRUPTED
    finally:
        work.cancel()
        stopped.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)
