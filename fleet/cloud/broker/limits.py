"""Limits and times of the broker that hold for every connection, a device's above all.

What guests may use in addition comes from their directory (`fleet.cloud.happenings.GuestLimits`).
"""

import msgspec


class BrokerSettings(msgspec.Struct, frozen=True):
    """The defaults are ours where MQTT names none."""

    packet_size_max: int = 16_384
    client_id_size_max: int = 64
    topic_size_max: int = 256
    topic_levels_max: int = 32
    subscriptions_max: int = 16
    inflight_max: int = 32  # messages to a client, or of QoS 2 from it, under way at the same time
    packets_per_s_max: int = 1_000  # a filter of SUBSCRIBE counts like a packet
    connect_timeout_ms: int = 10_000
    resend_after_ms: int = 20_000
    resends_max: int = 3
    sys_interval_ms: int = 10_000  # between two looks at $SYS for those who subscribed to it
