"""What the page of the demo and the server say to each other."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleet.light.meaning import Lamp, Light
from fleet.run.virtual.desk.happenings import Happening, Shown
from fleet.run.virtual.desk.phones import Code
from fleet.run.virtual.desk.scene import Touch
from fleet.web.demo.chart import Chart

SPEED_MAX = 20.0
Speed = Annotated[float, Meta(ge=1, le=SPEED_MAX)]
Name = Annotated[str, Meta(max_length=40)]
LIFE_S_MAX = 86_400


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what a page asks for."""


class Start(Order, frozen=True):
    """A new world: a device of a model, brought to a light, and how fast time passes from there."""

    profile: Name
    light: Name = "online"
    speed: Speed = 1.0


class TimeOrder(Order, frozen=True):
    """How time goes on; None leaves something as it is. `step`: one event, and stand still."""

    speed: Speed | None = None
    paused: bool | None = None
    step: bool = False


class Hand(Order, frozen=True):
    """One thing that a hand does; `place` is for `move`, `code` for `hold`."""

    do: Literal[
        "power_on",
        "power_off",
        "press",
        "release",
        "plug",
        "unplug",
        "wifi_on",
        "wifi_off",
        "move",
        "hold",
        "hide",
    ]
    place: Name = ""
    code: Annotated[int, Meta(ge=0)] = 0


class CodeOrder(Order, frozen=True):
    """A code to be made in an app. `life_s` None leaves its life to the cloud."""

    role: Name
    right_password: bool = True
    life_s: Annotated[int, Meta(ge=1, le=LIFE_S_MAX)] | None = None


class Send(Order, frozen=True):
    """The token of a code, to be sent to the device that was found on the LAN."""

    code: Annotated[int, Meta(ge=1)]


class Model(msgspec.Struct, frozen=True):
    """A model that can be chosen."""

    name: str
    title: str
    kind: str
    wired: bool
    hold_ms: int


class Person(msgspec.Struct, frozen=True):
    """Somebody with an app."""

    role: str
    name: str
    purpose: Literal["unbind", "pair"]


class Choices(msgspec.Struct, frozen=True):
    """What can be chosen at all: models, lights to begin with; and the life of a device, drawn."""

    models: tuple[Model, ...]
    lights: tuple[str, ...]
    chart: Chart
    transitions: tuple[str, ...]


class Clock(msgspec.Struct, frozen=True):
    """A virtual instant; from then on `rate` virtual seconds pass per real one.

    0: time stands still; None: the world is on its way to where it was to be brought. `speed` is
    what is chosen for when time passes.
    """

    at_ms: int
    rate: float | None
    speed: float
    paused: bool


class Now(msgspec.Struct, frozen=True):
    """How things are, and what has happened: since the last time, or as far back as is kept.

    `count` is how much has happened at all, the last of `happened` included; `busy` what somebody is
    about, "" if nobody is; `trouble` why that has come to nothing, the last time that it has;
    `light_since_ms` when the light took up its pattern.
    """

    clock: Clock
    touch: Touch
    shown: Shown
    light_since_ms: int
    codes: tuple[Code, ...]
    found: tuple[str, ...]
    busy: str
    trouble: str
    count: int
    happened: tuple[Happening, ...]


class World(msgspec.Struct, frozen=True):
    """A whole world, for a page that knows nothing of it.

    `begin` are the lights that a device of this model can be brought to; `places` say which Wi-Fi
    is where.
    """

    model: Model
    begin: tuple[str, ...]
    lamps: tuple[Lamp, ...]
    lights: tuple[Light, ...]
    places: tuple[tuple[str, str, str], ...]
    people: tuple[Person, ...]
    now: Now


class Trouble(msgspec.Struct, frozen=True):
    """Why something did not come about."""

    text: str


class Seen(msgspec.Struct, frozen=True):
    """What was in a picture: how many bytes the code has that is held to the lens now."""

    size: int


class Done(msgspec.Struct, frozen=True):
    """It was done, or has begun."""
