"""Reports for tests: of a small run in virtual time, in which people chose terrible names."""

from functools import cache
from html.parser import HTMLParser
from typing import Any

import msgspec

from fleet.report.environment import Environment
from fleet.report.making import make_report
from fleet.report.model import Report
from fleet.run.result import RunResult
from fleet.run.scenario import Operator, Product, Trouble, Warehouse
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import make_sight
from tests.run.fakes import small

NASTY = "</script><img src=x onerror=alert(1)>\"'&"
SECRET = "pässword-of-the-warehouse"
FORMULA = "=1+1"

MACHINE = Environment(
    written_at="2026-01-02T03:04:05Z",
    program="0.1.0 at abcdef0",
    python="CPython 3.11.2",
    system="Linux 6",
    processor=f"A processor {NASTY}",
    cores=2,
    memory_mb=4096,
    libraries={"msgspec": "0.19"},
)


@cache
def a_played_result() -> RunResult:
    """Return the result of eight devices: trouble with a password, two sold, thresholds met."""
    population = small(
        8,
        title=NASTY,
        products=(Product(NASTY, "ipc-red-green", 5), Product(FORMULA, "nvr", 3)),
        operators=(Operator(f"owner {NASTY}", "owner", 1),),
        warehouse=Warehouse("Rückläufer", SECRET),
        patience_s=60,
        trouble=Trouble(wifi_password=1),
        thresholds={
            "outcomes.unbound_pct": [">= 100"],
            "unbind": {"qr": {"p95_ms": "< 60000"}},
            "generator.cpu_pct": ["< 90"],
        },
    )
    population = msgspec.structs.replace(
        population,
        scenario=msgspec.structs.replace(
            population.scenario,
            expect=msgspec.structs.replace(population.scenario.expect, failed={"wifi_password": 1}),
        ),
    )
    play = Play(population, make_sight("model", "pyzbar"), lambda _: None)
    play.play()
    return play.result("model pyzbar")


def a_played_report(**changes: Any) -> Report:
    """Return its report, with `changes` of its keys."""
    return msgspec.structs.replace(make_report(a_played_result(), MACHINE), **changes)


OLDEST = {
    "scenario": "old",
    "seed": 1,
    "mode": "live",
    "devices": 3,
    "wall_s": 10.5,
    "cpu_s": 2.5,
    "peak_rss_mb": 100.0,
    "outcomes": {"unbound": 2, "rebound": 0, "refused": {"token_full": 1}, "failed": {}},
    "phases": {
        "unbind": {
            "count": 2,
            "p50_ms": 100.0,
            "p90_ms": 110.0,
            "p95_ms": 120.0,
            "p99_ms": 130.0,
            "max_ms": 140.0,
        }
    },
    "by_method": {"qr": 2, "wired": 0},
    "generator": {"loop_lag_p99_ms": 1.5, "cpu_pct": 20.0},
    "violations": ["one_owner: somebody: has two"],
}
"""A report with the keys that were promised first, and no other."""


class Page(HTMLParser):
    """What is in a page: elements in order, texts, and whether every element ends where it should."""

    VOID = ("meta", "br", "rect")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1] in ("script", "style")):
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(1 for name, _ in self.elements if name == tag)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
