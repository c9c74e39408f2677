"""What can be wrong with a PostgreSQL database, in one line that says what to do.

Our own mistakes (a statement that is wrong) stay what they are. Public source: postgresql.org,
"PostgreSQL Error Codes" (the first two characters are the class).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from firmware_sim.errors import UsageError

_REMEDIES = {
    "08": "the connection was lost: see to the server, then start the cloud again",
    "25006": "it is read-only: name the primary server",
    "28": "the server does not admit this user: check user, password and pg_hba.conf",
    "3D": "there is no such database: create it (createdb)",
    "42501": "this user may not create or change tables: make it the owner of the database",
    "53": "the server is short of disk, memory or connections: see to it, then start again",
    "57": "the server is starting or stopping: start the cloud again when it is up",
    "58": "the server reports a system error: see its log, then start the cloud again",
    "XX": "the server reports damaged data or a fault of its own: see its log",
}

# Data exceptions and integrity violations: their texts repeat values, which may be secrets.
_OF_VALUES = frozenset({"22", "23"})


@contextmanager
def explained(name: str, otherwise: str = "") -> Iterator[None]:
    """Turn what the operator can mend into a UsageError that names the database.

    What the server refuses for another reason is our own mistake, unless `otherwise` says what it
    must mean at this moment; it is raised as it is, or as ValueError when its text shows a value.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        code = error.sqlstate or ""
        remedy = _REMEDIES.get(code) or _REMEDIES.get(code[:2]) or otherwise
        if not remedy and code[:2] in _OF_VALUES:
            raise ValueError(f"a record does not fit its table (SQLSTATE {code})") from None
        if not remedy:
            raise
        raise UsageError(f"cannot use {name}: {remedy} ({_line(error)})") from error
    except asyncpg.ClientConfigurationError as error:
        raise UsageError(f"cannot use {name}: the address is wrong ({_line(error)})") from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # The second is how it takes a farewell of the server amid a statement.
        raise UsageError(f"cannot use {name}: {_REMEDIES['08']} ({_line(error)})") from error
    except OSError as error:  # a time-out is one as well
        raise UsageError(
            f"cannot use {name}: no server answers there: start it or correct the address "
            f"({_line(error) or type(error).__name__})"
        ) from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
