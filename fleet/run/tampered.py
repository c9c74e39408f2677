"""Devices whose firmware was tampered with, and which try to free themselves from their owners.

What is on their chips holds its tongue; `Voice` speaks in its place, with the keys that the device was
made with, and those of its first owner, which a reset should have erased. Each attack has the answers
that the cloud may give to it. Any other answer is a break-out, and a violation.

In the middle of it the device is unbound for real by an operator, and bound by somebody else, because
two attacks are about what was overheard, or kept, before that. In the end the operators get it, who do
it right.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from firmware_sim.rng import Rng, derive
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.provisioning import parse_token
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.app.errors import CloudUnreachable
from fleet.run.owner import sign_in
from fleet.run.population import TAMPERED, Person, Unit
from fleet.run.stage import Crew, Stage
from fleet.run.tally import QR
from fleet.run.voice import DONE, Asked, Voice

SKEW_S = 3600
APART_S = 1.1  # device clocks count whole seconds
PAUSE_S = 1.0  # before another try, when the cloud does not answer
PATIENCE = 10  # times that of people with one call: an attack is many, and starts over
STILL_BOUND = "STILL BOUND"
_KEY_SIZE = 16
_TOKEN_SIZE = 8
_BURGLAR = 400  # branch of the seed
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

T = TypeVar("T")
Words = AsyncIterator[str]
Give = Callable[[tuple[Unit, ...]], None]


class Burglar(msgspec.Struct):
    """One tampered device. `stranger` would like to have it, `victim` is another device.

    `overheard` is the call by which an operator's token has released it, None before that.
    """

    unit: Unit
    victim: Unit
    voice: Voice
    rng: Rng
    guesses: int
    stranger: ConsumerClient
    overheard: Asked | None = None

    def activation(self, token: str) -> Asked:
        """Return our own activation by the 8 characters of a token."""
        unit = self.unit
        return self.voice.activation(unit.uuid, unit.auth_key, token, unit.dev_id)


# --- while the first owner has it ---------------------------------------------------------------


async def _foreign_account(burglar: Burglar) -> Words:
    """Activate under another account."""
    token = (await burglar.stranger.pair_token()).token
    yield await burglar.voice.say(burglar.activation(parse_token(token).token))


async def _no_owner(burglar: Burglar) -> Words:
    """Activate without a token, like a device that was never anybody's."""
    unit = burglar.unit
    yield await burglar.voice.say(burglar.voice.activation(unit.uuid, unit.auth_key, ""))


async def _guess(burglar: Burglar) -> Words:
    """Try tokens until one fits."""
    for _ in range(burglar.guesses):
        token = burglar.rng.text(_TOKEN_SIZE, _LETTERS)
        yield await burglar.voice.say(burglar.activation(token))


async def _foreign_uuid(burglar: Burglar) -> Words:
    """Activate in another device's name, with our own key."""
    victim, key = burglar.victim, burglar.unit.auth_key
    token = (await burglar.stranger.pair_token()).token
    asked = burglar.voice.activation(victim.uuid, key, parse_token(token).token, victim.dev_id)
    yield await burglar.voice.say(asked)


async def _forged_key(burglar: Burglar) -> Words:
    """Call and connect with a key that nobody was given."""
    dev_id, key = burglar.unit.dev_id, burglar.rng.text(_KEY_SIZE, _LETTERS)
    yield await burglar.voice.say(burglar.voice.reset(dev_id, key))
    yield await burglar.voice.say(burglar.voice.existence(dev_id, key))
    yield await burglar.voice.knock(dev_id, key)


async def _foreign_reset(burglar: Burglar) -> Words:
    """Say that somebody has reset another device."""
    asked = burglar.voice.reset(burglar.victim.dev_id, burglar.unit.sec_key)
    yield await burglar.voice.say(asked)


async def _own_reset(burglar: Burglar) -> Words:
    """Say that somebody has reset us, which a strong binding outlasts."""
    unit = burglar.unit
    word = await burglar.voice.say(burglar.voice.reset(unit.dev_id, unit.sec_key))
    still = await burglar.voice.exists(unit.dev_id, unit.sec_key)
    yield STILL_BOUND if word == DONE and still else word


async def _skewed_clock(burglar: Burglar) -> Words:
    """Call with a clock that is an hour early, and late."""
    unit = burglar.unit
    for skew_s in (-SKEW_S, SKEW_S):
        yield await burglar.voice.say(burglar.voice.reset(unit.dev_id, unit.sec_key, skew_s))


async def _foreign_session(burglar: Burglar) -> Words:
    """Connect as another device, activated or not."""
    victim, unit = burglar.victim, burglar.unit
    yield await burglar.voice.knock(victim.dev_id, unit.sec_key)
    yield await burglar.voice.knock(mqtt_payload.client_id_unpaired(victim.uuid), unit.auth_key)


async def _foreign_topics(burglar: Burglar) -> Words:
    """Hear what others are told, and say what the cloud says to them."""
    unit, victim = burglar.unit, burglar.victim
    name, key = unit.dev_id, unit.sec_key
    for topic in (
        mqtt_payload.topic_in(victim.dev_id),
        mqtt_payload.topic_out(victim.dev_id),
        mqtt_payload.topic_activation(victim.uuid),
        mqtt_payload.topic_in("+"),
        "#",
    ):
        yield await burglar.voice.subscribe(name, key, topic)
    for topic in (
        mqtt_payload.topic_in(victim.dev_id),
        mqtt_payload.topic_out(victim.dev_id),
        mqtt_payload.topic_in(unit.dev_id),
    ):
        yield await burglar.voice.publish(name, key, topic, b"reset")


