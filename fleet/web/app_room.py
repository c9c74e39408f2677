"""The Developer app: batch unbinding by QR code or by wire, on a page made for a phone.

What is published of the vendor's app, which is closed, is in "Unbind Smart Devices"
(developer.tuya.com): +, Unbind Devices, then the code for cameras or the list of wired devices, at
most 30 devices for one code, results in the history. The page itself is ours.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from starlette.responses import Response

from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.app.errors import CloudRefused
from fleet.app.finder import Found
from fleet.app.lan_client import LanSearch
from fleet.app.messages import Quotas, UnbindToken
from fleet.run.population import Network, Population
from fleet.web import refusals
from fleet.web.app_words import (
    Aimed,
    BatchView,
    Chosen,
    CodeForm,
    ErrandView,
    FoundView,
    Held,
    Place,
    RunView,
)
from fleet.web.app_work import (
    DEVICES_PER_RUN_MAX,
    ROWS_OF_BATCH,
    Code,
    Desktop,
    Errand,
    Run,
)
from fleet.web.desk import Desk, Visitor, way_to
from fleet.web.lan_search import Search
from fleet.web.lenses import Camera, Lenses
from fleet.web.operations import Operation, OperationPage, page, told
from fleet.web.premises import Premises
from fleet.web.routes import Call, Room, Route

NAME = "app"
ROWS_OF_PAST = 200
_DESKTOP = "desktop"


def make_room(premises: Premises) -> Room:
    """Return the Developer app of somebody at the bench of a fleet."""
    supervisor = premises.supervisor

    def population() -> Population:
        return premises.population

    bench = Bench(
        Desk(NAME, way_to(supervisor), premises.people),
        Search(lambda: LanSearch(network=supervisor.network)),
        Lenses(population, supervisor, supervisor.watch),
        lambda: premises.population.warehouse,
        lambda: {one.product_id: one.name for one in premises.population.products},
    )
    return bench.room()


class Bench:
    """The calls of the page."""

    def __init__(
        self,
        desk: Desk,
        search: Search,
        lenses: Lenses,
        wifi: Callable[[], Network],
        products: Callable[[], dict[str, str]],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Work at the place with that `wifi`; `products` are names by product id."""
        self._desk = desk
        self._search = search
        self._lenses = lenses
        self._wifi = wifi
        self._products = products
        self._now_ms = now_ms
        self._working: set[asyncio.Task[None]] = set()

    def room(self) -> Room:
        """Return the table of the room."""
        over = self._desk.over
        return Room(
            NAME,
            "Developer app",
            "app.html",
            (
                *self._desk.routes(),
                Route("GET", "/place", "Where the operator is", self.place, reply=Place),
                Route("GET", "/quotas", "What is left today", over(_quotas), reply=Quotas),
                Route("GET", "/history", "Operations", over(self.history), reply=OperationPage),
                Route(
                    *("POST", "/codes", "Make a code for cameras", over(self.make_code)),
                    *(CodeForm, BatchView),
                ),
                Route(
                    *("GET", "/codes/{batch}/code.svg", "The code as a picture"),
                    over(self.picture),
                ),
                Route(
                    *("POST", "/codes/{batch}/hold", "Hold a code to cameras of this fleet"),
                    *(over(self.hold), Aimed, Held),
                ),
                Route(
                    *("GET", "/batches/{batch}", "How far a batch is", over(self.batch)),
                    reply=BatchView,
                ),
                Route(
                    *("DELETE", "/batches/{batch}", "Make a code worthless", over(self.cancel)),
                    reply=BatchView,
                ),
                Route(
                    *("GET", "/cameras", "Cameras of this fleet", over(self.cameras)),
                    reply=tuple[Camera, ...],
                ),
                Route(
                    *("GET", "/wired", "Search the LAN for what waits", over(self.wired)),
                    reply=tuple[FoundView, ...],
                ),
                Route(
                    *("POST", "/runs", "Unbind by wire", over(self.begin)),
                    *(Chosen, RunView),
                ),
                Route("GET", "/runs/{run}", "How far it is", over(self.run), reply=RunView),
            ),
            self.life,
        )

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Listen and hold no longer than there are pages."""
        async with AsyncExitStack() as stack:
            for one in (self._desk.life(), self._search.life(), self._lenses.life()):
                await stack.enter_async_context(one)
            try:
                yield
            finally:
                for task in self._working:
                    task.cancel()
                await asyncio.gather(*self._working, return_exceptions=True)

    async def place(self, _: Call) -> Place:
        """Tell where this is."""
        return Place(self._wifi().ssid)

    async def history(self, visitor: Visitor, call: Call) -> OperationPage:
        """Return operations, with products by name."""
        found = await page(visitor.account, call)
        return msgspec.structs.replace(found, rows=tuple(map(self._named, found.rows)))

    # --- by code --------------------------------------------------------------------------------

    async def make_code(self, visitor: Visitor, call: Call) -> BatchView:
        """Order a token and put it into a code with the Wi-Fi."""
        form: CodeForm = call.body
        wifi = self._wifi() if form.own_wifi else Network(form.ssid, form.password)
        if not wifi.ssid:
            raise UsageError("which Wi-Fi are the devices to join?")
        token = await visitor.account.unbind_token(
            "qr", max_devices=form.max_devices, life_s=form.life_s
        )
        code = Code(token, wifi.ssid, wifi.password)
        _desktop(visitor).keep(code)
        return self._view(token, code.ssid, ())

    async def picture(self, visitor: Visitor, call: Call) -> Response:
        """Return the code; a browser keeps no copy."""
        code = _desktop(visitor).code(call.path["batch"])
        headers = {"cache-control": "no-store"}
        return Response(qr.picture(code.payload, "svg"), 200, headers, "image/svg+xml")

    async def batch(self, visitor: Visitor, call: Call) -> BatchView:
        """Tell how far a batch is: what the token says, and each device that came."""
        batch = call.path["batch"]
        token = await visitor.account.token_state(batch)
        rows = await visitor.account.history(batch=batch, limit=ROWS_OF_BATCH, newest=True)
        latest = {row.uuid: row for row in sorted(rows.rows, key=lambda row: row.time_ms)}
        devices = sorted(latest.values(), key=lambda row: -row.time_ms)
        ssid = _desktop(visitor).ssid(batch)
        return self._view(token, ssid, tuple(self._named(told(row)) for row in devices))

    async def cancel(self, visitor: Visitor, call: Call) -> BatchView:
        """Make a code worthless; return what is left of it."""
        await visitor.account.cancel(call.path["batch"])
        return await self.batch(visitor, call)

    async def cameras(self, _visitor: Visitor, _call: Call) -> tuple[Camera, ...]:
        """Return the cameras that a code can be held to."""
        return self._lenses.cameras()

    async def hold(self, visitor: Visitor, call: Call) -> Held:
        """Hold a code to cameras."""
        code = _desktop(visitor).code(call.path["batch"])
        return Held(self._lenses.hold(call.body.uuids, code.payload, code.batch))

    def _view(self, token: UnbindToken, ssid: str, devices: tuple[Operation, ...]) -> BatchView:
        now_ms = self._now_ms()
        return BatchView(
            batch=token.batch,
            method=token.method,
            used=token.used,
            max_devices=token.max_devices,
            expires_ms=token.expires_ms,
            now_ms=now_ms,
            cancelled=token.cancelled,
            alive=token.alive(now_ms),
            ssid=ssid,
            devices=devices,
        )

    def _named(self, row: Operation) -> Operation:
        """Return a row that has the name of the product, where it is known, in place of its id."""
        name = self._products().get(row.product_id, row.product_id)
        return msgspec.structs.replace(row, product_id=name)

    # --- by wire --------------------------------------------------------------------------------

    async def wired(self, visitor: Visitor, _call: Call) -> tuple[FoundView, ...]:
        """Return what waits for a token; the search goes on as long as this is asked."""
        names = self._products()
        found = (await self._search.found())[:DEVICES_PER_RUN_MAX]
        past = await _past(visitor) if found else {}
        return tuple(
            FoundView(
                uuid=one.uuid,
                ip=one.ip,
                product=names.get(one.product_id, one.product_id),
                version=one.version,
                foreign=one.foreign_source,
                unbound=past.get(one.uuid) == "unbind",
            )
            for one in found
        )

    async def begin(self, visitor: Visitor, call: Call) -> RunView:
        """Begin to unbind what was chosen."""
        wanted = dict.fromkeys(call.body.uuids)
        targets = self._search.select(wanted)
        if len(targets) < len(wanted):
            raise UsageError(
                f"{len(wanted) - len(targets)} of the {len(wanted)} devices do not wait for a "
                "token any more; search again"
            )
        run, task = _desktop(visitor).begin(targets, visitor.account, self._lenses.begin_batch)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return self._run_view(run)

    async def run(self, visitor: Visitor, call: Call) -> RunView:
        """Tell how far a run is."""
        run = _desktop(visitor).run(call.path["run"])
        await run.look(visitor.account)
        return self._run_view(run)

    def _run_view(self, run: Run) -> RunView:
        return RunView(run.name, run.over, tuple(self._errands(run.errands.values())))

    def _errands(self, errands: Iterable[Errand]) -> Iterable[ErrandView]:
        names = self._products()
        for errand in errands:
            found: Found = errand.found
            reason, why = _why(errand)
            yield ErrandView(
                uuid=found.uuid,
                ip=found.ip,
                product=names.get(found.product_id, found.product_id),
                batch=errand.batch,
                outcome=errand.outcome,
                reason=reason,
                why=why,
                advice=refusals.advice(reason),
            )


def _why(errand: Errand) -> tuple[str, str]:
    """Return the cloud's reason, if it was the cloud, and in words what went wrong."""
    refusal = errand.refusal
    if isinstance(refusal, CloudRefused):
        return refusal.code, refusal.message or refusals.sentence(refusal.code)
    if refusal is not None:
        return "", str(refusal)
    if errand.row is not None:
        return errand.row.reason, refusals.sentence(errand.row.reason)
    return "", errand.delivery.detail if errand.delivery is not None else ""


def _desktop(visitor: Visitor) -> Desktop:
    desktop = visitor.kept.setdefault(_DESKTOP, Desktop())
    assert isinstance(desktop, Desktop), "nobody else keeps things under this name"
    return desktop


async def _past(visitor: Visitor) -> dict[str, str]:
    """Return the latest operation that went well, by uuid, as far as one page goes back."""
    latest = await visitor.account.history(status="ok", limit=ROWS_OF_PAST, newest=True)
    return {row.uuid: row.operation for row in reversed(latest.rows)}


async def _quotas(visitor: Visitor, _: Call) -> Quotas:
    return await visitor.account.quotas()
