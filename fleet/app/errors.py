"""What the other side can do to the phone: refuse, be away, or not be what it was taken for.

All of it is the caller's business (ask for something else, start the cloud, look up the key), so
all are `UsageError`s: the command line shows their text as one line.
"""

from firmware_sim.errors import UsageError


class CloudRefused(UsageError):
    """The cloud understood the call and said no; `code` is its own name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code for programs and make a line for people out of both."""
        super().__init__(f"the cloud refused: {message or code} ({code})")
        self.code = code
        self.message = message


class CloudUnreachable(UsageError):
    """No usable reply within the time we were ready to wait."""


class DeviceFailed(UsageError):
    """Base of what can go wrong with one device on the LAN."""


class DeviceUnreachable(DeviceFailed):
    """Nobody accepts a connection at its address."""


class WrongKey(DeviceFailed):
    """What it says cannot be read with this local key and version."""


class DeviceClosed(DeviceFailed):
    """It closed the connection."""


class TurnedAway(DeviceClosed):
    """It closed the connection before a session was agreed.

    A wrong key or version looks so in 3.4 and 3.5, but too many clients and a device that is not
    activated do too.
    """


class DeviceSilent(DeviceFailed):
    """It did not answer in time, so the connection was given up."""


class DeviceGarbled(DeviceFailed):
    """It sent what no device sends."""


class DeviceRefused(DeviceFailed):
    """It answered one request with an error; the connection goes on.

    `reason` is one of `lan_happenings.Reason`, `text` the device's own wording.
    """

    def __init__(self, where: str, reason: str, text: str) -> None:
        """Keep reason and text for programs and make a line for people."""
        super().__init__(f"{where}: the device refused: {text} ({reason})")
        self.reason = reason
        self.text = text
