"""The phones beside the desk: developer app and consumer app, and what comes of their codes.

People and calls are those of a run. A code is made by an account and shown as a picture, or sent
over the LAN to a device that was searched for and selected, as the apps of the field do it.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng, derive
from fleet.app import qr
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudRefused
from fleet.app.finder import Found
from fleet.app.follow import history_rows
from fleet.app.lan_client import LanSearch, send_token
from fleet.run.owner import sign_in
from fleet.run.virtual.cloud import HOST
from fleet.run.virtual.desk.happenings import Shown
from fleet.run.virtual.desk.scene import FIRST_OWNER, NEXT_OWNER, Desk

CONSUMERS = (FIRST_OWNER, NEXT_OWNER)
CODES_MAX = 50
SEARCH_S = 12.0  # devices announce themselves every 5 s
PATIENCE_S = 30.0
LOOK_AFTER_S = 0.5  # the light has turned: the history will know by then
DEVICE_PER_CODE_MAX = 30
_PHONES = 3  # branch of the seed
_HAS_READ = "JOINING"
_AT_WORK = ("JOINING", "ACTIVATING", "RESETTING")

REASONS: Mapping[str, str] = {
    "token_dead": "the code has run out",
    "token_full": "the code is used up",
    "no_permission": "this account has no right to do that",
    "already_bound": "it belongs to somebody: it has to be unbound first",
    "not_bound": "it is nobody's already",
    "account_quota": "this account has unbound all it may today",
    "product_quota": "of this product all are unbound that may be today",
}


class Code(msgspec.Struct, frozen=True):
    """One code, as its app shows it. The token is not in it.

    `purpose` is `unbind` or `pair`; `used` and `devices_max` count devices, `expires_ms` is when it
    runs out, `outcome` the last that the app has heard.
    """

    number: int
    purpose: Literal["unbind", "pair"]
    role: str
    account: str
    method: str
    expires_ms: int
    devices_max: int
    used: int = 0
    ssid: str = ""
    right_password: bool = True
    outcome: str = ""
    ok: bool | None = None


class Order(msgspec.Struct, frozen=True):
    """What a code is to be made for. `life_s` None leaves it to the cloud; consumers have no choice.

    `ssid` "" stands for the Wi-Fi of the place where the device is.
    """

    role: str
    right_password: bool = True
    life_s: int | None = None
    ssid: str = ""


class Phones:
    """All phones at a desk. `found` is what the last search of the LAN has shown.

    `codes` (by number) and `found` are replaced and never changed: any thread may read them.
    """

    def __init__(self, desk: Desk) -> None:
        """Speak with the cloud of `desk`, and with what is on its LAN."""
        self.codes: dict[int, Code] = {}
        self._desk = desk
        self._rng = Rng(derive(desk.population.seed, _PHONES))
        self.found: tuple[Found, ...] = ()
        self._link = CloudLink(f"http://{HOST}", patience_s=PATIENCE_S, carrier=desk.cloud)
        self._developers: dict[str, ConsoleClient] = {}
        self._consumers: dict[str, ConsumerClient] = {}
        self._tokens: dict[int, tuple[str, str]] = {}  # token and batch of a code
        self._count = 0
        self._looking: asyncio.Task[None] | None = None
        self._before = desk.last.lifecycle
        desk.looks.append(self._saw)

    # --- codes ----------------------------------------------------------------------------------

    async def order(self, order: Order) -> Code:
        """Have the account of a role make a code. UsageError for a role that nobody has."""
        person = self._desk.person(order.role)
        if order.role in CONSUMERS:
            return await self._order_pairing(order)
        self._desk.say("asks the cloud for an unbinding token", person.name)
        method = "wired" if self._desk.profile.wired else "qr"
        client = await self._developer(order.role)
        token = await client.unbind_token(
            "wired" if self._desk.profile.wired else "qr",
            max_devices=DEVICE_PER_CODE_MAX,
            life_s=order.life_s,
        )
        code = Code(
            number=0,
            purpose="unbind",
            role=order.role,
            account=person.name,
            method=method,
            expires_ms=token.expires_ms,
            devices_max=token.max_devices,
        )
        return self._keep(code, order, token.token, token.batch)

    async def _order_pairing(self, order: Order) -> Code:
        person = self._desk.person(order.role)
        self._desk.say("asks the cloud for a pairing token", person.name)
        token = await (await self._consumer(order.role)).pair_token()
        code = Code(
            number=0,
            purpose="pair",
            role=order.role,
            account=person.name,
            method="wired" if self._desk.profile.wired else "qr",
            expires_ms=token.expires_ms,
            devices_max=1,
        )
        return self._keep(code, order, token.token, "")

    def _keep(self, code: Code, order: Order, token: str, batch: str) -> Code:
        self._count += 1
        ssid = order.ssid or self._desk.network(self._desk.touch.place).ssid
        kept = msgspec.structs.replace(
            code, number=self._count, ssid=ssid, right_password=order.right_password
        )
        self._tokens[kept.number] = (token, batch)
        for old in [*self._tokens][:-CODES_MAX]:
            del self._tokens[old]
        self.codes = {
            number: code
            for number, code in {**self.codes, kept.number: kept}.items()
            if number in self._tokens
        }
        return kept

    def payload(self, number: int) -> bytes:
        """Return the bytes inside the picture of a code: it holds secrets. UsageError for no code."""
        code = self._code(number)
        networks = map(self._desk.network, ("home", "warehouse", "new_home"))
        known = {network.ssid: network.password for network in networks}
        password = known.get(code.ssid, "no-such-network")
        if not code.right_password:
            password = password[:-1] + ("x" if password[-1] != "x" else "y")  # as people mistype
        return qr.payload(code.ssid, password, self._tokens[number][0])

    def hold(self, number: int | None) -> None:
        """Hold the picture of a code to the lens, or take the phone away (None)."""
        self._desk.show(None if number is None else self.payload(number), number or 0)

    def _code(self, number: int) -> Code:
        if number not in self.codes:
            raise UsageError("this code is gone; make a new one")
        return self.codes[number]

    # --- the wired way --------------------------------------------------------------------------

    async def search(self) -> tuple[Found, ...]:
        """Search the LAN, until the device is found or nothing comes; return what can be selected."""
        self._desk.say("searches the LAN for devices that wait", "app")
        self.found = ()
        async with LanSearch(listen=self._desk.world.lan.listen) as search:
            self.found = await search.wait_for([self._desk.unit.uuid], SEARCH_S)
        names = ", ".join(f"{found.uuid} at {found.ip}" for found in self.found)
        self._desk.say(f"finds {names or 'none'}", "app")
        return self.found

    async def send(self, number: int) -> str:
        """Send the token of a code to what was found; return how it was taken, in a word."""
        token = self._tokens[self._code(number).number][0]
        if not self.found:
            raise UsageError("search first: no device is selected")
        found = self.found[0]
        self._desk.say(f"sends the token to {found.uuid}", "app")
        delivery = await send_token(found.ip, token, form=found.form(), entropy=self._rng.bytes)
        self._desk.say(f"is told: {delivery.outcome.value.replace('_', ' ')}", "app")
        return delivery.outcome.value

    # --- what became of it ----------------------------------------------------------------------

    def _saw(self, shown: Shown) -> None:
        """Look into the app when a device has been at work with a token, and is not any more.

        The phone is taken away from a lens that has read it, or it would be read again and again.
        """
        before, self._before = self._before, shown.lifecycle
        if shown.lifecycle == _HAS_READ and self._desk.touch.shown:
            asyncio.get_running_loop().call_soon(self.hold, None)
        is_over = before in _AT_WORK and shown.lifecycle not in _AT_WORK
        if is_over and self.codes and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look_soon())

    async def _look_soon(self) -> None:
        await asyncio.sleep(LOOK_AFTER_S)
        await self.look(max(self.codes))

    async def look(self, number: int) -> Code:
        """Ask the cloud how far a code has come, and tell what is new."""
        code = self._code(number)
        try:
            look = self._look_at_pairing if code.purpose == "pair" else self._look_at_batch
            now = await look(code)
        except CloudRefused as refusal:
            now = msgspec.structs.replace(code, outcome=in_words(refusal.code), ok=False)
        if number in self.codes:
            self.codes = {**self.codes, number: now}
        if now.outcome and now.outcome != code.outcome:
            self._desk.say(f"the app says: {now.outcome}", code.account)
        return now

    async def _look_at_batch(self, code: Code) -> Code:
        batch = self._tokens[code.number][1]
        client = await self._developer(code.role)
        state = await client.token_state(batch)
        rows = [row async for row in history_rows(client, batch=batch)]
        now = msgspec.structs.replace(code, used=state.used)
        if not rows:
            return now
        last = max(rows, key=lambda row: (row.time_ms, row.id))
        ok = last.status == "ok"
        outcome = "unbound" if ok else f"refused, {in_words(last.reason)}"
        return msgspec.structs.replace(now, outcome=outcome, ok=ok)

    async def _look_at_pairing(self, code: Code) -> Code:
        client = await self._consumer(code.role)
        result = await client.pair_result(self._tokens[code.number][0])
        if result.success:
            return msgspec.structs.replace(
                code, used=1, outcome="paired: it is theirs now", ok=True
            )
        if result.failed:
            why = in_words(result.failed[-1].code)
            return msgspec.structs.replace(code, outcome=f"refused, {why}", ok=False)
        return code

    # --- accounts -------------------------------------------------------------------------------

    async def _developer(self, role: str) -> ConsoleClient:
        if role not in self._developers:
            person = self._desk.person(role)
            client = await ConsoleClient.login(self._link, person.name, person.password)
            self._developers[role] = client
        return self._developers[role]

    async def _consumer(self, role: str) -> ConsumerClient:
        if role not in self._consumers:
            self._consumers[role] = await sign_in(self._link, self._desk.person(role))
        return self._consumers[role]


def in_words(reason: str) -> str:
    """Return why the cloud has refused something, as people say it."""
    return REASONS.get(reason, reason.replace("_", " "))
