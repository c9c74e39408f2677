"""What is kept of guests shows whose it is and how large, never what it says."""

from fleet.cloud.broker.records import GuestMessage, RetainedMessage


def test_no_payload_is_shown() -> None:
    message = GuestMessage(1, "one", 2, "t", b"secret", 1, retain=False, released=False)
    assert repr(message) == "GuestMessage('one', 't', 6 B)"
    assert repr(RetainedMessage("t", b"secret", 1)) == "RetainedMessage('t', 6 B)"
