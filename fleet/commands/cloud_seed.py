"""`fleet cloud seed FILE`: a seed into the data of a cloud that is not running."""

import os
import threading
import time

from fleet.cloud.edge.stores import open_store
from fleet.cloud.messages import Commit
from fleet.cloud.planting import plant
from fleet.cloud.seed import Seed
from fleet.cloud.settings import Settings
from fleet.cloud.state import State
from fleet.cloud.store.records import Change, Store


def put(seed: Seed, source: str, data: str, settings: Settings | None) -> str:
    """Add `seed` (read from the file `source`) to `data` in one transaction; return what was done.

    Raises UsageError when the data cannot be used, or the seed contradicts itself or them; then
    nothing is changed.
    """
    store = open_store(data)
    try:
        state = State(settings or Settings(), store.load, os.urandom)
        plant(state, seed, time.time_ns() // 1_000_000, source)
        for effect in state.journal.take():
            if isinstance(effect, Commit):
                _write(store, effect.changes)
    finally:
        store.close()
    counts = {name: len(getattr(seed, name)) for name in seed.__struct_fields__}
    added = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"added: {added or 'nothing'}"


def _write(store: Store, changes: tuple[Change, ...]) -> None:
    written = threading.Event()
    outcome: list[BaseException] = []

    def done(error: BaseException | None) -> None:
        if error is not None:
            outcome.append(error)
        written.set()

    store.submit(changes, done)
    written.wait()
    for error in outcome:
        raise error
