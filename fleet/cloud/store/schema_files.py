"""The numbered files that make and change the tables: which of them a database still needs.

Each store keeps the number of the last file that was applied to it. The files are written in
SQLite's dialect; `fleet.cloud.store.postgres_sql` translates them.
"""

from pathlib import Path

from firmware_sim.errors import UsageError

SCHEMA = Path(__file__).parent / "schema"


def scripts_after(found: int, folder: Path, where: str) -> list[str]:
    """Return the texts of the files in `folder` beyond number `found`, in order.

    `where` names the database. UsageError when it was written by a newer program than this one.
    """
    steps = {int(file.stem): file for file in folder.glob("[0-9][0-9][0-9][0-9].sql")}
    known = max(steps, default=0)
    if found > known:
        raise UsageError(
            f"{where} was written by a newer version of this program (schema {found}, this one "
            f"knows {known}): update the program or choose another place for the data"
        )
    return [steps[version].read_text(encoding="utf-8") for version in range(found + 1, known + 1)]
