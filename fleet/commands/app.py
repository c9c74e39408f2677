"""Options of `fleet app ...`: the phone, as far as it needs a cloud. The rest is in `app_lan`.

The work is in the modules that each command imports.
"""

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.errors import UsageError
from fleet.commands import app_lan, app_monitor
from fleet.commands.options import (
    AccountName,
    AsJson,
    Cloud,
    PairS,
    Password,
    Ready,
    SearchS,
    Ssid,
    WifiPassword,
    run,
)

app = typer.Typer(
    help="The phone: unbind devices in batches, look at the history, pair and remove devices; "
    "search the LAN, and control what is on it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(app_lan.app)
app.add_typer(app_monitor.app)

ByQr = Annotated[bool, typer.Option("--qr", help="Show a QR code that cameras read.")]
ByWire = Annotated[bool, typer.Option("--wired", help="Search the LAN for wired devices.")]
Picture = Annotated[
    Path | None, typer.Option("--out", help="Also write the QR code to this .png or .svg file.")
]
Select = Annotated[
    str, typer.Option("--select", help="all, numbers such as 1,3-5, or uuids; asked otherwise.")
]
WaitS = Annotated[
    float | None, typer.Option("--wait-s", min=0.0, help="Stop watching after so many seconds.")
]


@app.command()
def unbind(
    *,
    qr: ByQr = False,
    wired: ByWire = False,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    ssid: Ssid = "",
    wifi_password: WifiPassword = None,
    max_devices: Annotated[
        int, typer.Option(min=1, max=30, help="Devices that one token may release.")
    ] = 30,
    life_s: Annotated[
        int | None, typer.Option("--life-s", min=1, help="Life of the token in seconds.")
    ] = None,
    out: Picture = None,
    search_s: SearchS = 6.0,
    select: Select = "",
    wait_s: WaitS = None,
) -> None:
    """Release a batch of bound devices.

    By QR code (cameras) or by wire (devices on this LAN); shows each device as it is released.

    Exit code 0 means that no device was refused and none that was selected is missing, 1 that
    some were.
    """
    from fleet.commands import access
    from fleet.commands.screen import make_screen
    from fleet.commands.unbind import Batch, asked_wifi, by_qr, by_wire

    _one_of(qr=qr, wired=wired)
    if qr:
        wifi = asked_wifi(ssid, wifi_password)
        who = access.resolve(cloud, ready, account, password)
        batch = Batch(max_devices, life_s, wait_s)
        run(by_qr(who, wifi, batch, out, make_screen()))
    else:
        who = access.resolve(cloud, ready, account, password)
        batch = Batch(max_devices, life_s, 100.0 if wait_s is None else wait_s)
        run(by_wire(who, batch, search_s, select, make_screen()))


@app.command()
def history(
    *,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    batch: Annotated[str, typer.Option(help="Only this batch.")] = "",
    status: Annotated[str, typer.Option(help="Only ok, or only refused.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many of the latest rows.")] = 100,
    json: AsJson = False,
) -> None:
    """Show what was done and what was refused.

    Unbinding, binding and removal, with the reason of each refusal, oldest first.
    """
    from fleet.commands import access
    from fleet.commands.history import Filter, show_history
    from fleet.commands.screen import make_screen

    who = access.resolve(cloud, ready, account, password)
    run(show_history(who, Filter(batch, status, limit), make_screen(), as_json=json))


@app.command()
def quotas(
    *, cloud: Cloud = "", ready: Ready = None, account: AccountName = "", password: Password = ""
) -> None:
    """Show what may still be unbound today."""
    from fleet.commands import access
    from fleet.commands.history import show_quotas
    from fleet.commands.screen import make_screen

    run(show_quotas(access.resolve(cloud, ready, account, password), make_screen()))


@app.command()
def cancel(
    batch: Annotated[str, typer.Argument(help="Batch as shown by `fleet app unbind`.")],
    *,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
) -> None:
    """Make the token of a batch worthless."""
    from fleet.commands import access
    from fleet.commands.history import cancel_batch
    from fleet.commands.screen import make_screen

    run(cancel_batch(access.resolve(cloud, ready, account, password), batch, make_screen()))


@app.command()
def register(
    *, cloud: Cloud = "", ready: Ready = None, account: AccountName = "", password: Password = ""
) -> None:
    """Create an end user of the consumer app."""
    from fleet.commands import access, consumer
    from fleet.commands.screen import make_screen

    run(consumer.new_user(access.resolve(cloud, ready, account, password), make_screen()))


@app.command()
def pair(
    *,
    qr: ByQr = False,
    wired: ByWire = False,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    ssid: Ssid = "",
    wifi_password: WifiPassword = None,
    out: Picture = None,
    search_s: SearchS = 6.0,
    select: Select = "",
    wait_s: PairS = 100.0,
) -> None:
    """Bind a device to an end user.

    Exit code 0 means that the device is bound, 1 that it was refused or did not come.
    """
    from fleet.commands import access, consumer
    from fleet.commands.screen import make_screen
    from fleet.commands.unbind import asked_wifi

    _one_of(qr=qr, wired=wired)
    if qr:
        wifi = asked_wifi(ssid, wifi_password)
        who = access.resolve(cloud, ready, account, password)
        run(consumer.pair_by_qr(who, wifi, out, wait_s, make_screen()))
    else:
        who = access.resolve(cloud, ready, account, password)
        run(consumer.pair_by_wire(who, search_s, select, wait_s, make_screen()))


@app.command()
def devices(
    *, cloud: Cloud = "", ready: Ready = None, account: AccountName = "", password: Password = ""
) -> None:
    """List an end user's devices."""
    from fleet.commands import access, consumer
    from fleet.commands.screen import make_screen

    run(consumer.list_devices(access.resolve(cloud, ready, account, password), make_screen()))


@app.command()
def remove(
    dev_id: Annotated[str, typer.Argument(help="Device as shown by `fleet app devices`.")],
    *,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    wipe: Annotated[bool, typer.Option("--wipe", help="Erase its history as well.")] = False,
) -> None:
    """Unbind one of an end user's devices.

    An online device resets itself at once, another one when it is online again.
    """
    from fleet.commands import access, consumer
    from fleet.commands.screen import make_screen

    who = access.resolve(cloud, ready, account, password)
    run(consumer.remove_device(who, dev_id, make_screen(), wipe=wipe))


def _one_of(*, qr: bool, wired: bool) -> None:
    if qr == wired:
        raise UsageError("which way? give either --qr or --wired")
