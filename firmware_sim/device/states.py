"""The states of the three machines, and the one register that the light needs besides them."""

from enum import Enum, auto


class State(Enum):
    """Base of all states: each is one object, and as a key as quick as one."""

    __hash__ = object.__hash__


class Lifecycle(State):
    """Where the device is in its life; the table is in `lifecycle`."""

    OFF = auto()
    BOOTING = auto()
    WAITING = auto()  # ready to be paired or unbound
    JOINING = auto()  # to the network it was just told
    ACTIVATING = auto()  # asking the cloud for credentials
    REJOINING = auto()  # to the network it remembers
    ONLINE = auto()  # activated, on the network; `Session` says whether the cloud is there
    UPDATING = auto()  # online, and loading new firmware
    RESETTING = auto()
    FAILED = auto()  # shows the failure, then waits again


class Session(State):
    """Where the device is on its way to an MQTT session; the table is in `session`."""

    DOWN = auto()
    RESOLVING = auto()  # iot-dns
    DECLARING = auto()  # reporting firmware versions
    CONNECTING = auto()
    SUBSCRIBING = auto()
    UP = auto()
    LISTENING = auto()  # the same for a device that is not paired: it waits for a token
    BACKOFF = auto()
    SYNCING = auto()  # refused as unbound: asking what it is


class Button(State):
    """The reset button; the table is in `button`."""

    UP = auto()
    DOWN = auto()
    HELD = auto()  # the gesture is done, the finger still there


class Outcome(State):
    """How the last attempt ended: what tells two waiting or two failing devices apart."""

    NONE = auto()
    UNBOUND = auto()  # the reset came from the cloud; survives the reboot, it is kept in flash
    JOIN_FAILED = auto()
    ACTIVATION_FAILED = auto()
