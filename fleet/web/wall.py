"""The light wall: a page with the light of every device of a fleet, and the life line of any one.

What the cloud has noted about a device is the console API's device log ("Device Logs" in the vendor's
console), asked for as the owner of the products.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.messages import LogRow
from fleet.cloud.api.admin_api import AuditedDevice
from fleet.lan.arrangement import mac_of
from fleet.light.meaning import lights
from fleet.run.population import Unit
from fleet.web.life_lines import LifeLines, Note, Step
from fleet.web.premises import Premises
from fleet.web.routes import Call, NotFound, Room, Route
from fleet.web.wall_feed import SHAPES, Shape, WallFeed

CLOUD_PATIENCE_S = 3.0
LOG_PAGE = 500
LOG_ROWS_MAX = 100  # the latest that are shown
BOOKS_KEPT_MAX = 64


class WallPattern(msgspec.Struct, frozen=True):
    """What a light does in one state, and what that means to whoever reads it."""

    mode: str
    colours: tuple[str, ...]
    on_ms: int
    off_ms: int
    words: str
    meaning: str


class WallProduct(msgspec.Struct, frozen=True):
    """A product, the model that is sold under it, and its lights by state."""

    product_id: str
    name: str
    model: str
    wired: bool
    lights: dict[str, WallPattern]


class Wall(msgspec.Struct, frozen=True):
    """All that does not change while devices do; `of_product` and the texts are by index.

    `name` is what the feed calls this wall; another one has other devices.
    """

    name: str
    products: list[WallProduct]
    shapes: tuple[Shape, ...]
    of_product: list[int]
    uuids: list[str]
    dev_ids: list[str]


class Life(msgspec.Struct, frozen=True):
    """One device: who it is, how it is, and what it has been through.

    `steps` are the last states, oldest first; `forgotten` more came before them.
    """

    index: int
    uuid: str
    dev_id: str
    product: str
    model: str
    firmware: str
    lan_version: str
    address: str
    mac: str
    place: str
    powered: bool
    linked: bool
    wired: bool
    batch: str
    trouble: str
    reset_hold_ms: int
    lifecycle: str
    session: str
    light: str
    operator: str
    now_ms: int
    steps: list[Step]
    forgotten: int
    notes: list[Note]


class CloudSide(msgspec.Struct, frozen=True):
    """What the cloud has noted of a device: the latest rows, oldest first, and how it stands now.

    `pending_reset` is an order that the device has not heard yet, "" for none.
    """

    bound: bool
    online: bool
    pending_reset: str
    rows: list[LogRow]


class LightWall:
    """The calls of the room."""

    def __init__(self, premises: Premises) -> None:
        """Look at the devices from now on."""
        self._premises = premises
        self._supervisor = premises.supervisor
        self._lives = LifeLines(len(premises.population.units))
        self._supervisor.watch.listen(self._lives.saw)
        self._supervisor.watch.listen_to_notes(self._lives.heard)
        self._feed = WallFeed(premises)
        self._link: CloudLink | None = None
        self._console: ConsoleClient | None = None
        self._books: dict[tuple[str, int], AuditedDevice] = {}
        self._reading = asyncio.Lock()  # they are large: one at a time, however many ask

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Keep the feed going; hang up on the cloud at the end."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._hang_up)
            await stack.enter_async_context(self._feed.life())
            yield

    async def _hang_up(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def wall(self, _: Call) -> Wall:
        """Return who is on the wall."""
        population = self._premises.population
        number = {product.product_id: n for n, product in enumerate(population.products)}
        return Wall(
            name=self._feed.name,
            products=[
                WallProduct(
                    product_id=product.product_id,
                    name=product.name,
                    model=population.profiles[product.profile].title,
                    wired=product.wired,
                    lights=_patterns(population.profiles[product.profile]),
                )
                for product in population.products
            ],
            shapes=SHAPES,
            of_product=[number[unit.product.product_id] for unit in population.units],
            uuids=[unit.uuid for unit in population.units],
            dev_ids=[unit.dev_id for unit in population.units],
        )

    async def feed(self, _: Call) -> object:
        """Return the stream of what devices show."""
        return self._feed.response()

    async def device(self, call: Call) -> Life:
        """Return the life line of one device."""
        unit = self._unit(call)
        supervisor, watch, index = self._supervisor, self._supervisor.watch, unit.index
        profile = self._premises.population.profile(unit)
        hand = supervisor.host(index).hand(index)
        address = "" if unit.foreign else supervisor.address(index)  # it has one of its own
        seen = watch.last[index]
        return Life(
            index=index,
            uuid=unit.uuid,
            dev_id=unit.dev_id,
            product=unit.product.name,
            model=profile.title,
            firmware=profile.firmware.software_version,
            lan_version=unit.lan_version,
            address=address,
            mac=mac_of(address) if address else "",
            place=hand.site,
            powered=hand.powered,
            linked=hand.plugged,
            batch=watch.batches.get(index, ""),
            trouble=unit.trouble,
            wired=unit.product.wired,
            reset_hold_ms=profile.timings.reset_hold_ms,
            lifecycle=seen.lifecycle,
            session=seen.session,
            light=seen.light,
            operator=seen.operator,
            now_ms=supervisor.now_ms(),
            steps=self._lives.of(index),
            forgotten=self._lives.forgotten(index),
            notes=self._lives.notes(index),
        )

    async def cloud_side(self, call: Call) -> CloudSide:
        """Return what the cloud has noted of one device."""
        uuid = self._unit(call).uuid
        console = await self._ask_console()
        rows: list[LogRow] = []
        after: int | None = 0
        while after is not None:
            page = await console.device_log(uuid, after=after, limit=LOG_PAGE)
            rows += page.rows
            after = page.next if page.next != after else None
        book = await self._book(uuid, rows[-1].id if rows else 0)
        return CloudSide(bool(book.owner), book.online, book.pending_reset, rows[-LOG_ROWS_MAX:])

    async def _book(self, uuid: str, row_id: int) -> AuditedDevice:
        """Return how a device stands since its last row; the cloud's books are large."""
        async with self._reading:
            if (uuid, row_id) not in self._books:
                audit = await self._supervisor.audit()
                if len(self._books) >= BOOKS_KEPT_MAX:
                    self._books.clear()
                book = next((device for device in audit.devices if device.uuid == uuid), None)
                if book is None:
                    raise NotFound(f"the cloud does not know {uuid}")
                self._books[uuid, row_id] = book
            return self._books[uuid, row_id]

    async def _ask_console(self) -> ConsoleClient:
        if self._link is None:
            self._link = self._supervisor.open_link(CLOUD_PATIENCE_S)
        if self._console is None:
            maker = self._premises.population.maker
            self._console = await ConsoleClient.login(self._link, maker.name, maker.password)
        return self._console

    def _unit(self, call: Call) -> Unit:
        units = self._premises.population.units
        text = call.path["index"]
        if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) >= len(units):
            raise NotFound(f"there is no device {text[:20]!r}; there are 0 to {len(units) - 1}")
        if not self._supervisor.shards:
            raise UsageError("devices are being started: try again in a moment")
        return units[int(text)]


def make_room(premises: Premises) -> Room:
    """Return the page /wall."""
    wall = LightWall(premises)
    return Room(
        "wall",
        "Light wall",
        "wall.html",
        (
            Route(
                "GET", "/fleet", "who is on the wall, and what lights mean", wall.wall, reply=Wall
            ),
            Route("GET", "/feed", "what all devices show, as server-sent events", wall.feed),
            Route("GET", "/devices/{index}", "the life line of a device", wall.device, reply=Life),
            Route(
                "GET",
                "/devices/{index}/cloud",
                "what the cloud has noted of a device",
                wall.cloud_side,
                reply=CloudSide,
            ),
        ),
        wall.life,
    )


def _patterns(profile: Profile) -> dict[str, WallPattern]:
    return {
        light.state: WallPattern(
            mode=light.pattern.mode.value,
            colours=light.pattern.colours,
            on_ms=light.pattern.on_ms,
            off_ms=light.pattern.off_ms,
            words=light.words,
            meaning=light.meaning,
        )
        for light in lights(profile)
    }
