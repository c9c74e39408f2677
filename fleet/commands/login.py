"""Logging in for one command: impatient at first, patient afterwards.

A wrong address should be told at once; a cloud that was there and is being started again should
be waited for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fleet.app.account import Account
from fleet.app.cloud_link import CloudLink
from fleet.commands.access import Access

FIRST_PATIENCE_S = 3.0
PATIENCE_S = 60.0
A = TypeVar("A", bound=Account)


def open_link(access: Access) -> CloudLink:
    """Return the way to the cloud of `access`, for a first call."""
    return CloudLink(access.url, patience_s=FIRST_PATIENCE_S, ca_file=access.ca_file)


@asynccontextmanager
async def logged_in(access: Access, kind: type[A]) -> AsyncIterator[A]:
    """Yield an account of `kind` that has logged in; its connections are closed afterwards."""
    async with open_link(access) as link:
        account = await kind.login(link, access.name, access.password)
        link.patience_s = PATIENCE_S
        yield account
