"""The commands of a device's console, and what they answer. Pure: facts and a line in, text out.

Vendors' consoles differ and are not published; these are the ones that most have, under our own
names. None of them tells a secret: neither keys and tokens nor the network the device is in.
"""

from collections.abc import Callable
from enum import Enum, IntEnum

import msgspec

from firmware_sim.device.flash import Flash
from firmware_sim.device.profile import Profile

PROMPT = b"# "
PARTITIONS = ("boot", "image_a", "image_b", "config", "user")


class Level(IntEnum):
    """How much the log says."""

    ERROR = 1
    WARN = 2
    INFO = 3
    DEBUG = 4


class Wish(Enum):
    """What a command asks of the device itself."""

    REBOOT = "reboot"
    FACTORY_RESET = "factory-reset"


class Facts(msgspec.Struct):
    """What the console knows of its device."""

    profile: Profile
    uuid: str
    version: str
    lifecycle: str = "OFF"
    session: str = "DOWN"
    light: str = "off"
    operator: str = ""
    booted_ms: int = 0
    level: Level = Level.INFO

    @property
    def network(self) -> str:
        """Return the name of its network interface."""
        return "eth0" if self.profile.wired else "wlan0"


class Answer(msgspec.Struct, frozen=True):
    """Lines to print, and what to do after them."""

    lines: tuple[str, ...] = ()
    wish: Wish | None = None


def run(facts: Facts, line: str, now_ms: int) -> Answer:
    """Carry out a line; an empty one answers nothing, an unknown command says so."""
    words = line.split()
    if not words:
        return Answer()
    command = COMMANDS.get(words[0].lower())
    if command is None:
        return Answer((f"{words[0]}: command not found, try help",))
    return command(facts, words[1:], now_ms)


def _help(_facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    return Answer(tuple(f"{name:<14}{text}" for name, text in HELP.items()))


def _version(facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    title = f"{facts.profile.title} ({facts.profile.name})"
    return Answer((f"model    {title}", f"firmware {facts.version}", f"uuid     {facts.uuid}"))


def _status(facts: Facts, _words: list[str], now_ms: int) -> Answer:
    up_s = max(0, now_ms - facts.booted_ms) / 1000
    return Answer(
        (
            f"state    {facts.lifecycle.lower()}",
            f"cloud    {facts.session.lower()}",
            f"operator {facts.operator or '-'}",
            f"uptime   {up_s:.3f} s",
        )
    )


def _led(facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    pattern = facts.profile.indicator[facts.light].in_words()
    return Answer((f"led {facts.light}: {pattern}",))


def _net(facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    there = facts.lifecycle in ("ACTIVATING", "ONLINE", "UPDATING")
    tries = facts.lifecycle in ("JOINING", "REJOINING")
    state = "up" if there else "joining" if tries else "idle"
    return Answer((f"{facts.network}: {state}", f"mqtt: {facts.session.lower()}"))


def _flash(_facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    names = " ".join(Flash.__struct_fields__)
    return Answer((f"partitions: {' '.join(PARTITIONS)}", f"config: {names}"))


def _log(facts: Facts, words: list[str], _now_ms: int) -> Answer:
    if not words:
        return Answer((f"log level {facts.level.name.lower()}",))
    if words[0].upper() not in Level.__members__:
        return Answer((f"log: level is one of {' '.join(Level.__members__).lower()}",))
    facts.level = Level[words[0].upper()]
    return Answer((f"log level {facts.level.name.lower()}",))


def _reboot(_facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    return Answer(("rebooting",), Wish.REBOOT)


def _factory_reset(_facts: Facts, _words: list[str], _now_ms: int) -> Answer:
    return Answer(("resetting to factory settings",), Wish.FACTORY_RESET)


HELP = {
    "help": "this list",
    "version": "model and firmware",
    "status": "what the device is doing",
    "led": "what the light shows, and how",
    "net": "network and cloud",
    "flash": "names of what is stored, not the contents",
    "log [level]": "show or set: error warn info debug",
    "reboot": "restart",
    "factory-reset": "as if the reset button were held",
}
COMMANDS: dict[str, Callable[[Facts, list[str], int], Answer]] = {
    "help": _help,
    "version": _version,
    "status": _status,
    "led": _led,
    "net": _net,
    "flash": _flash,
    "log": _log,
    "reboot": _reboot,
    "factory-reset": _factory_reset,
}
