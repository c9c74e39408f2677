"""The Open API's numbered refusals and their exact words: the one table of both.

Words are on the wire as they stand here, slips of the pen included, because programs compare
them: tinytuya looks for "token invalid" in the text of any answer. Sources: "Global Error Codes"
(developer.tuya.com); the legacy Java SDK (tuya/tuya-cloud-sdk-java,
src/main/java/com/tuya/api/common/ErrorCode.java); answers of the real service as quoted in
jasonacox/tinytuya 330, 346 and 660 and in tuya/tuya-home-assistant 635.
"""

from collections.abc import Mapping
from enum import IntEnum

from firmware_sim.errors import PeerError, TooLarge
from fleet.cloud.reasons import Reason, Refused


class Code(IntEnum):
    """Every code that the Open API can answer with."""

    # Gateway and token.
    SYSTEM_ERROR = 500
    DATA_NOT_EXIST = 1000
    SECRET_INVALID = 1001
    TOKEN_NULL = 1002
    GRANT_TYPE_INVALID = 1003
    SIGN_INVALID = 1004
    CLIENT_ID_INVALID = 1005
    CONTENT_TYPE_UNSUPPORTED = 1006
    KEY_UNSUPPORTED = 1007
    ACCESS_INVALID = 1008
    TOKEN_INVALID = 1010
    TOKEN_UNKNOWN = 1011
    TOKEN_STATUS_INVALID = 1012
    TIME_INVALID = 1013
    PARAM_EMPTY = 1100
    PARAM_RANGE = 1101
    PARAM_NULL = 1102
    COMMANDS_ISSUE_ERROR = 1103
    TYPE_INCORRECT = 1104
    HEADER_MISSING = 1105
    PERMISSION_DENY = 1106
    CODE_INVALID = 1107
    PATH_INVALID = 1108
    PARAM_ILLEGAL = 1109
    CONCURRENT_OVER_LIMIT = 1110
    SYSTEM_BUSY = 1111
    USER_SYNCING = 1112
    REPEATED_TOO_SOON = 1113
    IP_DENIED = 1114
    TOO_FREQUENT = 1199
    TICKET_TOKEN_INVALID = 1400
    # Devices, users, homes.
    DEVICE_OFFLINE = 2001
    USER_WITHOUT_DEVICES = 2002
    FUNCTION_UNSUPPORTED = 2003
    LOCK_TYPE_UNSUPPORTED = 2004
    PRODUCT_NOT_EXIST = 2005
    USER_NOT_EXIST = 2006
    CROSS_REGION = 2007
    COMMAND_UNSUPPORTED = 2008
    DEVICE_UNSUPPORTED = 2009
    DEVICE_NOT_EXIST = 2010
    APPLICATION_UNSUPPORTED = 2012
    TIMER_FAILED = 2013
    NO_TIMERS = 2014
    CATEGORY_UNSUPPORTED = 2015
    REMOTE_CONTROL_GONE = 2016
    SCHEMA_NOT_EXIST = 2017
    DECRYPT_FAILED = 2018
    OVER_TWO_HOURS = 2019
    THIRD_PARTY_ONLY = 2020
    EMAIL_ILLEGAL = 2021
    PHONE_ILLEGAL = 2022
    USER_EXISTS = 2023
    FILE_PATH_NOT_STANDARD = 2024
    FILE_PATH_MISMATCH = 2025
    IP_NOT_FOUND = 2026
    SIZE_TOO_LARGE = 2027
    PASSWORD_WRONG = 2401
    COUNTRY_CODE_INVALID = 2402
    COUNTRY_CODE_UNSUPPORTED = 2403
    TICKET_INVALID = 2405
    SKILL_ID_INVALID = 2406
    REGION_UNSUPPORTED = 2410
    HOME_NOT_EXIST = 2501
    ROOM_NOT_EXIST = 2502
    SCENE_NOT_EXIST = 2503
    USER_IN_OTHER_COUNTRY = 2504
    USER_RELATION_ERROR = 2505
    MEMBER_NOT_REGISTERED = 2506
    MEMBER_IN_FAMILY = 2507
    MEMBER_NOT_ADMIN = 2508
    MEMBER_NOT_EXIST = 2509
    # Project, plan and quota.
    NO_ACCESS_TO_API = 4001
    NO_PERMISSIONS = 28841001
    PLAN_EXPIRED = 28841002
    TRIAL_USED_UP = 28841004
    API_NOT_SUBSCRIBED = 28841101
    API_NOT_AUTHORIZED = 28841105
    API_NOT_SUBSCRIBED_EITHER = 28841106
    DATA_CENTRE_SUSPENDED = 28841107

    @property
    def text(self) -> str:
        """Return the words that go with the code."""
        return MESSAGES[self]


