"""Options of those commands of `fleet app` that speak with devices on the LAN.

The work is in the modules that each command imports.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.commands.options import (
    AccountName,
    AsJson,
    Cloud,
    PairS,
    Password,
    Ready,
    SearchS,
    run,
)

app = typer.Typer(rich_markup_mode=None)

DEVICE_HELP = "Device by its id or its address"
Broadcasts = Annotated[
    list[str] | None,
    typer.Option(
        "--broadcast", help="Ask at this broadcast address; else at those of this machine's LANs."
    ),
]
AnswerIp = Annotated[
    str, typer.Option("--answer-to", help="Have answers sent to this address of this machine.")
]
DevicesJson = Annotated[
    Path | None,
    typer.Option("--devices", help="devices.json as tinytuya writes it: gives keys and addresses."),
]
Key = Annotated[
    str, typer.Option("--key", envvar="FLEET_LOCAL_KEY", help="Local key, 16 characters.")
]
Version = Annotated[str, typer.Option("--version", help="LAN version, 3.1 to 3.5.")]
Ip = Annotated[str, typer.Option("--ip", help="Address of the device.")]
Cid = Annotated[str, typer.Option("--cid", help="The sub-device with this id, of a gateway.")]
Form = Annotated[
    Literal["plain", "ecb", "ecb_hmac", "gcm", "gcm_key3", "gcm_ap"] | None,
    typer.Option("--form", help="How the token is wrapped; else as the device's version asks."),
]


@app.command()
def search(
    *,
    ready: Ready = None,
    search_s: SearchS = 6.0,
    broadcast: Broadcasts = None,
    answer_to: AnswerIp = "",
    json: AsJson = False,
) -> None:
    """List the devices on this LAN.

    Listens on UDP 6666 and 6667, and asks on 7000. With --ready only devices of that fleet count.

    Exit code 0 means that there are some, 1 that there are none.
    """
    from fleet.commands import neighbours
    from fleet.commands.screen import make_screen

    plan = neighbours.plan(ready, search_s, broadcast or (), answer_to)
    run(neighbours.search(plan, make_screen(), as_json=json))


@app.command()
def status(
    device: Annotated[list[str], typer.Argument(help=f"{DEVICE_HELP}, or all of the file.")],
    *,
    devices: DevicesJson = None,
    ready: Ready = None,
    key: Key = "",
    version: Version = "",
    ip: Ip = "",
    cid: Cid = "",
    json: AsJson = False,
) -> None:
    """Show the data points of devices, asked over the LAN.

    Key, version and address come from a file or from options.

    Exit code 0 means that all have answered, 1 that some have not.
    """
    from fleet.commands import control, targets
    from fleet.commands.screen import make_screen

    given = targets.Given(devices, ready, key, version, ip)
    chosen = targets.choose(device, given)
    run(control.show(chosen, cid or None, make_screen(), as_json=json))


@app.command("set")
def set_values(
    device: Annotated[str, typer.Argument(help=f"{DEVICE_HELP}.")],
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="DP=VALUE",
            help='Data point and value: true, false, a number, else text ("5" in quotes is text).',
        ),
    ],
    *,
    devices: DevicesJson = None,
    ready: Ready = None,
    key: Key = "",
    version: Version = "",
    ip: Ip = "",
    cid: Cid = "",
    json: AsJson = False,
) -> None:
    """Set data points of a device over the LAN.

    Shows what the device says of them afterwards.

    Exit code 0 means that it has taken them, 1 that it has not.
    """
    from fleet.commands import control, targets
    from fleet.commands.screen import make_screen

    wanted = control.parse(values)
    given = targets.Given(devices, ready, key, version, ip)
    [target] = targets.choose([device], given)
    run(control.change(target, wanted, cid or None, make_screen(), as_json=json))


@app.command()
def activate(
    device: Annotated[str, typer.Argument(help="Device by its uuid or its address.")],
    *,
    token: Annotated[
        str, typer.Option("--token", help="Token of 14 characters; else one from the cloud.")
    ] = "",
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    search_s: SearchS = 6.0,
    version: Version = "",
    ip: Ip = "",
    form: Form = None,
    wait_s: PairS = 100.0,
) -> None:
    """Hand a token to one device that waits for it, by wire.

    Without --token it is bound to the end user --account. With --ip it is not searched.

    Exit code 0 means that the device took the token (without --token: that it is bound), 1 that
    it did not.
    """
    from fleet.commands import access
    from fleet.commands import activate as activating
    from fleet.commands.screen import make_screen

    network = access.network_of(ready)
    where = activating.Where(device, ip, version, form, search_s, network)
    if token:
        run(activating.with_token(where, token, make_screen()))
    else:
        who = access.resolve(cloud, ready, account, password)
        run(activating.with_login(where, who, wait_s, make_screen()))
