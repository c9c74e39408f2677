"""A seed: the people, projects, products and devices that a cloud starts with.

For example 300 devices that are bound to 300 consumers from the first second on. These are the
forms, as a program builds them or as they lie in a TOML file; `planting` puts them into a cloud.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleet.cloud.api.shapes import Name, Password
from fleet.cloud.permissions import GrantKind, Permission
from fleet.cloud.products import SCHEMA_ONE_SWITCH, Binding, Method
from fleet.cloud.projects import ANY, Address, Plan, PushEncryption, PushFamilies, Signing
from fleet.cloud.quotas import Scope
from fleet.cloud.upgrades import Channel, HmacText, Md5Text, Size, UrlText, VersionText

ProductId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,16}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,25}\Z")]
AuthKey = Annotated[str, Meta(pattern=r"^([!-~]{16,32})?\Z")]
DeviceId = Annotated[str, Meta(pattern=r"^([0-9A-Za-z_-]{1,25})?\Z")]
AccessId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")]
AccessSecret = Annotated[str, Meta(pattern=r"^[!-~]{24,64}\Z")]
OemLinkText = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{8,64}\Z")]
NodeIdText = Annotated[str, Meta(pattern=r"^[!-~]{0,64}\Z")]
TimeZone = Annotated[str, Meta(pattern=r"^([+-]\d\d:\d\d)?\Z")]
Key16 = Annotated[str, Meta(pattern=r"^([!-~]{16})?\Z")]


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a seed; ranges are checked when it is read or planted."""


class AccountSeed(_Form, frozen=True):
    """A developer account; without password nobody logs in to it."""

    name: Name
    password: str = ""

    def __repr__(self) -> str:
        """Show the name only."""
        return f"AccountSeed({self.name!r})"


class UserSeed(_Form, frozen=True):
    """A consumer; without password nobody logs in as it.

    `schema` is the app ("": that of the settings), `region` the data centre ("": the server's own),
    `country_code` a calling code.
    """

    uid: Name
    name: Name
    password: str = ""
    schema: str = ""
    region: str = ""
    country_code: str = ""
    nick_name: str = ""

    def __repr__(self) -> str:
        """Show the names only."""
        return f"UserSeed({self.uid!r}, {self.name!r})"


class MemberSeed(_Form, frozen=True):
    """Somebody who lives in a home; only an administrator may change it."""

    uid: Name
    name: Name
    admin: bool = False


class HomeSeed(_Form, frozen=True):
    """A home of a consumer. A consumer with devices and no home gets one anyway."""

    owner: Name
    name: Name
    members: tuple[MemberSeed, ...] = ()
    rooms: tuple[Name, ...] = ()


class ProductSeed(_Form, frozen=True):
    """A product of an account.

    One that was passed on says from whom: `first_owner` is the account that had it first ("": its
    owner), `copied_from` the product that it is a copy of ("": none). What the first owner may do
    is a grant of kind "origin".
    """

    product_id: ProductId
    name: Name
    category: Name
    owner: Name
    binding: Binding = Binding.STRONG
    method: Method = Method.QR
    schema: str = SCHEMA_ONE_SWITCH
    first_owner: str = ""
    copied_from: str = ""


class OemLinkSeed(_Form, frozen=True):
    """A link by which other accounts make products of their own out of a product."""

    link: OemLinkText
    product_id: ProductId

    def __repr__(self) -> str:
        """Show what it is to, not the link itself, which is as good as a key."""
        return f"OemLinkSeed({self.product_id!r})"


class RoleSeed(_Form, frozen=True):
    """A custom role of an owner's space."""

    owner: Name
    name: Name
    permissions: tuple[Permission, ...]


class GrantSeed(_Form, frozen=True):
    """A partner's right (development, purchase, both) or a member's role, for some products."""

    owner: Name
    kind: GrantKind
    grantee: Name
    role: Name
    products: tuple[ProductId, ...]


class ProjectSeed(_Form, frozen=True):
    """A project that calls the Open API; `("*",)` stands for all regions or API families.

    Empty `push_families` and `push_encryption` leave the choice to the settings of these names.
    `redirects` are the addresses to which the consent page may send a browser back.
    """

    access_id: AccessId
    secret: AccessSecret
    owner: Name
    name: Name
    signing: Signing = Signing.V2
    regions: tuple[str, ...] = ANY
    schemas: tuple[Name, ...] = ()
    families: tuple[str, ...] = ANY
    allowed_ips: tuple[str, ...] = ()
    plan: Plan = Plan.VALID
    push_families: PushFamilies = ""
    push_encryption: PushEncryption = ""
    redirects: tuple[Address, ...] = ()

    def __repr__(self) -> str:
        """Show whose it is, never the secret."""
        return f"ProjectSeed({self.access_id!r}, owner={self.owner!r})"


class MqttClientSeed(_Form, frozen=True):
    """A client of the MQTT port that is no device, and the topic filters it may hear and send to.

    `read = ["#"]` hears all devices, `["$SYS/#"]` the broker's counters.
    """

    name: Name
    password: Password
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show the name only."""
        return f"MqttClientSeed({self.name!r})"


class LimitSeed(_Form, frozen=True):
    """A quota that was raised by ticket before the start."""

    scope: Scope
    name: Name
    limit: int


class DeviceSeed(_Form, frozen=True):
    """A device; one with an `owner` (uid) is bound and carries what its activation gave it.

    `name` is the product's unless given, `region` the data centre where it was paired ("": the
    server's own), `home` the name of one of its owner's homes ("": the first), `dps` a JSON object of
    its last values by data point number. `generation` is what its firmware declares ("": the cloud
    finds out). A sub-device names its `gateway` by device id and its own `node_id` there, and has no
    keys.
    """

    uuid: Uuid
    product_id: ProductId
    auth_key: AuthKey = ""
    dev_id: DeviceId = ""
    sec_key: Key16 = ""
    local_key: Key16 = ""
    owner: str = ""
    name: str = ""
    region: str = ""
    home: str = ""
    time_zone: TimeZone = ""
    gateway: DeviceId = ""
    node_id: NodeIdText = ""
    dps: str = ""
    generation: Literal["", "2.1", "2.2", "2.3"] = ""

    def __repr__(self) -> str:
        """Show who and whose it is, never its keys."""
        return f"DeviceSeed({self.uuid!r}, owner={self.owner!r})"


class FirmwareSeed(_Form, frozen=True):
    """A version of a product's firmware; `size` in bytes. Without `url` its bytes are made up.

    A `silent` one is loaded by every device that asks and has not got it.
    """

    product_id: ProductId
    version: VersionText
    size: Size
    channel: Channel = 0
    md5: Md5Text = ""
    hmac: HmacText = ""
    url: UrlText = ""
    https_url: UrlText = ""
    silent: bool = False


class Seed(_Form, frozen=True):
    """All that a cloud starts with."""

    accounts: tuple[AccountSeed, ...] = ()
    users: tuple[UserSeed, ...] = ()
    homes: tuple[HomeSeed, ...] = ()
    products: tuple[ProductSeed, ...] = ()
    firmware: tuple[FirmwareSeed, ...] = ()
    oem_links: tuple[OemLinkSeed, ...] = ()
    roles: tuple[RoleSeed, ...] = ()
    grants: tuple[GrantSeed, ...] = ()
    limits: tuple[LimitSeed, ...] = ()
    devices: tuple[DeviceSeed, ...] = ()
    mqtt_clients: tuple[MqttClientSeed, ...] = ()
    projects: tuple[ProjectSeed, ...] = ()
