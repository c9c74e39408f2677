"""Which asset users may work in which assets: authorizations, one by one.

An asset is a space of a project (`fleet.cloud.spaces`), an asset user one of the project's people
(`fleet.cloud.users`). Who is authorized for an asset administrates the devices in it, and nothing
in the assets below unless authorized for them as well ("Authorize Assets", developer.tuya.com).
"""

from collections.abc import Iterable

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record


class AssetGrant(Record, gc=False):
    """User `uid` may work in space `space_id`."""

    TABLE = "asset_grants"
    KEY = ("space_id", "uid")

    space_id: str
    uid: str


class AssetGrants:
    """All authorizations."""

    def __init__(self, settings: Settings, load: Loader, journal: Journal) -> None:
        """Take the stored authorizations."""
        self._settings = settings
        self._grants: Ledger[AssetGrant] = Ledger(AssetGrant, load, journal)
        self._by_uid: dict[str, dict[str, None]] = {}
        self._by_space: dict[str, dict[str, None]] = {}
        for grant in self._grants:
            self._file(grant)

    def holds(self, uid: str, space_id: str) -> bool:
        """Tell whether a user may work in a space."""
        return space_id in self._by_uid.get(uid, ())

    def of_user(self, uid: str) -> list[str]:
        """Return the ids of the spaces in which a user may work, sorted."""
        return sorted(self._by_uid.get(uid, ()))

    def of_space(self, space_id: str) -> list[str]:
        """Return the uids of those who may work in a space, sorted."""
        return sorted(self._by_space.get(space_id, ()))

    def grant(self, uid: str, space_ids: Iterable[str]) -> None:
        """Let a user work in these spaces as well. Refused when they would be too many."""
        new = [one for one in dict.fromkeys(space_ids) if not self.holds(uid, one)]
        if len(self._by_uid.get(uid, ())) + len(new) > self._settings.spaces_per_project_max:
            raise Refused(
                Reason.TOO_MANY, "a user is authorized for as many assets as there can be"
            )
        for space_id in new:
            self._file(self._grants.put(AssetGrant(space_id, uid)))

    def revoke(self, uid: str, space_ids: Iterable[str]) -> None:
        """Let a user no longer work in these spaces, as far as that was so."""
        for space_id in space_ids:
            grant = self._grants.get((space_id, uid))
            if grant is not None:
                self._grants.remove(grant)
                _unlist(self._by_uid, uid, space_id)
                _unlist(self._by_space, space_id, uid)

    def forget_user(self, uid: str) -> None:
        """Take back everything from a user who goes."""
        self.revoke(uid, self.of_user(uid))

    def forget_space(self, space_id: str) -> None:
        """Take a space that goes from everybody."""
        for uid in self.of_space(space_id):
            self.revoke(uid, [space_id])

    def _file(self, grant: AssetGrant) -> None:
        self._by_uid.setdefault(grant.uid, {})[grant.space_id] = None
        self._by_space.setdefault(grant.space_id, {})[grant.uid] = None


def _unlist(index: dict[str, dict[str, None]], name: str, one: str) -> None:
    del index[name][one]
    if not index[name]:
        del index[name]
