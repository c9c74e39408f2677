"""Records that the tests of the stores keep, and the tables that they lie in."""

import threading
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import msgspec

from fleet.cloud.store import Delete, Put, Record, Store


class Colour(StrEnum):
    """An enumeration kept as text."""

    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct):
    """A nested struct kept as JSON."""

    name: str
    size: int


class Thing(Record):
    """One field of every shape."""

    TABLE: ClassVar[str] = "things"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "number")

    owner: str
    number: int
    weight: float = 0.0
    shiny: bool = False
    wanted: bool | None = None
    note: str | None = None
    key: bytes = b""
    colour: Colour = Colour.RED
    tags: list[str] = msgspec.field(default_factory=list)
    parts: tuple[Part, ...] = ()
    extra: Part | None = None


class Counted(Record):
    """One integer."""

    TABLE: ClassVar[str] = "counted"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int


FIRST = """
CREATE TABLE things (owner TEXT NOT NULL, number INTEGER NOT NULL, weight REAL NOT NULL,
  shiny INTEGER NOT NULL, wanted INTEGER, note TEXT, key BLOB NOT NULL, colour TEXT NOT NULL,
  tags TEXT NOT NULL, parts TEXT NOT NULL, extra TEXT NOT NULL, PRIMARY KEY (owner, number));
CREATE TABLE counted (number INTEGER PRIMARY KEY);
"""


def write_schema(folder: Path, *scripts: str) -> Path:
    """Make `folder` a schema folder of numbered scripts."""
    folder.mkdir(exist_ok=True)
    for version, script in enumerate(scripts, start=1):
        (folder / f"{version:04}.sql").write_text(script)
    return folder


def commit(store: Store, *changes: Put | Delete) -> BaseException | None:
    """Submit one transaction and wait for its outcome."""
    outcome: list[BaseException | None] = []
    settled = threading.Event()

    def done(error: BaseException | None) -> None:
        outcome.append(error)
        settled.set()

    store.submit(changes, done)
    assert settled.wait(30)
    assert len(outcome) == 1
    return outcome[0]
