"""What a broker knows, compared with what it should know."""

import msgspec
import pytest

from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.external.clients import Clients
from fleet.cloud.external.dynsec import Answer, Command, Entry, GroupRef
from fleet.cloud.external.knowledge import Knowledge
from fleet.cloud.external.roles import GROUP
from tests.cloud.support import World

DEV = "bfdevice00000000000000"
ACON = "acon_uuid0000"
OURS = (GroupRef(GROUP),)


@pytest.fixture
def world() -> World:
    return World()


def made(world: World, *entries: Entry) -> Knowledge:
    state = world.state
    knowledge = Knowledge(Clients(state.devices, state.app_links, state.settings))
    for entry in entries:
        knowledge.take(entry)
    return knowledge


def entry(world: World, name: str, *, disabled: bool = False) -> Entry:
    client = Clients(world.state.devices, world.state.app_links, world.settings).get(name)
    assert client is not None
    return Entry(name, client.fingerprint, disabled=disabled, groups=OURS)


def device(world: World) -> Device:
    found = world.state.devices.get("uuid0000")
    assert found is not None
    return found


def names(commands: list[Command]) -> list[str]:
    return [command.command for command in commands]


def test_one_that_is_known_as_it_should_be_needs_nothing(world: World) -> None:
    assert made(world, entry(world, DEV)).commands(DEV) == []


def test_one_that_is_unknown_is_made(world: World) -> None:
    assert names(made(world).commands(DEV)) == ["createRole", "createClient"]


def test_one_that_is_to_be_refused_and_unknown_needs_nothing(world: World) -> None:
    world.state.devices.remove(device(world), ResetKind.RESET, reachable=False)
    assert made(world).commands(DEV) == []
    assert names(made(world).commands(ACON)) == ["createRole", "createClient"]


def test_one_that_lost_its_owner_is_switched_off_and_keeps_its_password(world: World) -> None:
    known = entry(world, DEV)
    world.state.devices.remove(device(world), ResetKind.RESET, reachable=False)
    assert names(made(world, known).commands(DEV)) == ["disableClient"]


def test_new_keys_for_one_that_was_off(world: World) -> None:
    old = msgspec.structs.replace(entry(world, DEV), textdescription="old", disabled=True)
    assert names(made(world, old).commands(DEV)) == ["modifyClient", "enableClient"]


def test_one_that_need_not_be_known_may_stay_but_is_not_made(world: World) -> None:
    assert made(world).commands(ACON) == []
    assert made(world, entry(world, ACON)).commands(ACON) == []
    off = entry(world, ACON, disabled=True)
    assert names(made(world, off).commands(ACON)) == ["enableClient"]


def test_strangers_are_left_and_programs_of_former_times_removed(world: World) -> None:
    stranger = Entry("bfother", groups=OURS)
    program = Entry("cloud_1", groups=OURS)
    knowledge = made(world, stranger, program, Entry("somebody", groups=(GroupRef("x"),)))
    assert knowledge.commands("bfother") == []
    assert names(knowledge.commands("cloud_1")) == ["deleteClient", "deleteRole"]
    assert knowledge.commands("somebody") == []
    assert knowledge.strangers() == 1
    assert knowledge.names()[-1] == "cloud_1"
    assert len(knowledge.names()) == 9
    knowledge.clear()
    assert knowledge.strangers() == 0


@pytest.mark.parametrize(
    ("command", "answer", "left"),
    [
        (Command("createClient", username=DEV, textdescription="x"), "", ["modifyClient"]),
        (
            Command("createClient", username=DEV, textdescription="x"),
            "Role not found",
            ["createRole", "createClient"],
        ),
        (Command("disableClient", username=DEV), "", ["enableClient"]),
        (
            Command("disableClient", username=DEV),
            "Client not found",
            ["createRole", "createClient"],
        ),
        (Command("enableClient", username=DEV), "", []),
        (Command("deleteClient", username=DEV), "", ["createRole", "createClient"]),
        (Command("createRole", rolename=DEV), "Role already exists", []),
    ],
)
def test_what_came_of_a_command(
    world: World, command: Command, answer: str, left: list[str]
) -> None:
    knowledge = made(world, entry(world, DEV))
    assert knowledge.learn(command, Answer(command.command, answer))
    assert names(knowledge.commands(DEV)) == left


@pytest.mark.parametrize(
    "command", [Command("createRole", rolename=DEV), Command("disableClient", username=DEV)]
)
def test_what_did_not_work_teaches_nothing(world: World, command: Command) -> None:
    knowledge = made(world, entry(world, DEV))
    assert not knowledge.learn(command, Answer(command.command, "Internal error"))
    assert knowledge.commands(DEV) == []


def test_somebody_elses_client_of_the_same_name_stays_as_it_is(world: World) -> None:
    knowledge = made(world)
    for command in knowledge.commands(DEV):
        error = {"createRole": "Role", "createClient": "Client"}[command.command]
        done = knowledge.learn(command, Answer(command.command, f"{error} already exists"))
        assert done == (command.command == "createRole")
    assert names(knowledge.commands(DEV)) == ["createRole", "createClient"], "and is not changed"
