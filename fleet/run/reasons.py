"""Why a device is not unbound at first, and what tampered firmware tries: the words of a scenario."""

from typing import Literal

Refusal = Literal[
    "token_full",
    "token_dead",
    "no_permission",
    "already_bound",
    "not_bound",
    "account_quota",
    "product_quota",
]
Failure = Literal["wifi_password", "wifi_not_found", "no_network"]
Attack = Literal[
    "foreign_account",
    "no_owner",
    "guess",
    "foreign_uuid",
    "forged_key",
    "foreign_reset",
    "own_reset",
    "skewed_clock",
    "foreign_session",
    "foreign_topics",
    "stale_key",
    "replay",
]
