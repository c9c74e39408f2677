"""Calls about new firmware: what there is, how far it is, and its bytes.

Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/matop_service.c, src/tuya_ota.c and
include/tuya_ota.h; ct-Open-Source/tuya-convert, scripts/fake-registration-server.py (offers).
"""

import re
from enum import IntEnum
from typing import Annotated

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.atop_messages import Api, Message, NodeId, Octet

UPGRADE_GET = Api("tuya.device.upgrade.get", "4.4")
FILE_DOWNLOAD = Api("tuya.device.file.download", "1.0")

DecimalText = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,10}\\Z")]

_RANGE = re.compile(r"bytes=([0-9]{1,10})-([0-9]{1,10})", re.ASCII)


class UpgradeStatus(IntEnum):
    """How far an upgrade is, as `UpgradeStatusUpdate` tells it; 40 to 49 are further failures."""

    READY = 1
    UPGRADING = 2
    FINISHED = 3
    FAILED = 4
    DOWNLOAD_STARTED = 10
    DOWNLOAD_COMPLETE = 11
    UPGRADE_STARTED = 12
    DOWNLOAD_FAILED = 40
    LOW_BATTERY = 41
    NO_STORAGE = 42
    NO_MEMORY = 43
    DOWNLOAD_TIMEOUT = 44
    DOWNLOAD_DAMAGED = 45
    UPGRADE_LOW_BATTERY = 46
    UPGRADE_NO_MEMORY = 47
    UPGRADE_VERSION = 48
    UPGRADE_DAMAGED = 49


class UpgradeGet(Message, frozen=True, kw_only=True):
    """A device asks what there is to upgrade a channel to; `cid` names a child of a gateway."""

    type: Octet
    cid: NodeId | None = None
    t: int = 0


class UpgradeOffer(Message, frozen=True, kw_only=True):
    """What there is: `size` in bytes as text; `md5` and `hmac` in hexadecimal. Also silent ones."""

    type: Octet
    version: str
    size: DecimalText
    md5: str = ""
    hmac: str = ""
    url: str
    https_url: str = ""


class FileDownload(Message, frozen=True, kw_only=True):
    """A device asks for a piece of a file, over MQTT; the bytes come in a `FilePiece`.

    `range` is as in the HTTP header of that name, first and last byte; `type` is 2, or 1 for the
    range 0-0, by which firmware learns how large the file is.
    """

    url: str
    range: str
    type: Octet

    def span(self) -> tuple[int, int]:
        """Return the first and the last byte that are asked for; raise Malformed."""
        match = _RANGE.fullmatch(self.range)
        if match is None:
            raise Malformed("a range reads bytes=FIRST-LAST")
        first, last = int(match[1]), int(match[2])
        if last < first:
            raise Malformed("a range ends before it begins")
        return first, last


def file_download(url: str, first: int, last: int) -> FileDownload:
    """Return the request for the bytes `first` to `last` of the file at `url`."""
    kind = 1 if (first, last) == (0, 0) else 2
    return FileDownload(url=url, range=f"bytes={first}-{last}", type=kind)
