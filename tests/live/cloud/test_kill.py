"""kill -9 amid a thousand concurrent unbindings: what was said is kept, and nothing counted twice.

A thousand returned devices bring the codes of one operator to a cloud that is killed twice in the
middle of it and comes back on the same ports and data. After each death the store is compared
with what the devices were told; devices that heard nothing try again. One product has less quota
than devices, so a unit that was lost or taken twice would show as a device too many or too few.
"""

import asyncio
import os
import signal
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
from fleet.cloud.edge.process import ServerConfig
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
    Seed,
    UserSeed,
)
from fleet.cloud.settings import Settings
from fleet.cloud.tokens import UnbindToken
from fleet.run.cloud_host import CloudHost
from tests.cloud.store.postgres_server import PostgresServer

DEVICES, PRODUCTS, PER_TOKEN = 1_000, 4, 30
SCARCE, SCARCE_MAX = "product0", 200  # of its 250 devices
OPERATOR = "repair"
SETTINGS = Settings(password_iterations=1, account_quota_per_day=10_000, product_quota_per_day=250)
RELEASED, REFUSED = "", "PRODUCT_QUOTA"
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


class Chip:
    """A returned device with the code of a batch before its lens, and what it was told."""

    def __init__(self, number: int, token: str) -> None:
        self.uuid, self.auth_key = f"uuid{number:04}", f"authkey{number:025}"
        self.product_id, self.token = pid_of(number), token
        self.told: str | None = None  # nothing yet

    async def connect(self, host: CloudHost) -> None:
        self.reader, self.writer = await asyncio.open_connection(
            host.ready.host, host.ready.http_port
        )

    def call(self) -> None:
        """Send the activation that brings the code."""
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
        self.writer.write(head.encode() + body)

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
        inner = atop.decode_inner(atop.decode_reply(reply, self.auth_key))
        self.told = RELEASED if inner.success else inner.error_code


async def codes(host: CloudHost) -> list[str]:
    """Return the tokens (8 characters) of as many codes as the operator needs."""
    async with httpx.AsyncClient(base_url=host.url) as client:

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


async def storm(host: CloudHost, chips: list[Chip]) -> None:
    """Let all of `chips` call at once, and kill the cloud while it answers.

    Half of them call when the end is near, so it certainly comes while the cloud is at work.
    """
    for chip in chips:
        await chip.connect(host)
    early, late = chips[len(chips) // 2 :], chips[: len(chips) // 2]
    answers = [asyncio.create_task(chip.listen()) for chip in chips]
    for chip in early:
        chip.call()
    for answer in asyncio.as_completed(answers):
        await answer
        if len(unheard(early)) < len(early) * 3 // 4:
            break
    for chip in late:
        chip.call()
    os.kill(host.pid, signal.SIGKILL)
    await asyncio.gather(*answers)
    assert unheard(chips)


def compare(place: str, chips: Iterable[Chip]) -> set[str]:
    """Compare the store with what devices were told, and with itself; return who is released."""
    store = open_store(place)
    devices = {device.uuid: device for device in store.load(Device)}
    history, uses = list(store.load(HistoryRow)), list(store.load(QuotaUse))
    tokens = list(store.load(UnbindToken))
    store.close()
    released = {uuid for uuid, device in devices.items() if not device.bound}
    done = Counter(row.uuid for row in history if row.status == "ok")
    assert done == Counter(released)
    refused = {row.uuid for row in history if row.status == "refused"}
    for chip in chips:
        if chip.told is not None:
            assert chip.told in {RELEASED, REFUSED}
            assert chip.uuid in (
                released - refused if chip.told == RELEASED else refused - released
            )
    wanted = Counter((Scope.PRODUCT.value, devices[uuid].product_id) for uuid in released)
    wanted[(Scope.ACCOUNT.value, OPERATOR)] = len(released)
    assert {(use.scope, use.name): use.used for use in uses} == wanted
    per_batch = Counter(devices[uuid].released_by for uuid in released)
    assert {token.batch: token.used for token in tokens if token.used} == per_batch
    return released


def unheard(chips: list[Chip]) -> list[Chip]:
    return [chip for chip in chips if chip.told is None]


async def story(place: str) -> None:
    deaths: asyncio.Queue[str] = asyncio.Queue()
    config = ServerConfig(data=place, settings=SETTINGS, seed=seed())
    host = CloudHost(config, deaths.put_nowait)
    await host.start()
    try:
        tokens = await codes(host)
        chips = [Chip(n, tokens[n // PER_TOKEN]) for n in range(DEVICES)]
        for _ in range(KILLS):
            await storm(host, unheard(chips))
            await deaths.get()
            compare(place, chips)
            await host.replace()
        left = unheard(chips)
        for chip in left:
            await chip.connect(host)
            chip.call()
        await asyncio.gather(*(chip.listen() for chip in left))
        assert unheard(chips) == []
    finally:
        await host.stop(grace_s=5)
    released = compare(place, chips)
    assert len(released) == DEVICES - (DEVICES // PRODUCTS - SCARCE_MAX)
    assert sum(chip.product_id == SCARCE for chip in chips if chip.told == RELEASED) == SCARCE_MAX


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_thousand_unbindings_survive_two_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    raise_files_limit()
    place = str(tmp_path / "data")
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        place = server.new_schema()
    asyncio.run(story(place))
