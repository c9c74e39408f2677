"""Who looks on while a command runs a live fleet: its pages, or nobody."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_sim.errors import UsageError

if TYPE_CHECKING:
    from fleet.run.attendance import Attendance

PASSWORD = "FLEET_WEB_PASSWORD"  # noqa: S105 - the name of a variable


def pages(
    where: str | None, password_file: Path | None, *, wanted: bool
) -> "AbstractContextManager[Attendance]":
    """Return a context that gives what serves pages, if they are `wanted`.

    `where` and `password_file` as in `fleet.web.attend.attendance`. Raises UsageError for what
    cannot be.
    """
    if not wanted:
        if where is not None or password_file is not None:
            raise UsageError("--web and --web-password-file mean nothing where no pages are served")
        from fleet.run.attendance import nobody

        return nullcontext(nobody)
    from fleet.web.attend import attendance

    return attendance(where, password_file, os.environ.get(PASSWORD, ""))
