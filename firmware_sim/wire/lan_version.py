"""The versions of the LAN protocol, and what changes from one to the next.

A device names its version in its announcements. The five differ in the protection of bodies, the
frame family and the way to a key. Source: jasonacox/tinytuya, PROTOCOL.md. Imports nothing of this
project.
"""

from enum import StrEnum


class LanVersion(StrEnum):
    """A version that clients know; as text they sort by age."""

    V31 = "3.1"
    V32 = "3.2"
    V33 = "3.3"
    V34 = "3.4"
    V35 = "3.5"

    @property
    def negotiates(self) -> bool:
        """Whether each connection begins by agreeing on a session key."""
        return self is LanVersion.V34 or self is LanVersion.V35

    @property
    def sealed(self) -> bool:
        """Whether frames are of the family 6699, encrypted and authenticated as a whole."""
        return self is LanVersion.V35
