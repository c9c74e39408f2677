"""Options of `fleet app show`. The work is in `app_show`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_sim.errors import UsageError
from fleet.commands.options import (
    AccountName,
    Cloud,
    Decoder,
    PairS,
    Password,
    Ready,
    Ssid,
    Web,
    WebPasswordFile,
    WifiPassword,
)

if TYPE_CHECKING:
    from fleet.commands.app_show import Follow

app = typer.Typer(rich_markup_mode=None)


@app.command()
def show(
    *,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Show this picture of a code, as it is.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Show a code with this text; - is what is typed.")
    ] = None,
    unbind: Annotated[
        bool, typer.Option("--unbind", help="Show an unbinding code, until it is used up.")
    ] = False,
    pair: Annotated[
        bool, typer.Option("--pair", help="Show a pairing code, until a device is bound.")
    ] = False,
    cloud: Cloud = "",
    ready: Ready = None,
    account: AccountName = "",
    password: Password = "",
    ssid: Ssid = "",
    wifi_password: WifiPassword = None,
    wait_s: PairS = 100.0,
    size: Annotated[
        int, typer.Option("--size", min=5, max=100, help="Part of the shorter side, in percent.")
    ] = 90,
    brightness: Annotated[
        int, typer.Option("--brightness", min=5, max=100, help="In percent of full white.")
    ] = 100,
    invert: Annotated[bool, typer.Option("--invert", help="Turn black and white around.")] = False,
    black: Annotated[bool, typer.Option("--black", help="Black around the code; else white.")] = (
        False
    ),
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open it full screen, if a browser is there."),
    ] = True,
    decoder: Decoder = "pyzbar",
    web: Web = None,
    web_password_file: WebPasswordFile = None,
) -> None:
    """Put a QR code on a monitor, for a real device.

    Without a code the page waits for one: a test script sends it, to the address that is printed.
    With --unbind and --pair, exit codes are those of `fleet app unbind` and `fleet app pair`.
    """
    from fleet.commands import app_show
    from fleet.commands.screen import make_screen
    from fleet.web.monitor import Look

    if sum((picture is not None, text is not None, unbind, pair)) > 1:
        raise UsageError("one code at a time: --picture, --text, --unbind or --pair")
    follow = None
    if unbind or pair:
        follow = _maker(cloud, ready, account, password, ssid, wifi_password, wait_s, pair=pair)
    wish = app_show.Wish(
        Look(size, brightness, invert, black), decoder, picture, text, follow, browser
    )
    raise typer.Exit(app_show.show(wish, web, web_password_file, make_screen()))


def _maker(
    cloud: str,
    ready: Path | None,
    account: str,
    password: str,
    ssid: str,
    wifi_password: str | None,
    wait_s: float,
    *,
    pair: bool,
) -> "Follow":
    """Return what makes a code in the name of an account, and follows what comes of it."""
    from fleet.commands import access, consumer, unbind
    from fleet.commands.screen import make_screen

    wifi = unbind.asked_wifi(ssid, wifi_password)
    who = access.resolve(cloud, ready, account, password)
    screen = make_screen()
    if pair:
        return lambda show: consumer.pair_by_qr(who, wifi, None, wait_s, screen, show)
    return lambda show: unbind.by_qr(who, wifi, unbind.Batch(), None, screen, show)
