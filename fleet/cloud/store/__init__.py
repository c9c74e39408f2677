"""Where the cloud's state survives: typed records, and stores that keep them."""

from fleet.cloud.store.records import Change, Delete, Put, Record, Store

__all__ = ["Change", "Delete", "Put", "Record", "Store"]
