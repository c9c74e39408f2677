"""Fleets with pages, as processes: what a test needs to know of one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.live.web.premises import Command, command


class Fleet(NamedTuple):
    """A fleet that is up: where its pages are, what its ready file says, and its process."""

    url: str
    papers: dict[str, Any]
    running: Command

    def devices(self, *, wired: bool) -> list[str]:
        """Return the uuids of devices with a cable, or of those with a lens."""
        return [
            device["uuid"]
            for device in self.papers["devices"]
            if (device["profile"] in ("nvr", "dvr", "gateway")) is wired
        ]


@contextmanager
def fleet_up(folder: Path, *words: str) -> Iterator[Fleet]:
    """Run `fleet up WORDS`, with pages at any free port unless the words say where."""
    papers = folder / "ready.json"
    where = () if "--web" in words else ("--web", "0")
    with command(*("up", *words, *where, "--shards", "1", "--ready-file", str(papers))) as running:
        url = running.url("pages:")
        running.until("Ctrl-C")
        yield Fleet(url, json.loads(papers.read_text()), running)
