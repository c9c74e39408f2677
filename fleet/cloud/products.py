"""The product catalogue: what a product id (PID) stands for, and whose it is.

Binding levels are the vendor's (help centre, "binding levels"): *strong* devices must be released
by their old account before another may bind them, *medium* ones may be bound anew and the old
owner is told, *weak* ones silently.
"""

import hashlib
from enum import StrEnum
from functools import lru_cache

from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.store.records import Record

SCHEMA_ONE_SWITCH = '[{"id":1,"mode":"rw","type":"obj","property":{"type":"bool"}}]'


class Binding(StrEnum):
    """How firmly a device belongs to the account that bound it."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Method(StrEnum):
    """How a token reaches a device of the product: by its lens or over the LAN."""

    QR = "qr"
    WIRED = "wired"


class Product(Record, gc=False):
    """One product. `schema` is the data point schema, the JSON array text that devices get."""

    TABLE = "products"
    KEY = ("product_id",)

    product_id: str
    name: str
    category: str
    owner: str
    binding: str = Binding.STRONG.value
    method: str = Method.QR.value
    schema: str = SCHEMA_ONE_SWITCH

    @property
    def schema_id(self) -> str:
        """Name the schema (10 characters); a changed schema has another name."""
        return _schema_id(self.product_id, self.schema)


@lru_cache(maxsize=256)
def _schema_id(product_id: str, schema: str) -> str:
    """Return it; every activation asks, and most products stay as they are."""
    return hashlib.sha256(f"{product_id}{schema}".encode()).hexdigest()[:10]


class Products:
    """The catalogue."""

    def __init__(self, load: Loader, journal: Journal) -> None:
        """Take the stored products."""
        self._products: Ledger[Product] = Ledger(Product, load, journal)

    def get(self, product_id: str) -> Product | None:
        """Return the product, or None when there is none of that id."""
        return self._products.get(product_id)

    def all(self) -> list[Product]:
        """Return all products, sorted by id."""
        return sorted(self._products, key=lambda product: product.product_id)

    def put(self, product: Product) -> Product:
        """Add or replace a product."""
        return self._products.put(product)
