"""The cloud on somebody else's broker: sans-IO, as its own one, and a messenger like it.

`broker` is the messenger, `lines` what it and its edge tell each other, `address` how a broker is
named. `clients` says whom a broker has to let in. Mosquitto is told so by commands (`dynsec`,
`roles`, `conversation`, `knowledge`, `provisioning`, `kept_back`) and tells who is there in its log
(`mosquitto`); EMQX asks over HTTP (`fleet.cloud.api.broker_auth_api`) and tells it in events
(`emqx`). `signs` and `presence` are common to both.
"""

from fleet.cloud.external.address import Access, BrokerAddress, parse_address
from fleet.cloud.external.broker import ExternalBroker
from fleet.cloud.external.lines import OutsideEvent

__all__ = ["Access", "BrokerAddress", "ExternalBroker", "OutsideEvent", "parse_address"]
