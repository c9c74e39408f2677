"""Why the cloud says no: one name per refusal, used by services, history, console and devices.

Services raise `Refused` with a reason and know nothing of codes on a wire; the one table that
translates a reason is in `fleet.cloud.api.envelope`.
"""

from enum import StrEnum

from firmware_sim.errors import PeerError


class Reason(StrEnum):
    """The refusals, in the words that history rows and the console show."""

    # Binding and unbinding.
    TOKEN_DEAD = "token_dead"  # noqa: S105 - the name of a reason, not a secret
    TOKEN_FULL = "token_full"  # noqa: S105
    DEVICE_UNKNOWN = "device_unknown"
    NOT_BOUND = "not_bound"
    NO_PERMISSION = "no_permission"
    ACCOUNT_QUOTA = "account_quota"
    PRODUCT_QUOTA = "product_quota"
    ALREADY_BOUND = "already_bound"
    PRODUCT_MISMATCH = "product_mismatch"
    NOT_WAITING = "not_waiting"
    # A device's call as such.
    BAD_SIGN = "bad_sign"
    STALE_TIME = "stale_time"
    REPLAYED = "replayed"
    GATEWAY_NOT_EXISTS = "gateway_not_exists"
    REPLY_TOO_LARGE = "reply_too_large"
    # Requests of people.
    BAD_REQUEST = "bad_request"
    TOO_LARGE = "too_large"
    BAD_LOGIN = "bad_login"
    NO_SESSION = "no_session"
    NAME_TAKEN = "name_taken"
    NOT_FOUND = "not_found"
    TOO_MANY = "too_many"


class Refused(PeerError):
    """The peer asked for what it may not have. Nothing was changed but the record of the refusal.

    `detail` is for the person who asked and holds no secret.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Refuse for `reason`."""
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
