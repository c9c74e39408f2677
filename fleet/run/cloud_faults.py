"""What can befall the cloud of a run, and so everybody: one frozen struct per fault.

Like those of devices (`firmware_sim/runtime/faults.py`) these are declarations; a live cloud plays
what a process can be made to do, one in virtual time all of them.
"""

import msgspec


class CloudFault(msgspec.Struct, frozen=True):
    """Base of all: it lasts for `for_s`."""

    for_s: float


class CloudDown(CloudFault, frozen=True):
    """It ends, in good order if `politely`, and starts again on what it has kept."""

    politely: bool


class CloudHung(CloudFault, frozen=True):
    """It takes connections and does nothing, until it works off what was said meanwhile."""


class CloudSlow(CloudFault, frozen=True):
    """Whatever it says comes `latency_ms` later."""

    latency_ms: int


class CloudCrash(CloudFault, frozen=True):
    """It ends at the `commits`-th transaction from now on, and starts again `for_s` later.

    `written`: when that is on the disk and nobody was told; else just before.
    """

    commits: int
    written: bool


class DiskSlow(CloudFault, frozen=True):
    """Each transaction takes `latency_ms` longer."""

    latency_ms: int


class BrokerRestart(CloudFault, frozen=True):
    """The broker of the devices hangs up on all of them, and takes none meanwhile."""
