"""A cloud, a home with Wi-Fi, devices with real firmware, and one clock: no socket anywhere.

What a device or the cloud asks the world to do is done at once and in order; time passes only when
a story says so, and everybody is woken when they wanted to be. The network can be out, calls can be
held up, replies lost and requests overheard.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import msgspec

from firmware_sim import effects as fx
from firmware_sim import events as ev
from firmware_sim.effects import Effect
from firmware_sim.wire.datapoint import DataPoint, encode_schema
from fleet.cloud.cloud import Cloud
from fleet.cloud.messages import (
    CloseStream,
    HttpRequested,
    SendReply,
    SendStream,
    StreamClosed,
)
from fleet.cloud.products import Binding
from fleet.cloud.seed import ProductSeed, Seed
from fleet.cloud.settings import Settings
from hw_profiles import catalog
from tests.cloud.support import ENDPOINTS, OWNER, SETTINGS, World, seed
from tests.stories.unit import PRODUCT, Unit, seed_of

HEAD_SIZE = 128  # of an HTTP reply
STEPS_MAX = 5_000
PEOPLE = seed(0)
OPEN_ENDPOINTS = msgspec.structs.replace(ENDPOINTS, https_url="http://127.0.0.1:8080/d.json")


def choose(**settings: object) -> Settings:
    """Return the settings of the usual test world but for these."""
    return msgspec.structs.replace(SETTINGS, **settings)


class Story(World):
    """One cloud and its devices, told from top to bottom."""

    def __init__(
        self,
        profile: str = "ipc-red-green",
        *,
        binding: Binding = Binding.STRONG,
        settings: Settings = SETTINGS,
        owner: str = "uid0",
        count: int = 1,
        **firmware: Any,
    ) -> None:
        """Bind `count` devices of a model to `owner` ("" leaves them as they left the factory).

        `firmware` are choices of the profile's that differ.
        """
        self.profile = catalog.load(profile)
        changed = msgspec.structs.replace(self.profile.firmware, **firmware)
        self.profile = msgspec.structs.replace(self.profile, firmware=changed)
        self.out = False  # the cloud cannot be reached
        self.held_up = ""  # calls to this API are on their way for long
        self.lost = ""  # calls to this API never arrive
        self.unanswered = ""  # replies to calls to this API are lost
        self.overheard: list[HttpRequested] = []
        self.queue: deque[Callable[[], None]] = deque()
        self.held: list[Callable[[], None]] = []
        self.units: list[Unit] = []
        self.calls: dict[int, tuple[Unit, fx.SendHttp]] = {}
        self.lines_open: dict[int, Unit] = {}
        super().__init__(settings, self._seed(binding, owner, count))
        for number in range(count):
            self.units.append(Unit(self, number, bound=bool(owner)))

    def _seed(self, binding: Binding, owner: str, count: int) -> Seed:
        points = (
            msgspec.convert(point, DataPoint, from_attributes=True)
            for point in self.profile.data_points
        )
        product = ProductSeed(
            product_id=PRODUCT,
            name="Product",
            category=self.profile.category,
            owner=OWNER,
            binding=binding,
            schema=encode_schema(points),
        )
        return msgspec.structs.replace(
            PEOPLE,
            users=seed(4).users,
            products=(*PEOPLE.products, product),
            grants=tuple(
                msgspec.structs.replace(grant, products=(*grant.products, product.product_id))
                for grant in PEOPLE.grants
            ),
            devices=tuple(seed_of(number, owner) for number in range(count)),
        )

    def load(self) -> Cloud:
        store, entropy = self.store.load, self.entropy
        return Cloud(self.settings, load=store, entropy=entropy, endpoints=OPEN_ENDPOINTS)

    @property
    def unit(self) -> Unit:
        return self.units[0]

    # --- time -----------------------------------------------------------------------------------

    def wait(self, duration_ms: int) -> None:
        """Let time pass; whoever wants to be woken, is."""
        until_ms = self.now_ms + duration_ms
        self.settle()
        while (due_ms := self._next_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            for unit in self.units:
                due = unit.device.next_deadline_ms()
                if due is not None and due <= self.now_ms:
                    unit.tell(ev.DeadlineReached())
            due = self.cloud.next_deadline_ms()
            if due is not None and due <= self.now_ms:
                self.handle(ev.DeadlineReached())
            self.settle()
        self.now_ms = until_ms

    def settle(self) -> None:
        """Do what is to be done now."""
        for _ in range(STEPS_MAX):
            if not self.queue:
                return
            self.queue.popleft()()
        raise AssertionError("this never ends")

    def _next_ms(self) -> int | None:
        dues = [unit.device.next_deadline_ms() for unit in self.units]
        return min((due for due in [*dues, self.cloud.next_deadline_ms()] if due), default=None)

    # --- the network ----------------------------------------------------------------------------

    def cut_off(self) -> None:
        """Let nobody reach the cloud any more; all connections break."""
        self.out = True
        for conn in list(self.lines_open):
            self.break_line(conn)
        self.settle()

    def come_back(self) -> None:
        """Let the cloud be reached again."""
        self.out = False

    def break_line(self, conn: int) -> None:
        """Let an MQTT connection break; both ends notice."""
        unit = self.lines_open.pop(conn)
        unit.conn = 0
        self.handle(StreamClosed(conn))
        unit.tell(ev.MqttClosed("reset"))

    def kill_and_restart(self) -> None:
        """Kill the cloud at once, and start it anew on what was committed."""
        broken = list(self.lines_open.values())
        self.lines_open.clear()
        self.calls.clear()
        super().kill_and_restart()
        for unit in broken:
            unit.conn = 0
            unit.tell(ev.MqttClosed("reset"))
        self.settle()

    def let_through(self) -> None:
        """Let calls that were held up arrive."""
        self.held_up = ""
        held, self.held = self.held, []
        self.queue.extend(held)
        self.settle()

    def call(self, unit: Unit, wish: fx.SendHttp) -> None:
        if self.out or _goes_to(self.lost, wish.target):
            unit.tell(ev.HttpFailed(wish.call, "unreachable"))
            return
        exchange = next(self.exchanges)
        headers = {"x-peer-ip": unit.ip}
        request = HttpRequested(exchange, "POST", wish.target, headers, wish.body)
        self.overheard.append(request)
        self.calls[exchange] = (unit, wish)
        if _goes_to(self.held_up, wish.target):
            self.held.append(lambda: self.handle(request))
        else:
            self.handle(request)

    def repeat(self, request: HttpRequested) -> bytes:
        """Let a stranger send an overheard request once more; return what it is answered."""
        exchange = next(self.exchanges)
        self.handle(msgspec.structs.replace(request, exchange=exchange))
        self.settle()
        return self.replies.pop(exchange)

    def overheard_call(self, api: str) -> HttpRequested:
        """Return the last request to an API that was overheard."""
        return next(r for r in reversed(self.overheard) if _goes_to(api, r.target))

    def carry_out(self, effects: list[Effect]) -> None:
        super().carry_out(effects)
        for effect in effects:
            match effect:
                case SendReply() if effect.exchange in self.calls:
                    unit, wish = self.calls.pop(effect.exchange)
                    self.queue.append(partial(self._reply, unit, wish, effect.body))
                case SendStream() if effect.conn in self.lines_open:
                    unit = self.lines_open[effect.conn]
                    self.queue.append(partial(unit.receive, effect.conn, effect.data))
                case CloseStream() if effect.conn in self.lines_open:
                    unit = self.lines_open[effect.conn]
                    self.queue.append(partial(unit.lose_line, effect.conn))

    def _reply(self, unit: Unit, wish: fx.SendHttp, body: bytes) -> None:
        if self.out or _goes_to(self.unanswered, wish.target):
            unit.tell(ev.HttpFailed(wish.call, "lost"))
        elif len(body) + HEAD_SIZE > wish.reply_size_max:
            unit.tell(ev.HttpFailed(wish.call, "reply_too_large"))
        else:
            unit.tell(ev.HttpReplied(wish.call, 200, body))

    # --- people ---------------------------------------------------------------------------------

    def remove(self, unit: Unit, *, wipe: bool = False, owner: int = 0) -> None:
        """Let the owner remove the device in the app."""
        target = f"/app/v1/devices/{unit.known.dev_id}?wipe={int(wipe)}"
        self.get("DELETE", target, None, self.consumer(owner))
        self.settle()

    def unbind_code(self, account: str = OWNER) -> str:
        """Return the token of a code that releases devices."""
        return cast("str", self.unbind_token(self.account(account))["token"])

    def owners(self) -> list[str]:
        """Return whose each device is by the cloud's books."""
        return [unit.known.owner for unit in self.units]


def _goes_to(api: str, target: str) -> bool:
    return api != "" and f"a={api}&" in target
