"""The fixture `tuya_cloud`, used as other people's tests use it, and in a test run of its own."""

import hashlib
import hmac
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import fleet
from firmware_sim.wire import atop
from firmware_sim.wire import atop_messages as messages
from fleet.cloud.edge.local import LocalCloud
from fleet.cloud.seed import DeviceSeed, Seed
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import demo_seed

MAKER = {"name": "maker@example.com", "password": "demo-password"}
NOWHERE = "/v1.0/no/such/call"  # a program with a good token is told so, others other things


class Program:
    """Signs by the system's clock, as client libraries do."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.token = ""

    def signed(self, path: str, token: str = "") -> httpx.Request:
        t = str(int(time.time() * 1000))
        text = f"{self.cloud.access_id}{token}{t}GET\n{hashlib.sha256().hexdigest()}\n\n{path}"
        sign = hmac.new(self.cloud.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        headers = {"client_id": self.cloud.access_id, "sign": sign.upper(), "t": t}
        headers |= {"sign_method": "HMAC-SHA256", "access_token": token}
        return httpx.Request("GET", self.cloud.url + path, headers=headers)

    def send(self, request: httpx.Request) -> dict[str, Any]:
        with httpx.Client() as client:
            answer: dict[str, Any] = client.send(request).json()
        return answer

    def connect(self) -> None:
        answer = self.send(self.signed("/v1.0/token?grant_type=1"))
        self.token = answer["result"]["access_token"]

    def code(self, path: str = NOWHERE) -> int:
        """Return the code with which a call is refused."""
        return int(self.send(self.signed(path, self.token))["code"])


def test_a_token_ends_when_its_time_has_passed(tuya_cloud: LocalCloud) -> None:
    program = Program(tuya_cloud)
    program.connect()
    assert program.code() == 1108
    tuya_cloud.advance(7_199 - 60)
    assert program.code() == 1108
    tuya_cloud.advance(61)
    assert program.code() == 1010
    program.connect()
    assert program.code() == 1108


def test_a_signature_grows_old(tuya_cloud: LocalCloud) -> None:
    program = Program(tuya_cloud)
    program.connect()
    kept = program.signed(NOWHERE, program.token)
    tuya_cloud.advance(240)
    assert program.send(kept)["code"] == 1108
    tuya_cloud.advance(120)
    assert program.send(kept)["code"] == 1013
    tuya_cloud.advance(600, clients=False)
    assert program.code() == 1013


class TestOfQuotas:
    """A class that wants a smaller quota than everybody else."""

    @pytest.fixture
    def tuya_cloud_settings(self) -> Settings:
        return Settings(password_iterations=1, product_quota_per_day=1)

    def test_a_quota_is_there_again_the_next_day(self, tuya_cloud: LocalCloud) -> None:
        first, second, *_ = tuya_cloud.seed.devices
        assert unbind(tuya_cloud, first) == ""
        assert unbind(tuya_cloud, second) == "PRODUCT_QUOTA"
        tuya_cloud.advance(86_400)
        assert unbind(tuya_cloud, second) == ""


def unbind(cloud: LocalCloud, device: DeviceSeed) -> str:
    """Let the device's maker unbind it by a code; return the error that the device is told."""
    with httpx.Client(base_url=cloud.url) as client:
        session = client.post("/console/v1/login", json=MAKER).json()["result"]["session"]
        headers = {"authorization": f"Bearer {session}"}
        made = client.post("/console/v1/unbind-tokens", json={"method": "qr"}, headers=headers)
        token, now_s = made.json()["result"]["token"][2:10], int(time.time())
        form = messages.activation_request(token, device.product_id, "1.0.0", now_s)
        target, body = atop.encode_request(
            messages.ACTIVE.name,
            messages.ACTIVE.version,
            now_s,
            device.auth_key,
            msgspec.json.encode(form),
            uuid=device.uuid,
            dev_id=None,
        )
        reply = client.post(target, content=body).content
    return atop.decode_inner(atop.decode_reply(reply, device.auth_key)).error_code


class TestOfASeed:
    """A class with devices of its own."""

    @pytest.fixture
    def tuya_cloud_seed(self) -> Seed:
        return msgspec.structs.replace(demo_seed(), devices=())

    def test_it_starts_with_that(self, tuya_cloud: LocalCloud, tuya_cloud_seed: Seed) -> None:
        assert tuya_cloud.seed is tuya_cloud_seed
        assert tuya_cloud.access_id == "demo0access0id000001"


SUITE = """
import gc, logging, resource, signal, sys, threading, time

def process():
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    return (
        {one.name for one in loggers if one.level or not one.propagate or one.handlers},
        [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)],
        resource.getrlimit(resource.RLIMIT_NOFILE),
        gc.get_freeze_count(),
        [one.name for one in threading.enumerate()],
    )

BEFORE = process()

def test_nothing_is_loaded_before_a_test_asks_for_it():
    assert not {"fleet.cloud.edge.local", "asyncpg", "httptools"} & set(sys.modules)

def test_a_cloud_is_there_by_name(tuya_cloud):
    before_s = time.time()
    tuya_cloud.advance(3600)
    assert time.time() - before_s >= 3600
    assert time.time_ns() / 1e9 - before_s >= 3600
    assert abs(tuya_cloud.now_ms / 1000 - time.time()) < 60

def test_the_process_is_as_it_was():
    assert process() == BEFORE

def test_time_is_the_systems_again():
    import datetime
    assert abs(datetime.datetime.now().timestamp() - time.time()) < 60
"""


FAILING = """
import httpx
import pytest

@pytest.fixture
def tuya_cloud_settings():
    from fleet.cloud.settings import Settings
    return Settings(password_iterations=1)

def test_that_fails(tuya_cloud):
    httpx.get(f"{tuya_cloud.url}/v1.0/devices/1?sign=hidden")
    tuya_cloud.advance(60)
    assert False

def test_that_does_not(tuya_cloud):
    httpx.get(f"{tuya_cloud.url}/v1.0/devices/2")

@pytest.fixture
def broken(tuya_cloud):
    httpx.get(f"{tuya_cloud.url}/v1.0/devices/3")
    raise RuntimeError

def test_whose_fixture_fails(broken):
    pass

def test_without_a_cloud():
    assert False
"""

README = Path(fleet.__file__).parent / "README.md"


def suites_of_the_readme() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


def run_suites(folder: Path, *suites: str) -> subprocess.CompletedProcess[str]:
    """Run test files as somebody would who has installed the package; nothing is configured."""
    for number, suite in enumerate(suites):
        (folder / f"test_suite_{number}.py").write_text(suite)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_found_without_being_named(tmp_path: Path) -> None:
    done = run_suites(tmp_path, SUITE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_all_that_the_readme_shows_can_be_done(tmp_path: Path) -> None:
    suites = suites_of_the_readme()
    done = run_suites(tmp_path, *suites)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(suites) == 7
    assert f"{len(suites)} passed" in done.stdout


def test_a_report_shows_what_happened_at_the_cloud_of_a_test_that_failed(tmp_path: Path) -> None:
    done = run_suites(tmp_path, FAILING)
    assert done.returncode == 1
    assert "2 failed, 1 passed, 1 error" in done.stdout
    sections = re.findall(r"^-+ tuya_cloud -+\n((?:[\d:.]{12} .*\n)*)", done.stdout, re.MULTILINE)
    setup, call = ([line[13:] for line in text.splitlines()] for text in sections)
    assert setup == ["GET /v1.0/devices/3: 1005 clientId invalid"]
    assert call == [
        "GET /v1.0/devices/1: 1005 clientId invalid",
        "the clock was moved by 60 s",
    ]
