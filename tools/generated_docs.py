#!/usr/bin/env python3
"""Write the parts of the documentation that come from the code: diagrams and lists.

`tools/generated_docs.py` rewrites every block between `<!-- generated: NAME -->` and
`<!-- end -->`, and the timing diagrams of lights; `--check` changes nothing and exits with 1 when
any of them is stale. A test calls it.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from firmware_sim.device.button import BUTTON
from firmware_sim.device.indicator import LIGHTS, OUTPUTS, Pattern
from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.machine import Machine, Row
from firmware_sim.device.profile import Point, Profile
from firmware_sim.device.session import SESSION
from fleet.commands.explain import page
from fleet.light.diagram import diagram as timing_diagram
from fleet.light.meaning import OUR_CHOICE
from fleet.light.meaning import lights as lights_of
from fleet.light.svg import svg
from fleet.report import keys
from fleet.run import metrics
from fleet.run.checks.table import INVARIANTS, Invariant
from fleet.run.fault_kinds import KINDS, Range
from fleet.run.scenario import BUILT_IN
from fleet.run.virtual.explain import tell_story
from hw_profiles import catalog

ROOT = Path(__file__).resolve().parent.parent
DRAWINGS = ROOT / "hw_profiles" / "lights"
ROOMS = ("firmware_sim", "fleet", "hw_profiles", "tools")
NUMBER = re.compile(r" [0-9]+\Z")
BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def diagram(machine: Machine[Any]) -> str:
    """Return a Mermaid state diagram of a table; rows that stay are left to the table itself."""
    edges: dict[tuple[str, str], list[str]] = {}
    for row in machine.rows:
        if row.target is not None:
            edges.setdefault((row.state.name, row.target.name), []).append(_label(row))
    lines = [f"    [*] --> {machine.rows[0].state.name}"]
    for (state, target), labels in edges.items():
        lines.append(f"    {state} --> {target}: {' / '.join(dict.fromkeys(labels))}")
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def _label(row: Row) -> str:
    guard = f" [{row.guard.__name__.replace('_', ' ')}]" if row.guard else ""
    return f"{row.event.__name__}{guard}"


def outputs() -> str:
    """Return the output table of the indicator."""
    rows = (
        (
            line.lifecycle.name,
            line.session.name if line.session else "any",
            line.outcome.name if line.outcome else "any",
            line.light,
            line.operator or "-",
        )
        for line in OUTPUTS
    )
    return table(("lifecycle", "session", "last outcome", "light", "operator reads"), rows)


def models() -> str:
    """Return the list of built-in models."""
    profiles = (catalog.load(name) for name in catalog.names())
    rows = (
        (
            f"`{each.name}`",
            each.title,
            each.category,
            each.pairing.value,
            f"{each.timings.boot_ms} ms",
            f"{each.timings.reset_hold_ms} ms",
            str(len(each.data_points)),
            ", ".join(_counted(_plain(child.title) for child in each.children)) or "-",
        )
        for each in profiles
    )
    head = ("profile", "what it is", "category", "token comes by", "boot", "reset: hold for")
    return table((*head, "data points", "sub-devices"), rows)


def _plain(title: str) -> str:
    """Return the title of a sub-device without its number among several that are the same."""
    return NUMBER.sub("", title)


def _counted(titles: Iterable[str]) -> list[str]:
    return [f"{n} x {title}" if n > 1 else title for title, n in Counter(titles).items()]


def points() -> str:
    """Return what can be read and set, kind by kind; kinds that share a point share its row."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for name in catalog.names():
        profile = catalog.load(name)
        things = [(profile.kind.value, profile.data_points)]
        things += [(_plain(child.title), child.data_points) for child in profile.children]
        for kind, owned in things:
            for point in owned:
                kinds.setdefault(_point(point), []).append(kind)
    rows = ((*row, ", ".join(dict.fromkeys(who))) for row, who in kinds.items())
    return table(("id", "code", "values", "mode", "at first", "of"), rows)


def _point(point: Point) -> tuple[str, ...]:
    limits = point.property
    values = "base64 text"
    if limits is not None:
        values = {
            "value": f"{limits.min} .. {limits.max}",
            "enum": " ".join(limits.range),
            "string": f"text, at most {limits.maxlen} bytes",
        }.get(limits.type, limits.type)
    first = f"`{msgspec.json.encode(point.initial).decode()}`".replace("|", "\\|")
    return (str(point.id), f"`{point.code}`", values, point.mode, first)


def lights() -> str:
    """Return what every light of every model means."""
    rows = (
        (f"`{name}`", *(_pattern(catalog.load(name).indicator[light]) for light in LIGHTS[1:]))
        for name in catalog.names()
    )
    return table(("profile", *LIGHTS[1:]), rows)


