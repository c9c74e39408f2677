#!/usr/bin/env python3
"""Feed the MQTT decoder or the whole broker with bytes until something breaks.

`tools/fuzz_mqtt.py decoder` or `tools/fuzz_mqtt.py broker`, then options of libFuzzer, such as
`-max_total_time=120 -max_len=2000` and a folder that keeps what it has learnt. It needs the package
atheris (`pip install atheris`), which is no part of this project. A crash is left in a file, whose
name as the last argument repeats it.
"""

import sys

import atheris

from tests.cloud.broker.fuzzing import decode_anything, talk_anything

TARGETS = {"decoder": decode_anything, "broker": talk_anything}


def main() -> None:
    """Fuzz the target that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"say which: {' or '.join(TARGETS)}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.instrument_all()
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
