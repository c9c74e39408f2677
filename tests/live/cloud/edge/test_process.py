"""The real cloud as a child process: ports, signals, a kill, a parent that goes, a bad start."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import httpx
import msgspec
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import iot_dns
from fleet.cloud.accounts import Account
from fleet.cloud.edge import process, stores
from fleet.cloud.edge.process import Failed, ServerConfig, run, stay
from fleet.cloud.edge.server import Ready
from fleet.cloud.seed import AccountSeed, Seed, UserSeed
from fleet.cloud.settings import Settings
from fleet.cloud.store import Store, sqlite
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Change
from fleet.cloud.store.sqlite import SqliteStore
from fleet.cloud.users import User
from tests.live.cloud.edge.stage import LOOPBACK

SEED = Seed(accounts=(AccountSeed(name="maker@example.com", password="pw"),))
SPAWN = multiprocessing.get_context("spawn")


class Child:
    """A cloud process and our end of its pipe."""

    def __init__(self, child: SpawnProcess, pipe: Connection) -> None:
        self.process = child
        self.pipe = pipe

    def word(self) -> Ready | Failed:
        word = self.pipe.recv()
        assert isinstance(word, Ready | Failed)
        return word

    def ready(self) -> Ready:
        word = self.word()
        assert isinstance(word, Ready), word
        return word

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def exit_code(self) -> int | None:
        self.process.join()
        return self.process.exitcode


@contextmanager
def started(config: ServerConfig) -> Iterator[Child]:
    ours, theirs = SPAWN.Pipe()
    child = SPAWN.Process(target=run, args=(config, theirs))
    child.start()
    theirs.close()
    try:
        yield Child(child, ours)
    finally:
        ours.close()
        child.join(10)
        child.kill()


def _post(ready: Ready, path: str, body: object) -> httpx.Response:
    url = f"http://{ready.host}:{ready.http_port}{path}"
    return httpx.post(url, content=msgspec.json.encode(body))


def _register(ready: Ready, name: str) -> bool:
    answer = _post(ready, "/app/v1/register", {"name": name, "password": "pw"})
    return answer.json()["success"] is True


def test_it_tells_its_ports_serves_devices_and_stops_by_sigterm() -> None:
    with started(ServerConfig(seed=SEED, told_host="::1")) as child:
        ready = child.ready()
        assert ready.host == LOOPBACK
        request = iot_dns.encode_request(iot_dns.Request("prod"))
        url = f"http://{ready.host}:{ready.http_port}{iot_dns.PATH}"
        told = iot_dns.decode_reply(httpx.post(url, content=request).content)
        assert told.https_url == f"http://[::1]:{ready.http_port}/d.json"
        assert told.mqtt_address == f"[::1]:{ready.mqtt_port}"
        socket.create_connection((ready.host, ready.mqtt_port)).close()
        login = {"name": "maker@example.com", "password": "pw"}
        assert _post(ready, "/console/v1/login", login).json()["success"] is True
        child.send(signal.SIGINT)  # for the parent to decide
        assert _register(ready, "somebody")
        child.send(signal.SIGTERM)
        assert child.exit_code() == 0
        assert not child.pipe.poll(0) or _is_at_end(child.pipe)


def _is_at_end(pipe: Connection) -> bool:
    try:
        pipe.recv()
    except EOFError:
        return True
    return False


def test_what_was_acknowledged_is_there_after_kill_9_on_the_same_ports(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path / "data"), seed=SEED)
    with started(config) as child:
        ready = child.ready()
        names = [f"user{number}" for number in range(20)]
        assert all(_register(ready, name) for name in names)
        child.send(signal.SIGKILL)
        assert child.exit_code() == -signal.SIGKILL
    again = msgspec.structs.replace(
        config, http_port=ready.http_port, mqtt_port=ready.mqtt_port, seed=config.seed
    )
    with started(again) as child:
        assert child.ready() == ready
        assert not any(_register(ready, name) for name in names)
        assert _register(ready, "one more")
        child.send(signal.SIGTERM)
        assert child.exit_code() == 0
    store = SqliteStore(tmp_path / "data")
    assert [account.name for account in store.load(Account)] == ["maker@example.com"]
    store.close()


def test_it_ends_with_its_parent() -> None:
    with started(ServerConfig()) as child:
        child.ready()
        child.pipe.close()
        assert child.exit_code() == 0


def test_a_port_in_use_is_told_through_the_pipe() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        with started(ServerConfig(http_port=taken.getsockname()[1])) as child:
            word = child.word()
            assert isinstance(word, Failed)
            assert "the port is in use" in word.message
            assert "\n" not in word.message
            assert child.exit_code() == 1


# --- the same in this process, where it can be looked into ------------------------------------------


def test_a_command_hears_in_one_line_why_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=rf"^cannot create {tmp_path}/file/cloud.db"):
        stay(ServerConfig(data=str(tmp_path / "file")), lambda ready, _: pytest.fail(str(ready)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_serves_until_it_is_told_to_stop(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)  # as where it is not installed
    seen: list[tuple[Ready, list[Account]]] = []

    def look_and_stop(ready: Ready, store: Store) -> None:
        seen.append((ready, list(store.load(Account))))
        os.kill(os.getpid(), number)

    stay(ServerConfig(seed=SEED), look_and_stop)
    ((ready, [account]),) = seen
    assert (ready.host, account.name) == (LOOPBACK, "maker@example.com")


def test_a_fault_of_our_own_is_told_and_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(process, "_load", broken)
    ours, theirs = multiprocessing.Pipe()
    with pytest.raises(ZeroDivisionError):
        run(ServerConfig(), theirs)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    word = ours.recv()
    ours.close()
    theirs.close()
    assert isinstance(word, Failed)
    assert "ZeroDivisionError" in word.message


def test_a_parent_that_is_gone_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    process._tell(theirs, Failed("nobody hears this"))
    theirs.close()


def test_a_seed_that_cannot_be_written_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullStore(MemoryStore):
        def submit(
            self, _changes: tuple[Change, ...], done: Callable[[BaseException | None], None]
        ) -> None:
            done(UsageError("the disk is full"))

    monkeypatch.setattr(stores, "MemoryStore", FullStore)
    ours, theirs = multiprocessing.Pipe()
    with pytest.raises(SystemExit):
        run(ServerConfig(seed=SEED), theirs)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert ours.recv() == Failed("the disk is full")
    ours.close()
    theirs.close()


def test_a_full_disk_stops_the_cloud_with_one_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SmallDisk(SqliteStore):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            self._connection.execute(f"PRAGMA max_page_count={pages + 4}")

    def register_until_the_end() -> None:
        ready = ours.recv()
        with suppress(httpx.HTTPError, KeyError):
            while _register(ready, f"user{len(registered)}"):
                registered.append(f"user{len(registered)}")

    registered: list[str] = []
    monkeypatch.setattr(sqlite, "SqliteStore", SmallDisk)
    ours, theirs = multiprocessing.Pipe()
    people = threading.Thread(target=register_until_the_end)
    people.start()
    with pytest.raises(SystemExit):
        run(ServerConfig(data=str(tmp_path / "data")), theirs)
    people.join()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    word = ours.recv()
    assert isinstance(word, Failed)
    assert word.message.startswith(f"cannot use {tmp_path}/data/cloud.db: the disk is full")
    store = SqliteStore(tmp_path / "data")
    assert sorted(user.name for user in store.load(User)) == sorted(registered)
    store.close()
    ours.close()
    theirs.close()


def test_a_config_shows_where_and_no_secret() -> None:
    config = ServerConfig(
        data="postgresql://me:s3cret@h/d",
        settings=Settings(admin_secret="s3cret"),
        seed=Seed(users=(UserSeed(uid="u", name="n", password="s3cret"),)),
    )
    assert repr(config) == "ServerConfig('postgresql://me@h/d', '127.0.0.1', 0, 0)"
