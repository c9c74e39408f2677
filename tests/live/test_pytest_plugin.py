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

import fleet.cloud
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
import sys, time

def test_nothing_is_loaded_before_a_test_asks_for_it():
    assert not {"fleet.cloud.edge.local", "asyncpg", "uvicorn"} & set(sys.modules)

def test_a_cloud_is_there_by_name(tuya_cloud):
    before_s = time.time()
    tuya_cloud.advance(3600)
    assert time.time() - before_s >= 3600
    assert time.time_ns() / 1e9 - before_s >= 3600
    assert abs(tuya_cloud.now_ms / 1000 - time.time()) < 60

def test_time_is_the_systems_again():
    import datetime
    assert abs(datetime.datetime.now().timestamp() - time.time()) < 60
"""


README = Path(fleet.cloud.__file__).parent / "README.md"


def suite_of_the_readme() -> str:
    found = re.search(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("suite", "passed"), [(SUITE, 3), (suite_of_the_readme(), 1)])
def test_it_is_found_without_being_named(tmp_path: Path, suite: str, passed: int) -> None:
    (tmp_path / "test_suite.py").write_text(suite)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout
