"""Cloud projects: the access keys with which developers' programs call the Open API.

A project belongs to a developer account and carries what the gateway asks before each call: the
secret, the ways of signing it may use, the data centres that are enabled, the API families it
subscribed to, the addresses it may call from, and how its plan stands. It also names the app
schemas that are its own, which decides whose users are its users. The fields are those of the
console's project page ("Create a Cloud Project", developer.tuya.com); projects made before
2021-06-30 may sign the old way as well ("Sign Requests (Old Version)").
"""

import hashlib
from collections.abc import Callable, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, Literal

from msgspec import Meta

from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.store.records import Record
from fleet.cloud.users import ASSET_APPS

ANY = ("*",)
"""In `Project.regions` and `Project.families`: all there are."""
PROJECTS_PER_OWNER_MAX = 100

PushFamilies = Literal["", "legacy", "iot_core", "both"]
PushEncryption = Literal["", "aes_ecb", "aes_gcm"]
Address = Annotated[
    str, Meta(max_length=2_048, pattern=r'^https?://[0-9A-Za-z.:\[\]-]+(/[!"$-~]*)?\Z')
]
"""Of a web page, without fragment."""

_ACCESS_ID_LENGTH = 20
_SECRET_LENGTH = 32
_HEX = "0123456789abcdef"
_UID_LENGTH = 20


class Signing(StrEnum):
    """How a project signs. Those made before 2021-06-30 may sign either way: `BOTH`."""

    V1 = "v1"
    V2 = "v2"
    BOTH = "both"


class Plan(StrEnum):
    """How the subscription of a project stands."""

    VALID = ""
    EXPIRED = "expired"
    USED_UP = "used_up"


class Project(Record, gc=False):
    """One project. No `allowed_ips`: callable from everywhere; `("*",)`: every region or family.

    `owner` is the name of a developer account, `allowed_ips` are addresses or networks
    (`10.0.0.0/8`), `signing` and `plan` are values of `Signing` and `Plan`. `push_families` says
    which forms of push messages it subscribed to, `push_encryption` how they are encrypted; empty:
    as the settings of the cloud with these names say. `redirects` are the addresses, letter by
    letter, to which the consent page may send a browser back.
    """

    TABLE = "projects"
    KEY = ("access_id",)

    access_id: str
    secret: str
    owner: str
    name: str
    signing: str = Signing.V2.value
    regions: tuple[str, ...] = ANY
    schemas: tuple[str, ...] = ()
    families: tuple[str, ...] = ANY
    allowed_ips: tuple[str, ...] = ()
    plan: str = Plan.VALID.value
    push_families: str = ""
    push_encryption: str = ""
    redirects: tuple[str, ...] = ()

    @property
    def uid(self) -> str:
        """Return the project's own id, which a token in simple mode carries; nobody's user id."""
        digest = hashlib.sha256(self.access_id.encode("utf-8", "surrogatepass")).hexdigest()
        return f"bay{digest}"[:_UID_LENGTH]

    @property
    def asset_app(self) -> str:
        """Return the name of the app whose users are the project's asset users."""
        return ASSET_APPS + self.access_id

    def owns_app(self, schema: str) -> bool:
        """Tell whether the users of an app are the project's."""
        return schema in self.schemas or schema == self.asset_app

    def enabled_in(self, region: str) -> bool:
        """Tell whether the data centre `region` is enabled for the project."""
        return "*" in self.regions or region in self.regions

    def subscribed(self, family: str) -> bool:
        """Tell whether the project may call the APIs of `family`."""
        return "*" in self.families or family in self.families

    def __repr__(self) -> str:
        """Show whose it is, never the secret."""
        return f"Project({self.access_id!r}, owner={self.owner!r})"


_ACCESS_ID = attrgetter("access_id")


class Projects:
    """All projects."""

    def __init__(self, load: Loader, journal: Journal, entropy: Entropy) -> None:
        """Take the stored projects; new keys are made from `entropy`."""
        self._entropy = entropy
        self._projects: Ledger[Project] = Ledger(Project, load, journal)

    def __len__(self) -> int:
        """Return the number of projects."""
        return len(self._projects)

    def get(self, access_id: str) -> Project | None:
        """Return the project of an access id (the header `client_id`)."""
        return self._projects.get(access_id)

    def all(self) -> list[Project]:
        """Return all projects, sorted by access id."""
        return sorted(self._projects, key=_ACCESS_ID)

    def of_owner(self, account: str) -> list[Project]:
        """Return the projects of a developer account, sorted by access id."""
        return self._those(lambda project: project.owner == account)

    def of_schema(self, schema: str) -> list[Project]:
        """Return the projects that an app schema belongs to; none: no such schema."""
        return self._those(lambda project: schema in project.schemas)

    def add(
        self,
        owner: str,
        name: str,
        *,
        access_id: str = "",
        secret: str = "",
        signing: str = Signing.V2.value,
        regions: tuple[str, ...] = ANY,
        schemas: tuple[str, ...] = (),
        families: tuple[str, ...] = ANY,
        allowed_ips: tuple[str, ...] = (),
        plan: str = Plan.VALID.value,
        push_families: PushFamilies = "",
        push_encryption: PushEncryption = "",
        redirects: tuple[str, ...] = (),
    ) -> Project:
        """Make a project; keys that are not given are drawn.

        Refused when the access id is taken, or a schema belongs to another account.
        """
        if len(self.of_owner(owner)) >= PROJECTS_PER_OWNER_MAX:
            raise Refused(Reason.TOO_MANY, f"an account has {PROJECTS_PER_OWNER_MAX} projects")
        if self.get(access_id) is not None:
            raise Refused(Reason.NAME_TAKEN, "another project has this access id")
        self.check_schemas(owner, schemas)
        return self.put(
            Project(
                access_id=access_id or random_text(self._entropy, _ACCESS_ID_LENGTH, LOWER),
                secret=secret or random_text(self._entropy, _SECRET_LENGTH, _HEX),
                owner=owner,
                name=name,
                signing=signing,
                regions=regions,
                schemas=schemas,
                families=families,
                allowed_ips=allowed_ips,
                plan=plan,
                push_families=push_families,
                push_encryption=push_encryption,
                redirects=redirects,
            )
        )

    def check_schemas(self, owner: str, schemas: Iterable[str]) -> None:
        """Refuse schemas that belong to projects of another account: their users are not ours.

        So are the asset users of any project.
        """
        for schema in schemas:
            if schema.startswith(ASSET_APPS):
                raise Refused(Reason.NAME_TAKEN, f"no app can be called {schema}")
            if any(project.owner != owner for project in self.of_schema(schema)):
                raise Refused(Reason.NAME_TAKEN, f"the app {schema} belongs to another account")

    def put(self, project: Project) -> Project:
        """Replace a project, or add one."""
        return self._projects.put(project)

    def _those(self, wanted: Callable[[Project], bool]) -> list[Project]:
        return [project for project in self.all() if wanted(project)]
