"""Which bench takes part, and as which device: a TOML file, and its place in a population.

env = "env.yaml"              # of labgrid; beside this file, as a model that is a file
target = "main"
profile = "ipc-red-green"     # model: what its lights mean, how long its button is held
uuid = "..."                  # who the device is, as it was burnt in
auth_key = "..."
cloud = "http://127.0.0.1:8480"  # where its firmware looks for its cloud; the run serves it there
lan = "192.168.7.0/24"        # of a device on a cable: where it is found

[wifi]                        # the one at the bench; names of the scenario stand for it
ssid = "bench"
password = "..."
"""

from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from fleet.app.finder import EVERYWHERE
from fleet.run.population import Network, Population, Product, Unit
from hw_profiles import catalog

FILE_SIZE_MAX = 65_536
_Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bench and the device on it."""

    env: Annotated[str, Meta(min_length=1)]
    profile: Annotated[str, Meta(min_length=1)]
    uuid: _Name
    auth_key: _Name
    product_id: _Name
    cloud: str
    target: str = "main"
    lan: str = ""
    wifi: Network | None = None

    def __repr__(self) -> str:
        """Show which device and where, no key."""
        return f"Member({self.uuid!r}, {self.profile!r}, {self.env!r})"

    @property
    def model(self) -> Profile:
        """Return its model. Raises UsageError for one that there is not."""
        return catalog.load(self.profile)

    @property
    def cloud_address(self) -> tuple[str, int]:
        """Return host and port of its cloud. Raises UsageError unless it is http://HOST:PORT."""
        try:
            parts = urlsplit(self.cloud)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.scheme != "http" or parts.path not in ("", "/"):
            raise UsageError(f"cloud = {self.cloud!r}: expected http://HOST:PORT")
        return host, port


def load_member(path: Path) -> Member:
    """Read a file; what it names is sought in its folder. Raises UsageError, naming file and key."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_SIZE_MAX + 1)
        if len(content) > FILE_SIZE_MAX:
            raise UsageError(f"{path}: more than {FILE_SIZE_MAX} bytes; is it a member of a fleet?")
        member = msgspec.toml.decode(content, type=Member)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    folder = path.parent
    profile = str(folder / member.profile) if _is_file(member.profile) else member.profile
    member = msgspec.structs.replace(member, env=str(folder / member.env), profile=profile)
    check(path, member)
    return member


def _is_file(profile: str) -> bool:
    return profile.endswith(".toml")


def load_members(paths: Iterable[Path]) -> tuple[Member, ...]:
    """Read several files. Raises UsageError as `load_member`, and for what cannot be in one run."""
    members = tuple(load_member(path) for path in paths)
    if len({member.uuid for member in members}) < len(members):
        raise UsageError("--bench: two of the files name the same uuid")
    if len(clouds := {member.cloud_address for member in members}) > 1:
        told = " and ".join(sorted(f"{host}:{port}" for host, port in clouds))
        raise UsageError(f"--bench: all look for one cloud, not for {told}")
    return members


def check(path: Path, member: Member) -> None:
    """Raise UsageError for what cannot be, naming the file."""
    try:
        wired, _ = member.model.wired, member.cloud_address
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    if not wired and member.wifi is None:
        raise UsageError(f"{path}: {member.profile} joins by Wi-Fi: say which, in a table [wifi]")
    if wired and not member.lan:
        raise UsageError(f"{path}: {member.profile} is on a cable: say where it is found, as lan")
    try:
        IPv4Network(member.lan or EVERYWHERE)
    except ValueError as error:
        raise UsageError(f"{path}: lan: {error}; expected one like 192.168.7.0/24") from None


def place_in(population: Population, members: Iterable[Member]) -> Population:
    """Return the population with the devices of benches in place of some of their models.

    Each is of a product of its own, the one that its firmware names. Raises UsageError where the
    scenario has too few of a model, or nobody but benches.
    """
    for member in members:
        population = _with(population, member)
    if all(unit.foreign for unit in population.units):
        raise UsageError("--bench: a run needs a simulated device besides; see --devices")
    return population


def _with(population: Population, member: Member) -> Population:
    unit = _stood_for(population, member.profile)
    model = unit.product.profile
    product = Product(
        member.product_id, f"{Path(model).stem} on a bench", model, member.model.wired
    )
    known = {one.product_id: one for one in population.products}
    if known.get(product.product_id, product).profile != product.profile:
        raise UsageError(f"--bench: product {product.product_id} cannot be of two models")
    unit = msgspec.structs.replace(
        unit,
        uuid=member.uuid,
        auth_key=member.auth_key,
        dev_id="",
        product=known.setdefault(product.product_id, product),
        foreign=True,
    )
    units = population.units
    return msgspec.structs.replace(
        population,
        units=(*units[: unit.index], unit, *units[unit.index + 1 :]),
        products=tuple(known.values()),
    )


def _place(profile: str) -> str:
    """Return the name of a model, or where its file is, however that is written."""
    return str(Path(profile).resolve()) if _is_file(profile) else profile


def _stood_for(population: Population, profile: str) -> Unit:
    """Return the last device of a model that is in no trouble, one that will be sold if there is."""
    free = [unit for unit in population.units if not unit.trouble and not unit.foreign]
    fitting = [unit for unit in free if _place(unit.product.profile) == _place(profile)]
    if not fitting:
        models = ", ".join(sorted({unit.product.profile for unit in free}))
        raise UsageError(
            f"--bench: with so many devices {population.scenario.name} has none of model "
            f"{profile!r} to stand for (it has {models}); take more of them, another scenario, or "
            "add a product to it"
        )
    return next((unit for unit in reversed(fitting) if unit.new_owner is not None), fitting[-1])
