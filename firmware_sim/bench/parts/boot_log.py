"""What a device prints while it starts: boot loader, kernel, application. The texts are our own.

Times are shares of the profile's `boot_ms`. The loader's console is locked, as it is on devices
that are sold: whatever is typed before the shell is up is lost.
"""

from firmware_sim.device.profile import Kind, Profile

_MEMORY = {Kind.CAMERA: (64, 16), Kind.GATEWAY: (64, 16), Kind.BASE_STATION: (256, 64)}
"""MiB of RAM and of flash by kind; recorders have the most."""
_KERNEL, _APPLICATION = 0.15, 0.65  # when each of them takes over


def lines(profile: Profile, version: str) -> list[tuple[int, str]]:
    """Return (ms since the start, line), in order; all come before the boot is over."""
    boot_ms = profile.timings.boot_ms
    return [
        (int(share * boot_ms), _stamp(share, boot_ms) + text)
        for share, text in _log(profile, version)
    ]


def _stamp(share: float, boot_ms: int) -> str:
    """Return the time since the start as kernel and application print it; the loader has none."""
    return f"[{share * boot_ms / 1000:9.3f}] " if share >= _KERNEL else ""


def _log(profile: Profile, version: str) -> list[tuple[float, str]]:
    ram, rom = _MEMORY.get(profile.kind, (512, 128))
    network = "eth0: link is managed by the application" if profile.wired else "wlan0: radio ready"
    log = [
        (0.00, ""),
        (0.00, f"Boot ROM 2.1, {profile.name}"),
        (0.01, f"DRAM:  {ram} MiB"),
        (0.03, f"Flash: {rom} MiB"),
        (0.05, "Secure boot: console locked"),
        (0.10, f"Image: bank a, firmware {version}, signature ok"),
        (0.14, "Starting kernel ..."),
        (0.15, f"kernel: 1 cpu, {ram} MiB"),
        (0.20, "uart: ttyS0 at 115200"),
        (0.28, "mtd: 5 partitions: boot image_a image_b config user"),
        (0.40, network),
        (0.50, "rootfs: mounted read-only"),
        (0.60, "init: starting application"),
        (0.65, f"I/app: {profile.title}"),
        (0.70, f"I/app: firmware {version}, generation {profile.firmware.generation.value}"),
        (0.80, "I/flash: config ok"),
    ]  # fmt: skip
    if not profile.wired:
        log.append((0.88, "I/isp: sensor ready"))
    return [*log, (0.95, "I/app: ready")]
