"""Serves the pages of a fleet that runs: which rooms there are, where, and who is let in.

The place to listen at is taken before the fleet is: a fleet may move into a network of its own, and
pages are for people who are where they were.
"""

import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from starlette.routing import BaseRoute

from fleet.run.attendance import Attendance, Live, Pages
from fleet.web import app_room, console_room, fleet_room, run_room, wall
from fleet.web.app import make_app
from fleet.web.demo import room as demo_room
from fleet.web.fleet_room import FleetRoom
from fleet.web.guard import Guard
from fleet.web.metrics import metrics_route
from fleet.web.premises import Premises
from fleet.web.routes import Room
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


def rooms_of(premises: Premises, live: Live) -> list[Room]:
    """Return the rooms of a live fleet, in the order of the menu."""
    control = FleetRoom(premises, live)
    return [
        run_room.make_room(premises, live, control),
        wall.make_room(premises),
        console_room.make_room(premises),
        app_room.make_room(premises),
        demo_room.make_room(),
        fleet_room.make_room(control),
    ]


@asynccontextmanager
async def attending(
    rooms: Iterable[Room],
    place: Address | socket.socket,
    password: str = "",
    more: Callable[[Callable[[], int]], Iterable[BaseRoute]] = lambda _: (),
) -> AsyncIterator[str]:
    """Serve `rooms` as long as the block lasts; gives the URL.

    `place` is an address, or what `listen` returns for one. Without `password` everybody is let in
    who is on this machine. `more(sessions)` gives routes that are no calls of a room; `sessions()`
    is how many browsers are known. Raises UsageError for a taken port.
    """
    all_rooms = tuple(rooms)
    guards: list[Guard] = []
    routes = more(lambda: sum(len(guard.sessions) for guard in guards))
    app = make_app(all_rooms, password=password, more=routes)
    guards.append(app)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app, place))
        for room in all_rooms:
            await stack.enter_async_context(room.life())
        yield url


@contextmanager
def attendance(
    where: str | None, password_file: Path | None, password: str
) -> Iterator[Attendance]:
    """Give what serves the pages of the fleet that a command starts within the block.

    `where` is `[ADDRESS:]PORT`; None: the usual port of this machine, or any free one if that is
    taken. The password is in `password_file`, or is `password`; if neither is given and the pages
    are not for this machine only, one is made and said once. Raises UsageError for what cannot be.
    """
    given = read_password(password_file) if password_file is not None else password
    address = parse_address(where) if where is not None else Address(port=DEFAULT_PORT)
    secret = password_for(address, given)
    listener = listen(address) if where is not None else usual_place(address)

    @asynccontextmanager
    async def attend(live: Live) -> AsyncIterator[Pages]:
        premises = Premises(live.population, live.supervisor, live.population.people)
        rooms = rooms_of(premises, live)
        async with attending(
            rooms, listener, secret, lambda sessions: [metrics_route(live, sessions)]
        ) as url:
            live.told(f"pages: {url}")
            if secret != given:
                live.told(f"password of the pages: {secret}", kept=False)
            yield Pages(url, secret)

    try:
        yield attend
    finally:
        listener.close()
