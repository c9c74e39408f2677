"""`fleet up`: a cloud and devices that stay until somebody stops them, and files that say where.

For people and programs that bring their own client: the ready file names every URL, account and
device, devices.json what LAN clients of the field want to know. They hold secrets, so only their
owner may read them, and they go away with what they describe.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import mac_of
from fleet.run import device_list, seeding
from fleet.run.attendance import Attendance, Live, Pages, Told, nobody
from fleet.run.files import announcement, run_folder
from fleet.run.hosting import GRACE_S, external_broker, first_of, in_loop, settle, stop_signal
from fleet.run.live_options import Options, cloud_config, shard_count
from fleet.run.population import Population, Unit, populate
from fleet.run.ready_file import (
    Papers,
    ReadyAccount,
    ReadyDevice,
    ReadyKey,
    encode,
    papers,
)
from fleet.run.scenario import Product as ProductPlan
from fleet.run.scenario import Scenario, load_scenario
from fleet.run.stage import HOMES, WAREHOUSE, is_online, is_waiting
from fleet.run.supervisor import Supervisor
from fleet.run.watch import REMOVED

State = Literal["bound", "returned", "waiting"]
"""Bound and online; bound still, but reset by hand, as goods come back; or nobody's."""
BOUND: State = "bound"
RETURNED: State = "returned"
PATIENCE_S = 60.0
PATIENCE_PER_DEVICE_S = 0.02


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
    tls: bool = False,
    device_https_port: int | None = None,
    broker: str = "",
    attendance: Attendance = nobody,
    console: Console | None = None,
) -> int:
    """Start a cloud and devices, write the files, stay until Ctrl-C or SIGTERM; return 0.

    `ready_file` names everything, `devices_json` bound devices in the form of tinytuya. Without
    `profile` the devices are a mix of models. `lan` names one that `fleet lan up` has made; this
    process moves into it for good. What is said on the LAN is written to `pcap`. `tls` encrypts
    what is said to the cloud; devices may have a port of their own for it then. They use the MQTT
    broker at `broker`, if that is not empty. `attendance` looks on. Raises UsageError when
    something cannot start, does not come up, or cannot be kept up.
    """
    console = console or Console(highlight=False, markup=False, emoji=False)
    with announcement(ready_file) as announce, announcement(devices_json) as publish_list:
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
            tls=tls,
            device_https_port=device_https_port,
            broker=external_broker(broker, tls=tls),
        )

        def tell(supervisor: Supervisor, pages: Pages) -> None:
            now = _left(supervisor)
            keyed = now.units if state == BOUND else ()
            publish_list(device_list.encode(now, keyed, supervisor.address))
            told = _papers(now, supervisor, state)
            told = msgspec.structs.replace(told, pages=pages.url, pages_password=pages.password)
            announce(encode(told))  # last: others wait for it

        with run_folder(data_dir) as folder:
            in_loop(_up(population, options, state, folder, tell, attendance, console))
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
    tell: Callable[[Supervisor, Pages], None],
    attendance: Attendance,
    console: Console,
) -> None:
    cloud = cloud_config(population, options, folder, secrets.token_urlsafe(24))
    say = Told(lambda text: console.print(text, soft_wrap=True))
    supervisor = Supervisor(population, options, folder, cloud, say)

    async def stay(stop: asyncio.Event) -> None:
        seen = Pages()  # until all is up nobody is told of anything

        def moved() -> None:
            if seen is pages:
                tell(supervisor, pages)

        live = Live(population, supervisor, stop, say, options.decoder, moved=moved)
        async with attendance(live) as pages:
            await _start(population, supervisor, state)
            seen = pages
            tell(supervisor, pages)
            count, what = len(population.units), "online" if state == BOUND else "waiting"
            say(f"{count} devices {what}, cloud at {supervisor.cloud.url}; Ctrl-C stops everything")
            await asyncio.Event().wait()

    try:
        async with stop_signal() as stop:
            await first_of(stay(stop), stop, supervisor.failure)
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


def _left(supervisor: Supervisor) -> Population:
    """Return the devices that there are now: some may have come, others were taken away."""
    last, all_units = supervisor.watch.last, supervisor.population.units
    units = tuple(unit for unit in all_units if last[unit.index].cause != REMOVED)
    return msgspec.structs.replace(supervisor.population, units=units)


def _papers(population: Population, supervisor: Supervisor, state: State) -> Papers:
    key = seeding.access(population)
    return papers(
        supervisor.cloud.ready,
        [ReadyKey(key.access_id, key.secret, population.maker.name, (key.schema,))],
        [ReadyAccount(person.name, person.password, person.role) for person in population.people],
        [
            _device(population, unit, supervisor.address(unit.index), state)
            for unit in population.units
        ],
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
