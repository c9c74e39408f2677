"""One PostgreSQL server for the tests of a module, and an empty schema in it for each test."""

from collections.abc import Iterator

import pytest

from tests.cloud.store.postgres_server import PostgresServer, running_server


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a running server, or skip."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """Return the address of an empty place in a real server."""
    return postgres_server.new_schema()
