"""The control API of a fleet that runs: what a person could do beside the devices, as calls.

Pages use it, and programs may; it is described at /api/openapi.json. It serves live fleets: in
virtual time nobody is there to be asked.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice

from firmware_sim.camera.scene import check_payload
from firmware_sim.errors import UsageError
from fleet.run.attendance import Live
from fleet.run.runner import Run
from fleet.run.stage import HOMES, WAREHOUSE, hold_reset
from fleet.run.watch import REMOVED
from fleet.web import fleet_words as words
from fleet.web.choosing import Choosing
from fleet.web.injecting import Injecting, kinds
from fleet.web.pictures import BODY_MAX as PICTURE_MAX
from fleet.web.pictures import picture_reader
from fleet.web.premises import Premises
from fleet.web.routes import Call, NotFound, Room, Route
from fleet.web.run_view import people, people_of
from fleet.web.run_words import Injected, People
from hw_profiles import catalog

NAMES_BODY_MAX = 512 * 1024  # names of ten thousand devices
SWITCHING_MAX = 16  # ramps of power at the same time
PLACES = (HOMES, WAREHOUSE)
INTERFERENCES_MAX = 200  # lines of the report about what was done by hand


class FleetRoom:
    """The calls of the room."""

    def __init__(self, premises: Premises, live: Live) -> None:
        """Control the fleet of these premises."""
        self._premises = premises
        self._supervisor = premises.supervisor
        self._live = live
        self._choosing = Choosing(premises)
        self.injecting = Injecting(premises, self._choosing)
        self._pictures = picture_reader(live.decoder)
        self._switching: set[asyncio.Task[None]] = set()
        self._interferences = 0

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """End what takes its time at the end."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.injecting.life())
            try:
                yield
            finally:
                switching = tuple(self._switching)
                for task in switching:
                    task.cancel()
                await asyncio.gather(*switching, return_exceptions=True)
                await self._pictures.close()

    # --- what there is --------------------------------------------------------------------------

    async def overview(self, _: Call) -> words.Overview:
        """Return what runs here."""
        population, run = self._premises.population, self._live.run
        last = self._supervisor.watch.last
        own = {product.profile for product in population.products}
        profiles = population.profiles | {
            name: catalog.load(name) for name in catalog.names() if name not in own
        }
        return words.Overview(
            scenario=population.scenario.name if run is not None else "",
            phase=run.phase if run is not None else "",
            devices=len(last),
            removed=sum(1 for seen in last if seen.cause == REMOVED),
            places=PLACES,
            without_wifi=tuple(sorted(self._supervisor.dark)),
            models=[
                words.Model(name, profile.title, profile.wired)
                for name, profile in sorted(profiles.items())
            ],
            people=people(run),
        )

    async def devices(self, call: Call) -> words.Devices:
        """Return a page of devices."""
        names = words.Filter.__struct_fields__
        wanted = words.Filter(**{name: call.query.get(name, "")[:64] for name in names})
        after = _whole(call, "after", -1, 10_000_000)
        limit = min(_whole(call, "limit", 100, words.PAGE_MAX), words.PAGE_MAX)
        fitting = list(self._choosing.fitting(wanted))
        page = list(islice((one for one in fitting if one.index > after), max(1, limit) + 1))
        more = page.pop().index if len(page) > max(1, limit) else None
        return words.Devices(
            total=len(fitting),
            devices=[self._choosing.show(one) for one in page],
            next=page[-1].index if more is not None else None,
        )

    async def device(self, call: Call) -> words.Device:
        """Return one device."""
        return self._choosing.show(self._choosing.one(call.path["device"]))

    # --- hands ----------------------------------------------------------------------------------

    async def press(self, call: Call) -> words.Done:
        """Hold reset buttons."""
        wish: words.Press = call.body
        indices = self._there(wish)
        if wish.hold_ms is None:
            hold_reset(self._supervisor, self._premises.population, indices)
        else:
            self._supervisor.hold(indices, wish.hold_ms)
        return self._done("button held", indices)

    async def power(self, call: Call) -> words.Done:
        """Apply or remove the voltage, at once or so many devices each second."""
        wish: words.Power = call.body
        indices = self._there(wish)
        if wish.per_s is None:
            self._supervisor.power(indices, on=wish.on)
        else:
            if len(self._switching) >= SWITCHING_MAX:
                raise UsageError(f"{SWITCHING_MAX} ramps of power are under way already")
            ramp = self._ramp_power(indices, on=wish.on, per_s=wish.per_s)
            task = asyncio.get_running_loop().create_task(ramp)
            self._switching.add(task)
            task.add_done_callback(self._switching.discard)
        return self._done("power on" if wish.on else "power off", indices)

    async def _ramp_power(self, indices: tuple[int, ...], *, on: bool, per_s: float) -> None:
        step = max(1, round(per_s / 10))
        for at in range(0, len(indices), step):
            self._supervisor.power(indices[at : at + step], on=on)
            await asyncio.sleep(step / per_s)

    async def cable(self, call: Call) -> words.Done:
        """Put cables in, or pull them."""
        wish: words.Cable = call.body
        indices = self._there(wish, wired=True)
        self._supervisor.plug(indices, connected=wish.plugged)
        return self._done("cable in" if wish.plugged else "cable out", indices)

    async def link(self, call: Call) -> words.Done:
        """Let devices have their network, or lose it."""
        wish: words.Link = call.body
        indices = self._there(wish)
        self._supervisor.plug(indices, connected=wish.up)
        return self._done("network there" if wish.up else "network gone", indices)

    async def frame(self, call: Call) -> words.Done:
        """Hold a code to lenses, or take it away."""
        wish: words.ShowText = call.body
        indices = self._there(wish, wired=False)
        payload = wish.text.encode() if wish.text is not None else None
        if payload is not None:
            check_payload(payload)
        self._supervisor.show(indices, payload)
        return self._done("code shown" if payload else "code taken away", indices)

    async def picture(self, call: Call) -> words.Done:
        """Hold the code that is in a picture to lenses."""
        named = tuple(name for name in call.query.get("devices", "").split(",") if name)
        indices = self._there(words.Chosen(named[: words.NAMED_MAX]), wired=False)
        payload = await self._pictures.code_in(call.body)
        check_payload(payload)
        self._supervisor.show(indices, payload)
        return self._done("picture shown", indices)

    async def move(self, call: Call) -> words.Done:
        """Carry devices to another place."""
        wish: words.Move = call.body
        indices = self._there(wish)
        self._supervisor.move(indices, _place(wish.place))
        return self._done(f"moved to {wish.place}", indices)

    async def wifi(self, call: Call) -> words.Overview:
        """Switch the Wi-Fi of a place on or off."""
        place = _place(call.path["place"])
        self._check_up()
        self._supervisor.switch_air(place, on=call.body.on)
        self._note(f"Wi-Fi {'on' if call.body.on else 'off'} at {place}")
        return await self.overview(call)

    # --- more of them, fewer --------------------------------------------------------------------

    async def add(self, call: Call) -> words.Added:
        """Let more devices come."""
        wish: words.Add = call.body
        self._check_up()
        self._check_no_run("added")
        after = await self._supervisor.add(wish.profile, wish.count)
        self._premises.population = after
        self._premises.people = after.people
        self._live.moved()
        new = after.units[-wish.count :]  # others may have added some meanwhile
        if wish.powered:
            self._supervisor.power([one.index for one in new], on=True)
        self._note(f"{len(new)} devices added ({wish.profile})")
        return words.Added([self._choosing.show(one) for one in new])

    async def remove(self, call: Call) -> words.Done:
        """Take devices away for good."""
        self._check_no_run("removed")
        indices = self._there(call.body)
        try:
            await self._supervisor.remove(indices)
        finally:
            self._live.moved()  # they are gone, whatever the cloud says
        return self._done("removed", indices)

    # --- faults ---------------------------------------------------------------------------------

    async def faults(self, _: Call) -> words.Faults:
        """Return what can be injected, and what was."""
        return words.Faults(kinds(), self.injecting.injected())

    async def inject(self, call: Call) -> Injected:
        """Let a fault befall devices or the cloud."""
        self._check_up()
        injected = self.injecting.inject(call.body)
        self._note(f"fault {injected.kind} ({injected.words}) on {injected.devices} devices")
        return injected

    async def call_off(self, call: Call) -> Injected:
        """Forget what a fault has not begun yet."""
        number = call.path["number"]
        if not number.isdecimal() or len(number) > 9:
            raise NotFound(f"no fault {number[:20]!r} was injected")
        return self.injecting.call_off(int(number))

    # --- people ---------------------------------------------------------------------------------

    async def pause(self, _: Call) -> People:
        """Let operators take no next batch."""
        return self._paced(paused=True)

    async def resume(self, _: Call) -> People:
        """Let operators go on."""
        return self._paced(paused=False)

    def _paced(self, *, paused: bool) -> People:
        run = self._run()
        run.pace.pause(paused=paused)
        self._note("operators paused" if paused else "operators go on")
        return people_of(run)

    async def ramp(self, call: Call) -> People:
        """Change how many operators work, or how large their batches are."""
        run = self._run()
        run.pace.ramp(call.body.operators, call.body.batch_max)
        now = people_of(run)
        self._note(f"{now.operators} operators work, batches of {now.batch_max}")
        return now

    async def stop(self, _: Call) -> words.Done:
        """End the fleet in order; a run writes the report of what there was."""
        self._note("stopped")
        asyncio.get_running_loop().call_later(0.1, self._live.stop.set)  # after this reply
        return words.Done(len(self._premises.population.units))

    def _run(self) -> Run:
        run = self._live.run
        if run is None or not run.pace.all_operators:
            raise UsageError("no operators are at work here: nothing to pause or to ramp")
        return run

    # --- what all of them need ------------------------------------------------------------------

    def _check_up(self) -> None:
        if not self._supervisor.shards or not all(s.serving for s in self._supervisor.shards):
            raise UsageError("devices are being started: try again in a moment")

    def _check_no_run(self, done: str) -> None:
        if self._live.run is not None:
            raise UsageError(
                f"a scenario's devices follow from its seed: none can be {done} while it is played "
                "(fleet up is for that)"
            )

    def _there(self, chosen: words.Chosen, *, wired: bool | None = None) -> tuple[int, ...]:
        self._check_up()
        return self._choosing.these(chosen, wired=wired)

    def _done(self, what: str, indices: Iterable[int]) -> words.Done:
        done = words.Done(len(tuple(indices)))
        self._note(f"{what}: {done.devices} devices")
        return done

    def _note(self, what: str) -> None:
        """Tell what was done by hand; the report of a run has it among its incidents."""
        if self._live.run is not None and self._interferences < INTERFERENCES_MAX:
            self._interferences += 1
            self._supervisor.incidents.append(f"by hand: {what}")
        self._live.told(f"by hand: {what}")


