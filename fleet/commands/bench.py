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


@app.command(_USUAL)
def serve(
    profile: Annotated[str, typer.Argument(help="Model by name (see `fleet profiles`) or file.")],
    *,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many devices.")] = 1,
    env_out: Annotated[
        Path | None, typer.Option(help="Write an env file for labgrid: pytest --lg-env FILE.")
    ] = None,
    rate: Annotated[
        float, typer.Option(help="How many times as fast as on the wall time passes, 0.1 to 100.")
    ] = 1.0,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Of the calls; else 8440, or a free one. 0: any."),
    ] = None,
    serial_dir: Annotated[
        Path | None, typer.Option(help="Folder for the names of serial ports; else one of yours.")
    ] = None,
    serial: Annotated[
        Literal["terminal", "rfc2217", "raw"],
        typer.Option(help="Which end of the console the env file names."),
    ] = "terminal",
    state: Annotated[
        Literal["bound", "waiting"],
        typer.Option(help="Bound to its owner as after the sale, or nobody's."),
    ] = "bound",
    ssid: Annotated[str, typer.Option(help="Name of the Wi-Fi at the bench.")] = "workshop",
    wifi_password: Annotated[
        str, typer.Option(envvar="FLEET_WIFI_PASSWORD", help="Its password.")
    ] = "workshop",  # noqa: S107 - of a Wi-Fi that exists on a simulated bench only
    cloud: Annotated[
        str, typer.Option("--cloud", help="URL of a cloud that knows the device; else an own one.")
    ] = "",
    uuid: Annotated[str, typer.Option(help="With --cloud: uuid of the device.")] = "",
    auth_key: Annotated[
        str, typer.Option(envvar="FLEET_AUTH_KEY", help="With --cloud: its authKey.")
    ] = "",
    product_id: Annotated[str, typer.Option(help="With --cloud: its product.")] = "",
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
    )
    raise typer.Exit(bench_host.serve(choice, make_screen()))


def _elsewhere(cloud: str, uuid: str, auth_key: str, product_id: str) -> Any:
    """Return whose device of which other cloud this is, None for a cloud of its own."""
    given = (uuid, auth_key, product_id)
    if not cloud:
        if any(given):
            raise UsageError("--uuid, --auth-key and --product-id go with --cloud")
        return None
    if not all(given):
        raise UsageError("which device of that cloud? give --uuid, --auth-key and --product-id")
    from fleet.hil.host import Elsewhere

    return Elsewhere(cloud, uuid, auth_key, product_id)
