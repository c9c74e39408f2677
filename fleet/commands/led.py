"""`fleet led`: its options. The work is in `lamps.py`, loaded when somebody asks for it."""

from pathlib import Path
from typing import Annotated

import typer


def led(
    profile: Annotated[str, typer.Argument(help="Model by name (see `fleet profiles`) or file.")],
    *,
    state: Annotated[
        str | None, typer.Option(help="One state of the light, such as waiting; else all.")
    ] = None,
    gif: Annotated[
        Path | None, typer.Option(help="Write a moving picture, to a hundredth of a second.")
    ] = None,
    apng: Annotated[
        Path | None, typer.Option(help="Write a moving picture, exact to the millisecond.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Write a timing diagram as PNG.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a timing diagram as SVG.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How long lamps are shown; else until Ctrl-C.")
    ] = None,
) -> None:
    """Show what a model's light says: live in a terminal, else as a table; or as pictures."""
    from fleet.commands import lamps
    from fleet.commands.screen import make_screen

    pictures = lamps.Pictures(gif, apng, png, svg)
    raise typer.Exit(lamps.show(profile, state, pictures, seconds, make_screen()))
