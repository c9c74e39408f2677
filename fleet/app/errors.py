"""What the cloud can do to its caller: refuse, or be away for longer than we care to wait.

Both are the caller's business (ask for something else, start the cloud), so both are
`UsageError`s: the command line shows their text as one line.
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
