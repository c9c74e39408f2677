"""`fleet lan capture` and `fleet lan dissect`: record what is said on a LAN, and read it."""

import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import typer

from fleet.commands.access import read_ready
from fleet.lan.capture import EVERYWHERE, Recording
from fleet.lan.dissect import dissect as read_frames
from fleet.lan.entry import enter
from fleet.lan.known_devices import DeviceBook, read_devices
from fleet.lan.pcap import read_records
from fleet.lan.recorder import Limits


def capture(
    path: Path,
    *,
    ready: Path | None,
    interface: str,
    lan: str,
    seconds: float | None,
    packets_max: int | None,
) -> int:
    """Record into `path` until Ctrl-C, SIGTERM, or a limit; return 1 if packets are missing.

    `ready` (of `fleet up`) or `lan` (of `fleet lan up`) say whose traffic; else it is everybody's.
    `interface` "" means all of them. Raises UsageError when that is not possible.
    """
    network = EVERYWHERE
    if lan:
        network = enter(lan, 1).network
    if ready is not None:
        network = read_ready(ready).network
    recording = Recording(path, network, interface, Limits(packets=packets_max))
    recording.start()
    with _until_interrupted():
        whose = "all LANs" if network == EVERYWHERE else network
        typer.echo(f"recording {whose} into {path}; Ctrl-C ends it", err=True)
        recording.ended(seconds)
    counts = recording.stop()
    typer.echo(f"{path}: {counts}", err=True)
    return 1 if counts.lost or counts.left_out else 0


def dissect(path: Path, *, devices: Path | None, as_json: bool) -> int:
    """Print the frames in the capture file `path`, one on each line; return 0.

    `devices` is a devices.json with keys. Raises UsageError when a file is not what it should be;
    if the capture breaks off, after what came before.
    """
    book = DeviceBook(read_devices(devices) if devices is not None else ())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # bodies hold what terminals may not
    empty = True
    for seen in read_frames(read_records(path), book):
        empty = False
        line = msgspec.json.encode(seen).decode() if as_json else seen.line()
        sys.stdout.write(line + "\n")
    if empty:
        typer.echo(f"{path}: nothing of a LAN is in it", err=True)
    return 0


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """Leave the block quietly on Ctrl-C and SIGTERM."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
