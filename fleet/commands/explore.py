"""`fleet explore` and `fleet replay`, as options. The work is in `fleet.run.explore`."""

from pathlib import Path
from typing import Annotated

import typer

from fleet.commands.options import Scenario

SEEDS_MAX = 10_000_000


def explore(
    scenario: Scenario = "batch-unbind",
    *,
    seeds: Annotated[int, typer.Option(min=1, max=SEEDS_MAX, help="How many at most.")] = 1000,
    first_seed: Annotated[int, typer.Option("--first-seed", min=0, help="The first of them.")] = 1,
    devices: Annotated[
        int | None,
        typer.Option("--devices", min=1, help="In each run; else a dozen, or as many as needed."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; else one per core.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Play all seeds, whatever is found.")
    ] = False,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Make the first case that fails as small as it gets.")
    ] = False,
    shrink_runs: Annotated[
        int, typer.Option("--shrink-runs", min=1, help="How many runs that may take.")
    ] = 400,
    case_out: Annotated[
        Path | None,
        typer.Option(
            "--case-out", help="File for the first case that fails; of a shrunk one case.json."
        ),
    ] = None,
) -> None:
    """Search for what breaks: play seeds in virtual time, with random faults, on all cores.

    Stops at the first seed that violates an invariant, and shows what happened and the command that
    shows all of it. Exit code 1 means that something was found.
    """
    from fleet.commands.screen import make_screen
    from fleet.run.explore import command

    search = command.Search(
        scenario=scenario,
        seeds=seeds,
        first_seed=first_seed,
        devices=devices,
        workers=workers,
        keep_going=keep_going,
        shrinks=shrink,
        runs_max=shrink_runs,
        case_out=case_out,
    )
    raise typer.Exit(command.explore(search, make_screen()))


def replay(
    case: Annotated[
        str, typer.Argument(help="File of a case (.json), or a scenario: then --seed says which.")
    ],
    *,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="A seed that was explored.")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option("--devices", min=1, help="As many as were explored, if somebody said so."),
    ] = None,
    device: Annotated[
        int | None, typer.Option("--device", min=0, help="Show only what is about this one.")
    ] = None,
    from_s: Annotated[
        float, typer.Option("--from-s", min=0, help="From then on, in seconds since the start.")
    ] = 0.0,
    to_s: Annotated[
        float | None, typer.Option("--to-s", min=0, help="Until then; else to the end.")
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="Leave out what repeats for ever or changes nothing.")
    ] = False,
) -> None:
    """Play again what `fleet explore` has found, and show it event by event.

    Each line names the row of the firmware's tables, or the function of the cloud, that handled it.
    Exit code 1 means that it fails again.
    """
    from fleet.commands.screen import make_screen
    from fleet.run.explore import replay as again
    from fleet.run.explore.retell import FOREVER_S, Cut

    cut = Cut(device, from_s, FOREVER_S if to_s is None else to_s, asides=not brief)
    raise typer.Exit(again.replay(case, seed, devices, cut, make_screen()))
