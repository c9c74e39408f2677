"""Commands that serve pages, as processes of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

ROOT = Path(__file__).parents[3]
START_S = 60.0
END_S = 30.0
URL = re.compile(r"https?://\S+")


class Command:
    """A command of ours that is running; `lines` are what it has said so far."""

    def __init__(self, *words: str, **environment: str) -> None:
        """Start `fleet WORDS`."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleet", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self._said: Queue[str | None] = Queue()
        self._ear = Thread(target=self._listen, daemon=True)
        self._ear.start()

    def until(self, part: str) -> str:
        """Return the first line with `part` in it. AssertionError when none comes."""
        while True:
            try:
                line = self._said.get(timeout=START_S)
            except Empty:
                line = None
            assert line is not None, f"it never said {part!r}: {self.lines}"
            self.lines.append(line)
            if part in line:
                return line

    def url(self, part: str) -> str:
        """Return the URL in the first line with `part` in it."""
        found = URL.search(self.until(part))
        assert found is not None, self.lines
        return found[0].rstrip(".,;")

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(END_S)
        finally:
            self.process.kill()
            self._ear.join(END_S)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self._said.put(line.rstrip("\n"))
        self._said.put(None)


@contextmanager
def command(*words: str, **environment: str) -> Iterator[Command]:
    """Run `fleet WORDS` as long as the block lasts."""
    running = Command(*words, **environment)
    try:
        yield running
    finally:
        running.stop()
