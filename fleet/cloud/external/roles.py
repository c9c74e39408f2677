"""What Mosquitto's dynamic security is told of clients: the commands, and the names in them.

A client has a role of its own, which has its name, and is in the common group, whose role forbids
everything else.
"""

from firmware_sim.wire import mqtt_payload
from fleet.cloud.app_links import CLIENT, TOPIC
from fleet.cloud.external.clients import Client
from fleet.cloud.external.dynsec import Acl, Command, Entry, GroupRef, RoleRef

OWN_CLIENT = "fleet-cloud"
CONTROL_CLIENT = f"{OWN_CLIENT}-control-"
"""What the client id begins with of the line to its administrator; the rest is each process's."""

GROUP = "fleet-clients"
NOTHING_ROLE = "fleet-nothing"

_SEND = "publishClientSend"
_RECEIVE = "publishClientReceive"
_SUBSCRIBE = "subscribeLiteral"
_SUBSCRIBE_ALL = "subscribePattern"
_ANY = "+"

OWN_FILTERS = (mqtt_payload.topic_out(_ANY), mqtt_payload.topic_rpc_request(_ANY))
"""What the cloud hears of devices."""

OWN_TOPICS = (
    mqtt_payload.topic_in(_ANY),
    mqtt_payload.topic_rpc_response(_ANY),
    mqtt_payload.topic_rpc_file(_ANY),
    mqtt_payload.topic_activation(_ANY),
    TOPIC + _ANY,
)
"""Where it talks to them and to the programs of users."""


def first_commands(password: str) -> list[Command]:
    """Return what makes the common group and our own client; it fails for what is there already."""
    nothing = [Acl(kind, "#", allow=False) for kind in (_SEND, _SUBSCRIBE_ALL)]
    return [
        Command("createRole", rolename=NOTHING_ROLE, acls=tuple(nothing)),
        Command("createGroup", groupname=GROUP, roles=(RoleRef(NOTHING_ROLE),)),
        Command("createRole", rolename=OWN_CLIENT, acls=_own_acls()),
        Command(
            "createClient",
            username=OWN_CLIENT,
            clientid=OWN_CLIENT,
            password=password,
            roles=(RoleRef(OWN_CLIENT),),
        ),
    ]


def change_own_client(password: str) -> list[Command]:
    """Return what gives our own client another password, and all that it needs, if it was there."""
    return [
        Command("modifyRole", rolename=OWN_CLIENT, acls=_own_acls()),
        Command(
            "modifyClient",
            username=OWN_CLIENT,
            password=password,
            roles=(RoleRef(OWN_CLIENT),),
        ),
    ]


def _own_acls() -> tuple[Acl, ...]:
    return (
        *(Acl(_SEND, topic) for topic in OWN_TOPICS),
        *(Acl(kind, topic) for topic in OWN_FILTERS for kind in (_SUBSCRIBE, _RECEIVE)),
    )


def send_all_away(now_ms: int) -> Command:
    """Return what ends the connections of all clients: any change of the group they are in."""
    return Command("modifyGroup", groupname=GROUP, textdescription=f"roll call of {now_ms}")


def is_ours(entry: Entry) -> bool:
    """Tell whether a client of the broker is one that we made."""
    return any(group.groupname == GROUP for group in entry.groups)


def is_own_id(client_id: str) -> bool:
    """Tell whether a client id is one under which a cloud connects."""
    return client_id == OWN_CLIENT or client_id.startswith(CONTROL_CLIENT)


def is_program(username: str) -> bool:
    """Tell whether a client that we made is a user's program."""
    return username.startswith(CLIENT)


def make(client: Client) -> list[Command]:
    """Return what lets a client in that the broker does not know."""
    acls = [
        *(Acl(_SUBSCRIBE, topic) for topic in client.hears),
        *(Acl(_SEND, topic) for topic in client.sends),
    ]
    return [
        Command("createRole", rolename=client.username, acls=tuple(acls)),
        Command(
            "createClient",
            username=client.username,
            clientid=client.client_id,
            password=client.password,
            textdescription=client.fingerprint,
            roles=(RoleRef(client.username),),
            groups=(GroupRef(GROUP),),
        ),
    ]


def change(client: Client) -> Command:
    """Return what gives a client another password."""
    return Command(
        "modifyClient",
        username=client.username,
        password=client.password,
        textdescription=client.fingerprint,
    )


def switch(client: Client) -> Command:
    """Return what lets a client in again, or refuses it from now on."""
    name = "enableClient" if client.enabled else "disableClient"
    return Command(name, username=client.username)


def remove(username: str) -> list[Command]:
    """Return what makes the broker forget a client."""
    return [
        Command("deleteClient", username=username),
        Command("deleteRole", rolename=username),
    ]
