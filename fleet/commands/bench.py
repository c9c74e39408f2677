"""`fleet bench`: its options. The work is in `bench_host.py`, loaded when somebody asks for it.

`fleet bench PROFILE` is short for `fleet bench serve PROFILE`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from firmware_sim.errors import UsageError
from fleet.commands.options import Decoder, Seed

_USUAL = "serve"


class _Usually(TyperGroup):
    """A group one of whose commands is meant where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of that command before arguments that begin with no name of a command."""
        named = bool(args) and args[0] in (*self.commands, *ctx.help_option_names)
        return list(super().parse_args(ctx, args if named or not args else [_USUAL, *args]))


app = typer.Typer(
    name="bench",
    cls=_Usually,
    help="Devices on a bench, with endpoints for hardware-in-the-loop tests: `fleet bench PROFILE` "
    "(`fleet bench serve --help` has the options).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


Model = Annotated[str, typer.Argument(help="Model by name (see `fleet profiles`) or file.")]
Count = Annotated[int, typer.Option(min=1, max=1000, help="How many devices.")]
EnvOut = Annotated[
    Path | None, typer.Option(help="Write an env file for labgrid: pytest --lg-env FILE.")
]
Rate = Annotated[
    float, typer.Option(help="How many times as fast as on the wall time passes, 0.1 to 100.")
]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="Of the calls; else 8440, or a free one. 0: any."),
]
SerialDir = Annotated[
    Path | None, typer.Option(help="Folder for the names of serial ports; else one of yours.")
]
Via = Annotated[
    Literal["terminal", "rfc2217", "raw"],
    typer.Option("--serial", help="Which end of the console the env file names."),
]
State = Annotated[
    Literal["bound", "waiting"],
    typer.Option(help="Bound to its owner as after the sale, or nobody's."),
]
Ssid = Annotated[str, typer.Option(help="Name of the Wi-Fi at the bench.")]
WifiPassword = Annotated[str, typer.Option(envvar="FLEET_WIFI_PASSWORD", help="Its password.")]
Cloud = Annotated[
    str, typer.Option("--cloud", help="URL of a cloud that knows the device; else an own one.")
]
Uuid = Annotated[str, typer.Option(help="With --cloud: uuid of the device.")]
AuthKey = Annotated[str, typer.Option(envvar="FLEET_AUTH_KEY", help="With --cloud: its authKey.")]
ProductId = Annotated[str, typer.Option(help="With --cloud: its product.")]
Camera = Annotated[
    str,
    typer.Option(
        metavar="SOURCE",
        help="A real camera (or whatever `fleet lens watch` takes) in place of lenses.",
    ),
]


@app.command(_USUAL)
def serve(
    profile: Model,
    *,
    count: Count = 1,
    env_out: EnvOut = None,
    rate: Rate = 1.0,
    port: Port = None,
    serial_dir: SerialDir = None,
    serial: Via = "terminal",
    state: State = "bound",
    ssid: Ssid = "workshop",
    wifi_password: WifiPassword = "workshop",  # noqa: S107 - of a Wi-Fi on a simulated bench only
    cloud: Cloud = "",
    uuid: Uuid = "",
    auth_key: AuthKey = "",
    product_id: ProductId = "",
    camera: Camera = "",
    seed: Seed = 1,
    decoder: Decoder = "pyzbar",
) -> None:
    """Put devices on a bench, without power at first; stay until Ctrl-C.

    A cloud, people with phones and Wi-Fi are there as well. Power, button, light, console, lens,
    link, current and tones have endpoints on this machine, by which labgrid finds them.
    """
    from fleet.commands import bench_host
    from fleet.commands.screen import make_screen
    from fleet.run.population import Network

    choice = bench_host.Choice(
        profile=profile,
        count=count,
        env_out=env_out,
        rate=rate,
        port=port,
        serial_dir=serial_dir,
        serial=serial,
        bound=state == "bound",
        wifi=Network(ssid, wifi_password),
        elsewhere=_elsewhere(cloud, uuid, auth_key, product_id),
        seed=seed,
        decoder=decoder,
        camera=camera,
    )
    raise typer.Exit(bench_host.serve(choice, make_screen()))


@app.command("bridge")
def bridge(
    env: Annotated[Path, typer.Argument(metavar="ENV", help="Env file of the bench, for labgrid.")],
    *,
    profile: Annotated[
        str, typer.Option(help="Model of the device on it; else as the env file says (FleetModel).")
    ] = "",
    uuid: Annotated[str, typer.Option(help="Its uuid, as it was burnt in.")],
    auth_key: Annotated[str, typer.Option(envvar="FLEET_AUTH_KEY", help="Its authKey.")],
    product_id: Annotated[str, typer.Option(help="The product that its firmware names.")],
    cloud: Annotated[
        str,
        typer.Option("--cloud", help="Where its firmware looks for its cloud: http://HOST:PORT."),
    ],
    target: Annotated[str, typer.Option(help="Which target of the env file.")] = "main",
    ssid: Annotated[str, typer.Option(help="Name of the Wi-Fi at the bench.")] = "",
    wifi_password: Annotated[
        str, typer.Option(envvar="FLEET_WIFI_PASSWORD", help="Its password.")
    ] = "",
    lan: Annotated[
        str, typer.Option(help="Network in which a device on a cable is found, as 192.168.7.0/24.")
    ] = "",
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("member.toml"),
    scenario: Annotated[
        str, typer.Option(help="Scenario of the command that is printed.")
    ] = "batch-unbind",
) -> None:
    """Try the parts of a bench, and write the file by which its device takes part in a run.

    The device is switched on and off. The run (`fleet run SCENARIO --bench FILE`) serves its cloud.
    """
    from fleet.commands import bench_bridge
    from fleet.run.bridge.member import Member
    from fleet.run.bridge.opening import model_at
    from fleet.run.population import Network

    member = Member(
        env=str(env),
        profile=profile or model_at(str(env), target),
        uuid=uuid,
        auth_key=auth_key,
        product_id=product_id,
        cloud=cloud,
        target=target,
        lan=lan,
        wifi=Network(ssid, wifi_password) if ssid else None,
    )
    bench_bridge.bridge(member, out, scenario)


def _elsewhere(cloud: str, uuid: str, auth_key: str, product_id: str) -> Any:
    """Return whose device of which other cloud this is, None for a cloud of its own."""
    given = (uuid, auth_key, product_id)
    if not cloud:
        if uuid or product_id:  # the key may be in the environment for other commands
            raise UsageError("--uuid and --product-id go with --cloud")
        return None
    if not all(given):
        raise UsageError("which device of that cloud? give --uuid, --auth-key and --product-id")
    from fleet.hil.host import Elsewhere

    return Elsewhere(cloud, uuid, auth_key, product_id)
