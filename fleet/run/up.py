"""`fleet up`: a cloud and devices that stay until somebody stops them, and files that say where.

For people and programs that bring their own client: the ready file names every URL, account and
device, devices.json what LAN clients of the field want to know. They hold secrets, so only their
owner may read them, and they go away with what they describe.
"""

import asyncio
import secrets
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from firmware_sim.errors import UsageError
from firmware_sim.wire import atop, iot_dns
from fleet.lan.arrangement import mac_of
from fleet.run import device_list, seeding
from fleet.run.files import run_folder, write_atomically
from fleet.run.hosting import GRACE_S, first_of, in_loop, settle, stop_signal
from fleet.run.population import Population, Unit, populate
from fleet.run.scenario import Product as ProductPlan
from fleet.run.scenario import Scenario, load_scenario
from fleet.run.stage import HOMES, WAREHOUSE, is_online, is_waiting
from fleet.run.supervisor import Options, Supervisor, cloud_config, shard_count

State = Literal["bound", "returned", "waiting"]
"""Bound and online; bound still, but reset by hand, as goods come back; or nobody's."""
BOUND: State = "bound"
RETURNED: State = "returned"
PATIENCE_S = 60.0
PATIENCE_PER_DEVICE_S = 0.02


class ReadyAccount(msgspec.Struct, frozen=True):
    """Somebody who can log in: at the console (owner, partner, ...) or in the app (consumer)."""

    name: str
    password: str
    role: str


class ReadyDevice(msgspec.Struct, frozen=True):
    """A device that is up. `id` and `local_key` are empty while it is not bound."""

    id: str
    uuid: str
    auth_key: str
    local_key: str
    ip: str
    mac: str
    version: str
    profile: str
    product_id: str
    state: str


class Ready(msgspec.Struct, frozen=True):
    """The ready file: where everything is, who can log in, and all devices."""

    console: str
    open_api: str
    device_api: str
    iot_dns: str
    mqtt: str
    push: str
    access_id: str
    access_secret: str
    schema: str
    accounts: tuple[ReadyAccount, ...]
    devices: tuple[ReadyDevice, ...]

    def __repr__(self) -> str:
        """Show where, never a secret."""
        return f"Ready({self.console!r}, {len(self.devices)} devices)"


class Papers(msgspec.Struct, frozen=True):
    """The files that tell others of the fleet; None: not wanted."""

    ready_file: Path | None
    devices_json: Path | None

    def write(self, population: Population, supervisor: Supervisor, state: State) -> None:
        """Write them, the ready file last: others wait for it. Raises UsageError when that fails."""
        if self.devices_json is not None:
            keyed = population.units if state == BOUND else ()
            data = device_list.encode(population, keyed, supervisor.address)
            write_atomically(self.devices_json, data, mode=0o600)
        if self.ready_file is not None:
            data = msgspec.json.format(msgspec.json.encode(_ready(population, supervisor, state)))
            write_atomically(self.ready_file, data + b"\n", mode=0o600)

    def remove(self) -> None:
        """Remove them, as far as they are there."""
        for path in (self.ready_file, self.devices_json):
            if path is not None:
                path.unlink(missing_ok=True)


def up(
    *,
    devices: int = 1,
    profile: str | None = None,
    state: State = BOUND,
    ready_file: Path | None = None,
    devices_json: Path | None = None,
    seed: int = 1,
    decoder: str = "pyzbar",
    shards: int | None = None,
    data_dir: Path | None = None,
    lan: str = "",
    pcap: Path | None = None,
    console: Console | None = None,
) -> int:
    """Start a cloud and devices, write the files, stay until Ctrl-C or SIGTERM; return 0.

    `ready_file` names everything, `devices_json` bound devices in the form of tinytuya. Without
    `profile` the devices are a mix of models. `lan` names one that `fleet lan up` has made; this
    process moves into it for good. What is said on the LAN is written to `pcap`. Raises UsageError
    when something cannot start, does not come up, or cannot be kept up.
    """
    papers = Papers(ready_file, devices_json)
    papers.remove()  # of an earlier start that was killed: somebody waits for those of this one
    console = console or Console(highlight=False, markup=False, emoji=False)
    population = populate(_plan(profile, devices), devices, seed)
    count = shard_count(devices, shards or 0)
    home = settle(lan, devices, shards=count, decoder=decoder, data_dir=data_dir)
    options = Options(
        decoder=decoder,
        shards=count,
        bound=state in (BOUND, RETURNED),
        reset=state == RETURNED,
        site=HOMES if state == BOUND else WAREHOUSE,
        lan=home,
        pcap=pcap,
    )
    try:
        with run_folder(data_dir) as folder:
            in_loop(_up(population, options, state, folder, papers, console))
    finally:
        papers.remove()
    return 0


