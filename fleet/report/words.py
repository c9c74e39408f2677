"""Figures as people read them: thousands apart, times in the unit that suits them."""

from math import isinf

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
_UNITS = (
    (DAY_S, "d", HOUR_S, "h"),
    (HOUR_S, "h", MINUTE_S, "min"),
    (MINUTE_S, "min", 1, "s"),
)


def number(value: float | None) -> str:
    """Return a figure with as many digits as mean something; "-" where there is none."""
    if value is None:
        return "-"
    if isinf(value):
        return "never"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """Return a time span: `12.3 s`, `4 min 5 s`, `3 h 20 min`, `29 d 4 h`; "-" for None."""
    if seconds is None:
        return "-"
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    unit_s, unit, part_s, part = next(one for one in _UNITS if whole >= one[0])
    rest = whole % unit_s // part_s
    return f"{whole // unit_s} {unit}" + (f" {rest} {part}" if rest else "")


def share(part: float, whole: float) -> str:
    """Return a part in percent, never rounded up to all or down to nothing."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 99.9 < percent < 100:
        return "> 99.9 %"
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent == round(percent) else f"{percent:.1f} %"
