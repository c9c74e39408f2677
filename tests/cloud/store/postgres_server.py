"""A PostgreSQL server for the tests: its own folder, its own socket, gone when they are done.

The machine's own service, if there is one, is neither used nor touched. The server's programs
refuse to run as root, so root starts them as another user.
"""

import asyncio
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import pytest

_USERS = ("postgres", "nobody")


def programs() -> Path | None:
    """Return the folder of the newest server that Debian's package installed, None without one."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest is not None else None


class PostgresServer:
    """A running server that listens on a socket in its folder only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    def url(self, **options: str) -> str:
        """Return the address of its database, with options of the connection."""
        query = urlencode({"host": str(self.folder), **options})
        return f"postgresql://tester@/postgres?{query}"

    def new_schema(self) -> str:
        """Return the address of an empty schema; every test has its own."""
        name = f"test{next(self._numbers)}"
        self.execute(self.url(), f"CREATE SCHEMA {name}")
        return self.url(search_path=name)

    def execute(self, url: str, *statements: str) -> list[asyncpg.Record]:
        """Run statements as another program would; return the rows of the last one."""

        async def work() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(url)
            try:
                for statement in statements[:-1]:
                    await connection.execute(statement)
                rows: list[asyncpg.Record] = await connection.fetch(statements[-1])
            finally:
                await connection.close()
            return rows

        return asyncio.run(work())


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Start a server and stop it at the end of the block; skip the test where none is installed."""
    binaries = programs()
    if binaries is None:
        assert not os.environ.get("CI"), "the tests of the PostgreSQL store need the server"
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="fleet-pg-"))
    user = _user() if os.geteuid() == 0 else None
    try:
        if user is not None:
            shutil.chown(folder, user)
        assert _start(folder, user, binaries / "initdb", *_INITDB, "-D", "data").wait() == 0
        server = _start(folder, user, binaries / "postgres", *_SETTINGS, "-k", folder, "-D", "data")
        try:
            _wait_for(PostgresServer(folder), server)
            yield PostgresServer(folder)
        finally:
            server.send_signal(signal.SIGINT)  # at once, whoever is connected
            server.wait()
    finally:
        shutil.rmtree(folder)


_INITDB = ["--no-sync", "--auth=trust", "--username=tester", "--encoding=UTF8", "--no-locale"]
# No test cuts the power, so nothing has to reach the disk.
_SETTINGS = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"]


def _start(folder: Path, user: str | None, *words: str | Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("a") as log:
        return subprocess.Popen(words, stdout=log, stderr=log, user=user, cwd=folder)


def _user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in _USERS if user in known)


def _wait_for(place: PostgresServer, server: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; fail when it ended instead."""
    while True:
        try:
            place.execute(place.url(), "SELECT 1")
        except (OSError, asyncpg.CannotConnectNowError):
            assert server.poll() is None, (place.folder / "log").read_text()
            time.sleep(0.02)
        else:
            return
