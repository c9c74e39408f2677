"""What a device asks and tells the cloud once per boot, a second or two after it came online.

The silent upgrade is always asked for (tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c).
The rest is the profile's choice: the open SDK has the calls without making them, hardware makes
them (configuration: logs in tuya-cloudcutter/tuya-cloudcutter, issue 214; reason of a restart: log
in ct-Open-Source/tuya-convert, issue 459). Both go over HTTP.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from firmware_sim.device import update, uplink
from firmware_sim.device.profile import Question
from firmware_sim.device.timers import Timer
from firmware_sim.events import Event
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop import Inner

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

FIRST_AFTER_MS = 1000
SPREAD_MS = 1000
CONFIGURATIONS = '["timezone","rateRule"]'
POWER_CAME_ON, RESTARTED_ITSELF = 0, 4
"""Numbers of restarts as in the SDK of the processor that the vendor's first devices have
(espressif/ESP8266_NONOS_SDK, include/user_interface.h); that the vendor uses them is our guess."""


def ask_soon(device: "Device") -> None:
    """Let the questions of this boot come, unless they were asked."""
    if not device.asked:
        device.arm(Timer.ASK, FIRST_AFTER_MS + device.rng.below(SPREAD_MS))


def ask_all(device: "Device", _: Event) -> None:
    """Ask what is asked once per boot."""
    device.asked = True
    silently = messages.UpgradeSilentGet(sub_id=None, t=device.now_s)
    uplink.ask(device, messages.UPGRADE_SILENT_GET, silently, update.offered)
    for question in device.profile.firmware.questions:
        _ASKED[question](device)


def ask_config(device: "Device", _: Event | None = None) -> None:
    """Ask for our configuration: once per boot, and when the cloud says that it changed."""
    request = messages.DynamicConfigGet(type=CONFIGURATIONS, t=device.now_s)
    uplink.ask_over_http(device, messages.DYNAMIC_CONFIG_GET, request, _configured)


def _configured(_: "Device", inner: Inner | None) -> None:
    """Read what came, as firmware does; nothing that we simulate depends on it."""
    result = uplink.result_of(inner)
    if result:
        messages.decode(result, messages.DynamicConfig)


def _log_restart(device: "Device") -> None:
    reason = RESTARTED_ITSELF if device.restarted else POWER_CAME_ON
    log = messages.DebugLog(data=reason, t=device.now_s)
    uplink.ask_over_http(device, messages.DEBUG_LOG, log)


_ASKED: Mapping[Question, Callable[["Device"], None]] = {
    Question.CONFIG: ask_config,
    Question.RESTART_LOG: _log_restart,
}
