"""Seeds and settings from files: read as they are, mistakes in one line with file and key."""

import re
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.products import Binding
from fleet.cloud.seed import AccountSeed, ProductSeed, Seed
from fleet.cloud.settings import Settings
from fleet.cloud.toml_file import read_seed, read_settings

SEED = """
[[accounts]]
name = "maker"
password = "s3cret"

[[products]]
product_id = "pid"
name = "Camera"
category = "sp"
owner = "maker"
binding = "weak"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.toml"


def test_a_seed_is_what_stands_in_the_file(file: Path) -> None:
    file.write_text(SEED)
    product = ProductSeed(
        product_id="pid", name="Camera", category="sp", owner="maker", binding=Binding.WEAK
    )
    accounts = (AccountSeed(name="maker", password="s3cret"),)
    assert read_seed(file) == Seed(accounts=accounts, products=(product,))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[[accounts]]", "[accounts]", "accounts: Expected `array`, got `object`"),
        ("[[products]]", "[[product]]", "Object contains unknown field `product`"),
        ("owner", "ower", "products[0]: Object "),
        ('"pid"', '"p d"', "products[0].product_id: Expected `str` matching"),
        (
            '"weak"',
            '"loose"',
            "products[0].binding: Invalid enum value 'loose': one of 'strong', 'medium', 'weak'",
        ),
        ('"weak"', "weak", "not TOML: "),
        ("Camera", "Cam\xe9ra", "not TOML: "),
    ],
)
def test_a_mistake_in_a_seed(file: Path, old: str, new: str, complaint: str) -> None:
    file.write_bytes(SEED.replace(old, new).encode("latin-1"))
    with pytest.raises(UsageError, match=re.escape(f"{file}: {complaint}")) as told:
        read_seed(file)
    assert "\n" not in str(told.value)
    assert "s3cret" not in str(told.value)


def test_a_file_may_begin_as_editors_on_windows_write_it(file: Path) -> None:
    file.write_text(SEED.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    assert [account.name for account in read_seed(file).accounts] == ["maker"]


def test_settings_have_defaults_for_what_is_not_named(file: Path) -> None:
    file.write_text('region = "IN"\nproduct_quota_per_day = 7\n')
    settings = read_settings(file)
    assert isinstance(settings, Settings)
    assert (settings.region, settings.product_quota_per_day) == ("IN", 7)
    assert settings.account_quota_per_day == Settings().account_quota_per_day


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("quota = 7", "Object contains unknown field `quota`"),
        ("password_iterations = 0", "password_iterations: Expected `int` >= 1"),
        ('open_check_order = ["hat"]', "open_check_order[0]: Invalid enum value 'hat': one of"),
        ("open_rate_code = 7", "open_rate_code: Invalid enum value 7: one of 1110, 1111, 1199"),
    ],
)
def test_a_mistake_in_settings(file: Path, text: str, complaint: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=re.escape(f"{file}: {complaint}")):
        read_settings(file)


@pytest.mark.parametrize("name", ["no.toml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: (No such file|Is a directory)"):
        read_seed(tmp_path / name)
