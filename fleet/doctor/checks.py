"""What a run needs, and whether a machine has it. Pure: facts and figures in, checks out.

The figures per device are upper estimates of what the runner was measured to take; a check is
wrong when it stops a run that would have worked, so they are not generous either.
"""

from collections.abc import Iterator

import msgspec

from firmware_sim.wire.discovery import PORT_CONTROL, PORT_SOLICITED
from fleet.doctor.facts import DISCOVERY_PORTS, TEST_PACKAGES, Facts

PYTHON_MIN = (3, 11)
FILES_FIXED = 300  # of one process: libraries, pipes, database, listeners, LAN clients
MEMORY_FIXED_MB = 400  # cloud, runner, one shard and its decoders, before the first device
MEMORY_PER_DEVICE_KB = 60  # the device, its connection, and the cloud's end of it
DISK_FIXED_MB = 100
DISK_PER_DEVICE_KB = 32  # its records in the cloud and its flash
SOURCE_PORTS_MIN = 1000
DEVICES_PER_SHARD_MAX = 4000  # beyond that a process runs into the usual limit of open files


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at. `advice` says what to do and is empty when all is well."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
    fatal: bool = True

    @property
    def blocks(self) -> bool:
        """Whether a run must not start."""
        return self.fatal and not self.ok


def judge(facts: Facts, devices: int, *, shards: int = 0, decoder: str = "") -> list[Check]:
    """Return all checks, in the order in which a person would want to read them.

    `shards` 0 means as many as a run would use; `decoder` "" means that any that works will do.
    """
    shards = shards or shards_wanted(devices, facts.cores)
    return [
        _python(facts),
        _cores(facts, shards),
        _memory(facts, devices),
        _files(facts, devices, shards),
        _source_ports(facts),
        *_lan(facts),
        *_decoders(facts, decoder),
        _disk(facts, devices),
        _uvloop(facts),
        _test_packages(facts),
    ]


def shards_wanted(devices: int, cores: int) -> int:
    """Return into how many processes to put devices: one per further core, more for a large fleet."""
    return max(cores - 1, -(-devices // DEVICES_PER_SHARD_MAX), 1)


def files_needed(devices: int, shards: int) -> int:
    """Return how many open files the busiest process needs when every device is online.

    The cloud holds one MQTT connection per device. A shard holds the other end and a listening
    LAN port. At most a quarter of the devices have an HTTP call or a LAN client at the same time.
    """
    in_shard = -(-devices // shards)
    return FILES_FIXED + max(devices + devices // 4, 2 * in_shard + in_shard // 4)


def _check(name: str, ok: bool, detail: str, advice: str, *, fatal: bool = True) -> Check:  # noqa: FBT001
    return Check(name, ok, detail, "" if ok else advice, fatal)


def _python(facts: Facts) -> Check:
    text = ".".join(map(str, facts.python))
    wanted = ".".join(map(str, PYTHON_MIN))
    return _check(
        "python", facts.python >= PYTHON_MIN, f"Python {text}", f"install Python {wanted} or newer"
    )


def _cores(facts: Facts, shards: int) -> Check:
    wanted = shards + 1
    return _check(
        "cores",
        facts.cores >= wanted,
        f"{facts.cores} cores; the cloud and the shards of devices would use {wanted}",
        "they will share a core: phase times may measure this machine more than the cloud",
        fatal=False,
    )


def _memory(facts: Facts, devices: int) -> Check:
    needed = MEMORY_FIXED_MB + devices * MEMORY_PER_DEVICE_KB // 1024
    return _check(
        "memory",
        facts.memory_mb >= needed,
        f"{facts.memory_mb:,} MiB available, about {needed:,} MiB needed",
        "use fewer devices or free some memory",
        fatal=False,
    )


def _files(facts: Facts, devices: int, shards: int) -> Check:
    needed = files_needed(devices, shards)
    return _check(
        "open files",
        facts.files_hard >= needed,
        f"{devices:,} devices need {needed:,} open files in one process, "
        f"the limit is {facts.files_hard:,}",
        f"raise it for this user (ulimit -Hn {needed}, /etc/security/limits.conf), "
        "or use fewer devices",
    )


def _source_ports(facts: Facts) -> Check:
    first, last = facts.source_ports
    count = last - first + 1
    return _check(
        "source ports",
        count >= SOURCE_PORTS_MIN,
        f"ports {first} to {last} for outgoing connections; each device has its own address",
        "widen the range: sysctl -w net.ipv4.ip_local_port_range='32768 60999'",
    )


def _lan(facts: Facts) -> Iterator[Check]:
    ports = ", ".join(map(str, (*DISCOVERY_PORTS, PORT_SOLICITED)))
    yield _check(
        "LAN discovery",
        not facts.udp_problem,
        facts.udp_problem or f"UDP {ports} can be shared",
        "stop the program that holds it for itself (ss -lunp shows it)",
    )
    yield _check(
        "LAN control",
        not facts.tcp_problem,
        facts.tcp_problem or f"TCP {PORT_CONTROL} is free on {facts.lan.device_ip}",
        "stop the program that holds it (ss -ltnp shows it); systems other than Linux "
        "need the addresses added to their loopback interface",
    )
    yield _check(
        "LAN broadcast",
        not facts.broadcast_problem,
        facts.broadcast_problem or f"datagrams to {facts.lan.broadcast_ip} arrive",
        "bring the interface of that address up and let its firewall pass UDP",
    )
    yield _check(
        "LAN namespaces",
        not facts.namespace_problem,
        facts.namespace_problem or "fleet lan up (as root) has what it needs",
        "use another kernel or install iproute2 (Debian: apt-get install iproute2); "
        "devices on loopback addresses need neither",
        fatal=False,
    )


def _decoders(facts: Facts, wanted: str) -> Iterator[Check]:
    some_work = any(not problem for _, problem in facts.decoders)
    for name, problem in facts.decoders:
        # The library's own message is "what is wrong: what to do".
        detail, _, advice = problem.partition(": ")
        yield _check(
            f"decoder {name}",
            not problem,
            detail or "reads non-ASCII Wi-Fi names byte for byte",
            advice or "use another --decoder",
            fatal=name == wanted or not (wanted or some_work),
        )


def _disk(facts: Facts, devices: int) -> Check:
    needed = DISK_FIXED_MB + devices * DISK_PER_DEVICE_KB // 1024
    return _check(
        "disk",
        not facts.disk_problem and facts.disk_free_mb >= needed,
        facts.disk_problem
        or f"{facts.disk_free_mb:,} MiB free in {facts.data_dir}, about {needed:,} MiB needed",
        "choose another folder for the data or make room",
    )


def _uvloop(facts: Facts) -> Check:
    return _check(
        "event loop",
        facts.uvloop,
        "uvloop" if facts.uvloop else "asyncio's own loop",
        "install uvloop: without it a device costs about twice the CPU",
        fatal=False,
    )


def _test_packages(facts: Facts) -> Check:
    missing = " ".join(facts.test_packages_missing)
    return _check(
        "programs of the tests",
        not missing,
        f"not installed: {missing}" if missing else f"there are {', '.join(TEST_PACKAGES)}",
        f"a run needs none of them; to have all tests: apt-get install {missing}",
        fatal=False,
    )
