"""What an operator should know about a device, in plain words and without secrets.

States are told by their light (`firmware_sim.device.meaning`), notes by the table here: what a
note's detail says is the firmware's own short text and is put behind the sentence.
"""

from collections import deque

import msgspec

from firmware_sim.bench.parts.printable import printable
from firmware_sim.device.meaning import meaning
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown

KEPT_MAX = 1000
TONE = "tone"

NOTES = {
    "bad_qr": "It ignored a QR code that is not one of the app's",
    "join_refused": "It could not join the network",
    "activation_refused": "The cloud refused to activate it",
    "activation_retry": "The cloud refused again; the firmware keeps asking",
    "call_failed": "A call to the cloud led nowhere",
    "bad_reply": "It did not understand an answer of the cloud",
    "wiped": "It erased the settings of its former owner",
    "mqtt_lost": "It lost its connection to the cloud",
    "mqtt_silent": "The cloud fell silent; it connects again",
    "mqtt_refused": "The cloud's broker refused it",
    "bad_mqtt": "What came from the broker is not MQTT",
    "bad_message": "It could not read a message of the cloud",
    "dp_refused": "It refused a value for one of its data points",
    "reset_refused": "It refuses to be reset while it loads new firmware",
    "upgrade": "It begins to load new firmware",
    "upgrade_declined": "It declined new firmware",
    "upgrade_refused": "The cloud had no new firmware for it",
    "upgrade_broken_off": "It broke off loading new firmware",
    "bad_lan": "It could not use what came over the LAN",
    "lan_ignored": "It ignored a command from the LAN",
    "lan_refused": "It refused a command from the LAN",
    "child_unknown": "The cloud named a sub-device that it does not have",
    "child_unreached": "A sub-device could not be reached",
    "child_removed": "A sub-device was removed",
    "child_refused": "The cloud refused one of its sub-devices",
    "child_upgrade": "A sub-device begins to load new firmware",
    "child_upgrade_declined": "New firmware for a sub-device was declined",
    "child_upgrade_refused": "The cloud had no new firmware for a sub-device",
    "child_upgrade_broken_off": "A sub-device broke off loading new firmware",
    "host_short": "The computer that simulates it is short of something",
}

REASONS = {
    "wifi_not_found": "no network of that name is in reach",
    "wifi_password": "the password of the Wi-Fi is wrong",
    "no_network": "the network did not answer, or went away",
}

NOT_LOOKING = "A code is held to its lens, but it does not look: it looks only while it waits."


class Happening(msgspec.Struct, frozen=True):
    """Something worth knowing: when (ms), and in one line what."""

    at_ms: int
    text: str


def note_in_words(note: Noted) -> str:
    """Return what a device noted as one printable line that ends with a full stop."""
    said = NOTES.get(note.kind, printable(note.kind, 40))
    why = REASONS.get(note.detail, note.detail)
    return f"{said}: {printable(why)}." if why else f"{said}."


class Happenings:
    """The last thousand things that happened to one device."""

    __slots__ = ("_kept", "_light", "_profile")

    def __init__(self, profile: Profile) -> None:
        """Begin with nothing."""
        self._profile = profile
        self._kept: deque[Happening] = deque(maxlen=KEPT_MAX)
        self._light = ""

    def remark(self, text: str, now_ms: int) -> None:
        """Add a sentence; whatever is not printable is replaced."""
        self._kept.append(Happening(now_ms, printable(text)))

    def shown(self, state: StateShown, now_ms: int) -> None:
        """Take a state; told is what the light says, when it says something else than before."""
        before, self._light = self._light, state.light
        if state.light not in (before, "off"):  # that the supply is off is told already
            pattern = self._profile.indicator[state.light].in_words()
            self.remark(f"{meaning(self._profile, state.light)} Light: {pattern}.", now_ms)

    def noted(self, note: Noted, now_ms: int) -> None:
        """Take a note; tones are for the ear."""
        if note.kind != TONE:
            self.remark(note_in_words(note), now_ms)

    def since(self, since_ms: int) -> tuple[Happening, ...]:
        """Return what happened at or after an instant."""
        return tuple(each for each in self._kept if each.at_ms >= since_ms)
