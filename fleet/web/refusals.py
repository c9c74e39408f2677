"""What the emulated cloud refuses, as a person reads it: the sentence, and what can be done.

The sentence is the cloud's own; the advice is for somebody who sits before a page and knows its
names. The same words stand beside a refused call and beside a refused row of the history.
"""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from fleet.app.errors import CloudRefused
from fleet.cloud.api.envelope import MESSAGES
from fleet.cloud.reasons import Reason
from fleet.web.routes import REFUSED, Failed

ADVICE: Mapping[Reason, str] = {
    Reason.TOKEN_DEAD: "Make a new code, and show that one.",
    Reason.TOKEN_FULL: "Make another code for the devices that are left.",
    Reason.DEVICE_UNKNOWN: "Look whether the device is registered at this cloud.",
    Reason.NOT_BOUND: "It belongs to nobody: there is nothing to unbind, and for anything else "
    "it has to be paired first.",
    Reason.NO_PERMISSION: "Log in as somebody who may, or have the owner of the product grant it: "
    "unbinding takes the development right, or a role such as After sale. A device whose name is "
    "mistyped is refused alike.",
    Reason.ACCOUNT_QUOTA: "Raise the account's limit by a ticket, work on as another account, or "
    "wait until tomorrow.",
    Reason.PRODUCT_QUOTA: "Have the owner of the product raise its limit by a ticket, or wait until "
    "tomorrow.",
    Reason.ALREADY_BOUND: "Unbind the device first, or have its owner remove it.",
    Reason.PRODUCT_MISMATCH: "The device has the firmware of another product: load the right one.",
    Reason.NOT_WAITING: "Hold the reset button until the light shows that the device waits.",
    Reason.BAD_SIGN: "The device has other keys than the cloud: register it anew.",
    Reason.STALE_TIME: "Set the clock of the device, or of this machine.",
    Reason.REPLAYED: "Hold the reset button again, so that the device signs a new request.",
    Reason.GATEWAY_NOT_EXISTS: "Pair the device again.",
    Reason.REPLY_TOO_LARGE: "Shorten the description of the product, or update the firmware.",
    Reason.BAD_REQUEST: "Correct what was typed in.",
    Reason.TOO_LARGE: "Send less at once.",
    Reason.BAD_LOGIN: "Check name and password.",
    Reason.NO_SESSION: "Log in again.",
    Reason.NAME_TAKEN: "Choose another name.",
    Reason.NOT_FOUND: "Check the name, or load the list anew: somebody else may have changed it.",
    Reason.TOO_MANY: "Cancel or delete one that is no longer needed.",
}


def sentence(code: str) -> str:
    """Return what a reason of the cloud says; the code itself if it is none that is known."""
    return MESSAGES[Reason(code)] if code in _KNOWN else code


def advice(code: str) -> str:
    """Return what can be done about a reason; "" if it is none that is known."""
    return ADVICE[Reason(code)] if code in _KNOWN else ""


def reply(refusal: CloudRefused) -> Response:
    """Return the reply to a call that the cloud refused."""
    said = Failed(refusal.message or sentence(refusal.code), refusal.code, advice(refusal.code))
    return Response(msgspec.json.encode(said), REFUSED, media_type="application/json")


_KNOWN = frozenset(Reason)
