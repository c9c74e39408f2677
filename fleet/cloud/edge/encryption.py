"""TLS on every port of a cloud: its authority, the certificate it shows, and for whom to keep it.

A cloud whose data is in memory only forgets its authority as well, when the process ends.
"""

import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from fleet.cloud.edge.authority import CERTIFICATE_FILE, Authority

TLS_FOLDER = "tls"
HANDSHAKE_S_MAX = 10.0  # for a client that connects and then says nothing
FAREWELL_S_MAX = 1.0  # for one that does not answer our close_notify
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Encryption(msgspec.Struct, frozen=True):
    """What the servers need, and what clients are told: `anchor` is DER, `ca_file` its PEM."""

    context: ssl.SSLContext
    anchor: bytes
    ca_file: str
    temporary: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def of(cls, folder: str, hosts: Iterable[str | None]) -> "Encryption":
        """Return the TLS side of a cloud that is called by any of `hosts`; empty ones do not count.

        Its authority is kept in `folder`, or nowhere for good if that is empty. Raises UsageError.
        """
        temporary = None
        if not folder:
            temporary = tempfile.TemporaryDirectory(prefix="fleet-tls-")
            folder = temporary.name
        authority = Authority.kept_in(Path(folder))
        names = (*filter(None, hosts), *_LOCAL)
        return cls(
            context=authority.server_context(names),
            anchor=authority.der,
            ca_file=str(Path(folder).resolve() / CERTIFICATE_FILE),
            temporary=temporary,
        )

    @property
    def options(self) -> dict[str, Any]:
        """Return the options of a server on an asyncio loop."""
        return {
            "ssl": self.context,
            "ssl_handshake_timeout": HANDSHAKE_S_MAX,
            "ssl_shutdown_timeout": FAREWELL_S_MAX,
        }

    def close(self) -> None:
        """Remove what was not to be kept."""
        if self.temporary is not None:
            self.temporary.cleanup()
