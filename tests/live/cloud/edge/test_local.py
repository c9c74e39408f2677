"""A cloud in a thread: where it is, its clock, how it ends, and a fault that must not be silent."""

import asyncio
import socket
import threading
import time
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from firmware_sim.errors import UsageError
from firmware_sim.wire import mqtt, mqtt_payload
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import AccountSeed, Seed
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import demo_seed

BARE = Seed(accounts=(AccountSeed(name="maker", password="pw"),))


def log_in(cloud: LocalCloud) -> dict[str, Any]:
    form = {"name": "maker", "password": "pw"}
    answer: dict[str, Any] = httpx.post(f"{cloud.url}/console/v1/login", json=form).json()
    return answer


def test_it_serves_the_demo_set_until_it_is_stopped() -> None:
    cloud = LocalCloud()
    project = demo_seed().projects[0]
    assert (cloud.access_id, cloud.secret) == (project.access_id, project.secret)
    assert (cloud.schema,) == project.schemas
    assert cloud.push_url == cloud.url.replace("http", "ws") + "/"
    assert httpx.get(f"{cloud.url}/nothing").status_code == 200
    cloud.stop()
    cloud.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(cloud.url)
    assert [thread for thread in threading.enumerate() if thread.name == "tuya-cloud"] == []


def test_two_know_nothing_of_each_other() -> None:
    with LocalCloud(BARE) as one, LocalCloud(Seed()) as other:
        assert one.url != other.url
        assert log_in(one)["success"] is True
        assert log_in(other)["success"] is False


def test_without_a_project_nobody_has_a_key() -> None:
    with LocalCloud(BARE) as cloud:
        for name in ("access_id", "secret", "schema"):
            with pytest.raises(UsageError, match="without a project"):
                getattr(cloud, name)


def test_what_falls_due_is_done_when_the_clock_was_moved() -> None:
    settings = Settings(password_iterations=1, session_life_s=60)
    with LocalCloud(BARE, settings) as cloud:
        session = log_in(cloud)["result"]["session"]

        def ask() -> str:
            headers = {"authorization": f"Bearer {session}"}
            answer = httpx.get(f"{cloud.url}/console/v1/quotas", headers=headers).json()
            return str(answer.get("code", "ok"))

        before_ms = cloud.now_ms
        assert ask() == "ok"
        cloud.advance(59.5 - (cloud.now_ms - before_ms) / 1000, clients=False)
        assert ask() == "ok"
        cloud.advance(60)
        assert ask() == "no_session"
        assert cloud.now_ms - before_ms >= 119_500
        assert cloud.clients_ahead_s == 60
        with pytest.raises(UsageError, match="does not go back"):
            cloud.advance(-1)


def test_a_device_stays_connected_when_the_clock_is_moved() -> None:
    with LocalCloud() as cloud:
        device = cloud.seed.devices[0]
        place = urlsplit(cloud.mqtt)
        with socket.create_connection((place.hostname, place.port), timeout=10) as stream:
            password = mqtt_payload.mqtt_password(device.sec_key)
            hello = mqtt.Connect(device.dev_id, device.dev_id, password, keep_alive_s=30)
            stream.sendall(mqtt.encode(hello))
            assert stream.recv(100) == mqtt.encode(mqtt.Connack(mqtt.ACCEPTED))
            cloud.advance(7_200)
            stream.sendall(mqtt.encode(mqtt.Pingreq()))
            assert stream.recv(100) == mqtt.encode(mqtt.Pingresp())


def test_programs_are_moved_along_and_a_second_cloud_starts_where_they_are() -> None:
    with LocalCloud(BARE) as one, one.moving_clients():
        one.advance(7_200)
        one.advance(3_600, clients=False)
        with LocalCloud(BARE) as other:
            for cloud, ahead_s in ((one, 3_600), (other, 0)):
                assert abs(cloud.now_ms / 1000 - time.time() - ahead_s) < 60
    with LocalCloud(BARE) as again:
        assert abs(again.now_ms / 1000 - time.time()) < 60


def test_who_follows_the_clock_is_told_on_the_clouds_loop() -> None:
    moves: list[tuple[int, str]] = []
    with LocalCloud(BARE) as cloud:
        cloud.on_advance(lambda ms: moves.append((ms, threading.current_thread().name)))
        cloud.advance(1.5)
        cloud.advance(0)
    assert moves == [(1_500, "tuya-cloud"), (0, "tuya-cloud")]


def test_the_diary_tells_what_happened_also_afterwards() -> None:
    with LocalCloud(BARE) as cloud:
        log_in(cloud)
        httpx.get(f"{cloud.url}/console/v1/quotas")
    assert [line[13:] for line in cloud.diary] == [
        "POST /console/v1/login: ok",
        "GET /console/v1/quotas: no_session log in first",
    ]


@pytest.mark.parametrize("breaks", [False, True])
def test_what_lives_on_its_loop_is_closed_at_the_end(
    breaks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[asyncio.AbstractEventLoop] = []

    async def close() -> None:
        ends.append(asyncio.get_running_loop())

    cloud = LocalCloud(BARE)
    cloud.at_the_end(close)
    assert cloud.running
    if breaks:
        monkeypatch.setattr("fleet.cloud.cloud.Cloud.handle", lambda *_: 1 / 0)
        httpx.get(cloud.url)
    with pytest.raises(ZeroDivisionError) if breaks else nullcontext():
        cloud.stop()
    assert ends == [cloud._loop]
    assert not cloud.running


def test_one_that_cannot_start_says_why() -> None:
    with pytest.raises(UsageError, match="password_iterations"):
        LocalCloud(BARE, Settings(password_iterations=0))


def test_a_fault_is_raised_at_the_end_and_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = LocalCloud(BARE)
    monkeypatch.setattr("fleet.cloud.cloud.Cloud.handle", lambda *_: 1 / 0)
    assert httpx.get(cloud.url).status_code == 503
    cloud._thread.join()
    with pytest.raises(UsageError, match="has ended"):
        cloud.advance(1)
    with pytest.raises(ZeroDivisionError):
        cloud.stop()
    cloud.stop()
