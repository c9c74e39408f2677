"""Options that several commands have, or that would hide what a command does behind their words."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Literal

import typer

# --- those of the phone --------------------------------------------------------------------------

Cloud = Annotated[str, typer.Option("--cloud", envvar="FLEET_CLOUD", help="URL of the cloud.")]
Ready = Annotated[
    Path | None,
    typer.Option(
        "--ready", help="Ready file of `fleet up`: gives addresses, keys, URL and passwords."
    ),
]
AccountName = Annotated[str, typer.Option("--account", help="Name of the account to log in as.")]
Password = Annotated[
    str, typer.Option(envvar="FLEET_PASSWORD", help="Its password; asked for when not given.")
]
SearchS = Annotated[
    float, typer.Option("--search-s", min=0.1, help="How long to search the LAN, in seconds.")
]
Ssid = Annotated[str, typer.Option("--ssid", help="Name of the Wi-Fi that devices are to join.")]
WifiPassword = Annotated[
    str | None,
    typer.Option(
        envvar="FLEET_WIFI_PASSWORD", help='Its password ("" for none); asked for when not given.'
    ),
]
PairS = Annotated[float, typer.Option("--wait-s", min=0.0, help="How long to wait, in seconds.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]

# --- those of the fleet ---------------------------------------------------------------------------

DEVICES_MAX = 1_000_000

Decoder = Annotated[
    Literal["pyzbar", "zxing"],
    typer.Option("--decoder", envvar="FLEET_DECODER", help="What reads QR codes in frames."),
]
Devices = Annotated[
    int | None,
    typer.Option("--devices", min=1, max=DEVICES_MAX, help="How many; else as the scenario says."),
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
    Path | None,
    typer.Option("--data", help="New folder for everything that is kept; else temporary."),
]
Lan = Annotated[
    str, typer.Option("--lan", help="LAN made by `fleet lan up`; else loopback addresses.")
]
Pcap = Annotated[
    Path | None, typer.Option("--pcap", help="Write what is said on the LAN to this file.")
]
Tls = Annotated[
    bool, typer.Option("--tls", help="Encrypt everything that is said to the cloud (own CA).")
]
DeviceHttpsPort = Annotated[
    int | None,
    typer.Option(
        "--device-https-port",
        min=0,
        max=65_535,
        help="With --tls: one more port for devices, which real firmware wants to be 443.",
    ),
]
Broker = Annotated[
    str,
    typer.Option(
        "--broker",
        envvar="FLEET_BROKER",
        help="MQTT broker of the devices, if not the cloud's own: mqtt://USER:PASSWORD@HOST:PORT.",
    ),
]
Scenario = Annotated[str, typer.Argument(help="Built-in name, or the path of a .toml file.")]
Report = Annotated[Path, typer.Option(help="Folder for report.html and .json, JUnit and CSV.")]
BenchMembers = Annotated[
    list[Path] | None,
    typer.Option(
        "--bench",
        metavar="FILE",
        help="A bench whose device takes part, as written by `fleet bench bridge`; again for more.",
    ),
]
OutageS = Annotated[
    float | None,
    typer.Option(
        "--outage-s", min=0.001, help="How long the cloud is away; else as the scenario says."
    ),
]
Virtual = Annotated[
    bool,
    typer.Option("--virtual", help="In virtual time: one process, no sockets, same seed same run."),
]
Lens = Annotated[
    Literal["model", "real"],
    typer.Option(help="With --virtual: a model of what cameras read, or real frames, decoded."),
]

Web = Annotated[
    str | None,
    typer.Option(
        "--web",
        metavar="[ADDRESS:]PORT",
        help="Serve pages and the control API there; port 0: any free one. Any address that is not "
        "of this machine alone asks for a password.",
    ),
]
WebPasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--web-password-file",
        help="File with the password of the pages in its first line; else FLEET_WEB_PASSWORD, else "
        "one is made where one is needed, and printed once.",
    ),
]
NoWeb = Annotated[bool, typer.Option("--no-web", help="Serve no pages.")]

# --- those of a fleet that stays ------------------------------------------------------------------

FleetSize = Annotated[int, typer.Option("--devices", min=1, max=DEVICES_MAX, help="How many.")]
OneModel = Annotated[
    str | None, typer.Option("--profile", help="Model by name or file; else a mix of models.")
]
UpState = Annotated[
    Literal["bound", "returned", "waiting"],
    typer.Option(
        "--state",
        help="Bound and online; returned: still bound, but reset and waiting to be unbound; "
        "waiting: nobody's, waiting to be paired.",
    ),
]
ReadyOut = Annotated[
    Path | None,
    typer.Option("--ready-file", help="Written when all is up: URLs, accounts, devices as JSON."),
]
DevicesJson = Annotated[
    Path | None,
    typer.Option(
        "--devices-json",
        help="Likewise, in the form of tinytuya's devices.json: bound devices with their keys, "
        "and what is behind gateways. Unbound devices have no key and are left out.",
    ),
]


def run(work: Coroutine[None, None, int]) -> None:
    """Do a command's work and exit with the code that it returns."""
    import asyncio

    raise typer.Exit(asyncio.run(work))
