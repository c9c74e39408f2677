"""kill -9 amid a thousand concurrent unbindings: what was said is kept, and nothing counted twice.

Eight hundred returned devices bring the codes of one operator to `fleet cloud`, while the maker's
program takes two hundred more away by signed calls of the Open API. The cloud is killed twice in the
middle of it and comes back on the same ports and data. After each death the store is compared with
what everybody was told; who heard nothing tries again. One product has less quota than devices, so
a unit that was lost or taken twice would show as a device too many or too few.
"""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.devices import Device
from fleet.cloud.edge.listen import raise_files_limit
from fleet.cloud.edge.stores import open_store
from fleet.cloud.history import HistoryRow
from fleet.cloud.permissions import GrantKind
from fleet.cloud.quotas import QuotaUse, Scope
from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    GrantSeed,
    LimitSeed,
    ProductSeed,
    ProjectSeed,
    Seed,
    UserSeed,
)
from fleet.cloud.settings import Settings
from fleet.cloud.tokens import UnbindToken
from fleet.commands import cloud_seed
from tests.cloud.store.postgres_server import PostgresServer

DEVICES, PRODUCTS, PER_TOKEN = 1_000, 4, 30
CALLED = range(4, DEVICES, 5)  # those that the program takes away; the others have codes
SCARCE, SCARCE_MAX = "product0", 150  # of its 200 devices with a code
OPERATOR = "repair"
ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
SETTINGS = """
password_iterations = 1
account_quota_per_day = 10_000
product_quota_per_day = 250
open_calls_per_second = 10_000
"""
RELEASED, REFUSED = "", "PRODUCT_QUOTA"
GONE = "1106"  # what a program is told of a device that is nobody's any more
KILLS = 2


def pid_of(number: int) -> str:
    return f"product{number % PRODUCTS}"


def seed() -> Seed:
    products = tuple(pid_of(n) for n in range(PRODUCTS))
    grant = GrantSeed(
        owner="maker",
        kind=GrantKind.SPACE,
        grantee=OPERATOR,
        role="After sale",
        products=products,
    )
    return Seed(
        accounts=(
            AccountSeed(name="maker", password="pw"),
            AccountSeed(name=OPERATOR, password="pw"),
        ),
        users=(UserSeed(uid="buyer", name="buyer"),),
        products=tuple(
            ProductSeed(product_id=pid, name=pid, category="sp", owner="maker") for pid in products
        ),
        grants=(grant,),
        projects=(ProjectSeed(access_id=ACCESS_ID, secret=SECRET, owner="maker", name="own"),),
        limits=(LimitSeed(scope=Scope.PRODUCT, name=SCARCE, limit=SCARCE_MAX),),
        devices=tuple(
            DeviceSeed(
                uuid=f"uuid{n:04}",
                auth_key=f"authkey{n:025}",
                product_id=pid_of(n),
                dev_id=f"bf{n:018}",
                sec_key=f"{n:016}",
                local_key=f"{n:016}",
                owner="buyer",
            )
            for n in range(DEVICES)
        ),
    )


class Server:
    """`fleet cloud` on the data in `place`, always on the same port."""

    def __init__(self, place: str, folder: Path) -> None:
        self._ready_file, settings = folder / "ready.json", folder / "settings.toml"
        settings.write_text(SETTINGS)
        self._words = [sys.executable, "-m", "fleet", "cloud", "--data", place]
        self._words += ["--settings", str(settings), "--ready-file", str(self._ready_file)]
        self.url, self.port = "", 0

    def start(self) -> None:
        self._ready_file.unlink(missing_ok=True)
        self._process = subprocess.Popen([*self._words, "--port", str(self.port)])
        while not self._ready_file.exists():
            assert self._process.poll() is None
            time.sleep(0.02)
        self.url = json.loads(self._ready_file.read_text())["open_api"]
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait() == 0


