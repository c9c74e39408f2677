"""The calls that say why somebody may or may not do something with a device.

A person may ask about the own case, and about anybody's on devices of the own products; beyond
that nobody learns which devices there are. The admin may ask everything.
"""

import msgspec

from fleet.cloud.api.router import Access, Call, Route
from fleet.cloud.api.shapes import Id, Name
from fleet.cloud.devices import Device
from fleet.cloud.explain import Explanation, explain
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.rights import Action, claims_by_grant, standing_at_home
from fleet.cloud.state import State


class Question(msgspec.Struct, frozen=True):
    """Whether `account` (the caller's own when left out) may do `action` with `device`."""

    action: Action
    device: Id
    account: Name = ""


def explain_to_account(state: State, call: Call) -> Explanation:
    """Explain it to an account."""
    question = call.query_as(Question)
    who = question.account or call.subject
    device = state.devices.by_dev_id(question.device) or state.devices.get(question.device)
    if device is None or not _may_ask(state, call, who, device):
        return _nothing(who, question)
    return explain(state, who, question.action, question.device, call.now_ms)


def explain_to_consumer(state: State, call: Call) -> Explanation:
    """Explain it to a consumer, who asks about the own case."""
    question = call.query_as(Question)
    if question.account not in {"", call.subject}:
        raise Refused(Reason.NO_PERMISSION, "ask about yourself")
    device = state.devices.by_dev_id(question.device)
    if device is None or standing_at_home(state, call.subject, device) is None:
        return _nothing(call.subject, question)
    return explain(state, call.subject, question.action, question.device, call.now_ms)


def explain_to_admin(state: State, call: Call) -> Explanation:
    """Explain it whoever is meant."""
    question = call.query_as(Question)
    if not question.account:
        raise Refused(Reason.BAD_REQUEST, "about whom? give an account")
    return explain(state, question.account, question.action, question.device, call.now_ms)


def _may_ask(state: State, call: Call, who: str, device: Device) -> bool:
    product = state.products.get(device.product_id)
    if product is not None and product.owner == call.subject:
        return True
    if who != call.subject:
        return False
    granted = any(True for _ in claims_by_grant(state, who, device))
    return granted or explain(state, who, Action.SEE, device.uuid, call.now_ms).allowed


def _nothing(who: str, question: Question) -> Explanation:
    lines = [
        f"{who} may not {question.action} {question.device}",
        "you have no claim on such a device: it does not exist, or is somebody else's business",
    ]
    return Explanation(allowed=False, lines=lines)


ROUTES = (
    Route("GET", "/console/v1/explain", Access.ACCOUNT, explain_to_account),
    Route("GET", "/app/v1/explain", Access.CONSUMER, explain_to_consumer),
    Route("GET", "/admin/v1/explain", Access.ADMIN, explain_to_admin),
)
