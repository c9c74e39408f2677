"""`fleet report`, as options. The work is in `fleet.report`."""

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.errors import UsageError

Place = Annotated[
    Path, typer.Argument(help="Folder that `fleet run --report` has made, or its report.json.")
]


def report(
    run: Place,
    second: Annotated[
        Path | None, typer.Argument(help="Another run, to be compared with the first one.")
    ] = None,
    *,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the comparison to this file as well.")
    ] = None,
    tolerance_pct: Annotated[
        float | None,
        typer.Option(
            "--tolerance-pct", min=0, max=1000, help="A change counts from then on; else from 5 %."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show figures that are as they were, too.")
    ] = False,
) -> None:
    """Show a report and write its HTML, CSV and JUnit files anew, or compare two runs.

    Exit code of one: that of the run. Of two: 1 means that the run or a threshold passed in the
    first and fails in the second.
    """
    from fleet.commands.screen import make_screen
    from fleet.report import command
    from fleet.report.comparison import TOLERANCE_PCT

    if second is None:
        if html is not None or tolerance_pct is not None or everything:
            raise UsageError("--html, --tolerance-pct, --all: take two runs; name a second one")
        raise typer.Exit(command.show_again(run, make_screen()))
    raise typer.Exit(
        command.show_difference(
            run,
            second,
            make_screen(),
            html=html,
            tolerance_pct=TOLERANCE_PCT if tolerance_pct is None else tolerance_pct,
            everything=everything,
        )
    )
