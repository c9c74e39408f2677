"""The command `fleet`: what can be asked for, as options. The work is in what each command imports.

Nothing heavy is imported here, so `fleet --help` answers at once. A caller's mistake is one line
on standard error and exit code 2; `fleet.__main__` sees to that for every command.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from firmware_sim.errors import UsageError
from fleet.commands import app as phone
from fleet.commands import bench as hil
from fleet.commands import cloud as platform
from fleet.commands import explore as exploring
from fleet.commands import lan as network
from fleet.commands import led as lights
from fleet.commands import lens as lenses
from fleet.commands import pages as looking_on
from fleet.commands import report as reporting
from fleet.commands.options import (
    DEVICES_MAX,
    BenchMembers,
    Broker,
    Data,
    Decoder,
    DeviceHttpsPort,
    Devices,
    DevicesJson,
    FleetSize,
    Lan,
    Lens,
    NoWeb,
    OneModel,
    OutageS,
    Pcap,
    ReadyOut,
    Report,
    Scenario,
    Seed,
    Shards,
    Tls,
    UpState,
    Virtual,
    Web,
    WebPasswordFile,
)

cli = typer.Typer(
    name="fleet",
    help="Simulated cameras, recorders and gateways, and the cloud, the phone and the LAN they need.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli.add_typer(phone.app, name="app")
cli.add_typer(hil.app, name="bench")
cli.add_typer(platform.app, name="cloud")
cli.add_typer(network.app, name="lan")
cli.add_typer(lenses.app, name="lens")


def _version(wanted: bool) -> None:  # noqa: FBT001 - the callback of a flag
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fleet {version('firmware-sim')}")
        raise typer.Exit


@cli.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def _one_mode(context: typer.Context) -> None:
    """Refuse what has no meaning in virtual time, or none but there."""
    if not context.params["virtual"]:
        if _typed(context, "lens"):
            raise UsageError("--lens: of use with --virtual only; a live run decodes real frames")
        return
    of_sockets = (
        "shards",
        "data",
        "lan",
        "pcap",
        "tls",
        "device_https_port",
        "broker",
        "bench",
        "web",
    )
    if given := [name for name in of_sockets if context.params[name] and _typed(context, name)]:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError(f"{options}: of no use with --virtual; leave it out")


def _typed(context: typer.Context, name: str) -> bool:
    """Tell whether an option was given in this very command, and not by the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _play_virtually(asked: dict[str, Any], lens: Lens) -> int:
    from fleet.commands.screen import make_screen
    from fleet.report import command

    return command.run_virtually(
        asked["scenario"],
        devices=asked["devices"],
        seed=asked["seed"],
        lens=lens,
        decoder=asked["decoder"],
        report_dir=asked["report"],
        outage_s=asked["outage_s"],
        console=make_screen(),
    )


@cli.command("run")
def run_scenario(
    context: typer.Context,
    scenario: Scenario = "batch-unbind",
    *,
    devices: Devices = None,
    seed: Seed = 1,
    decoder: Decoder = "pyzbar",
    report: Report = Path("report"),
    shards: Shards = None,
    data: Data = None,
    lan: Lan = "",
    pcap: Pcap = None,
    tls: Tls = False,
    device_https_port: DeviceHttpsPort = None,
    broker: Broker = "",
    outage_s: OutageS = None,
    bench: BenchMembers = None,
    web: Web = None,
    web_password_file: WebPasswordFile = None,
    virtual: Virtual = False,
    lens: Lens = "model",
) -> None:
    """Play a scenario with a live fleet, or in virtual time.

    Exit code 0 means that every expectation is met and no invariant violated, 1 that it is not so.
    """
    from fleet.commands.screen import make_screen
    from fleet.report import command

    _one_mode(context)
    if virtual:
        raise typer.Exit(_play_virtually(context.params, lens))
    with looking_on.pages(web, web_password_file, wanted=web is not None) as attendance:
        code = command.run_scenario(
            scenario,
            devices=devices,
            seed=seed,
            decoder=decoder,
            report_dir=report,
            shards=shards,
            data_dir=data,
            lan=lan,
            pcap=pcap,
            tls=tls,
            device_https_port=device_https_port,
            broker=broker,
            outage_s=outage_s,
            benches=bench or (),
            attendance=attendance,
            console=make_screen(),
        )
    raise typer.Exit(code)


@cli.command()
def explain(
    scenario: Annotated[
        str, typer.Argument(help="Built-in name, or the path of a .toml file.")
    ] = "batch-unbind",
    *,
    devices: Annotated[
        int | None,
        typer.Option(
            "--devices", min=1, max=DEVICES_MAX, help="How many; else as few as tell the story."
        ),
    ] = None,
    seed: Seed = 1,
    device: Annotated[
        int | None,
        typer.Option("--device", min=0, help="Whose story; else that of a camera without trouble."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Leave nothing out; without --device, tell of all devices and people."
        ),
    ] = False,
) -> None:
    """Tell the story of one device, from the reset button to its next owner.

    A small run is played in virtual time. Each line names the row of the firmware's tables, or the
    function of the cloud, that decided. (Why an account may do something: `fleet cloud explain`.)
    """
    from fleet.commands.explain import explain as tell
    from fleet.commands.screen import make_screen

    raise typer.Exit(
        tell(
            scenario,
            devices=devices,
            seed=seed,
            device=device,
            everything=everything,
            console=make_screen(),
        )
    )


cli.command()(reporting.report)
cli.command()(exploring.explore)
cli.command()(exploring.replay)


