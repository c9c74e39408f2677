"""What the firmware tells itself: meanings won from raw events, and timers that ran out.

The tables in `lifecycle`, `session` and `button` are written in these terms. A raw event of the
world (`firmware_sim.events`) that carries bytes is turned into a few of them by the decoders in
`device`, `cloud_calls`, `cloud_link` and `lan`; a peer's mistake never becomes one, it is only
noted. The other raw events stand in the tables as they are.
"""

from firmware_sim.device.flash import ResetKind
from firmware_sim.events import Event
from firmware_sim.wire.atop import Inner
from firmware_sim.wire.atop_messages import ActivationResult, SyncStatus
from firmware_sim.wire.atop_upgrade import UpgradeOffer
from firmware_sim.wire.provisioning import TokenForm, TokenParts


class BootElapsed(Event, frozen=True):
    """The boot loader and the system have started; the application runs."""


class EraseElapsed(Event, frozen=True):
    """The flash sectors of the binding are erased."""


class FailureElapsed(Event, frozen=True):
    """The failure was shown long enough for an operator to read it."""


class JoinElapsed(Event, frozen=True):
    """Nobody answered the attempt to join the network in time."""


class RetryElapsed(Event, frozen=True):
    """The pause before the next attempt of the same thing is over."""


class AnnounceElapsed(Event, frozen=True):
    """It is time for the next LAN announcement."""


class HoldElapsed(Event, frozen=True):
    """The button was down as long as the profile's reset gesture asks for."""


class ConnectElapsed(Event, frozen=True):
    """The broker did not answer CONNECT or SUBSCRIBE in time."""


class PingElapsed(Event, frozen=True):
    """The link was idle for the keep-alive time."""


class PongElapsed(Event, frozen=True):
    """The broker did not answer PINGREQ in time."""


class BackoffElapsed(Event, frozen=True):
    """The pause before the next connection attempt is over."""


class AskElapsed(Event, frozen=True):
    """The session stands: time for the questions that are asked once per boot."""


class AnswerElapsed(Event, frozen=True):
    """Our calls over MQTT were not answered in time."""


class StepElapsed(Event, frozen=True):
    """A piece of the new firmware is loaded, or all of it is installed."""


class ChildrenDue(Event, frozen=True):
    """Something is to be done about our sub-devices: their time has come, or one has changed."""


class IdleElapsed(Event, frozen=True):
    """A LAN client may have been silent for too long."""


class ResetHeld(Event, frozen=True):
    """The operator asked for a local reset: the button was held."""


class PairingRead(Event, frozen=True):
    """The lens read a complete pairing code."""

    ssid: str
    password: str
    token: str

    def __repr__(self) -> str:
        """Show the network, neither password nor token."""
        return f"PairingRead(ssid={self.ssid!r})"


class Solicited(Event, frozen=True):
    """Somebody on the LAN asks all devices to say, to the address `ip`, who they are."""

    ip: str


class LanRemoved(Event, frozen=True):
    """A LAN client that knows our key asked us to forget our binding."""


class TokenOffered(Event, frozen=True):
    """LAN client `conn` hands over a token (wired pairing), in its frame `sequence`.

    `form` is how the frame was protected; the answer is protected in the same way.
    """

    conn: int
    sequence: int
    token: str
    form: TokenForm

    def __repr__(self) -> str:
        """Show no token."""
        return f"TokenOffered(conn={self.conn})"


class TokenHeard(Event, frozen=True):
    """The cloud sent a token on the topic where an unpaired device listens."""

    token: TokenParts


class TokenBrought(Event, frozen=True):
    """A token came from the cloud, and the session that brought it is closed."""

    token: TokenParts


class EndpointsFound(Event, frozen=True):
    """iot-dns named the region's servers."""


class CallFailed(Event, frozen=True):
    """A call to the cloud got no usable reply."""

    reason: str


class ActivationAccepted(Event, frozen=True):
    """The cloud issued credentials."""

    result: ActivationResult


class ActivationRefused(Event, frozen=True):
    """The cloud refused to activate; `code` is its errorCode.

    `clock_was_wrong`: its answer has set our clock, so that a new signature may fit better.
    """

    code: str
    clock_was_wrong: bool = False


class VersionsTaken(Event, frozen=True):
    """The cloud answered the report of our versions."""


class ErrandAnswered(Event, frozen=True):
    """The cloud answered an errand over HTTP; `inner` is None when there is no usable reply."""

    inner: Inner | None


class UpgradeNoticed(Event, frozen=True):
    """The cloud says that there may be new firmware for a channel."""

    channel: int


class UpgradeOffered(Event, frozen=True):
    """The cloud named the firmware that we should run."""

    offer: UpgradeOffer


class UpgradeRefused(Event, frozen=True):
    """The cloud announced new firmware for a channel, and then named none."""

    channel: int


class ChildUpgradeNoticed(Event, frozen=True):
    """The cloud says that there may be new firmware for a channel of a sub-device."""

    node_id: str
    channel: int


class Upgraded(Event, frozen=True):
    """The new firmware is installed: restart."""


class ConfigNoticed(Event, frozen=True):
    """The cloud says that our configuration has changed."""


class LocallyReset(Event, frozen=True):
    """Somebody at the device resets it; the cloud hears of it if a session stands."""


class Released(Event, frozen=True):
    """The cloud says that this device is bound no longer: erase the binding."""

    kind: ResetKind


class ChildRemoved(Event, frozen=True):
    """The cloud says that a sub-device is nobody's any more; `wipe`: it forgets what was set on it."""

    node_id: str
    wipe: bool


class SyncAnswered(Event, frozen=True):
    """The cloud told a refused device what it is: `enable`, `reset` or `reset_factory`."""

    status: SyncStatus


class CloudWanted(Event, frozen=True):
    """The lifecycle needs a cloud session."""


class CloudUnwanted(Event, frozen=True):
    """The lifecycle left the state that needs a cloud session."""


class StreamLost(Event, frozen=True):
    """The connection to the broker is gone, or broke the protocol; `fin` as in `MqttClosed`."""

    reason: str
    fin: bool = False


class Admitted(Event, frozen=True):
    """CONNACK 0."""


class Refused(Event, frozen=True):
    """CONNACK with another code; 5 means that the device was unbound."""

    code: int


class Subscribed(Event, frozen=True):
    """The broker took all our subscriptions."""


class Ponged(Event, frozen=True):
    """PINGRESP."""
