"""`fleet app status` and `fleet app set`: data points of devices, over the LAN."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from firmware_sim.errors import UsageError
from firmware_sim.wire.datapoint import ID_MAX, Value
from firmware_sim.wire.lan_body import Status
from fleet.app.errors import DeviceFailed
from fleet.app.lan_device import LanDevice
from fleet.app.lan_happenings import Push, Pushed
from fleet.app.lan_pool import visit
from fleet.commands.targets import Target
from fleet.lan.dissect import printable

_WORD = (1 << 63) - 1  # more than a data point can hold, and all that JSON is sure to carry
_DP = re.compile("[0-9]{1,3}")
_Typed = bool | Annotated[int, msgspec.Meta(ge=-_WORD, le=_WORD)] | str


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one device told of itself, or why it told nothing: one line of JSON."""

    id: str
    ip: str
    version: str
    cid: str | None = None
    dps: dict[int, Value] | None = None
    error: str | None = None


def parse(texts: Sequence[str]) -> dict[int, Value]:
    """Return data points and values from texts such as `1=true`, `101=5`, `102=warm`.

    true, false and whole numbers are what they look like, also text in double quotes; everything
    else is text. Raises `UsageError`.
    """
    values: dict[int, Value] = {}
    for text in texts:
        dp, equals, value = text.partition("=")
        if not equals or not _DP.fullmatch(dp) or not 1 <= int(dp) <= ID_MAX:
            raise UsageError(f"{text!r} sets nothing: expected DP=VALUE, such as 1=true")
        values[int(dp)] = _typed(value)
    return values


def _typed(text: str) -> Value:
    try:
        value: Value = msgspec.json.decode(text, type=_Typed)
    except msgspec.DecodeError:
        return text
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is not UTF-8, so no device can take it") from None
    else:
        return value


async def show(
    targets: Sequence[Target], cid: str | None, screen: Console, *, as_json: bool
) -> int:
    """Print what the devices report; return 0 if all of them did, else 1."""

    async def ask(device: LanDevice) -> Status:
        return await device.status(cid)

    results = await visit([target.connection() for target in targets], ask)
    for target, result in zip(targets, results, strict=True):
        _print(target, cid, result, screen, as_json=as_json)
    return int(any(isinstance(result, DeviceFailed) for result in results))


async def change(
    target: Target, wanted: dict[int, Value], cid: str | None, screen: Console, *, as_json: bool
) -> int:
    """Set data points and print what the device says of them; return 0 if it has taken all.

    It says so by a push or in its status: some data points are in one of them only.
    """
    reported: dict[int, Value] = {}

    def hear(push: Push) -> None:
        if isinstance(push, Pushed) and push.status.cid == cid:
            reported.update(push.status.dps)

    try:
        async with target.connection(hear) as device:
            await device.set(wanted, cid)
            reported |= (await device.status(cid)).dps
    except DeviceFailed as failure:
        _print(target, cid, failure, screen, as_json=as_json)
        return 1
    now = {dp: reported[dp] for dp in wanted if dp in reported}
    _print(target, cid, Status(now, cid), screen, as_json=as_json)
    ignored = [dp for dp in wanted if dp not in now or _text(now[dp]) != _text(wanted[dp])]
    if ignored and not as_json:
        points = ", ".join(str(dp) for dp in ignored)
        screen.print(Text(f"the device has not taken data point {points}", style="red"))
    return int(bool(ignored))


def _print(
    target: Target,
    cid: str | None,
    result: Status | DeviceFailed,
    screen: Console,
    *,
    as_json: bool,
) -> None:
    if as_json:
        told = Told(
            target.id,
            target.ip,
            target.version,
            cid,
            dps=result.dps if isinstance(result, Status) else None,
            error=str(result) if isinstance(result, DeviceFailed) else None,
        )
        typer.echo(msgspec.json.encode(told))
    elif isinstance(result, DeviceFailed):
        screen.print(Text(printable(str(result)), style="red"), soft_wrap=True)
    else:
        values = "  ".join(f"{dp}={_text(value)}" for dp, value in sorted(result.dps.items()))
        who = f"{target.id}/{cid}" if cid else target.id
        line = printable(f"{who}  {target.ip}  {target.version}  {values}")
        screen.print(line, soft_wrap=True)


def _text(value: Value) -> str:
    return msgspec.json.encode(value).decode()