@cli.command()
def up(
    *,
    devices: FleetSize = 1,
    profile: OneModel = None,
    state: UpState = "bound",
    ready_file: ReadyOut = None,
    devices_json: DevicesJson = None,
    seed: Seed = 1,
    decoder: Decoder = "pyzbar",
    shards: Shards = None,
    data: Data = None,
    lan: Lan = "",
    pcap: Pcap = None,
    tls: Tls = False,
    device_https_port: DeviceHttpsPort = None,
    broker: Broker = "",
    web: Web = None,
    web_password_file: WebPasswordFile = None,
    no_web: NoWeb = False,
) -> None:
    """Start a cloud and devices; stay until Ctrl-C.

    Pages and the control API are served for this machine, at http://127.0.0.1:8420 if it is free.
    """
    from fleet.commands.screen import make_screen
    from fleet.run import up as hosting

    with looking_on.pages(web, web_password_file, wanted=not no_web) as attendance:
        code = hosting.up(
            devices=devices,
            profile=profile,
            state=state,
            ready_file=ready_file,
            devices_json=devices_json,
            seed=seed,
            decoder=decoder,
            shards=shards,
            data_dir=data,
            lan=lan,
            pcap=pcap,
            tls=tls,
            device_https_port=device_https_port,
            broker=broker,
            attendance=attendance,
            console=make_screen(),
        )
    raise typer.Exit(code)


@cli.command()
def device(
    profile: Annotated[str, typer.Argument(help="Model by name (see `fleet profiles`) or file.")],
    *,
    cloud: Annotated[
        str, typer.Option("--cloud", help="URL of a cloud that knows the device; else an own one.")
    ] = "",
    uuid: Annotated[str, typer.Option(help="With --cloud: uuid of the device.")] = "",
    auth_key: Annotated[
        str, typer.Option(envvar="FLEET_AUTH_KEY", help="With --cloud: its authKey.")
    ] = "",
    product_id: Annotated[str, typer.Option(help="With --cloud: its product.")] = "",
    ca: Annotated[
        Path | None,
        typer.Option(help="With --cloud https://...: certificate (PEM) that the device trusts."),
    ] = None,
    state: Annotated[
        Literal["bound", "waiting"], typer.Option(help="Without --cloud: how it starts.")
    ] = "bound",
    ssid: Annotated[str, typer.Option(help="Name of a Wi-Fi at the desk.")] = "workshop",
    wifi_password: Annotated[
        str, typer.Option(envvar="FLEET_WIFI_PASSWORD", help="Its password.")
    ] = "workshop",  # noqa: S107 - of a Wi-Fi that exists on a simulated desk only
    script: Annotated[
        str | None, typer.Option(help='Steps, such as "p; wait online; hold; wait waiting".')
    ] = None,
    seed: Seed = 1,
    decoder: Decoder = "pyzbar",
    tls: Tls = False,
) -> None:
    """Run one device and show its light.

    In a terminal, keys are hands: p power, b reset button, c cable, q QR code, s sub-device, x quit.
    Else steps come from --script or standard input: p, b, hold [TIME], show PICTURE, hide, c,
    add NUMBER, remove NUMBER, lose NUMBER, find NUMBER, wait LIGHT [TIME], sleep TIME, x.
    """
    import asyncio

    from firmware_sim.device.device import Identity
    from fleet.commands.device import Choice, at_other_cloud, with_own_cloud
    from fleet.run.population import Network

    choice = Choice(
        profile, seed, Network(ssid, wifi_password), decoder, state == "bound", script, tls
    )
    if not cloud:
        raise typer.Exit(asyncio.run(with_own_cloud(choice)))
    if not (uuid and auth_key and product_id):
        raise UsageError("which device of that cloud? give --uuid, --auth-key and --product-id")
    identity = Identity(uuid, auth_key, product_id)
    raise typer.Exit(asyncio.run(at_other_cloud(choice, cloud, identity, ca)))


cli.command()(lights.led)


@cli.command()
def profiles() -> None:
    """List the device models."""
    from rich.table import Table

    from fleet.commands.screen import make_screen
    from hw_profiles import catalog

    table = Table("profile", "kind", "paired by", "reset", "title", box=None, pad_edge=False)
    for name in catalog.names():
        profile = catalog.load(name)
        reset = f"{profile.timings.reset_hold_ms / 1000:g} s"
        table.add_row(name, profile.kind, profile.pairing, reset, profile.title)
    make_screen().print(table)


@cli.command()
def demo(
    *,
    web: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS:]PORT",
            help="Where; else port 8420 of this machine, or a free one if that is taken. Any address "
            "that is not of this machine alone asks for a password.",
        ),
    ] = None,
    web_password_file: WebPasswordFile = None,
    decoder: Decoder = "pyzbar",
) -> None:
    """Serve the indicator demo: one device in a page, with its light, its states and two apps.

    Press its button, cut its power, hold codes to its camera; time passes at 1 to 20 times its speed.
    Nothing is connected to anything. Ctrl-C ends it.
    """
    from fleet.commands.demo import demo as serve
    from fleet.commands.screen import make_screen

    raise typer.Exit(serve(web, web_password_file, decoder, make_screen()))


@cli.command()
def doctor(
    *,
    devices: Annotated[
        int, typer.Option(min=1, max=DEVICES_MAX, help="How many devices it should be enough for.")
    ] = 300,
) -> None:
    """Check what this machine can do.

    Exit code 1 means that something is missing without which nothing runs.
    """
    from fleet.commands.checkup import check_up
    from fleet.commands.screen import make_screen

    raise typer.Exit(check_up(devices, make_screen()))