# --- after it was passed on ---------------------------------------------------------------------


async def _stale_key(burglar: Burglar) -> Words:
    """Call and connect with the key of the first owner."""
    unit = burglar.unit
    yield await burglar.voice.say(burglar.voice.reset(unit.dev_id, unit.sec_key))
    yield await burglar.voice.knock(unit.dev_id, unit.sec_key)


async def _replay(burglar: Burglar) -> Words:
    """Send once more, to the byte, the call by which the device was released; its token is alive."""
    assert burglar.overheard is not None, "it was passed on"
    yield await burglar.voice.say(burglar.overheard)


class Attack(NamedTuple):
    """What is tried, and which answers the cloud may give to each try."""

    tries: Callable[[Burglar], Words]
    allowed: frozenset[str]


def _attack(tries: Callable[[Burglar], Words], *allowed: str) -> Attack:
    return Attack(tries, frozenset(allowed))


BEFORE: Mapping[str, Attack] = {
    "foreign_account": _attack(_foreign_account, "ALREADY_BOUND"),
    "no_owner": _attack(_no_owner, "TOKEN_DEAD"),
    "guess": _attack(_guess, "TOKEN_DEAD"),
    "foreign_uuid": _attack(_foreign_uuid, "BAD_SIGN"),
    "forged_key": _attack(_forged_key, "BAD_SIGN", "CONNACK 4"),
    "foreign_reset": _attack(_foreign_reset, "BAD_SIGN"),
    "own_reset": _attack(_own_reset, STILL_BOUND),
    "skewed_clock": _attack(_skewed_clock, "STALE_TIME"),
    # A device that was unbound meanwhile is not known to the broker any more.
    "foreign_session": _attack(_foreign_session, "CONNACK 4", "CONNACK 5"),
    "foreign_topics": _attack(_foreign_topics, "SUBACK 128", "CLOSED"),
}
AFTER: Mapping[str, Attack] = {
    "stale_key": _attack(_stale_key, "BAD_SIGN", "CONNACK 4"),
    "replay": _attack(_replay, "REPLAYED"),
}


def victim_of(burglar: Unit, units: Sequence[Unit]) -> Unit:
    """Return the next device that is simulated: of another one nobody knows what it should answer."""
    after = (*units[burglar.index + 1 :], *units)
    return next(unit for unit in after if not unit.foreign)


async def break_out(stage: Stage, crew: Crew, operator: ConsoleClient, give: Give) -> None:
    """Let all tampered devices try everything at the same time; `give` gets each as it is done."""
    units = stage.population.units
    async with asyncio.TaskGroup() as group:
        for unit in units:
            if unit.trouble == TAMPERED:
                victim = victim_of(unit, units)
                group.create_task(_one(stage, crew, operator, unit, victim, give))


async def _one(
    stage: Stage, crew: Crew, operator: ConsoleClient, unit: Unit, victim: Unit, give: Give
) -> None:
    rng = Rng(derive(stage.population.seed, _BURGLAR, unit.index))
    profile = stage.population.profile(unit)
    stranger = Person(f"stranger-{unit.index}", rng.text(_KEY_SIZE, _LETTERS), "consumer")
    burglar = Burglar(
        unit=unit,
        victim=victim,
        voice=Voice(crew.door(unit.index), profile, unit.product.product_id, rng, crew.now_ms),
        rng=rng,
        guesses=stage.population.scenario.tampered.guesses,
        stranger=await sign_in(stage.link, stranger),
    )
    await _try_all(stage, burglar, BEFORE)
    await _pass_on(stage, burglar, operator)
    if burglar.overheard is not None:
        await _try_all(stage, burglar, AFTER)
    give((unit,))


async def _try_all(stage: Stage, burglar: Burglar, attacks: Mapping[str, Attack]) -> None:
    tally = stage.tally
    for name, attack in attacks.items():
        for word in await _patiently(stage, partial(_words, attack, burglar)):
            if word in attack.allowed:
                tally.attacks[name] += 1
            else:
                tally.break_outs.append(f"{burglar.unit.uuid}: {name} was answered with {word}")


async def _words(attack: Attack, burglar: Burglar) -> list[str]:
    return [word async for word in attack.tries(burglar)]


async def _patiently(stage: Stage, do: Callable[[], Awaitable[T]]) -> T:
    """Do something from the beginning on whenever the cloud goes away, for much longer than one call.

    Raises CloudUnreachable when it does not come back.
    """
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + PATIENCE * stage.link.patience_s
    while True:
        try:
            return await do()
        except CloudUnreachable:
            if loop.time() >= give_up_s:
                raise
        await asyncio.sleep(PAUSE_S)


async def _pass_on(stage: Stage, burglar: Burglar, operator: ConsoleClient) -> None:
    """Have the device unbound for real, by a token that could release more, and bound by another."""
    token = await operator.unbind_token(QR, max_devices=2)
    released = burglar.activation(parse_token(token.token).token)
    if not await _told(stage, burglar, released, "the release"):
        return
    stage.tally.unbound[burglar.unit.index] = QR
    await asyncio.sleep(APART_S)
    token_text = (await burglar.stranger.pair_token()).token
    bound = burglar.activation(parse_token(token_text).token)
    if await _told(stage, burglar, bound, "the next binding"):
        burglar.overheard = released


async def _told(stage: Stage, burglar: Burglar, asked: Asked, what: str) -> bool:
    """Make a call that has to succeed, as firmware does when its reply is lost; say if it has."""
    word = await _patiently(stage, partial(burglar.voice.say, asked))
    if word != DONE:
        stage.tally.break_outs.append(f"{burglar.unit.uuid}: {what} was refused with {word}")
    return word == DONE
