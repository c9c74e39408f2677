"""What each light of a device says to a person, in one sentence: the words are our own.

One place for all who tell: pages, terminal and bench. The patterns and their sources are in the
profiles, what the light shows when is `indicator`.
"""

from firmware_sim.device.profile import Profile

_MEANINGS = {
    "off": "It has no power.",
    "booting": "It starts.",
    "unbound": "Released: nobody's, ready for its next owner.",
    "joining": "It has a token and joins the network.",
    "registering": "It is in the network; the cloud decides.",
    "online": "It is bound and connected to the cloud.",
    "reconnecting": "It is bound, but not connected to the cloud.",
    "ota": "It loads new firmware: leave it alone.",
    "resetting": "It erases its memory.",
    "join_failed": "The network did not let it in.",
    "activation_failed": "The cloud refused it, or could not be reached.",
}
_WAITING_QR = "It waits for a token: show it a QR code."
_WAITING_WIRED = "It waits for a token from the LAN."


def meaning(profile: Profile, light: str) -> str:
    """Return what a light says, one of `indicator.LIGHTS`; waiting depends on how tokens come."""
    return _MEANINGS.get(light, _WAITING_WIRED if profile.wired else _WAITING_QR)
