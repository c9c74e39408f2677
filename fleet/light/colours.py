"""The colours of lights in sRGB: one table for terminal, pictures and pages.

What is lit is drawn in `lit` upon a dark body. Where there is no body, `ink` stands for it: signs
on a ground that may be light or dark, three to one against both (WCAG 2.2, 1.4.11). Letters stand
for colours where there are none.
"""

import msgspec

GROUND, PAPER = "#0f1419", "#ffffff"  # the darkest and the lightest that ink is for
DARK = "#39424d"  # a light that is not lit


class Shade(msgspec.Struct, frozen=True):
    """One colour of a light. `lit` and `ink` are #rrggbb, `letter` is one capital."""

    lit: str
    ink: str
    letter: str


SHADES: dict[str, Shade] = {
    "red": Shade("#ff3b30", "#e5322d", "R"),
    "green": Shade("#34d158", "#1c9a4a", "G"),
    "blue": Shade("#3d8bff", "#2f7bff", "B"),
    "amber": Shade("#ff9f1a", "#d9720a", "A"),
    "yellow": Shade("#ffe45c", "#a08600", "Y"),
    "white": Shade("#ffffff", "#8a939c", "W"),
}


def ink_of(colour: str) -> str:
    """Return how a colour is written on any ground; darkness ("") is `dim`, as rich has it."""
    return SHADES[colour].ink if colour else "dim"


def lit_of(colour: str) -> str:
    """Return how a light of this colour looks on its body; "" is one that is not lit."""
    return SHADES[colour].lit if colour else DARK


def rgb(code: str) -> tuple[int, int, int]:
    """Return #rrggbb as three numbers from 0 to 255."""
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def between(one: str, other: str) -> str:
    """Return the colour halfway between two of #rrggbb."""
    middle = bytes((a + b) // 2 for a, b in zip(rgb(one), rgb(other), strict=True))
    return f"#{middle.hex()}"