class Caller:
    """Somebody with one device to release, one call for that, and what was answered."""

    def __init__(self, number: int) -> None:
        self.number, self.uuid, self.product_id = number, f"uuid{number:04}", pid_of(number)
        self.told: str | None = None  # nothing yet

    async def connect(self, server: Server) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", server.port)

    def call(self) -> None:
        """Send the request."""
        self.writer.write(self.request())

    async def listen(self) -> None:
        """Note the answer; a cloud that died says nothing."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split()[0])
            reply = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            self.writer.close()
        self.told = self.read(reply)

    def request(self) -> bytes:
        raise NotImplementedError

    def read(self, reply: bytes) -> str:
        raise NotImplementedError


class Chip(Caller):
    """A returned device with the code of a batch before its lens."""

    def __init__(self, number: int, token: str) -> None:
        super().__init__(number)
        self.auth_key, self.token = f"authkey{number:025}", token

    def request(self) -> bytes:
        form = messages.activation_request(self.token, self.product_id, "1.0.0", int(time.time()))
        target, body = atop.encode_request(
            messages.ACTIVE.name,
            messages.ACTIVE.version,
            int(time.time()),
            self.auth_key,
            msgspec.json.encode(form),
            uuid=self.uuid,
            dev_id=None,
        )
        head = f"POST {target} HTTP/1.1\r\nhost: cloud\r\ncontent-length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def read(self, reply: bytes) -> str:
        inner = atop.decode_inner(atop.decode_reply(reply, self.auth_key))
        return RELEASED if inner.success else inner.error_code


class Program(Caller):
    """A call of the Open API that takes a device away."""

    def __init__(self, number: int, token: str) -> None:
        super().__init__(number)
        self.token = token

    def request(self) -> bytes:
        target = f"/v1.0/cloud/thing/devices/bf{self.number:018}/unbind"
        return signed("POST", target, self.token)

    def read(self, reply: bytes) -> str:
        envelope = msgspec.json.decode(reply)
        return RELEASED if envelope["success"] else str(envelope["code"])


def signed(method: str, target: str, token: str = "") -> bytes:
    """Return a request that is signed as the vendor's page says."""
    t = str(time.time_ns() // 1_000_000)
    text = f"{ACCESS_ID}{token}{t}{method}\n{hashlib.sha256().hexdigest()}\n\n{target}"
    sign = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest().upper()
    lines = (
        f"{method} {target} HTTP/1.1",
        "host: cloud",
        f"client_id: {ACCESS_ID}",
        f"access_token: {token}",
        f"t: {t}",
        "sign_method: HMAC-SHA256",
        f"sign: {sign}",
        "content-length: 0",
    )
    return "\r\n".join([*lines, "", ""]).encode()


class Login(Caller):
    """The program's call for its token."""

    def request(self) -> bytes:
        return signed("GET", "/v1.0/token?grant_type=1")

    def read(self, reply: bytes) -> str:
        return str(msgspec.json.decode(reply)["result"]["access_token"])


async def codes(server: Server) -> list[str]:
    """Return the tokens (8 characters) of as many codes as the operator needs."""
    async with httpx.AsyncClient(base_url=server.url) as client:

        async def ask(path: str, form: object, session: str = "none") -> dict[str, Any]:
            headers = {"authorization": f"Bearer {session}"}
            answer = await client.post(path, json=form, headers=headers)
            assert answer.json()["success"], answer.text
            return cast("dict[str, Any]", answer.json()["result"])

        login = await ask("/console/v1/login", {"name": OPERATOR, "password": "pw"})
        wanted = {"method": "qr", "max_devices": PER_TOKEN}
        made = [
            await ask("/console/v1/unbind-tokens", wanted, login["session"])
            for _ in range(-(-DEVICES // PER_TOKEN))
        ]
    return [token["token"][2:10] for token in made]


async def log_in(server: Server) -> str:
    """Return the program's token."""
    login = Login(0)
    await login.connect(server)
    login.call()
    await login.listen()
    assert login.told
    return login.told


async def storm(server: Server, callers: list[Caller]) -> None:
    """Let all call at once, and kill the cloud while it answers.

    Half of them call when the end is near, so it certainly comes while the cloud is at work.
    """
    for caller in callers:
        await caller.connect(server)
    early, late = callers[len(callers) // 2 :], callers[: len(callers) // 2]
    answers = [asyncio.create_task(caller.listen()) for caller in callers]
    for caller in early:
        caller.call()
    for answer in asyncio.as_completed(answers):
        await answer
        if len(unheard(early)) < len(early) * 3 // 4:
            break
    for caller in late:
        caller.call()
    server.kill()
    await asyncio.gather(*answers)
    assert unheard(callers)


def compare(place: str, callers: Iterable[Caller]) -> set[str]:
    """Compare the store with what everybody was told, and with itself; return who is released."""
    store = open_store(place)
    devices = {device.uuid: device for device in store.load(Device)}
    history, uses = list(store.load(HistoryRow)), list(store.load(QuotaUse))
    tokens = list(store.load(UnbindToken))
    store.close()
    released = {uuid for uuid, device in devices.items() if not device.bound}
    done = Counter(row.uuid for row in history if row.status == "ok")
    assert done == Counter(released)
    refused = {row.uuid for row in history if row.status == "refused"}
    for caller in callers:
        if caller.told is not None:
            assert caller.told in {RELEASED, REFUSED, GONE}
            assert caller.uuid in (
                refused - released if caller.told == REFUSED else released - refused
            )
    by_code = [devices[uuid] for uuid in released if devices[uuid].released_by]
    assert {int(uuid[4:]) for uuid in released} - {int(d.uuid[4:]) for d in by_code} <= {*CALLED}
    wanted = Counter((Scope.PRODUCT.value, device.product_id) for device in by_code)
    wanted[(Scope.ACCOUNT.value, OPERATOR)] = len(by_code)
    assert {(use.scope, use.name): use.used for use in uses} == wanted
    per_batch = Counter(device.released_by for device in by_code)
    assert {token.batch: token.used for token in tokens if token.used} == per_batch
    return released


def unheard(callers: list[Caller]) -> list[Caller]:
    return [caller for caller in callers if caller.told is None]


async def story(place: str, folder: Path) -> None:
    cloud_seed.put(seed(), "seed", place, Settings(password_iterations=1))
    server = Server(place, folder)
    try:
        callers = await calls(server, place)
    finally:
        server.kill()
    released = compare(place, callers)
    scarce = [one for one in callers if isinstance(one, Chip) and one.product_id == SCARCE]
    assert len(released) == DEVICES - (len(scarce) - SCARCE_MAX)
    assert sum(one.told == RELEASED for one in scarce) == SCARCE_MAX


async def calls(server: Server, place: str) -> list[Caller]:
    """Let everybody call until all have an answer, through every death of the server."""
    server.start()
    tokens, key = await codes(server), await log_in(server)
    callers: list[Caller] = [
        Program(n, key) if n in CALLED else Chip(n, tokens[n // PER_TOKEN]) for n in range(DEVICES)
    ]
    for _ in range(KILLS):
        await storm(server, unheard(callers))
        compare(place, callers)
        server.start()
    left = unheard(callers)
    for caller in left:
        await caller.connect(server)
        caller.call()
    await asyncio.gather(*(caller.listen() for caller in left))
    assert unheard(callers) == []
    server.stop()
    return callers


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_thousand_unbindings_survive_two_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    raise_files_limit()
    place = str(tmp_path / "data")
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        place = server.new_schema()
    asyncio.run(story(place, tmp_path))