_NOT_SUBSCRIBED = "No permissions. This API is not subscribed."

MESSAGES: Mapping[Code, str] = {
    Code.SYSTEM_ERROR: "system error,please contact the admin",
    Code.DATA_NOT_EXIST: "data not exist",
    Code.SECRET_INVALID: "secret invalid",
    Code.TOKEN_NULL: "access_token is null",
    Code.GRANT_TYPE_INVALID: "grant type invalid",
    Code.SIGN_INVALID: "sign invalid",
    Code.CLIENT_ID_INVALID: "clientId invalid",
    Code.CONTENT_TYPE_UNSUPPORTED: "not support content type",
    Code.KEY_UNSUPPORTED: "not support key",
    Code.ACCESS_INVALID: "invalid access",
    Code.TOKEN_INVALID: "token invalid",
    Code.TOKEN_UNKNOWN: "token invalid",
    Code.TOKEN_STATUS_INVALID: "token status is invalid",
    Code.TIME_INVALID: "request time is invalid",
    Code.PARAM_EMPTY: "param is empty",
    Code.PARAM_RANGE: "params range invalid",
    Code.PARAM_NULL: "param is null",
    Code.COMMANDS_ISSUE_ERROR: "commands issue error",
    Code.TYPE_INCORRECT: "type is incorrect",
    Code.HEADER_MISSING: "missing the header",
    Code.PERMISSION_DENY: "permission deny",
    Code.CODE_INVALID: "code invalid",
    Code.PATH_INVALID: "uri path invalid",
    Code.PARAM_ILLEGAL: "param is illegal, please check it",
    Code.CONCURRENT_OVER_LIMIT: "concurrent request over limit",
    Code.SYSTEM_BUSY: "system is busy, please retry later",
    Code.USER_SYNCING: "the user is syncing in the background, please try again later",
    Code.REPEATED_TOO_SOON: "do not repeat the operation in a short time",
    Code.IP_DENIED: "your ip don't have access to this API",
    Code.TOO_FREQUENT: "your requests are too frequent",
    Code.TICKET_TOKEN_INVALID: "token invalid",
    Code.DEVICE_OFFLINE: "device is offline",
    Code.USER_WITHOUT_DEVICES: "this user dosen`t have any devices",
    Code.FUNCTION_UNSUPPORTED: "function not support",
    Code.LOCK_TYPE_UNSUPPORTED: "not support the lock type",
    Code.PRODUCT_NOT_EXIST: "product not exist",
    Code.USER_NOT_EXIST: "user not exist",
    Code.CROSS_REGION: "device token expired",
    Code.COMMAND_UNSUPPORTED: "command or value not support",
    Code.DEVICE_UNSUPPORTED: "not support this device",
    Code.DEVICE_NOT_EXIST: "device not exist",
    Code.APPLICATION_UNSUPPORTED: "application not support",
    Code.TIMER_FAILED: "add timer failed",
    Code.NO_TIMERS: "this device dosen`t have any timers",
    Code.CATEGORY_UNSUPPORTED: "this category is not supported",
    Code.REMOTE_CONTROL_GONE: "remote control is removed or does not exist",
    Code.SCHEMA_NOT_EXIST: "schema does not exist",
    Code.DECRYPT_FAILED: "data decrypt failed",
    Code.OVER_TWO_HOURS: "time over two hours",
    Code.THIRD_PARTY_ONLY: "Only third-party clouds are supported",
    Code.EMAIL_ILLEGAL: "Illegal email",
    Code.PHONE_ILLEGAL: "Illegal phone",
    Code.USER_EXISTS: "user exist",
    Code.FILE_PATH_NOT_STANDARD: "device file path is not standardized",
    Code.FILE_PATH_MISMATCH: "device and file path mismatch",
    Code.IP_NOT_FOUND: "ip failed to get",
    Code.SIZE_TOO_LARGE: "size too large",
    Code.PASSWORD_WRONG: "username or password wrong",
    Code.COUNTRY_CODE_INVALID: "country code invalid",
    Code.COUNTRY_CODE_UNSUPPORTED: "country code not support this area",
    Code.TICKET_INVALID: "ticket invalid",
    Code.SKILL_ID_INVALID: "skill id invalid",
    Code.REGION_UNSUPPORTED: "region not support",
    Code.HOME_NOT_EXIST: "home not exist",
    Code.ROOM_NOT_EXIST: "room not exist",
    Code.SCENE_NOT_EXIST: "scene not exist",
    Code.USER_IN_OTHER_COUNTRY: "user in different country",
    Code.USER_RELATION_ERROR: "user relation is error",
    Code.MEMBER_NOT_REGISTERED: "the member is not register",
    Code.MEMBER_IN_FAMILY: "the member is in family",
    Code.MEMBER_NOT_ADMIN: "the member must is admin in family",
    Code.MEMBER_NOT_EXIST: "the member is not exist",
    Code.NO_ACCESS_TO_API: "you don't have access to this API",
    Code.NO_PERMISSIONS: "No permissions",
    Code.PLAN_EXPIRED: ("No permissions. Your subscription to cloud development plan has expired."),
    Code.TRIAL_USED_UP: "No permissions. Your quota of Trial Edition is used up.",
    Code.API_NOT_SUBSCRIBED: _NOT_SUBSCRIBED,
    Code.API_NOT_AUTHORIZED: "No permissions. This project is not authorized to call this API",
    Code.API_NOT_SUBSCRIBED_EITHER: _NOT_SUBSCRIBED,
    Code.DATA_CENTRE_SUSPENDED: (
        "No permission. The data center is suspended.Please go to the cloud development platform "
        "to enable the data center. "
    ),
}

