"""Commands to Mosquitto's dynamic security plugin, and its answers: JSON on two topics.

Source: eclipse/mosquitto, plugins/dynamic-security (README.md, plugin.c, clients.c, groups.c), as of
version 2.0.11, and mosquitto_ctrl_dynsec(1). What matters here:

- A command names itself by `correlationData`, which its answer repeats. Answers reach everybody who
  administers the plugin, so those without a name of ours are somebody else's.
- With every command that changes something the plugin writes its whole file. The broker does
  nothing else meanwhile, so the time of one command grows with the number of clients.
- A new password and `disableClient` end the client's connection, and changing a group those of all
  clients in it. (So does changing a role, but only for clients that had it when the broker started.)
- A role cannot speak of "the client's own id": each client needs a role of its own.
"""

from typing import ClassVar, NamedTuple

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

TOPIC_COMMANDS = "$CONTROL/dynamic-security/v1"
TOPIC_ANSWERS = "$CONTROL/dynamic-security/v1/response"

EXISTS = " already exists"
NOT_FOUND = " not found"


class Acl(msgspec.Struct, frozen=True, gc=False):
    """One rule of a role."""

    acltype: str
    topic: str
    allow: bool = True


class RoleRef(msgspec.Struct, frozen=True, gc=False):
    """A role that a client or a group has."""

    rolename: str


class GroupRef(msgspec.Struct, frozen=True, gc=False):
    """A group that a client is in; its roles decide where the client's own do not."""

    groupname: str


class Command(Secretive, frozen=True, omit_defaults=True):
    """One command; which fields it takes depends on its name. UNSET ones are left out."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    command: str
    username: str | msgspec.UnsetType = msgspec.UNSET
    clientid: str | msgspec.UnsetType = msgspec.UNSET
    password: str | msgspec.UnsetType = msgspec.UNSET
    textdescription: str | msgspec.UnsetType = msgspec.UNSET
    rolename: str | msgspec.UnsetType = msgspec.UNSET
    groupname: str | msgspec.UnsetType = msgspec.UNSET
    roles: tuple[RoleRef, ...] | msgspec.UnsetType = msgspec.UNSET
    groups: tuple[GroupRef, ...] | msgspec.UnsetType = msgspec.UNSET
    acls: tuple[Acl, ...] | msgspec.UnsetType = msgspec.UNSET
    verbose: bool | msgspec.UnsetType = msgspec.UNSET
    count: int | msgspec.UnsetType = msgspec.UNSET
    offset: int | msgspec.UnsetType = msgspec.UNSET
    correlation: str | msgspec.UnsetType = msgspec.field(
        name="correlationData", default=msgspec.UNSET
    )


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A client in the plugin's list."""

    username: str
    textdescription: str = ""
    disabled: bool = False
    groups: tuple[GroupRef, ...] = ()


class _List(msgspec.Struct, frozen=True, rename={"total": "totalCount"}):
    total: int = 0
    clients: tuple[Entry, ...] = ()


class Answer(msgspec.Struct, frozen=True, rename={"correlation": "correlationData"}):
    """The answer to one command; `error` is empty when it was carried out."""

    command: str = ""
    error: str = ""
    correlation: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def exists(self) -> bool:
        """Tell whether what was to be made is there already."""
        return self.error.endswith(EXISTS)

    @property
    def missing(self) -> bool:
        """Tell whether what was meant is not there."""
        return self.error.endswith(NOT_FOUND)


class Page(NamedTuple):
    """A part of the plugin's list of clients, and how long all of it is."""

    entries: tuple[Entry, ...]
    total: int


class _Message(msgspec.Struct, frozen=True):
    commands: tuple[Command, ...]


class _Answers(msgspec.Struct, frozen=True):
    responses: tuple[Answer, ...]


def encode_commands(commands: tuple[Command, ...]) -> bytes:
    """Return a message of commands, which are carried out in order."""
    return encode_json(_Message(commands))


def decode_answers(payload: bytes) -> tuple[Answer, ...]:
    """Return the answers of a message. Raises Malformed."""
    return decode_json(_Answers, payload).responses


def page_of(answer: Answer) -> Page:
    """Return what the answer to `listClients` holds. Raises Malformed."""
    try:
        told = decode_json(_List, answer.data)
    except Malformed:
        raise Malformed("listClients: an answer of an unknown form") from None
    return Page(told.clients, told.total)
