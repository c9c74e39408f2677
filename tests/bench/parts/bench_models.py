"""Models, states and people for the tests of instruments."""

from firmware_sim.bench.station import Station
from firmware_sim.device.device import Identity
from firmware_sim.effects import StateShown
from hw_profiles import catalog

MODELS = {name: catalog.load(name) for name in catalog.names()}
CAMERA = MODELS["ipc-blue-red"]  # a second light of its own for red
RECORDER = MODELS["nvr"]
IDENTITY = Identity("bench0000000001", "K" * 32, "productofbench")
T0 = 1_700_000_000_000


def state(
    lifecycle: str, light: str, *, session: str = "DOWN", operator: str = "", cause: str = "Test"
) -> StateShown:
    return StateShown(lifecycle, session, light, operator, cause)


def started(model: str = "ipc-blue-red", seed: int = 1) -> Station:
    """Return a station whose device was switched on at T0 and waits since its boot is over."""
    station = Station(MODELS[model], IDENTITY, seed)
    station.powered(True, T0)
    station.observed(state("BOOTING", "booting", cause="PowerApplied"), T0)
    station.observed(state("WAITING", "waiting", operator="waiting"), T0 + boot_ms(model))
    return station


def boot_ms(model: str = "ipc-blue-red") -> int:
    return MODELS[model].timings.boot_ms
