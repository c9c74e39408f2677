"""`fleet bench PROFILE`: sets a bench up, says where everything is, and stays until it is stopped."""

import asyncio
import os
import shlex
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from firmware_sim.bench.endpoints.ptys import is_taken
from firmware_sim.bench.endpoints.server import listen
from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.scaled import ScaledLoop
from fleet.cloud.edge.listen import raise_files_limit
from fleet.hil import env_file
from fleet.hil.host import USUAL_WIFI, Elsewhere, Host, Plan, open_host
from fleet.run.population import Network
from hw_profiles import catalog

USUAL_PORT = 8440
BENCHES_MAX = 20  # of one user, without folders of their own choice
_LOOK_S = 0.2


class Choice(msgspec.Struct, frozen=True):
    """What was asked for; None stands for what is usual."""

    profile: str
    count: int
    env_out: Path | None
    rate: float
    port: int | None
    serial_dir: Path | None
    serial: env_file.Via
    bound: bool
    wifi: Network
    elsewhere: Elsewhere | None
    seed: int
    decoder: str
    camera: str = ""


def serve(choice: Choice, console: Console) -> int:
    """Run a bench until Ctrl-C or SIGTERM; return the exit code. Raises UsageError."""
    if choice.env_out is not None and not choice.env_out.absolute().parent.is_dir():
        raise UsageError(f"{choice.env_out}: there is no folder {choice.env_out.parent}")
    raise_files_limit()
    with asyncio.Runner(loop_factory=ScaledLoop) as runner:
        runner.run(_serve(choice, console))
    return 0


async def _serve(choice: Choice, console: Console) -> None:
    loop, stop_event = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_event.set)
    async with open_host(_plan(choice)) as host:
        if choice.env_out is not None:
            env_file.write(choice.env_out, described(host, choice.serial))
        for part in told(host, choice.env_out):
            console.print(part, soft_wrap=True, highlight=False, markup=False)
        while not stop_event.is_set():
            host.check()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await stop_event.wait()
            except TimeoutError:
                continue


def described(host: Host, via: env_file.Via) -> env_file.Bench:
    """Return what an env file says of a bench."""
    members = (
        env_file.Member(
            profile=_findable(host.plan.profile),
            wired=stand.wired,
            url=f"{host.url}/devices/{stand.index}",
            uart=stand.console_at,
        )
        for stand in host.stands
    )
    return env_file.Bench(host.url, host.plan.rate, tuple(members), via, bool(host.people))


def _findable(profile: str) -> str:
    """Return a name of a model by which it is found from any folder."""
    return profile if profile in catalog.names() else str(Path(profile).absolute())


def told(host: Host, env_out: Path | None) -> list[Table | str]:
    """Return what people are told of a bench that runs, to be printed one after the other."""
    where = Table("", "", box=None, pad_edge=False, show_header=False)
    wifi = host.plan.wifi
    where.add_row("calls", f"{host.url}/devices/0/power, /button, /link, /frame, /led, ...")
    where.add_row("clock", f"{host.url}/clock, {host.plan.rate:g} times as fast as on the wall")
    password = wifi.password if wifi == USUAL_WIFI else "as given"  # it may be one of the user's
    where.add_row("Wi-Fi", f"{wifi.ssid}, password {password}")
    where.add_row("cloud", host.cloud_url)
    for person in host.people:
        where.add_row("after-sales", f"{person.name}, password {person.password}")
    devices = Table(
        "device",
        "uuid",
        "ip",
        "console",
        "TCP",
        "RFC 2217",
        "LED analyser",
        box=None,
        pad_edge=False,
    )
    for stand in host.stands:
        about = stand.about()
        devices.add_row(
            str(about.index),
            about.uuid,
            about.ip,
            about.uart.terminal,
            str(about.uart.raw_port),
            str(about.uart.rfc2217_port),
            about.analyser.terminal,
        )
    if env_out is None:
        how = "for labgrid: --env-out env.yaml"
    else:
        how = f"run tests: pytest --lg-env {shlex.quote(str(env_out))} FILE"
    return [where, devices, how, "Ctrl-C ends it"]


def _plan(choice: Choice) -> Plan:
    return Plan(
        profile=choice.profile,
        serial_dir=choice.serial_dir or own_folder(),
        count=choice.count,
        rate=choice.rate,
        port=_usual_port() if choice.port is None else choice.port,
        seed=choice.seed,
        decoder=choice.decoder,
        bound=choice.bound,
        wifi=choice.wifi,
        elsewhere=choice.elsewhere,
        camera=choice.camera,
    )


def _usual_port() -> int:
    """Return the usual port if it is free, else 0."""
    try:
        listen(USUAL_PORT).close()
    except UsageError:
        return 0
    return USUAL_PORT


def own_folder() -> Path:
    """Return a folder of this user's that no other bench has, the same each time if possible."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) if runtime else Path(tempfile.gettempdir()) / f"fleet-{os.getuid()}"
    with suppress(OSError):  # is told below
        base.mkdir(mode=0o700)
    if not base.is_dir() or base.is_symlink() or base.lstat().st_uid != os.getuid():
        raise UsageError(f"{base}: this folder is somebody else's; name one with --serial-dir")
    for number in range(1, BENCHES_MAX + 1):
        folder = base / (f"bench-{number}" if number > 1 else "bench")
        if not is_taken(folder):
            return folder
    raise UsageError(f"{base}: {BENCHES_MAX} benches run; name a folder with --serial-dir")
