"""Settings of the Open API's gateway: time, tokens, order of checks, data centres, limits.

See `fleet.cloud.settings`, which has them all. Published figures are those of the "Open API FAQ",
"Get a Token" and "Limits on API Request Frequency" (developer.tuya.com).
"""

from typing import Annotated, Literal, get_args

from msgspec import Meta

from fleet.cloud.settings_devices import DeviceSettings

Check = Literal[
    "time", "sign", "ip", "cut_off", "token", "centre", "subscription", "plan", "limits", "path"
]
"""What the gateway of the Open API asks of a call."""


class GateSettings(DeviceSettings, frozen=True):
    """Choices about what is asked of a call."""

    open_future_window_s: Annotated[
        int,
        Meta(
            ge=0,
            description="Ours (not published). How far a caller's clock may be ahead; "
            "`signature_window_s` is how far it may be behind.",
        ),
    ] = 300
    open_token_life_s: Annotated[
        int, Meta(ge=1, description="Published: 2 hours. Life of an access token.")
    ] = 7_200
    open_token_same: Annotated[
        bool,
        Meta(
            description="Ours. Who asks again for a token in simple mode gets the same pair with "
            "the seconds that remain (these are observed), and not a new one."
        ),
    ] = True
    open_code_life_s: Annotated[
        int, Meta(ge=1, description="Ours. Life of an authorization code.")
    ] = 600
    open_grant_life_s: Annotated[
        int,
        Meta(
            ge=1,
            description="Published: 2 hours. How long a consumer's consent lasts; no refresh "
            "outlives it.",
        ),
    ] = 7_200
    open_grants_max: Annotated[
        int, Meta(ge=1, description="Ours. Consents of all consumers that are alive.")
    ] = 200_000
    open_joined_headers: Annotated[
        bool,
        Meta(
            description="Ours. Accept signed headers without the last newline, as the Java "
            "connector writes them."
        ),
    ] = True
    open_check_order: Annotated[
        tuple[Check, ...],
        Meta(
            description="Ours, consistent with what is observed. Which objection of the gateway "
            "comes first, after that to an unknown `client_id`; each check once."
        ),
    ] = get_args(Check)
    open_cut_off: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2} \S+\Z")], ...],
        Meta(
            description="Ours. Networks that a data centre does not serve (2007), each as "
            "`EU 203.0.113.0/24`."
        ),
    ] = ()
    open_hosts: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2} \S+\Z")], ...],
        Meta(
            description="Ours. Further host names of data centres, with or without port, each as "
            "`EU eu.cloud.test` or `EU 127.0.0.1:8081`."
        ),
    ] = ()
    open_unsubscribed_code: Annotated[
        Literal[28841101, 28841105, 28841106],
        Meta(
            description="Ours, of three that are observed. How a family is refused that the project "
            "did not subscribe to."
        ),
    ] = 28841101
    open_calls_per_second: Annotated[
        int, Meta(ge=1, description="Published: 500. Calls of one key to one interface.")
    ] = 500
    open_calls_per_day: Annotated[
        int, Meta(ge=1, description="Published: 500,000. Calls of one key, failed ones too.")
    ] = 500_000
    open_calls_day_offset_min: Annotated[
        int,
        Meta(ge=-840, le=840, description="Ours (not published). Zone of that day: 0 is UTC."),
    ] = 0
    open_count_unsigned: Annotated[
        bool,
        Meta(
            description="Published, as we read it: calls count on arrival, failed ones too. Without, "
            "only calls with a valid signature count, so nobody else can use up a key's calls."
        ),
    ] = True
    open_rate_code: Annotated[
        Literal[1110, 1111, 1199],
        Meta(description="Ours. Which of the published codes says that a second's calls are up."),
    ] = 1199
    open_day_code: Annotated[
        Literal[1110, 1111, 1199, 28841004],
        Meta(description="Ours. Which of the published codes says that the day's calls are up."),
    ] = 1199
    open_space_writes_per_second: Annotated[
        int, Meta(ge=1, description="Published: 10. A project's calls that change spaces.")
    ] = 10
    open_space_reads_per_second: Annotated[
        int, Meta(ge=1, description="Published: 20. A project's calls that read spaces.")
    ] = 20
    open_model_reads_per_second: Annotated[
        int, Meta(ge=1, description="Published: 10. A project's reads of thing models.")
    ] = 10
    open_thing_writes_per_second: Annotated[
        int,
        Meta(ge=1, description="Published: 4. A project's actions and settings of properties."),
    ] = 4
    open_property_reads_per_second: Annotated[
        int, Meta(ge=1, description="Published: 50. A project's reads of properties.")
    ] = 50
    open_desired_reads_per_second: Annotated[
        int, Meta(ge=1, description="Published: 10. A project's reads of desired properties.")
    ] = 10
