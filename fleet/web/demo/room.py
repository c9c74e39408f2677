"""The room of the indicator demo: its calls, and pictures of lights."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache

from starlette.responses import Response

from firmware_sim.camera.reader_pool import FrameReader
from firmware_sim.camera.scene import check_payload
from firmware_sim.device.indicator import Pattern
from firmware_sim.errors import UsageError
from fleet.app import qr
from fleet.light.animation import Moving, apng, gif
from fleet.light.card import Card, portrait
from fleet.light.diagram import diagram
from fleet.light.meaning import light
from fleet.light.raster import png
from fleet.light.shapes import Drawing
from fleet.light.svg import svg
from fleet.run.virtual.desk import phones
from fleet.run.virtual.desk.goals import WAYS
from fleet.run.virtual.desk.laid import Laid
from fleet.web.demo import shapes
from fleet.web.demo.chart import chart, texts
from fleet.web.demo.engine import Engine, model_of
from fleet.web.demo.engines import ENGINES_MAX, Engines
from fleet.web.pictures import BODY_MAX, picture_reader
from fleet.web.routes import Call, NotFound, Room, Route
from hw_profiles import catalog

NAME = "demo"
DECODER = "pyzbar"
DONE = shapes.Done()
_DIGITS_MAX = 9
_PICTURED = -1  # the number of the code that came in a picture


def make_room(decoder: str = DECODER, engines_max: int = ENGINES_MAX) -> Room:
    """Return the room of the demo; pictures that people bring are read by `decoder`."""
    demo = _Demo(Engines(engines_max), picture_reader(decoder))
    return Room(NAME, "Indicator demo", "demo.html", demo.routes(), demo.life)


class _Demo:
    """What the calls do."""

    def __init__(self, engines: Engines, pictures: FrameReader) -> None:
        self._engines = engines
        self._pictures = pictures

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """End all worlds at the end."""
        try:
            yield
        finally:
            await self._pictures.close()
            await self._engines.close()

    def routes(self) -> tuple[Route, ...]:
        """Return the table of calls."""
        r, s = Route, shapes
        return (
            r("GET", "/choices", "Models, lights to begin with", self.choices, reply=s.Choices),
            r("POST", "/start", "Put a device on the desk", self.start, s.Start, s.World),
            r("GET", "/world", "The desk as it is", self.world, reply=s.World),
            r("GET", "/events", "What happens, as server-sent events", self.events),
            r("POST", "/time", "Speed, pause, step", self.time, s.TimeOrder, s.Done),
            r("POST", "/hand", "Do something with the device", self.hand, s.Hand, s.Done),
            r("POST", "/code", "Let an app make a code", self.code, s.CodeOrder, s.Done),
            r("GET", "/codes/{number}", "A code as the app shows it, SVG", self.code_picture),
            r("POST", "/search", "Let the app search the LAN", self.search, reply=s.Done),
            r("POST", "/send", "Send a token to what was found", self.send, s.Send, s.Done),
            r("POST", "/picture", "Hold a photograph of a code to the lens", self.picture)._replace(
                body=bytes, reply=s.Seen, body_max=BODY_MAX
            ),
            r("GET", "/lights/{model}/{file}", "STATE.gif, .apng, .png or .svg", self.light_file),
        )

    def _engine(self, call: Call) -> Engine:
        return self._engines.of(call.session.id)

    # --- the world ------------------------------------------------------------------------------

    async def choices(self, _: Call) -> shapes.Choices:
        return _choices()

    async def start(self, call: Call) -> shapes.World:
        order: shapes.Start = call.body
        if order.light not in WAYS:
            raise UsageError(f"no light {order.light!r} to begin with; allowed: {', '.join(WAYS)}")
        return (await self._engines.start(call.session.id, order)).world()

    async def world(self, call: Call) -> shapes.World | Response:
        try:
            return self._engine(call).world()
        except NotFound:  # not an error to a page that asks whether it has one
            return Response(status_code=204)

    async def events(self, call: Call) -> Response:
        engine = self._engine(call)
        return engine.feed.response(engine.first())

    async def time(self, call: Call) -> shapes.Done:
        await self._engine(call).set_time(call.body)
        return DONE

    async def hand(self, call: Call) -> shapes.Done:
        order: shapes.Hand = call.body
        await self._engine(call).do(lambda laid: _HANDS[order.do](laid, order))
        return DONE

    # --- the phones -----------------------------------------------------------------------------

    async def code(self, call: Call) -> shapes.Done:
        order: shapes.CodeOrder = call.body
        wanted = phones.Order(order.role, order.right_password, order.life_s)
        self._engine(call).laid.desk.person(order.role)
        what = "an app asks the cloud for a code"
        self._engine(call).begin(what, lambda laid: laid.phones.order(wanted))
        return DONE

    async def code_picture(self, call: Call) -> Response:
        number = call.path["number"]
        if not number.isdecimal() or len(number) > _DIGITS_MAX:
            raise NotFound("there is no such code")
        payload = await self._engine(call).do(lambda laid: laid.phones.payload(int(number)))
        headers = {"cache-control": "no-store"}
        return Response(qr.picture(payload, "svg"), 200, headers, "image/svg+xml")

    async def search(self, call: Call) -> shapes.Done:
        engine = self._engine(call)
        engine.begin("the app searches the LAN", lambda laid: laid.phones.search())
        return DONE

    async def send(self, call: Call) -> shapes.Done:
        order: shapes.Send = call.body
        engine = self._engine(call)
        engine.begin("the app sends the token", lambda laid: laid.phones.send(order.code))
        return DONE

    async def picture(self, call: Call) -> shapes.Seen:
        engine = self._engine(call)
        payload = await self._pictures.code_in(call.body)
        check_payload(payload)
        await engine.do(lambda laid: laid.desk.show(payload, _PICTURED))
        return shapes.Seen(len(payload))

    # --- pictures of lights ---------------------------------------------------------------------

    async def light_file(self, call: Call) -> Response:
        model, (state, _, kind) = call.path["model"], call.path["file"].rpartition(".")
        if model not in catalog.names() or kind not in _FILES:
            raise NotFound("there is no such picture of a light")
        media_type, _ = _FILES[kind]
        content = await asyncio.to_thread(_light_file, model, state, kind)
        name = f"{model}-{state}.{kind}"
        headers = {"content-disposition": f'inline; filename="{name}"'}
        return Response(content, 200, headers, media_type)


def _power(*, on: bool) -> Callable[[Laid, shapes.Hand], None]:
    return lambda laid, _: laid.desk.power(on=on)


def _cable(*, connected: bool) -> Callable[[Laid, shapes.Hand], None]:
    return lambda laid, _: laid.desk.plug(connected=connected)


def _wifi(*, on: bool) -> Callable[[Laid, shapes.Hand], None]:
    return lambda laid, _: laid.desk.set_wifi(on=on)


_HANDS: dict[str, Callable[[Laid, shapes.Hand], None]] = {
    "power_on": _power(on=True),
    "power_off": _power(on=False),
    "press": lambda laid, _: laid.desk.press(),
    "release": lambda laid, _: laid.desk.release(),
    "plug": _cable(connected=True),
    "unplug": _cable(connected=False),
    "wifi_on": _wifi(on=True),
    "wifi_off": _wifi(on=False),
    "move": lambda laid, order: laid.desk.move(order.place),
    "hold": lambda laid, order: laid.phones.hold(order.code),
    "hide": lambda laid, _: laid.phones.hold(None),
}

_FILES: dict[str, tuple[str, Callable[[str, str], bytes]]] = {
    "gif": ("image/gif", lambda model, state: _moving(gif, model, state)),
    "apng": ("image/apng", lambda model, state: _moving(apng, model, state)),
    "png": ("image/png", lambda model, state: png(_drawing(model, state))),
    "svg": ("image/svg+xml", lambda model, state: svg(_drawing(model, state)).encode()),
}


@lru_cache(maxsize=128)
def _light_file(model: str, state: str, kind: str) -> bytes:
    return _FILES[kind][1](model, state)


def _moving(make: Callable[[Card, Sequence[Pattern]], Moving], model: str, state: str) -> bytes:
    profile = catalog.load(model)
    shown = light(profile, state)
    return make(portrait(profile, shown), [shown.pattern]).data


def _drawing(model: str, state: str) -> Drawing:
    profile = catalog.load(model)
    return diagram(profile, [light(profile, state)])


@lru_cache(maxsize=1)
def _choices() -> shapes.Choices:
    models = tuple(model_of(name) for name in catalog.names())
    return shapes.Choices(models, tuple(WAYS), chart(), tuple(texts()))
