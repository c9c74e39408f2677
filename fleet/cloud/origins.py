"""Where products come from: OEM links by which others make products of their own, and first owners.

An account shares a link to one of its products; whoever accepts it owns a copy under a new product
id (PID). A PID can be handed to another account as well, or a copy of it. In both ways the copy has
a *first owner*, whom unbinding can be granted although the product is somebody else's ("Unbind
Smart Devices", developer.tuya.com, 2022-07 and 2024-06). What a link looks like is ours.
"""

from fleet.cloud.keys import LOWER, Entropy, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.store.records import Record

_LINK_LENGTH = 24
_PRODUCT_ID_LENGTH = 16


class OemLink(Record, gc=False):
    """Whoever knows `link` may make a copy of the product, for as long as `owner` owns it."""

    TABLE = "oem_links"
    KEY = ("link",)

    link: str
    owner: str
    product_id: str

    def __repr__(self) -> str:
        """Show what it is to, not the link itself, which is as good as a key."""
        return f"OemLink({self.product_id!r}, owner={self.owner!r})"


class Origin(Record, gc=False):
    """Who owned a product that was passed on first; `copied_from` is a product id or ""."""

    TABLE = "origins"
    KEY = ("product_id",)

    product_id: str
    first_owner: str
    copied_from: str = ""


class Origins:
    """All OEM links and first owners. Nothing here checks whose products they are."""

    def __init__(self, load: Loader, journal: Journal, entropy: Entropy) -> None:
        """Take the stored links and origins; new links are drawn from `entropy`."""
        self._entropy = entropy
        self._links: Ledger[OemLink] = Ledger(OemLink, load, journal)
        self._origins: Ledger[Origin] = Ledger(Origin, load, journal)

    def first_owner(self, product_id: str) -> str:
        """Return the account that owned the product first, "" when it was never passed on."""
        origin = self._origins.get(product_id)
        return origin.first_owner if origin is not None else ""

    def note(self, product_id: str, first_owner: str, copied_from: str = "") -> None:
        """Remember who had the product first, unless that is known already."""
        if self._origins.get(product_id) is None:
            self._origins.put(Origin(product_id, first_owner, copied_from))

    def new_product_id(self) -> str:
        """Draw a product id for a copy."""
        return random_text(self._entropy, _PRODUCT_ID_LENGTH, LOWER)

    def link(self, link: str) -> OemLink | None:
        """Return the link of that text."""
        return self._links.get(link)

    def links_of(self, owner: str) -> list[OemLink]:
        """Return the links that an account shares, sorted by product."""
        mine = (one for one in self._links if one.owner == owner)
        return sorted(mine, key=lambda one: (one.product_id, one.link))

    def share(self, owner: str, product_id: str, link: str = "") -> OemLink:
        """Make a link to a product; its text is drawn unless given."""
        text = link or random_text(self._entropy, _LINK_LENGTH, LOWER)
        return self._links.put(OemLink(text, owner, product_id))

    def unshare(self, link: OemLink) -> None:
        """Let a link be accepted no more; what came of it before stays."""
        self._links.remove(link)

    def unshare_product(self, product_id: str) -> None:
        """Let no link to a product be accepted any more."""
        for link in [link for link in self._links if link.product_id == product_id]:
            self._links.remove(link)
