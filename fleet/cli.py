"""The command `fleet`: what can be asked for, as options. The work is in what each command imports.

Nothing heavy is imported here, so `fleet --help` answers at once. A caller's mistake is one line
on standard error and exit code 2; `fleet.__main__` sees to that for every command.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.commands import app as phone

cli = typer.Typer(
    name="fleet",
    help="Simulated cameras, recorders and gateways, and the cloud, the phone and the LAN they need.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli.add_typer(phone.app, name="app")

DEVICES_MAX = 1_000_000

Decoder = Annotated[
    Literal["pyzbar", "zxing"],
    typer.Option("--decoder", envvar="FLEET_DECODER", help="What reads QR codes in frames."),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="Fixes every choice that is left to chance.")
]
Shards = Annotated[
    int | None,
    typer.Option(
        "--shards", min=1, help="Processes that devices share; else one per further core."
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the cloud's data; else a temporary one.")
]


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
