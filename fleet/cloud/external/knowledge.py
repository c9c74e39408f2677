"""What a broker knows of our clients, as far as it has said, and what it still has to be told."""

from typing import NamedTuple

from fleet.cloud.external import roles
from fleet.cloud.external.clients import Client, Clients
from fleet.cloud.external.dynsec import Answer, Command, Entry


class _Known(NamedTuple):
    fingerprint: str
    enabled: bool


class Knowledge:
    """Compares what the broker knows with what it should know."""

    def __init__(self, clients: Clients) -> None:
        """Assume that the broker knows nobody."""
        self._clients = clients
        self._known: dict[str, _Known] = {}

    def clear(self) -> None:
        """Assume nothing any more."""
        self._known.clear()

    def take(self, entry: Entry) -> None:
        """Note a client in the broker's list."""
        if roles.is_ours(entry):
            self._known[entry.username] = _Known(entry.textdescription, not entry.disabled)

    def names(self) -> list[str]:
        """Return the clients that may have to be seen to: all devices, and programs of former times."""
        programs = [name for name in self._known if roles.is_program(name)]
        return [*self._clients.names(), *programs]

    def strangers(self) -> int:
        """Return how many clients the broker knows that we made once and do not know."""
        devices = (name for name in self._known if not roles.is_program(name))
        return sum(self._clients.get(name) is None for name in devices)

    def commands(self, name: str) -> list[Command]:
        """Return what makes the broker know of a client what it should; nothing if it does."""
        client = self._clients.get(name)
        if client is None:
            left_over = roles.is_program(name) and name in self._known
            return roles.remove(name) if left_over else []
        known = self._known.get(client.username)
        if known is None:
            return roles.make(client) if client.enabled and not client.optional else []
        return _corrections(client, known)

    def learn(self, command: Command, answer: Answer) -> bool:
        """Note what came of a command; return whether it did what it should."""
        username = command.username
        if not isinstance(username, str):  # a role's; whether it is there, the client's tells
            return not answer.error or answer.exists or answer.missing
        known = self._known.get(username, _Known("", enabled=True))
        if command.command == "deleteClient" or answer.missing:
            self._known.pop(username, None)
        elif answer.error:
            return False  # also when there is somebody else's client of this name
        elif isinstance(command.textdescription, str):
            self._known[username] = known._replace(fingerprint=command.textdescription)
        else:
            self._known[username] = known._replace(enabled=command.command == "enableClient")
        return True


def _corrections(client: Client, known: _Known) -> list[Command]:
    commands = []
    if client.enabled and client.fingerprint != known.fingerprint:
        commands.append(roles.change(client))
    if client.enabled != known.enabled:
        commands.append(roles.switch(client))
    return commands
