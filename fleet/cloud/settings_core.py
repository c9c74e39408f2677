"""Settings of pairing, unbinding, people and what is kept: the part that was there first.

See `fleet.cloud.settings`, which has them all.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_DAY_S = 86_400


class CoreSettings(msgspec.Struct, frozen=True):
    """Choices about devices, people and records."""

    region: Annotated[
        Literal["AY", "AZ", "EU", "IN", "UE"],
        Meta(description="Published names. First part of a token; which centre a device asks for."),
    ] = "EU"
    token_secret: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9_]{4}\Z", description="Published example. Last part of a token."),
    ] = "pr_0"  # noqa: S105 - the name of an environment, not a secret
    time_zone: Annotated[
        str,
        Meta(
            pattern=r"^[+-]\d\d:\d\d\Z",
            description="Ours. `stdTimeZone` given to devices; firmware needs one.",
        ),
    ] = "+00:00"
    pair_token_life_s: Annotated[
        int, Meta(ge=1, description="Published: 10 minutes. Life of a pairing token.")
    ] = 600
    unbind_token_life_s: Annotated[
        int, Meta(ge=1, description="Ours. Default life of an unbinding token.")
    ] = 600
    unbind_token_life_s_max: Annotated[
        int, Meta(ge=1, description="Ours. Longest life an operator may ask for.")
    ] = _DAY_S
    unbind_devices_per_token_max: Annotated[
        int, Meta(ge=1, description="Published: 30. Devices one unbinding token can release.")
    ] = 30
    unbind_mode: Annotated[
        Literal["reset", "refuse"],
        Meta(
            description="Ours. How a device learns that it was unbound: it activates under no owner "
            "and is then told to reset, or its activation is refused as no longer existing."
        ),
    ] = "reset"
    unbind_reset_kind: Annotated[
        Literal["reset", "reset_factory"],
        Meta(description="Ours. What an unbound device is told to erase."),
    ] = "reset"
    wipe_on_new_owner: Annotated[
        bool,
        Meta(
            description="Published. An activation under another owner than the last one carries "
            "`resetFactory`."
        ),
    ] = True
    account_quota_per_day: Annotated[
        int, Meta(ge=0, description="Published: 100. Devices one account may unbind in a day.")
    ] = 100
    product_quota_per_day: Annotated[
        int, Meta(ge=0, description="Published: 100. Devices of one product unbound in a day.")
    ] = 100
    quota_limit_max: Annotated[
        int, Meta(ge=0, description="Ours. Highest limit that a ticket can ask for.")
    ] = 1_000_000
    quota_day_offset_min: Annotated[
        int,
        Meta(
            ge=-840, le=840, description="Ours (not published). Zone of the quota's day: 0 is UTC."
        ),
    ] = 0
    quota_days_kept: Annotated[
        int, Meta(ge=1, description="Ours. Days after which a quota's use is forgotten.")
    ] = 31
    wrong_passwords_free: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Wrong passwords for one name (account, consumer, guest of the broker) "
            "that cost nothing within a quarter of an hour; of all names together ten times as many.",
        ),
    ] = 10
    wrong_password_wait_s_max: Annotated[
        int,
        Meta(
            ge=0,
            description="Ours. After these, no password for that name is looked at for 1, 2, 4, ... "
            "and at most so many seconds; 0: nobody waits.",
        ),
    ] = 60
    signature_window_s: Annotated[
        int,
        Meta(
            ge=1,
            description="Published for the Open API: 5 minutes, here for device calls too. How far "
            "a caller's clock may be away from ours.",
        ),
    ] = 300
    session_life_s: Annotated[
        int, Meta(ge=1, description="Ours. Life of a login of the console or the consumer app.")
    ] = 7 * _DAY_S
    sessions_per_subject_max: Annotated[
        int, Meta(ge=1, description="Ours. Logins of one person; a new one ends the oldest.")
    ] = 16
    password_iterations: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. PBKDF2 rounds. Small, because an emulator registers thousands of "
            "test users with throw-away passwords; raise it (600,000) for real ones.",
        ),
    ] = 1_000
    admin_secret: Annotated[
        str, Meta(description="Ours. Bearer secret of the admin API; empty closes that API.")
    ] = ""
    tokens_per_subject_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Tokens of one person that are alive or remembered; a new one pushes "
            "out a dead one.",
        ),
    ] = 1_000
    pair_tokens_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Pairing tokens of all consumers that are alive or remembered; a new "
            "one pushes out the oldest.",
        ),
    ] = 200_000
    users_max: Annotated[int, Meta(ge=1, description="Ours. Consumers that may register.")] = (
        200_000
    )
    grants_per_owner_max: Annotated[
        int, Meta(ge=1, description="Ours. Grants, and custom roles, that one owner may give.")
    ] = 1_000
    history_rows_max: Annotated[
        int, Meta(ge=1, description="Ours. Operation history kept; the oldest rows go first.")
    ] = 200_000
    device_log_rows_max: Annotated[
        int, Meta(ge=1, description="Ours. Device log kept over all devices.")
    ] = 200_000
    device_log_rows_per_device_max: Annotated[
        int, Meta(ge=1, description="Ours. Device log kept for one device.")
    ] = 100
    page_rows_max: Annotated[
        int, Meta(ge=1, description="Ours. Rows in one page of history or log.")
    ] = 500
    body_size_max: Annotated[int, Meta(ge=1_024, description="Ours. Bytes of a request body.")] = (
        65_536
    )
    dp_values_size_max: Annotated[
        int, Meta(ge=2, description="Ours. Bytes of JSON kept as one device's last data points.")
    ] = 4_096
