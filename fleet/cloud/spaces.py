"""Project spaces: the tree of places in which a project keeps its devices.

They are the "spaces" of the IoT Core calls and the assets of the older industry calls ("Space
Management", developer.tuya.com). A space belongs to one project in one data centre, has one parent
or none, and never moves. Which devices are in it, the devices say.
"""

from collections.abc import Iterator

import msgspec

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.numbers import new_number
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

_Branch = tuple[str, str, str]


class Space(Record, gc=False):
    """One space of project `access_id`. Without `parent` it is of the first level."""

    TABLE = "spaces"
    KEY = ("space_id",)

    space_id: str
    access_id: str
    region: str
    name: str
    description: str = ""
    parent: str = ""
    created_ms: int = 0


class Spaces:
    """All spaces of all projects."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored spaces."""
        self._settings = settings
        self._spaces: Ledger[Space] = Ledger(Space, load, journal)
        self._below: dict[_Branch, dict[str, None]] = {}
        self._counts: dict[str, int] = {}
        for space in self._spaces:
            self._file(space)

    def __len__(self) -> int:
        """Return the number of spaces."""
        return len(self._spaces)

    def get(self, access_id: str, region: str, space_id: str) -> Space | None:
        """Return a space of a project; None: the project has none of that id there."""
        space = self._spaces.get(space_id)
        own = space is not None and (space.access_id, space.region) == (access_id, region)
        return space if own else None

    def children(self, access_id: str, region: str, parent: str = "") -> list[Space]:
        """Return the spaces directly below `parent` ("": those of the first level), by id."""
        below = sorted(self._below.get((access_id, region, parent), ()))
        found = map(self._spaces.get, below)
        return [space for space in found if space is not None]

    def subtree(self, space: Space) -> Iterator[Space]:
        """Go through a space and all below it, each before those below it."""
        waiting = [space]
        while waiting:
            found = waiting.pop()
            yield found
            waiting += self.children(found.access_id, found.region, found.space_id)

    def ancestry(self, space: Space) -> Iterator[Space]:
        """Go through a space and all above it, up to the one of the first level."""
        above: Space | None = space
        while above is not None:
            yield above
            above = self._spaces.get(above.parent)

    def make(
        self,
        access_id: str,
        region: str,
        name: str,
        now_ms: int,
        *,
        description: str = "",
        parent: str = "",
    ) -> Space:
        """Make a space below `parent`, which exists. Refused when the project has too many."""
        if self._counts.get(access_id, 0) >= self._settings.spaces_per_project_max:
            raise Refused(Reason.TOO_MANY, "the project has too many spaces")
        space_id = new_number(
            lambda one: self._spaces.get(one) is not None, access_id, region, parent, name, now_ms
        )
        space = Space(space_id, access_id, region, name, description, parent, now_ms)
        self._file(space)
        return self._spaces.put(space)

    def change(self, space: Space, name: str, description: str) -> Space:
        """Give the space another name and description."""
        changed = msgspec.structs.replace(space, name=name, description=description)
        return self._spaces.put(changed)

    def remove(self, space: Space) -> list[Space]:
        """Forget a space and all below it; return them."""
        gone = list(self.subtree(space))
        for one in gone:
            branch = (one.access_id, one.region, one.parent)
            del self._below[branch][one.space_id]
            if not self._below[branch]:
                del self._below[branch]
            self._counts[one.access_id] -= 1
            self._spaces.remove(one)
        if not self._counts[space.access_id]:
            del self._counts[space.access_id]
        return gone

    def _file(self, space: Space) -> None:
        branch = (space.access_id, space.region, space.parent)
        self._below.setdefault(branch, {})[space.space_id] = None
        self._counts[space.access_id] = self._counts.get(space.access_id, 0) + 1
