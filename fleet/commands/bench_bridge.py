"""`fleet bench bridge`: try a bench, and write the file by which its device takes part in a run."""

import json
from collections.abc import Iterator
from pathlib import Path

import typer

from firmware_sim.bench.capabilities import Bench
from firmware_sim.errors import UsageError
from fleet.run.bridge.member import Member, check, load_member
from fleet.run.bridge.opening import open_bench
from fleet.run.bridge.stand import Open
from fleet.run.files import write_atomically

DARK_S, LIT_S, STARTS_S = 1.0, 1.0, 20.0


def bridge(member: Member, out: Path, scenario: str, open_it: Open | None = None) -> None:
    """Try power, light, button and what brings a token; write `out`. Says each step on stdout.

    Raises UsageError for what is missing or does not answer; then nothing is written.
    """
    check(out, member)
    with (open_it or _opener(member))() as bench:
        for what, said in _tried(bench, member):
            typer.echo(f"{what:<8} {said}")
    write_atomically(out, _as_toml(member).encode(), mode=0o600)
    load_member(out)
    typer.echo(f"written: {out} (it holds keys: only you may read it)")
    typer.echo(f"  fleet run {scenario} --bench {out}")


def _opener(member: Member) -> Open:
    return lambda: open_bench(member.env, member.target)


def _tried(bench: Bench, member: Member) -> Iterator[tuple[str, str]]:
    bench.power.off()
    dark = bench.led.read(DARK_S)
    if dark.mode != "off":
        raise UsageError(
            f"{member.env}: without power the light is read as {dark.mode}; does the switch cut the "
            "supply, and is the sensor shaded from other light?"
        )
    bench.power.on()
    try:
        yield "power", "cut, and applied"
        yield "light", _first_light(bench, member)
        bench.button.release()
        yield "button", "there, and released"
        if member.model.wired:
            bench.link.up()
            yield "cable", "in"
        else:
            bench.camera.hide()
            yield "camera", "nothing shown to it"
    finally:
        bench.power.off()


def _first_light(bench: Bench, member: Member) -> str:
    end_s = bench.clock.now_s() + STARTS_S
    while bench.clock.now_s() < end_s:
        reading = bench.led.read(LIT_S)
        if reading.mode != "off":
            return f"{'+'.join(reading.colours)} after power-on"
    raise UsageError(
        f"{member.env}: no light within {STARTS_S:g} s after power-on; is the sensor at the light?"
    )


def _as_toml(member: Member) -> str:
    env = Path(member.env).resolve()  # what the file names is sought in its folder
    profile = member.profile
    if profile.endswith(".toml"):
        profile = str(Path(profile).resolve())
    lines = [
        "# A bench as a member of a fleet: fleet run SCENARIO --bench THIS-FILE",
        *(
            f"{key} = {json.dumps(value, ensure_ascii=False)}"
            for key, value in (
                ("env", str(env)),
                ("target", member.target),
                ("profile", profile),
                ("uuid", member.uuid),
                ("auth_key", member.auth_key),
                ("product_id", member.product_id),
                ("cloud", member.cloud),
                ("lan", member.lan),
            )
            if value
        ),
    ]
    if member.wifi is not None:
        lines += [
            "",
            "[wifi]",
            f"ssid = {json.dumps(member.wifi.ssid, ensure_ascii=False)}",
            f"password = {json.dumps(member.wifi.password, ensure_ascii=False)}",
        ]
    return "\n".join([*lines, ""])
