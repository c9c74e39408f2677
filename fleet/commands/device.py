"""`fleet device PROFILE`: one device, its light, and hands for its power, button, cable and lens.

In a terminal each key is a step and the light is shown in real time. Without one, steps come as
text from `--script` or standard input, and every state is a line on standard output.
"""

import asyncio
import shlex
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import typer
from rich.console import Console
from rich.live import Live

from firmware_sim.device.device import Identity
from firmware_sim.errors import UsageError
from fleet.commands import script
from fleet.commands.hands import Desk, Setup, desk
from fleet.commands.keys import keys, lines
from fleet.commands.light import clock
from fleet.commands.own_cloud import Premises, own_cloud
from fleet.commands.panel import FRAMES_PER_S, Face, Question
from fleet.commands.screen import make_screen
from fleet.run.population import Network, Person
from hw_profiles import catalog

_KEYS: dict[str, script.Step] = {
    "p": script.Power(),
    "b": script.Button(),
    "c": script.Cable(),
    "x": script.Quit(),
}
_ENTER, _ERASE = "\r\n", "\x08\x7f"


class Choice(msgspec.Struct, frozen=True):
    """What was asked for: a model, its Wi-Fi, its start, and a script (None: what is typed)."""

    profile: str
    seed: int
    wifi: Network
    decoder: str
    bound: bool
    script: str | None
    tls: bool = False


async def with_own_cloud(choice: Choice) -> int:
    """Start a cloud for the device, say how to reach it, and run the device; return 0."""
    steps = None if choice.script is None else script.parse(choice.script)
    async with own_cloud(
        choice.profile,
        choice.seed,
        choice.wifi,
        choice.decoder,
        bound=choice.bound,
        tls=choice.tls,
    ) as premises:
        for line in _directions(premises, choice.wifi):
            typer.echo(line)
        await _until_either(run_device(premises.setup, steps), premises.watch_cloud())
    return 0


async def at_other_cloud(
    choice: Choice, url: str, identity: Identity, ca_file: Path | None = None
) -> int:
    """Run the device, fresh from the factory, against a cloud that knows it; return 0.

    `ca_file` (PEM) is the certificate that the device has built in for a cloud at https://.
    """
    steps = None if choice.script is None else script.parse(choice.script)
    setup = Setup(
        profile=catalog.load(choice.profile),
        identity=identity,
        seed=choice.seed,
        iot_dns=_host_port(url, encrypted=ca_file is not None),
        networks={choice.wifi.ssid: choice.wifi.password},
        decoder=choice.decoder,
        iot_dns_anchor=_anchor(ca_file) if ca_file is not None else b"",
    )
    await run_device(setup, steps)
    return 0


def _directions(premises: Premises, wifi: Network) -> list[str]:
    """Return the commands by which people get at this device from another terminal."""
    if premises.setup.profile.wired:
        way = ["--wired"]
    else:
        way = ["--qr", "--ssid", wifi.ssid, "--wifi-password", wifi.password, "--out", "code.png"]

    trust = f"SSL_CERT_FILE={shlex.quote(premises.ca_file)} " if premises.ca_file else ""

    def command(*words: str, person: Person) -> str:
        who = ["--cloud", premises.url, "--account", person.name, "--password", person.password]
        return f"  {trust}fleet app {shlex.join([*words, *who])}"

    return [
        "unbind it:",
        command("unbind", *way, person=premises.after_sale),
        "pair it:",
        command("pair", *way, person=premises.owner),
    ]


def _anchor(ca_file: Path) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(ca_file.read_text(encoding="ascii"))
    except OSError as error:
        raise UsageError(f"{ca_file}: cannot read the certificate: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{ca_file}: not one certificate in PEM form") from None


def _host_port(url: str, *, encrypted: bool) -> tuple[str, int]:
    """Return where a device finds a cloud: at https:// with a certificate, else at http://."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme != ("https" if encrypted else "http"):
        raise UsageError(
            f"{url!r} is not the URL of a cloud for devices: expected http://HOST:PORT, or "
            "https://HOST:PORT together with --ca FILE"
        )
    return host, port or (443 if encrypted else 80)


async def run_device(setup: Setup, steps: list[script.Step] | None) -> int:
    """Carry out `steps`, or what is typed, with the device that `setup` describes; return 0.

    Raises `UsageError` for a step that cannot be done and for a wait that takes too long.
    """
    async with desk(setup) as here:
        if steps is None and sys.stdin.isatty() and sys.stdout.isatty():
            await _until_either(by_keys(here, make_screen()), here.watch_world())
            return 0
        here.report = lambda now_ms, text: typer.echo(f"{clock(now_ms)}  {text}")
        work = by_lines(here, lines(sys.stdin.fileno())) if steps is None else here.run(steps)
        await _until_either(work, here.watch_world())
    return 0


async def by_lines(here: Desk, source: AsyncIterator[str]) -> None:
    """Carry out each line of a script as it comes, until the end or a step to quit."""
    async for line in source:
        if not await here.run(script.parse(line)):
            return


async def by_keys(here: Desk, console: Console) -> None:
    """Show the device on `console` and do what the keys of the terminal say."""
    face = Face(here)
    here.report = face.report
    with Live(face.draw(_now_ms()), console=console, auto_refresh=False) as live:
        async with aclosing(keys(sys.stdin.fileno())) as pressed:
            await _until_either(_redraw(live, face), _obey_keys(here, face, pressed))


async def _redraw(live: Live, face: Face) -> None:
    while True:
        live.update(face.draw(_now_ms()), refresh=True)
        await asyncio.sleep(1 / FRAMES_PER_S)


async def _obey_keys(here: Desk, face: Face, pressed: AsyncIterator[str]) -> None:
    async for key in pressed:
        if face.question is not None:
            await _answer(here, face, key)
        elif (question := _question(here, key)) is not None:
            face.question = question
        elif key in _KEYS and not await _do(here, face, _KEYS[key]):
            return


def _question(here: Desk, key: str) -> Question | None:
    """Return what a key makes the screen ask, if that goes with this device."""
    profile = here.setup.profile
    if key == "q" and not profile.wired:
        return Question("picture with the QR code (empty: take it away)", _code)
    if key == "s" and profile.children:
        return Question(f"{' or '.join(script.CHILD_VERBS)}, and which, as in add 1", _child)
    return None


def _code(name: str) -> list[script.Step]:
    return [script.Show(Path(name)) if name else script.Hide()]


def _child(text: str) -> list[script.Step]:
    verb, _, number = text.partition(" ")
    if not text:
        return []
    if verb not in script.CHILD_VERBS:
        raise UsageError(f"{verb}: say {' or '.join(script.CHILD_VERBS)}")
    return [script.child(verb, number.strip())]


async def _answer(here: Desk, face: Face, key: str) -> None:
    """Take one more character of the answer to what was asked."""
    question = face.question
    assert question is not None, "somebody asked"
    if key in _ENTER:
        face.question = None
        try:
            steps = question.steps(question.typed.strip())
        except UsageError as error:
            face.report(_now_ms(), str(error))
            return
        for step in steps:
            await _do(here, face, step)
    elif key in _ERASE:
        question.typed = question.typed[:-1]
    elif key.isprintable():
        question.typed += key


async def _do(here: Desk, face: Face, step: script.Step) -> bool:
    """Do one step; what cannot be done is a happening here, not the end."""
    try:
        return await here.do(step)
    except UsageError as error:
        face.report(_now_ms(), str(error))
        return True


async def _until_either(one: Awaitable[object], other: Awaitable[object]) -> None:
    """Run both until one ends; the other is cancelled, an error is raised."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
