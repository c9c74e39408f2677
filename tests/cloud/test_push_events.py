"""Events and effects of push consumers: what they show in a log."""

from fleet.cloud.push_events import ConsumerOpened, SendFrames


def test_no_password_and_no_message_is_shown() -> None:
    opened = ConsumerOpened(3, "/ws/v2", "127.0.0.1", "client", "s3cret")
    assert repr(opened) == "ConsumerOpened(3, '/ws/v2', 'client')"
    assert repr(SendFrames(3, (b"s3cret", b""))) == "SendFrames(3, 2 texts)"
