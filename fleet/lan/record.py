"""What was made, written down where a restart of the machine forgets it along with the thing.

A namespace of the same name may be somebody else's; ours is known by the number that the kernel
gave it. Everybody may read the records, they hold no secrets; only root can write them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement

FOLDER = Path("/run/fleet-lan")
NAMESPACES = Path("/run/netns")  # where `ip netns` keeps them
_NAME = re.compile(r"[a-z][a-z0-9-]{0,10}")  # with "fl-" in front it names an interface: 15 at most


class Record(msgspec.Struct, frozen=True):
    """One LAN that was made, or begun: `number` is that of its namespace, 0 before there is one."""

    lan: Arrangement
    parent: str = ""  # the interface on whose wire the devices are
    number: int = 0
    whole: bool = False  # nothing is missing any more

    @property
    def state(self) -> str:
        """Return how it is: `up`, `half-made`, `gone`, or `replaced` by somebody else's."""
        found = namespace_number(self.lan.name)
        if self.number and found and found != self.number:
            return "replaced"
        if not self.whole:
            return "half-made"
        return "up" if found else "gone"


def namespace_number(name: str) -> int:
    """Return the number of a network namespace by its name, 0 when there is none."""
    try:
        return (NAMESPACES / name).stat().st_ino
    except FileNotFoundError:
        return 0


def own_number() -> int:
    """Return the number of the network namespace that this thread is in."""
    return Path("/proc/thread-self/ns/net").stat().st_ino


def _taken(name: str) -> UsageError:
    return UsageError(
        f"there is a LAN {name} already; use it (fleet up --lan {name}) "
        f"or remove it (fleet lan down {name})"
    )


class Records:
    """The folder of records."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder` (default: FOLDER), which is made when it is needed."""
        self._folder = folder or FOLDER

    def need_free(self, name: str) -> None:
        """Raise UsageError for a bad name, or when there is a LAN of it."""
        if self._path(name).exists():
            raise _taken(name)

    def create(self, record: Record) -> None:
        """Write down a new LAN; raises as `need_free` does, also when two begin at once."""
        path = self._path(record.lan.name)
        self._folder.mkdir(mode=0o755, exist_ok=True)
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            raise _taken(record.lan.name) from None
        os.write(file, msgspec.json.encode(record))
        os.close(file)

    def update(self, record: Record) -> None:
        """Write down what has become of it."""
        path = self._path(record.lan.name)
        new = path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(record))
        new.replace(path)

    def load(self, name: str) -> Record:
        """Return the record of a LAN; raises UsageError when none of that name was made by us."""
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=Record)
        except FileNotFoundError:
            names = ", ".join(record.lan.name for record in self) or "none"
            raise UsageError(
                f"fleet lan up has made no LAN {name} here (but: {names}); "
                f"make it, as root: fleet lan up {name}"
            ) from None
        except msgspec.MsgspecError as error:
            raise UsageError(f"{self._path(name)}: {error}; remove it by hand") from None

    def remove(self, name: str) -> None:
        """Forget a LAN."""
        self._path(name).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Record]:
        """Yield all records by name; what cannot be read is left out."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield msgspec.json.decode(path.read_bytes(), type=Record)
            except (OSError, msgspec.MsgspecError):
                continue

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name for a LAN: up to 11 lower-case letters, digits and '-', "
                "a letter first"
            )
        return self._folder / f"{name}.json"
