"""Calls that the vendor's Open API has and this one does not, by name.

"More of" a subject is what is not served of it: other methods of the same paths, too. They are refused like any path that leads nowhere (1108), but the operator is told, once per name:
silence must not be taken for "there is no such call". The paths are those of the vendor's clients
(tuya/tuya-iot-python-sdk, tuya/tuya-connector-nodejs, tuya/tuya-connector, tuya/tuya-cloud-sdk-go,
tuya/tuya-device-sharing-sdk) and of its pages ("Cloud Services API Reference", developer.tuya.com).
Weather, door locks, timers, groups, WebRTC and messages were seen in no client: the names are
right, their paths may differ.
"""

import re

import msgspec


class Unserved(msgspec.Struct, frozen=True):
    """A group of calls; `pattern` is a regular expression for the whole path.

    Those that hand out tokens are signed without one.
    """

    name: str
    pattern: str
    needs_token: bool = True


UNSERVED = (
    Unserved("login by a ticket", r"/v1\.0/iot-01/[^/]+/ticket/users", needs_token=False),
    Unserved("login-free ticket", r"/v1\.0/users/[^/]+/ticket"),
    Unserved("more of asset users", r"/v1\.\d/iot-0[23]/users(/.*)?"),
    Unserved("more of assets", r"/v1\.\d/iot-0[23]/(assets|cross-level-sub-assets)(/.*)?"),
    Unserved("device-sharing SDK", r"/v1\.\d/m/.+"),
    Unserved("third-party cloud devices", r"/v1\.0/(iot-03/)?3rdcloud/(?!devices/[^/]+/remove$).+"),
    Unserved("infrared remotes", r"/v[12]\.0/infrareds/.+"),
    Unserved("scenes", r"/v\d\.\d/(cloud/scene|homes/[^/]+/(scenes|automations))(/.*)?"),
    Unserved("timers", r"/v\d\.\d/(cloud/timer|devices/[^/]+/timers)(/.*)?"),
    Unserved("device groups", r"/v\d\.\d/(cloud/thing/group|device-groups)(/.*)?"),
    Unserved("signal strength", r"/v\d\.\d/cloud/thing/signal/.+"),
    Unserved("video streams", r"/v1\.0/(users/[^/]+/)?devices/[^/]+/(stream/.+|webrtc-configs)"),
    Unserved("door locks", r"/v1\.\d/devices/[^/]+/(door-lock|smart-lock)s?(/.*)?"),
    Unserved(
        "firmware updates", r"/v\d\.\d/(cloud/thing|iot-03/devices)/[^/]+/(firmware|upgrade).*"
    ),
    Unserved("discovery by a gateway", r"/v1\.0/iot-03/device-registration/devices/.+"),
    Unserved("weather", r"/v\d\.\d/iot-03/weather(/.*)?"),
    Unserved("messages to people", r"/v1\.0/iot-03/(messages|message-templates)(/.*)?"),
)

_COMPILED = tuple((re.compile(entry.pattern), entry) for entry in UNSERVED)


def unserved(path: str) -> Unserved | None:
    """Return the entry of a path (without query), or None for a path that nobody knows."""
    plain = path.removesuffix("/")
    return next((entry for pattern, entry in _COMPILED if pattern.fullmatch(plain)), None)
