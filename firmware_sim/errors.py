"""Who is to blame: two families of errors, and the base that refuses to be raised itself.

`UsageError` says that our caller did wrong (a bad argument, a bad file, a port in use): it is
raised, and its text is written for the operator who has to act on it. `PeerError` says that the
other side of a wire did wrong: whoever feeds untrusted bytes to a decoder catches it at the
boundary and turns it into an event, so it never travels further.
"""


class SimulatorError(Exception):
    """Base of every error of this project. Only its two families are ever raised."""

    def __init__(self, message: str) -> None:
        """Refuse to exist without a family: every raise must say who is to blame."""
        if type(self) is SimulatorError:
            raise TypeError("raise UsageError or PeerError (or a subclass), not SimulatorError")
        super().__init__(message)


class UsageError(SimulatorError):
    """Our caller's mistake. One line: what happened, where, and what to do about it."""


class PeerError(SimulatorError):
    """The peer's mistake: bytes or values that do not follow the wire format."""


class Truncated(PeerError):
    """The bytes end before the structure they announce does."""


class Malformed(PeerError):
    """The bytes are complete but do not have the form the wire format prescribes."""


class BadChecksum(PeerError):
    """A CRC, a signature or a padding does not fit: wrong key, or damage on the way."""


class TooLarge(PeerError):
    """The peer announces or sends more than the limit of this structure."""
