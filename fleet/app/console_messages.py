"""What the console of the platform shows beside unbinding, as the phone's side knows it.

A core: structs only. Who may do what for whom, firmware, projects with their message push, and why
somebody may or may not do something. Where the cloud says more, it is left out here: what is not
read cannot be shown, the secret of a project above all.
"""

import msgspec


class Explanation(msgspec.Struct, frozen=True):
    """Whether somebody may do something with a device, and why, line by line."""

    allowed: bool
    lines: tuple[str, ...]


class Batch(msgspec.Struct, frozen=True):
    """An unbinding token in a list, without its text."""

    batch: str
    method: str
    max_devices: int
    expires_ms: int
    used: int
    cancelled: bool


# --- who may do what ----------------------------------------------------------------------------


class Grant(msgspec.Struct, frozen=True):
    """What the caller lets somebody do; `role` is the right of a partner, the role of a member."""

    grant_id: str
    kind: str
    grantee: str
    role: str
    products: tuple[str, ...]


class GrantChange(msgspec.Struct, frozen=True):
    """What a grant is to be for: partners and origins have a `right`, members a `role`."""

    products: tuple[str, ...]
    right: str = ""
    role: str = ""


class GrantOrder(GrantChange, frozen=True, kw_only=True):
    """A new grant; `kind` is partner, space or origin."""

    kind: str
    grantee: str


class Space(msgspec.Struct, frozen=True):
    """What somebody lets the caller do."""

    owner: str
    kind: str
    role: str
    products: tuple[str, ...]


class Role(msgspec.Struct, frozen=True):
    """A role of the caller's space; `preset` ones cannot be changed."""

    name: str
    permissions: tuple[str, ...]
    preset: bool = False


class RoleOrder(msgspec.Struct, frozen=True):
    """A custom role to make or to change."""

    name: str
    permissions: tuple[str, ...]


# --- firmware -----------------------------------------------------------------------------------


class Firmware(msgspec.Struct, frozen=True):
    """A version of a product's firmware; `size` in bytes. `silent` ones need no order."""

    channel: int
    version: str
    size: int
    added_ms: int
    silent: bool = False


class FirmwareOrder(msgspec.Struct, frozen=True):
    """A version to add, whose bytes the cloud makes up."""

    version: str
    size: int
    silent: bool = False


class Upgrade(msgspec.Struct, frozen=True):
    """A device is to load a version; `status` is what it said last, `percent` what it has loaded."""

    channel: int
    version: str
    ordered_ms: int
    status: int
    percent: int


class UpgradeOrder(msgspec.Struct, frozen=True):
    """Which version a device is to load."""

    version: str


# --- projects and their message push ------------------------------------------------------------


class Project(msgspec.Struct, frozen=True):
    """A cloud project, without its secret; `["*"]` stands for all."""

    access_id: str
    name: str
    signing: str
    regions: tuple[str, ...]
    schemas: tuple[str, ...]
    families: tuple[str, ...]
    allowed_ips: tuple[str, ...]
    plan: str


class PushConsumer(msgspec.Struct, frozen=True):
    """A program that hears: only the `active` one of a topic is sent anything."""

    active: bool
    window: int
    ack_timeout_ms: int
    stalled: bool


class PushTopic(msgspec.Struct, frozen=True):
    """What is unread of a topic (messages, characters, since when), and who reads it."""

    centre: str
    topic: str
    unread: int
    size: int
    oldest_ms: int | None
    under_way: int
    consumers: tuple[PushConsumer, ...]


class PushProject(msgspec.Struct, frozen=True):
    """A project and its topics."""

    access_id: str
    name: str
    families: str
    encryption: str
    topics: tuple[PushTopic, ...]
