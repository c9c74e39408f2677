"""How a live fleet is run, apart from what it is: and what its cloud and its shards follow from that."""

import os
import time
from pathlib import Path

import msgspec

from fleet import doctor
from fleet.cloud.edge.process import ServerConfig
from fleet.cloud.external import BrokerAddress
from fleet.lan.arrangement import Arrangement
from fleet.run import seeding
from fleet.run.bridge.member import Member
from fleet.run.population import Population
from fleet.run.stage import HOMES


class Options(msgspec.Struct, frozen=True):
    """How to run, apart from what. `shards` 0: one per further core, more for a large fleet."""

    decoder: str
    shards: int = 0
    bound: bool = True  # devices start bound to their first owners
    reset: bool = False  # though bound in the cloud, their buttons were held: the chips forgot it
    site: str = HOMES
    lan: Arrangement | None = None  # whose namespace we are in; None: a part of loopback
    pcap: Path | None = None  # where to write what is said on the LAN
    tls: bool = False
    device_https_port: int | None = None  # None: devices use the common one
    broker: BrokerAddress | None = None  # None: devices use the cloud's own
    benches: tuple[Member, ...] = ()  # of the population, who is not simulated here


def cloud_config(
    population: Population, options: Options, folder: Path, admin_secret: str
) -> ServerConfig:
    """Return what the cloud of a run is told; it lives in `folder`, and where the devices are."""
    lan, host, port = options.lan, "127.0.0.1", 0
    for member in options.benches:  # all have the same
        host, port = member.cloud_address
    if lan is not None:
        host = lan.cloud_ip
    return ServerConfig(
        data=str(folder / "cloud"),
        host=host,
        http_port=port,
        # What it serves asks for a password, a key or a signature.
        public=lan is not None or host != "127.0.0.1",
        settings=seeding.settings(population, admin_secret, time.time_ns() // 1_000_000),
        seed=seeding.seed(population, bound=options.bound),
        tls=options.tls,
        device_https_port=options.device_https_port,
        broker=options.broker,
    )


def shard_count(devices: int, wanted: int) -> int:
    """Return how many shards to use: as many as wanted (0: as suits), but none without devices."""
    return min(devices, wanted or doctor.shards_wanted(devices, len(os.sched_getaffinity(0))))
