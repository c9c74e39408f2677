"""The consent step: a consumer lets a developer's project act in the own name.

The project then redeems the code for tokens (`GET /v1.0/token?grant_type=2`). Paths and fields are
ours: the vendor's step is a page of its app ("OAuth", developer.tuya.com), which shows who asks
and, on consent, hands out the code. No consent can be taken back; it ends by itself.
"""

from typing import ClassVar

import msgspec

from firmware_sim.wire.structs import Secretive
from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Name
from fleet.cloud.projects import Project
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State


class ConsentForm(msgspec.Struct, frozen=True):
    """To whom the caller consents."""

    access_id: Name


class Asker(msgspec.Struct, frozen=True):
    """A project as those see it whom it asks for consent; `owner` is its developer account."""

    access_id: str
    name: str
    owner: str


class ConsentCode(Secretive, frozen=True):
    """The code that the project redeems, and until when (ms)."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"code"})

    code: str
    expires_ms: int


def see_asker(state: State, call: Call) -> Asker:
    """Show who asks, for the caller to decide."""
    return _asker(_project(state, call.path["access_id"]))


def consent(state: State, call: Call) -> ConsentCode:
    """Make a code by which a project may act for the caller; an earlier one ends."""
    project = _project(state, call.body_as(ConsentForm).access_id)
    code = state.open_tokens.consent(project.access_id, call.subject, call.now_ms)
    return ConsentCode(code.code, code.expires_ms)


def see_consents(state: State, call: Call) -> list[Asker]:
    """Show which projects may act for the caller now."""
    access_ids = state.open_tokens.granted_by(call.subject, call.now_ms)
    return [_asker(_project(state, access_id)) for access_id in access_ids]


def _project(state: State, access_id: str) -> Project:
    project = state.projects.get(access_id)
    if project is None:
        raise Refused(Reason.NOT_FOUND, "no project has this access id")
    return project


def _asker(project: Project) -> Asker:
    return Asker(project.access_id, project.name, project.owner)


ROUTES = (
    Route("GET", "/app/v1/consents", Access.CONSUMER, see_consents),
    Route("POST", "/app/v1/consents", Access.CONSUMER, consent),
    Route("GET", "/app/v1/consents/{access_id}", Access.CONSUMER, see_asker),
)
