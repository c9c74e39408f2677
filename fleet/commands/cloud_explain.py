"""`fleet cloud explain`: why somebody may or may not do something with a device.

Asked are either the data of a cloud that is not running, or a running cloud in somebody's name:
it tells people about their own case, and owners of products about everybody's with their devices.
"""

import os
import time
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from fleet.app.account import Account
from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudRefused
from fleet.cloud.edge.stores import open_store
from fleet.cloud.explain import Explanation, explain
from fleet.cloud.rights import Action
from fleet.cloud.settings import Settings
from fleet.cloud.state import State
from fleet.cloud.store.address import is_database
from fleet.cloud.store.sqlite import FILE_NAME
from fleet.commands.access import Access
from fleet.commands.login import open_link

BAD_LOGIN = "bad_login"


class Question(msgspec.Struct, frozen=True):
    """Who wants to do what with which device."""

    account: str
    action: str
    device: str


def in_data(question: Question, data: str, settings: Settings | None) -> Explanation:
    """Answer out of the data of a cloud that is not running, a folder or a database.

    Raises UsageError when there are none, they are in use, or there is no such action.
    """
    action = _action(question)
    if not is_database(data) and not (Path(data) / FILE_NAME).exists():
        raise UsageError(f"{data}: no cloud has kept its data there")
    store = open_store(data)
    try:
        state = State(settings or Settings(), store.load, os.urandom)
    finally:
        store.close()
    now_ms = time.time_ns() // 1_000_000
    return explain(state, question.account, action, question.device, now_ms)


async def at_cloud(question: Question, access: Access) -> Explanation:
    """Answer what a running cloud tells whoever logs in with `access`.

    Raises UsageError when there is no such action, CloudRefused or CloudUnreachable.
    """
    _action(question)
    async with open_link(access) as link:
        asker = await _log_in(link, access)
        told = await asker.explain(question.action, question.device, question.account)
        return Explanation(told.allowed, list(told.lines))


async def _log_in(link: CloudLink, access: Access) -> Account:
    """Log in as a developer or else as a consumer, whichever there is of that name."""
    try:
        return await ConsoleClient.login(link, access.name, access.password)
    except CloudRefused as refusal:
        if refusal.code != BAD_LOGIN:
            raise
    return await ConsumerClient.login(link, access.name, access.password)


def _action(question: Question) -> Action:
    try:
        return Action(question.action)
    except ValueError:
        actions = ", ".join(Action)
        raise UsageError(
            f"there is no action {question.action!r}: it is one of {actions}"
        ) from None
