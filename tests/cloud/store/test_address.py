"""A folder or a database, and what of an address may be shown."""

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store.address import is_database, refuse_unless_address, shown


def test_a_folder_and_an_address_are_told_apart() -> None:
    for place in ("postgresql://h/d", "postgres:///d", "postgresql://"):
        assert is_database(place)
    for place in ("", "data", "/var/data", "postgresql", "./postgresql://h/d", "d:ata/x"):
        assert not is_database(place)


@pytest.mark.parametrize(
    "slip", ["PostgreSQL://h/d", "postgres:/me:s3cret@h/d", "postgresql:h", "mysql://h/d"]
)
def test_a_slip_in_an_address_does_not_make_it_a_folder(slip: str) -> None:
    assert is_database(slip)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cloud.db",
        "mysql://h/d",
        "postgresql://h:port/d",
        "postgres://h:0/d",
        "postgres://h/d?s3c",
        "postgres:/me:s3c@h/d",
        "postgresql:h/d",
        "postgres://me:12/s3c@h/d",
        "postgres://me:12#s3c@h/d",
        "postgres://me:12?s3c@h/d",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match=r"^not the address of a PostgreSQL database") as told:
        refuse_unless_address(url)
    assert "s3c" not in str(told.value)


def test_an_address_is_shown_without_password_and_options() -> None:
    for url in ("postgresql://me:s3cret@h:5433/d?password=s3cret", "postgresql://me@h:5433/d"):
        refuse_unless_address(url)
        assert shown(url) == "postgresql://me@h:5433/d"
    assert shown("postgres:///d?host=/tmp") == "postgres:///d"
