"""Settings of a device's life with the cloud: old firmware, repeated activations, first tokens.

See `fleet.cloud.settings`, which has them all.
"""

from typing import Annotated, Literal

from msgspec import Meta

from fleet.cloud.settings_core import CoreSettings


class DeviceSettings(CoreSettings, frozen=True):
    """Choices about what devices call and are told."""

    serve_oldest_firmware: Annotated[
        bool,
        Meta(
            description="Ours. Whether calls to `/gw.json` are answered: that firmware wants its "
            "keys in the clear."
        ),
    ] = True
    refuse_replayed_activations: Annotated[
        bool,
        Meta(
            description="Ours. Whether an activation is refused that a device signed before its last "
            "one: somebody else repeats it, or the device's clock was put back. A device whose clock "
            "was ahead at its last activation, by `signature_window_s` at most, is refused until it is "
            "later than it had believed; without this, a repeated activation passes that long."
        ),
    ] = True
    first_message_version: Annotated[
        Literal["both", "2.2", "2.3"],
        Meta(
            description="Ours. Payload version of a token (protocol 46) for a device that has never "
            "said which it reads; of both it drops the one that it cannot read."
        ),
    ] = "both"
    firmware_versions_per_product_max: Annotated[
        int, Meta(ge=1, description="Ours. Versions of firmware kept of one product.")
    ] = 100
    sub_devices_per_gateway_max: Annotated[
        int,
        Meta(
            ge=1,
            le=1024,
            description="Published: 128. Sub-devices of one gateway, those included that were removed "
            "and would get their old id again; of these the oldest goes first.",
        ),
    ] = 128
