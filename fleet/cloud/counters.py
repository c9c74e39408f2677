"""What the cloud's server counts about itself, for `GET /admin/v1/stats` and for reports.

A plain struct without a clock: the server writes it, the admin API reads it.
"""

import msgspec


class Counters(msgspec.Struct):
    """Totals since the start, unless said otherwise."""

    started_ms: int = 0  # Unix epoch
    now_ms: int = 0  # when the sampled values below were taken
    http_connections: int = 0  # open now
    mqtt_connections: int = 0  # open now
    mqtt_accepted: int = 0
    broker_heard: int = 0  # messages that came from an external broker
    broker_dropped: int = 0  # those that it could not be sent, or came while the disk was behind
    requests: int = 0
    commits: int = 0
    changes: int = 0  # records put or deleted by them
    held: int = 0  # effects and changes that wait for the disk now
    pushes: int = 0  # messages for developers that were raised
    push_consumers: int = 0  # connected now
    push_frames: int = 0  # messages sent to consumers, each time that one was
    loop_lag_p99_ms: float = 0.0  # of the last minute: how late the event loop came to a timer
    loop_lag_max_ms: float = 0.0  # of the last minute
    cpu_ms: int = 0  # of this process, user and system
    peak_rss_kib: int = 0
