"""`fleet demo`: serves the indicator demo, and nothing else, until somebody stops it."""

import os
from pathlib import Path

from rich.console import Console

from fleet.commands.pages import PASSWORD
from fleet.run.hosting import in_loop, stop_signal
from fleet.web.app import make_app
from fleet.web.demo.room import make_room
from fleet.web.server import (
    DEFAULT_PORT,
    Address,
    listen,
    parse_address,
    password_for,
    read_password,
    serving,
    usual_place,
)


def demo(where: str | None, password_file: Path | None, decoder: str, console: Console) -> int:
    """Serve the demo at `where`, `[ADDRESS:]PORT`, until Ctrl-C or SIGTERM; return 0.

    None: at the usual port of this machine, or at any free one if that is taken. UsageError for a
    place that cannot be had.
    """
    given = os.environ.get(PASSWORD, "") if password_file is None else read_password(password_file)
    address = Address(port=DEFAULT_PORT) if where is None else parse_address(where)
    password = password_for(address, given)
    listener = usual_place(address) if where is None else listen(address)

    async def stay() -> None:
        room = make_room(decoder)
        app = make_app([room], password=password)
        async with stop_signal() as stop, serving(app, listener) as url, room.life():
            console.print(f"demo: {url}/demo (Ctrl-C ends it)", soft_wrap=True)
            if password != given:
                console.print(f"password of the pages: {password}", soft_wrap=True)
            await stop.wait()

    try:
        in_loop(stay())
    finally:
        listener.close()
    return 0
