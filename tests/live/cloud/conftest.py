"""A real PostgreSQL server for the tests of the whole cloud."""

from collections.abc import Iterator

import pytest

from tests.cloud.store.postgres_server import PostgresServer, running_server


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a running server, or skip."""
    with running_server() as server:
        yield server
