"""`fleet lens`: its options. The work is in `lens_bench.py` and `lens_watch.py`, loaded on demand."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.commands.options import AsJson, Decoder, run

app = typer.Typer(
    name="lens",
    help="QR decoders: held against graded pictures, and pictures of the real world.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def bench(
    *,
    decoder: Annotated[
        Literal["pyzbar", "zxing"] | None, typer.Option(help="Which one; else both.")
    ] = None,
    frames_per_level: Annotated[
        int, typer.Option(min=1, max=1000, help="Frames of each level; 20 are the graded set.")
    ] = 20,
    axis: Annotated[
        list[str] | None,
        typer.Option(help="One axis by its name, or the start of it; again for more. Else all."),
    ] = None,
    extra: Annotated[
        bool, typer.Option("--extra", help="Further and hostile pictures, not the graded set.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Print what share of distorted pictures each decoder reads, plain and with its strategy.

    The graded set is 3,440 pictures, the same in every run: 172 levels of one distortion each.
    Exit code 1 means that a decoder returned a text that no code in its picture says.
    """
    from fleet.commands import lens_bench
    from fleet.commands.screen import make_screen

    wanted = lens_bench.Wanted(decoder or "", frames_per_level, tuple(axis or ()), extra)
    raise typer.Exit(lens_bench.run(wanted, json, make_screen()))


@app.command()
def watch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Pictures, folders of them, videos, cameras (/dev/video0), screen or screen:1.",
        ),
    ],
    *,
    decoder: Decoder = "pyzbar",
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more in folders.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End with the first code.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say of each frame without a code why, on stderr.")
    ] = False,
    json: AsJson = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write what codes hold as it is, a line end after each.")
    ] = False,
) -> None:
    """Print each code that comes into view, without its secrets.

    Exit code 0 means that there was one, 1 that there was none.
    """
    from fleet.commands import lens_watch

    wish = lens_watch.Wish(decoder, follow, once, verbose, json, raw)
    run(lens_watch.watch(sources, wish))
