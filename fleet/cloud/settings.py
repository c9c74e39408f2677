"""Every named setting of the cloud: its range, its default and where the default comes from.

"Published" is what the vendor's documents state (developer.tuya.com: "Unbind Smart Devices",
"Pair with QR Code on App", "Generate Pairing Token", the Open API FAQ); "ours" is a choice where
nothing is published. Ranges are checked by `check_settings`; the README's table is
made by `settings_table`. Those of one subject are classes of their own, one below the other:
`settings_core`, `settings_gate`, and the rest here.
"""

from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from fleet.cloud.settings_mqtt import MqttSettings

DAY_MS = 86_400_000
_SECRETS = frozenset({"admin_secret", "broker_auth_secret"})


class Settings(MqttSettings, frozen=True):
    """What the operator of an emulated cloud may choose; one field per choice."""

    # --- Open API: devices ----------------------------------------------------------------------
    dp_log_rows_max: Annotated[
        int, Meta(ge=1, description="Ours. Reports and commands kept over all devices.")
    ] = 50_000
    dp_log_rows_per_device_max: Annotated[
        int, Meta(ge=0, description="Ours. Reports and commands kept of one device; 0 keeps none.")
    ] = 200
    open_list_ids_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours, as a client library remarks. Devices of which one call may read "
            "data or status.",
        ),
    ] = 20
    open_factory_ids_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Published: 20; a client sends 50. Devices whose factory data one call may "
            "read.",
        ),
    ] = 50
    open_delete_reset_kind: Annotated[
        Literal["reset", "reset_factory"],
        Meta(description="Ours. What a device erases that a program deletes or unbinds."),
    ] = "reset"
    open_unbind_event_id: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description="Ours. Event of the Open API's log as which a batch unbinding shows; "
            "0 shows none.",
        ),
    ] = 4
    open_frozen_commands: Annotated[
        bool,
        Meta(
            description="Ours (not published). Whether a frozen device takes commands; otherwise "
            "they are refused (1103)."
        ),
    ] = False
    open_registration_life_s: Annotated[
        int,
        Meta(
            ge=1,
            description="Published: 300, in an example. Life of a pairing token of the industry "
            "family; the other calls give `pair_token_life_s`.",
        ),
    ] = 300
    open_desired_life_s_max: Annotated[
        int, Meta(ge=1, description="Ours. Longest life of a desired value.")
    ] = 30 * DAY_MS // 1000
    open_foreign_uuid_code: Annotated[
        Literal[0, 1106],
        Meta(
            description="Ours, of two that are published. Answer to a look-up by uuid of somebody "
            "else's device: 0 is null, as for a device that does not exist."
        ),
    ] = 0
    # --- message push ---------------------------------------------------------------------------
    push_retention_s: Annotated[
        int, Meta(ge=1, description="Published: 2 hours. How long an unread push message is kept.")
    ] = 7_200
    push_messages_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Unread push messages kept of one topic; the oldest go first.",
        ),
    ] = 50_000
    push_size_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. Characters of these messages together; the newest is kept in any case.",
        ),
    ] = 64 * 1024 * 1024
    push_encryption: Annotated[
        Literal["aes_ecb", "aes_gcm"],
        Meta(
            description="Published, both: message version 1.0.0 and 2.0.0. The Python connector "
            "knows the first only. For projects that do not choose."
        ),
    ] = "aes_ecb"
    push_families: Annotated[
        Literal["legacy", "iot_core", "both"],
        Meta(
            description="Published, all: which forms of a message are told; with both each "
            "happening is told twice. For projects that do not choose."
        ),
    ] = "legacy"
    push_consumers_max: Annotated[
        int, Meta(ge=1, description="Ours. Consumers of one topic, the active one included.")
    ] = 16
    push_window_max: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            description="Ours, as Apache Pulsar has it. Messages sent ahead of their "
            "acknowledgements; a consumer may ask for less (`receiverQueueSize`).",
        ),
    ] = 1_000
    push_ack_timeout_ms: Annotated[
        int,
        Meta(
            ge=0,
            description="Ours, as Apache Pulsar has it. When messages are sent again to a consumer "
            "that names no `ackTimeoutMillis`; 0: when it is gone.",
        ),
    ] = 0
    push_redeliveries_max: Annotated[
        int,
        Meta(
            ge=1,
            description="Ours. A message that was sent again so often to a consumer which has "
            "acknowledged nothing since ends that consumer, for another to take over.",
        ),
    ] = 20
    # --- rights ---------------------------------------------------------------------------------
    home_member_removes: Annotated[
        bool,
        Meta(
            description="Ours (not published). Whether a plain member of a home may remove its "
            "devices as its owner and administrators do."
        ),
    ] = False
    open_grantee_projects: Annotated[
        bool,
        Meta(
            description="Ours (not published). Whether projects of partners and members of a space "
            "may do with devices what the grant of their account holds."
        ),
    ] = False
    pid_transfer_rule: Annotated[
        Literal["2022", "2024"],
        Meta(
            description="Published, both. Whether the first owner of a product that was passed on "
            "can be granted unbinding (2022), or is granted it with the transfer (2024)."
        ),
    ] = "2024"
    products_per_owner_max: Annotated[
        int, Meta(ge=1, description="Ours. Products of an account that still accepts OEM links.")
    ] = 1_000
    oem_links_per_owner_max: Annotated[
        int, Meta(ge=1, description="Ours. OEM links of one account that are not revoked.")
    ] = 1_000
    # --- users, homes, spaces -------------------------------------------------------------------
    app_schema: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_-]{1,64}\Z",
            description="Ours. The app of consumers who register themselves or come with a seed "
            "that names none.",
        ),
    ] = "fleet"
    user_delete_days: Annotated[
        int,
        Meta(ge=0, description="Published: 7. Days until a user is deleted who is to be."),
    ] = 7
    open_app_countries: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2} \d{1,4}\Z")], ...],
        Meta(
            description="Ours (not published). Country codes that may register in a data centre, "
            "each as `AY 86`, others are refused there (2403); one that is not named takes all."
        ),
    ] = ()
    first_home_name: Annotated[
        str,
        Meta(min_length=1, max_length=64, description="Ours. Name of a home that had to be made."),
    ] = "My Home"
    homes_per_user_max: Annotated[
        int, Meta(ge=1, description="Ours. Homes that one consumer may own.")
    ] = 20
    home_members_max: Annotated[
        int, Meta(ge=0, description="Ours. Members of a home besides its owner.")
    ] = 50
    home_rooms_max: Annotated[int, Meta(ge=0, description="Ours. Rooms of a home.")] = 100
    spaces_per_project_max: Annotated[
        int, Meta(ge=1, description="Ours. Spaces of one project.")
    ] = 10_000
    open_statistics_day_offset_min: Annotated[
        int,
        Meta(ge=-840, le=840, description="Ours (not published). Zone of a day in statistics."),
    ] = 0
    # --- logins of users, their consent and their MQTT ------------------------------------------
    open_login_wrong_code: Annotated[
        Literal[1106, 2401],
        Meta(
            description="Published, both. Answer to an app user who logs in with a wrong name or "
            "password; asset users get 2401."
        ),
    ] = 2401
    open_mqtt_life_s: Annotated[
        int,
        Meta(
            ge=120,
            description="Published: 7200, in an example. Life of the credentials of an app's MQTT "
            "connection, which ends with them.",
        ),
    ] = 7_200
    open_mqtt_links_max: Annotated[
        int, Meta(ge=1, description="Ours. Such credentials of all users that are alive.")
    ] = 10_000
    open_mqtt_links_per_user_max: Annotated[
        int,
        Meta(ge=1, description="Ours. Such credentials of one user; the oldest end for new ones."),
    ] = 20

    def __repr__(self) -> str:
        """Show the choices, never a secret."""
        shown = (
            f"{name}={'***' if name in _SECRETS else repr(getattr(self, name))}"
            for name in self.__struct_fields__
        )
        return f"Settings({', '.join(shown)})"


def check_settings(settings: Settings) -> None:
    """Raise UsageError that names the setting which is out of its range."""
    try:
        msgspec.convert(msgspec.to_builtins(settings), Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"settings of the cloud: {error}") from None


def settings_table() -> str:
    """Return the settings as a Markdown table: name, default, meaning."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(Settings):
        meta: Meta = next(a for a in hints[field.name].__metadata__ if isinstance(a, Meta))
        base = get_args(hints[field.name])[0]
        choices = " \\| ".join(map(str, get_args(base))) if get_origin(base) is Literal else ""
        meaning = f"{meta.description} ({choices})" if choices else f"{meta.description}"
        rows.append(f"| `{field.name}` | `{field.default!r}` | {meaning} |")
    return "\n".join(rows) + "\n"
