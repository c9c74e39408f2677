"""Options that several commands of the phone have, so that they mean the same in each."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

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
PairS = Annotated[float, typer.Option("--wait-s", min=0.0, help="How long to wait, in seconds.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]


def run(work: Coroutine[None, None, int]) -> None:
    """Do a command's work and exit with the code that it returns."""
    import asyncio

    raise typer.Exit(asyncio.run(work))
