"""`fleet doctor`: what this machine has, and what to do about what it has not."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleet.doctor import Check, run_checks


def check_up(devices: int, screen: Console) -> int:
    """Print every check for a run of `devices`; return 1 if one of them stops the run, else 0."""
    checks = run_checks(devices)
    table = Table("", "what", "seen", "what to do", box=None, pad_edge=False)
    for check in checks:
        table.add_row(_mark(check), check.name, check.detail, check.advice)
    screen.print(table)
    return int(any(check.blocks for check in checks))


def _mark(check: Check) -> Text:
    if check.ok:
        return Text("ok", style="green")
    return Text("missing", style="red") if check.blocks else Text("weak", style="yellow")