def _pattern(pattern: Pattern) -> str:
    colours = "/".join(pattern.colours)
    moving = f" {pattern.on_ms}/{pattern.off_ms} ms" if pattern.on_ms else ""
    ours = " \\*" if pattern.source == OUR_CHOICE else ""
    return f"{colours} {pattern.mode.value}{moving}{ours}"


def light_diagrams() -> str:
    """Return a timing diagram for all models whose lights are the same."""
    alike: dict[str, list[Profile]] = {}
    for name in catalog.names():
        profile = catalog.load(name)
        same = repr((profile.indicator, profile.second_light, profile.pairing))
        alike.setdefault(same, []).append(profile)
    parts = []
    for profiles in alike.values():
        first = profiles[0].name
        links = ", ".join(f"[`{each.name}`]({DRAWINGS.name}/{each.name}.svg)" for each in profiles)
        picture = f"![Timing diagram of the light of {first}]({DRAWINGS.name}/{first}.svg)"
        parts.append(f"{links}\n\n{picture}")
    return "\n" + "\n\n".join(parts) + "\n"


def drawings() -> dict[Path, str]:
    """Return the timing diagram of each model, by the file that it belongs into."""
    profiles = (catalog.load(name) for name in catalog.names())
    return {
        DRAWINGS / f"{each.name}.svg": svg(timing_diagram(each, lights_of(each)))
        for each in profiles
    }


def invariants() -> str:
    """Return what must hold in every run, and when that is checked."""
    rows = ((f"`{one.name}`", one.holds, _checked(one)) for one in INVARIANTS)
    return table(("invariant", "what holds", "checked"), rows)


def _checked(invariant: Invariant) -> str:
    size = "any size" if invariant.cheap else "small fleets"
    times = ["at the end"] if invariant.at_end is not None else []
    if invariant.watcher is not None:
        times.append(f"all the while ({size})")
    return ", ".join(times)


def faults() -> str:
    """Return the kinds of faults, with the keys of their own, and who plays them."""
    rows = (
        (
            f"`{name}`",
            kind.what,
            "; ".join(_key(key, allowed) for key, allowed in kind.keys.items()) or "-",
            "both" if kind.live else "`--virtual` only",
        )
        for name, kind in KINDS.items()
    )
    return table(("kind", "what it is", "keys of its own", "played"), rows)


def _key(key: str, allowed: Range | None) -> str:
    return f"`{key}`" if allowed is None else f"`{key}` {allowed}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    lines = [tuple(head)]
    lines.append(tuple("---" for _ in lines[0]))
    lines.extend(tuple(row) for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report_keys() -> str:
    """Return the keys of report.json and what they mean."""
    return table(("key", "meaning"), ((f"`{key}`", what) for key, what in keys.listing()))


def figures() -> str:
    """Return the names of the figures that thresholds and comparisons know."""
    return table(("figure", "what it is"), metrics.listing())


def story() -> str:
    """Return what `fleet explain` prints where there is no terminal."""
    lines = page(tell_story(BUILT_IN), coloured=False, wide=True)
    return "\n".join(["```text", *(line.plain.rstrip() for line in lines), "```"])


BLOCKS: dict[str, Callable[[], str]] = {
    "lifecycle": lambda: diagram(LIFECYCLE),
    "session": lambda: diagram(SESSION),
    "button": lambda: diagram(BUTTON),
    "outputs": outputs,
    "models": models,
    "lights": lights,
    "light-diagrams": light_diagrams,
    "points": points,
    "invariants": invariants,
    "faults": faults,
    "explain": story,
    "report-keys": report_keys,
    "figures": figures,
}


def renew(text: str) -> str:
    """Return `text` with every generated block as the code wants it now."""
    return BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m['name']]()}\n{m[3]}", text)


def pages() -> list[Path]:
    """Return every page that may hold generated blocks."""
    rooms = [page for room in ROOMS for page in sorted((ROOT / room).rglob("README.md"))]
    return [ROOT / "README.md", *rooms]


def wanted() -> dict[Path, str | None]:
    """Return what every generated file should hold; None for a drawing of no model any more."""
    files: dict[Path, str | None] = dict.fromkeys(sorted(DRAWINGS.glob("*.svg")))
    files |= {path: renew(path.read_text(encoding="utf-8")) for path in pages()}
    return files | drawings()


def main(arguments: list[str]) -> int:
    """Rewrite, or check; return the exit code."""
    check = "--check" in arguments
    stale = []
    for path, text in wanted().items():
        if text == (path.read_text(encoding="utf-8") if path.is_file() else None):
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if check:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    verb = "stale" if check else "rewritten"
    print(f"{verb}: {', '.join(stale)}" if stale else "generated documentation is up to date")
    return int(bool(stale) and check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
