"""The entry point of the command `fleet`, and its one rule about mistakes.

A caller's mistake is one line on standard error and exit code 2, the other side's mistake one
line and exit code 1; never a stack trace. Ctrl-C is exit code 130.
"""

import sys

from firmware_sim.errors import PeerError, UsageError


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    from fleet.cli import cli

    code: object = 0
    try:
        cli(arguments, prog_name="fleet")
    except SystemExit as end:
        code = end.code
    except UsageError as error:
        return _complain(error, 2)
    except PeerError as error:
        return _complain(error, 1)
    return code if isinstance(code, int) else 1


def _complain(error: Exception, code: int) -> int:
    text = " ".join(str(error).split())
    sys.stderr.write(f"fleet: {text}\n")
    return code


if __name__ == "__main__":
    main()
