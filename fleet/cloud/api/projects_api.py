"""The console's page of cloud projects: the access keys of an account.

Paths and fields are ours; what can be chosen is what the vendor's page offers ("Create a Cloud
Project" and "IP Allowlist", developer.tuya.com).
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from firmware_sim.wire.structs import Secretive
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Name
from fleet.cloud.open.regions import CODES, check_network
from fleet.cloud.open.routes import Family
from fleet.cloud.projects import ANY, Address, Project, PushEncryption, PushFamilies
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State

ENTRIES_MAX = 100

Entries = Annotated[tuple[Name, ...], Meta(max_length=ENTRIES_MAX)]


class ProjectForm(msgspec.Struct, frozen=True):
    """What can be chosen of a project; `["*"]` stands for all regions or API families.

    Empty `push_families` and `push_encryption` leave the choice to the settings of these names.
    """

    name: Name
    signing: Literal["v1", "v2", "both"] = "v2"
    regions: Entries = ANY
    schemas: Entries = ()
    families: Entries = ANY
    allowed_ips: Entries = ()
    plan: Literal["", "expired", "used_up"] = ""
    push_families: PushFamilies = ""
    push_encryption: PushEncryption = ""
    redirects: Annotated[tuple[Address, ...], Meta(max_length=ENTRIES_MAX)] = ()


class ProjectView(Secretive, frozen=True):
    """A project as its owner sees it, with its keys."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"secret"})

    access_id: str
    secret: str
    name: str
    signing: str
    regions: tuple[str, ...]
    schemas: tuple[str, ...]
    families: tuple[str, ...]
    allowed_ips: tuple[str, ...]
    plan: str
    push_families: str
    push_encryption: str
    redirects: tuple[str, ...]


def see_projects(state: State, call: Call) -> list[ProjectView]:
    """Show the caller's projects."""
    return [_view(project) for project in state.projects.of_owner(call.subject)]


def make_project(state: State, call: Call) -> ProjectView:
    """Make a project with keys of its own."""
    form = _checked(call.body_as(ProjectForm))
    _keep_common_app(state, call.subject, form)
    return _view(state.projects.add(call.subject, **msgspec.structs.asdict(form)))


def change_project(state: State, call: Call) -> ProjectView:
    """Choose anew for a project; its keys stay."""
    project = state.projects.get(call.path["access_id"])
    if project is None or project.owner != call.subject:
        raise Refused(Reason.NOT_FOUND, "you have no such project")
    form = _checked(call.body_as(ProjectForm))
    state.projects.check_schemas(call.subject, form.schemas)
    _keep_common_app(state, call.subject, form)
    changed = msgspec.structs.replace(project, **msgspec.structs.asdict(form))
    return _view(state.projects.put(changed))


def _keep_common_app(state: State, account: str, form: ProjectForm) -> None:
    """Refuse to give the app of people who chose none to whoever asks first: a seed gives it."""
    common = state.settings.app_schema
    holders = {project.owner for project in state.projects.of_schema(common)}
    if common in form.schemas and account not in holders:
        raise Refused(Reason.NAME_TAKEN, f"the app {common} is everybody's; only a seed gives it")


def _checked(form: ProjectForm) -> ProjectForm:
    if not {"*", *CODES} >= {*form.regions}:
        raise Refused(Reason.BAD_REQUEST, f"regions are {', '.join(CODES)} or *")
    if not {"*", *Family} >= {*form.families}:
        raise Refused(Reason.BAD_REQUEST, f"families are {', '.join(Family)} or *")
    try:
        for network in form.allowed_ips:
            check_network(network)
    except UsageError as error:
        raise Refused(Reason.BAD_REQUEST, str(error)) from None
    return form


def _view(project: Project) -> ProjectView:
    return msgspec.convert(project, ProjectView, from_attributes=True)


ROUTES = (
    Route("GET", "/console/v1/projects", Access.ACCOUNT, see_projects),
    Route("POST", "/console/v1/projects", Access.ACCOUNT, make_project),
    Route("PUT", "/console/v1/projects/{access_id}", Access.ACCOUNT, change_project),
)
