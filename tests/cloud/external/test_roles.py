"""What the plugin is told of clients."""

import msgspec

from firmware_sim.rng import Rng
from firmware_sim.wire import mqtt_payload
from fleet.cloud.app_links import AppLinks
from fleet.cloud.broker.topics import covers
from fleet.cloud.external import roles
from fleet.cloud.external.clients import Client
from fleet.cloud.external.dynsec import Acl, Command, Entry, GroupRef, RoleRef
from fleet.cloud.keys import Entropy
from fleet.cloud.projects import Project
from fleet.cloud.settings import Settings

CLIENT = Client("bf1", "bf1", "secret", hears=("in/bf1",), sends=("out/bf1",))


def test_a_client_may_do_by_its_role_what_the_group_forbids() -> None:
    role, client = roles.make(CLIENT)
    assert role == Command(
        "createRole",
        rolename="bf1",
        acls=(Acl("subscribeLiteral", "in/bf1"), Acl("publishClientSend", "out/bf1")),
    )
    assert client == Command(
        "createClient",
        username="bf1",
        clientid="bf1",
        password="secret",
        textdescription=CLIENT.fingerprint,
        roles=(RoleRef("bf1"),),
        groups=(GroupRef(roles.GROUP),),
    )
    nothing, group = roles.first_commands("p")[:2]
    assert group.roles == (RoleRef(roles.NOTHING_ROLE),)
    assert nothing.acls == (
        Acl("publishClientSend", "#", allow=False),
        Acl("subscribePattern", "#", allow=False),
    )


def test_our_own_client_is_not_one_of_them() -> None:
    made = roles.first_commands("p")[-1]
    assert made.roles == (RoleRef(roles.OWN_CLIENT),)
    assert made.groups is msgspec.UNSET, "no roll call sends it away"
    assert not roles.is_ours(Entry(roles.OWN_CLIENT))
    assert roles.is_ours(Entry("bf1", groups=(GroupRef("x"), GroupRef(roles.GROUP))))
    assert not roles.is_ours(Entry("somebody", groups=(GroupRef("x"),)))


def test_our_own_client_hears_and_talks_to_all_there_are() -> None:
    entropy: Entropy = Rng(1).bytes
    links = AppLinks(Settings(), entropy)
    link = links.open(Project("k", "s" * 32, "maker", "own"), "EU", "u", "l", "1.0", 1)
    said = [
        mqtt_payload.topic_in("x"),
        mqtt_payload.topic_rpc_response("x"),
        mqtt_payload.topic_rpc_file("x"),
        mqtt_payload.topic_activation("x"),
        link.topic,
    ]
    assert all(any(covers(own, topic) for own in roles.OWN_TOPICS) for topic in said)
    heard = [mqtt_payload.topic_out("x"), mqtt_payload.topic_rpc_request("x")]
    assert all(any(covers(own, topic) for own in roles.OWN_FILTERS) for topic in heard)
    assert not any(covers(own, topic) for own in roles.OWN_TOPICS for topic in heard)


def test_changes() -> None:
    change = roles.change(CLIENT)
    assert (change.password, change.textdescription) == ("secret", CLIENT.fingerprint)
    assert roles.switch(CLIENT).command == "enableClient"
    refused = Client("bf1", "bf1", "secret", hears=(), enabled=False)
    assert roles.switch(refused) == Command("disableClient", username="bf1")
    assert [command.command for command in roles.remove("bf1")] == ["deleteClient", "deleteRole"]
    role, client = roles.change_own_client("p")
    made = roles.first_commands("p")
    assert (role.rolename, role.acls) == (made[2].rolename, made[2].acls)
    assert (client.username, client.roles) == (made[3].username, made[3].roles)


def test_every_roll_call_is_another_change() -> None:
    assert roles.send_all_away(1) != roles.send_all_away(2)
    assert roles.send_all_away(1).groupname == roles.GROUP


def test_programs_are_known_by_their_names() -> None:
    assert roles.is_program("cloud_1")
    assert not roles.is_program("bf1")
