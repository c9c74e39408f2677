"""Faults of a PostgreSQL database in one line, without what is secret in its address."""

import asyncpg
import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.store.postgres import PostgresStore
from fleet.cloud.store.postgres_errors import explained
from tests.cloud.store.postgres_server import PostgresServer

NAME = "postgresql://h/d"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (asyncpg.DiskFullError("could not extend file"), "short of disk"),
        (asyncpg.TooManyConnectionsError("sorry"), "short of disk, memory or connections"),
        (asyncpg.InvalidPasswordError("no"), "check user, password"),
        (asyncpg.InvalidCatalogNameError("no"), "no such database"),
        (asyncpg.InsufficientPrivilegeError("no"), "make it the owner"),
        (asyncpg.ReadOnlySQLTransactionError("no"), "primary server"),
        (asyncpg.AdminShutdownError("going"), "starting or stopping"),
        (asyncpg.ConnectionDoesNotExistError("gone\nfor good"), r"was lost.*\(gone for good\)"),
        (asyncpg.InternalServerError("oh"), "fault of its own"),
        (asyncpg.InterfaceError("connection is closed"), "was lost"),
        (asyncpg.InternalClientError("cannot switch to state 15"), "was lost"),
        (asyncpg.ClientConfigurationError("bad option"), "the address is wrong"),
        (ConnectionRefusedError(111, "refused"), "no server answers there"),
        (TimeoutError(), r"no server answers there.*\(TimeoutError\)"),
    ],
)
def test_what_the_operator_can_mend(error: Exception, remedy: str) -> None:
    with (
        pytest.raises(UsageError, match=rf"^cannot use {NAME}: .*{remedy}") as told,
        explained(NAME),
    ):
        raise error
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("error", [asyncpg.PostgresSyntaxError("ours"), ZeroDivisionError("ours")])
def test_our_own_mistakes_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), explained(NAME):
        raise error


def test_a_value_that_does_not_fit_is_our_own_mistake_and_not_shown() -> None:
    for error in (asyncpg.DataError("bad: s3cret"), asyncpg.NotNullViolationError("(s3cret)")):
        with pytest.raises(ValueError, match=r"SQLSTATE 2") as told, explained(NAME):
            raise error
        assert "s3cret" not in str(told.value)
        assert told.value.__suppress_context__


def test_a_wrong_address_does_not_repeat_the_password(postgres_server: PostgresServer) -> None:
    for url, complaint in (
        (postgres_server.url(sslmode="s3cret"), "the address is wrong"),
        (postgres_server.url(work_mem="much"), "an option in the address"),
        (postgres_server.url().replace("tester", "nobody:s3cret"), "check user"),
        (postgres_server.url().replace("/postgres?", "/nothing?password=s3cret&"), "createdb"),
    ):
        with pytest.raises(UsageError, match=complaint) as told:
            PostgresStore(url)
        assert told.value.__cause__ is None or "s3cret" not in str(told.value)
