"""The README of the cloud: its tables are those of the program, so they cannot grow old."""

import re
from pathlib import Path

import pytest

import fleet.cloud
from fleet.cloud.reasons import Reason
from fleet.cloud.settings import settings_table

from .support import World

ROOM = Path(fleet.cloud.__file__).parent
TEXT = (ROOM / "README.md").read_text()


def part(name: str) -> str:
    """Return what stands between two marks."""
    found = re.search(f"<!-- {name} -->\n(.*?)<!-- /{name} -->", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_settings_are_those_of_the_program() -> None:
    assert settings_table() in TEXT


def test_the_routes_are_those_of_the_program() -> None:
    world = World()
    written = re.findall(r"^\| `(\w+) (\S+)` \|", part("routes"), re.MULTILINE)
    routes = world.cloud._people._router._routes.values()
    served = [(route.method, route.pattern) for same in routes for _, route in same]
    assert sorted(written) == sorted(served)


def test_the_order_of_checks_is_that_of_the_program() -> None:
    written = re.findall(r"^\d\. `(\w+)`", part("order"), re.MULTILINE)
    source = (ROOM / "unbinding.py").read_text()
    checks = source[source.index("def usable(") : source.index("def _release(")]
    assert written == [Reason[name].value for name in re.findall(r"Reason\.(\w+)", checks)]


@pytest.mark.parametrize("module", sorted(path.stem for path in ROOM.glob("*.py")))
def test_every_module_has_its_place(module: str) -> None:
    known = {"__init__": "", "counters": "stats"}
    assert known.get(module, f"{module}.py") in TEXT
