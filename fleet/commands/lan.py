"""`fleet lan`: a LAN with thousands of addresses on one host, and a look at what is said on it."""

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.errors import UsageError

app = typer.Typer(
    name="lan",
    help="LANs with an address, or an address and a MAC, for each device; and their traffic.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NETWORK = "10.77.0.0/16"
DEVICES_INSIDE, DEVICES_OUTSIDE = 10_000, 50
SECONDS_MAX = 1_000_000

Name = Annotated[str, typer.Argument(help="What to call it: letters, digits and '-'.")]


@app.command()
def up(
    name: Name,
    *,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Room for how many; else {DEVICES_INSIDE:,}, with --parent {DEVICES_OUTSIDE}.",
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help=f"Private network inside this host; else {NETWORK}.")
    ] = None,
    parent: Annotated[
        str, typer.Option(help="Interface on a real LAN: one MAC per device on its wire.")
    ] = "",
    first: Annotated[
        str, typer.Option(help="With --parent: first address, as in 192.168.1.200/24.")
    ] = "",
) -> None:
    """Make a LAN, as root. Devices live in a network namespace of that name: fleet up --lan NAME.

    Clients on this host reach them unmodified. With --parent, clients on the real LAN do, and this
    host does not.
    """
    from fleet.lan import control

    if bool(parent) != bool(first) or (parent and network):
        raise UsageError("give --parent and --first together, and no --network with them")
    if parent:
        lan = control.up_macvlan(name, devices or DEVICES_OUTSIDE, first, parent)
    else:
        lan = control.up_veth(name, devices or DEVICES_INSIDE, network or NETWORK)
    typer.echo(
        f"LAN {lan.name}: devices {lan.first_ip} to {lan.last_ip}, cloud {lan.cloud_ip}, "
        f"broadcast {lan.broadcast_ip}\nfleet up --lan {lan.name}    (remove it: fleet lan down "
        f"{lan.name})"
    )


@app.command()
def down(name: Name) -> None:
    """Remove a LAN that `fleet lan up` has made, as root."""
    from fleet.lan import control

    control.down(name)


@app.command("list")
def list_lans() -> None:
    """List the LANs that `fleet lan up` has made."""
    from rich.table import Table

    from fleet.commands.screen import make_screen
    from fleet.lan.record import Records

    table = Table(
        "name", "kind", "state", "network", "cloud", "devices", "parent", box=None, pad_edge=False
    )
    for record in Records():
        lan = record.lan
        room = f"{lan.devices_max} ({lan.first_ip} to {lan.last_ip})"
        table.add_row(
            lan.name, lan.kind, record.state, lan.network, lan.cloud_ip, room, record.parent
        )
    make_screen().print(table)


@app.command()
def capture(
    file: Annotated[Path, typer.Argument(help="Where to: a pcap file.")],
    *,
    ready: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Ready file of a fleet: only its devices."),
    ] = None,
    interface: Annotated[str, typer.Option(help="Where to listen; else everywhere.")] = "",
    lan: Annotated[str, typer.Option(help="LAN (see `fleet lan up`) to listen in.")] = "",
    seconds: Annotated[
        float | None, typer.Option(min=0, max=SECONDS_MAX, help="For how long; else until Ctrl-C.")
    ] = None,
    packets: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many; else until Ctrl-C.")
    ] = None,
) -> None:
    """Write what is said on a LAN to a file, for Wireshark or `fleet lan dissect`; as root."""
    from fleet.commands import traffic

    code = traffic.capture(
        file, ready=ready, interface=interface, lan=lan, seconds=seconds, packets_max=packets
    )
    raise typer.Exit(code)


@app.command()
def dissect(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A pcap file.")],
    *,
    devices: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="devices.json with the keys to decrypt it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per frame.")] = False,
) -> None:
    """Show the frames in a capture, in plain text where the keys are known."""
    from fleet.commands import traffic

    raise typer.Exit(traffic.dissect(file, devices=devices, as_json=as_json))
