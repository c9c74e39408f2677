"""The entry point of the command `fleet`, and its one rule about mistakes.

A caller's mistake is one line on standard error and exit code 2, the other side's mistake one
line and exit code 1; never a stack trace. Ctrl-C is exit code 130.
"""

import errno
import sys

from firmware_sim.errors import PeerError, UsageError

_OUTPUT_LOST = (errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EDQUOT)


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    from fleet.cli import cli

    code: object = 0
    try:
        try:
            cli(arguments, prog_name="fleet")
        finally:
            sys.stdout.flush()  # a full disk is told here, and not by the interpreter's last words
    except SystemExit as end:
        code = end.code
    except UsageError as error:
        return _complain(error, 2)
    except PeerError as error:
        return _complain(error, 1)
    except OSError as error:
        if error.errno not in _OUTPUT_LOST:
            raise
        sys.stdout = None  # what it holds cannot be written any more
        return _complain(UsageError(f"cannot write the output: {error.strerror}"), 2)
    return code if isinstance(code, int) else 1


def _complain(error: Exception, code: int) -> int:
    text = " ".join(str(error).split())
    sys.stderr.write(f"fleet: {text}\n")
    return code


if __name__ == "__main__":
    main()