def _plan(profile: str | None, devices: int) -> Scenario:
    """Return the built-in scenario with devices of one model, or with as many kinds as fit."""
    plan = load_scenario()
    products = plan.products[: max(1, devices)]
    if profile is not None:
        products = (ProductPlan("devices", profile, 1),)
    return msgspec.structs.replace(plan, products=products)


async def _up(
    population: Population,
    options: Options,
    state: State,
    folder: Path,
    papers: Papers,
    console: Console,
) -> None:
    cloud = cloud_config(population, options, folder, secrets.token_urlsafe(24))

    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    supervisor = Supervisor(population, options, folder, cloud, say)

    async def stay() -> None:
        await _start(population, supervisor, state)
        papers.write(population, supervisor, state)
        count, what = len(population.units), "online" if state == BOUND else "waiting"
        say(f"{count} devices {what}, cloud at {supervisor.cloud.url}; Ctrl-C stops everything")
        await asyncio.Event().wait()

    try:
        async with stop_signal() as stop:
            await first_of(stay(), stop, supervisor.failure)
    finally:
        await supervisor.stop(GRACE_S)


async def _start(population: Population, supervisor: Supervisor, state: State) -> None:
    indices = [unit.index for unit in population.units]
    await supervisor.start()
    supervisor.power(indices, on=True)
    test = is_online if state == BOUND else is_waiting
    patience_s = PATIENCE_S + PATIENCE_PER_DEVICE_S * len(indices)
    late = await supervisor.watch.until_all(indices, test, patience_s)
    if late:
        raise UsageError(
            f"{len(late)} of {len(indices)} devices did not come up within {patience_s:.0f} s, "
            f"the first is {population.units[late[0]].uuid}; is the machine overloaded?"
        )


def _ready(population: Population, supervisor: Supervisor, state: State) -> Ready:
    url, cloud = supervisor.cloud.url, supervisor.cloud.ready
    key = seeding.access(population)
    people = {person.name: person for person in (population.maker, *population.operators)}
    people[population.purchaser.name] = population.purchaser
    people |= {unit.owner.name: unit.owner for unit in population.units}
    return Ready(
        console=url,
        open_api=url,
        device_api=url + atop.PATH,
        iot_dns=url + iot_dns.PATH,
        mqtt=f"mqtt://{cloud.host}:{cloud.mqtt_port}",
        push=cloud.push_url,
        access_id=key.access_id,
        access_secret=key.secret,
        schema=key.schema,
        accounts=tuple(
            ReadyAccount(person.name, person.password, person.role) for person in people.values()
        ),
        devices=tuple(
            _device(population, unit, supervisor.address(unit.index), state)
            for unit in population.units
        ),
    )


def _device(population: Population, unit: Unit, ip: str, state: State) -> ReadyDevice:
    profile = population.profile(unit)
    return ReadyDevice(
        id=unit.dev_id if state in (BOUND, RETURNED) else "",
        uuid=unit.uuid,
        auth_key=unit.auth_key,
        local_key=unit.local_key if state == BOUND else "",
        ip=ip,
        mac=mac_of(ip),
        version=unit.lan_version,
        profile=profile.name,
        product_id=unit.product.product_id,
        state=state,
    )