# What a rule of the cloud refuses for all its callers, in the Open API's numbers. The rest never
# happens to a program that was let in, or is a request without form.
_REASONS: Mapping[Reason, Code] = {
    Reason.DEVICE_UNKNOWN: Code.PERMISSION_DENY,
    Reason.NOT_BOUND: Code.PERMISSION_DENY,
    Reason.NO_PERMISSION: Code.PERMISSION_DENY,
    Reason.NOT_FOUND: Code.PERMISSION_DENY,
    Reason.NAME_TAKEN: Code.USER_EXISTS,
    Reason.TOO_LARGE: Code.SIZE_TOO_LARGE,
    Reason.TOO_MANY: Code.PARAM_RANGE,
    Reason.BAD_LOGIN: Code.PASSWORD_WRONG,
}


class OpenRefused(PeerError):
    """The Open API says no, with a code; `msg` replaces the code's own words."""

    def __init__(self, code: Code, msg: str | None = None) -> None:
        """Refuse with `code`."""
        self.code = code
        self.msg = code.text if msg is None else msg
        super().__init__(f"{code.value}: {self.msg}")


def ip_denied(ip: str) -> OpenRefused:
    """Return the refusal of a caller who is not on the project's list of addresses."""
    return OpenRefused(Code.IP_DENIED, f"your ip({ip}) don't have access to this API")


def cross_region(ip: str) -> OpenRefused:
    """Return the refusal of a caller whose address is cut off from this data centre."""
    return OpenRefused(Code.CROSS_REGION, f"your ip({ip}) cross-region access is not allowed")


def refusal_of(error: PeerError) -> OpenRefused:
    """Return `error` as a refusal of the Open API: its own, its reason's, or that of bad form."""
    if isinstance(error, OpenRefused):
        return error
    if isinstance(error, Refused):
        return OpenRefused(_REASONS.get(error.reason, Code.PARAM_ILLEGAL))
    return OpenRefused(Code.SIZE_TOO_LARGE if isinstance(error, TooLarge) else Code.PARAM_ILLEGAL)