def _place(name: str) -> str:
    if name not in PLACES:
        raise NotFound(f"there is no place {name[:40]!r}; there are {', '.join(PLACES)}")
    return name


def _whole(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9 or int(text) > most:
        raise UsageError(f"{name}={text[:20]}: a whole number up to {most} is expected")
    return int(text)


def make_room(room: FleetRoom) -> Room:
    """Return the calls below /api/fleet."""
    return Room("fleet", "", "", routes(room), room.life)


def routes(room: FleetRoom) -> tuple[Route, ...]:
    """Return the table of the room."""
    many = NAMES_BODY_MAX
    return (
        Route("GET", "/overview", "What runs here", room.overview, reply=words.Overview),
        Route(
            "GET",
            "/devices",
            "Devices by product, batch, state, light, text; after, limit",
            room.devices,
            reply=words.Devices,
        ),
        Route("GET", "/devices/{device}", "One device", room.device, reply=words.Device),
        Route("POST", "/devices", "Let devices come", room.add, words.Add, words.Added),
        Route(
            "POST",
            "/devices/removal",
            "Take devices away for good",
            room.remove,
            words.Chosen,
            words.Done,
            many,
        ),
        Route("POST", "/press", "Hold the button", room.press, words.Press, words.Done, many),
        Route("POST", "/power", "Switch the power", room.power, words.Power, words.Done, many),
        Route("POST", "/cable", "Plug the cable", room.cable, words.Cable, words.Done, many),
        Route("POST", "/link", "Take the network away", room.link, words.Link, words.Done, many),
        Route("POST", "/frame", "Show a QR code", room.frame, words.ShowText, words.Done, many),
        Route(
            "POST",
            "/frame/picture",
            "Show the code in a picture; ?devices=1,2",
            room.picture,
            bytes,
            words.Done,
            PICTURE_MAX,
        ),
        Route("POST", "/move", "Carry elsewhere", room.move, words.Move, words.Done, many),
        Route("POST", "/places/{place}/wifi", "Switch Wi-Fi", room.wifi, words.Air, words.Overview),
        Route("GET", "/faults", "Kinds, and what was injected", room.faults, reply=words.Faults),
        Route("POST", "/faults", "Inject a fault", room.inject, words.Inject, Injected, many),
        Route(
            "DELETE",
            "/faults/{number}",
            "Forget what a fault has not begun",
            room.call_off,
            reply=Injected,
        ),
        Route("POST", "/pause", "Let operators rest", room.pause, reply=People),
        Route("POST", "/resume", "Let operators go on", room.resume, reply=People),
        Route("POST", "/ramp", "More operators, or fewer", room.ramp, words.Ramp, People),
        Route("POST", "/stop", "End in order", room.stop, reply=words.Done),
    )
