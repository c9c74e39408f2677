"""What the rooms of a running fleet stand on: its devices, the hands and eyes, its people."""

import msgspec

from fleet.run.population import Person, Population
from fleet.run.supervisor import Supervisor


class Premises(msgspec.Struct, eq=False):
    """One fleet that runs in this process's event loop. `people` may log in to its cloud.

    Ask for `population` and `people` anew whenever you need them: both change when devices come.
    """

    population: Population
    supervisor: Supervisor
    people: tuple[Person, ...]
