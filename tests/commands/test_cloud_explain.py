"""`fleet cloud explain`: from data at rest, and from a running cloud."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.__main__ import run
from fleet.app.errors import CloudRefused
from fleet.cloud.edge.stores import open_store
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import demo_seed
from fleet.commands import cloud_explain
from fleet.commands.access import Access
from fleet.commands.cloud_explain import Question, at_cloud, in_data
from fleet.commands.cloud_seed import put
from tests.app.fake_cloud import URL, FakeCloud

CAMERA = "bfdemo00camera00000001"
MAKER, BUYER, OTHER = "maker@example.com", "buyer@example.com", "other@example.com"
ANSWER = {"allowed": True, "lines": ["ann may see x", "console: allowed: owner of the product"]}
ACCESS = Access(URL, "ann", "hush")


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Return a folder with the demo data."""
    put(demo_seed(), "demo", str(tmp_path), Settings(password_iterations=1))
    return str(tmp_path)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    fake = FakeCloud()
    monkeypatch.setattr(cloud_explain, "open_link", lambda _, **__: fake.link())
    return fake


# --- data at rest -------------------------------------------------------------------------------


def test_what_data_tell(data: str) -> None:
    told = in_data(Question(BUYER, "unbind", CAMERA), data, None)
    assert not told.allowed
    assert told.lines[0] == f"{BUYER} may not unbind {CAMERA}"
    assert told.lines[1].endswith("bound to eu1700000000000anna, in EU")
    assert told.lines[2] == "console: refused: partner purchase does not hold unbind"


def test_settings_count(data: str) -> None:
    question = Question(MAKER, "see", CAMERA)
    assert in_data(question, data, Settings(region="EU")).allowed
    (project,) = (line for line in in_data(question, data, None).lines if "project" in line)
    assert project == "project 'Demo': allowed: product"


def test_a_mistaken_place_makes_no_data(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cloud has kept its data there"):
        in_data(Question(MAKER, "see", CAMERA), str(tmp_path / "typo"), None)
    assert not (tmp_path / "typo").exists()


def test_data_in_use(data: str) -> None:
    running = open_store(data)
    with pytest.raises(UsageError, match="in use by another cloud"):
        in_data(Question(MAKER, "see", CAMERA), data, None)
    running.close()


def test_actions_are_named_when_there_is_none_like_it(data: str, cloud: FakeCloud) -> None:
    question = Question(MAKER, "explode", CAMERA)
    with pytest.raises(UsageError, match=r"'explode': it is one of see, status, .*, add_admin"):
        in_data(question, data, None)
    with pytest.raises(UsageError, match="one of see"):
        asyncio.run(at_cloud(question, ACCESS))
    assert cloud.asked == []


# --- a running cloud ----------------------------------------------------------------------------


def test_a_developer_asks_about_the_own_case(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s", "name": "ann"})
    cloud.accept(ANSWER)
    told = asyncio.run(at_cloud(Question("ann", "see", "x"), ACCESS))
    assert msgspec.to_builtins(told) == ANSWER
    assert cloud.asked == [
        "POST /console/v1/login",
        "GET /console/v1/explain?action=see&device=x",
    ]


def test_a_developer_asks_about_somebody_else(cloud: FakeCloud) -> None:
    cloud.accept({"session": "s", "name": "ann"})
    cloud.accept(ANSWER)
    asyncio.run(at_cloud(Question("b&b", "see", "x"), ACCESS))
    assert cloud.asked[1] == "GET /console/v1/explain?action=see&device=x&account=b%26b"


def test_who_is_no_developer_may_be_a_consumer(cloud: FakeCloud) -> None:
    cloud.refuse("bad_login")
    cloud.accept({"session": "s", "uid": "uid0"})
    cloud.accept(ANSWER)
    asyncio.run(at_cloud(Question("ann", "see", "x"), ACCESS))
    assert cloud.asked[1:] == ["POST /app/v1/login", "GET /app/v1/explain?action=see&device=x"]


def test_refusals_are_told(cloud: FakeCloud) -> None:
    cloud.refuse("bad_login", "wrong name or password")
    with pytest.raises(CloudRefused):
        asyncio.run(at_cloud(Question("ann", "see", "x"), ACCESS))
    cloud.replies.clear()
    cloud.refuse("too_many")
    with pytest.raises(CloudRefused, match="too_many"):
        asyncio.run(at_cloud(Question("ann", "see", "x"), ACCESS))


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_and_says_it_by_its_code(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cloud", "explain", MAKER, "unbind", CAMERA, "--data", data]) == 0
    assert capsys.readouterr().out.startswith(f"{MAKER} may unbind {CAMERA}\ndevice: ")
    settings = Path(data) / "set.toml"
    settings.write_text('region = "IN"')
    words = ["--data", data, "--settings", str(settings)]
    assert run(["cloud", "explain", OTHER, "see", CAMERA, *words]) == 1
    assert "in IN\n" in capsys.readouterr().out


def test_the_command_asks_a_running_cloud_if_one_is_named(
    data: str, cloud: FakeCloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    people = [{"name": "ann", "password": "hush", "role": "owner"}]
    ready.write_bytes(msgspec.json.encode({"console": URL, "accounts": people}))
    cloud.accept({"session": "s", "name": "ann"})
    cloud.accept(ANSWER)
    words = ["--ready", str(ready), "--as", "ann", "--data", data]
    assert run(["cloud", "explain", "bob", "see", "x", *words]) == 0
    assert capsys.readouterr().out == "\n".join([*ANSWER["lines"], ""])  # type: ignore[misc]
    assert cloud.asked[1].endswith("account=bob")


def test_the_command_has_to_be_told_which_cloud(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FLEET_DATA", raising=False)
    monkeypatch.delenv("FLEET_CLOUD", raising=False)
    assert run(["cloud", "explain", MAKER, "see", CAMERA]) == 2
    assert capsys.readouterr().err.startswith("fleet: ask which cloud? give --data, --ready")
