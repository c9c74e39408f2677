"""An option means the same wherever it is, and a command's exit code is what its work returns."""

from collections import defaultdict
from typing import Any

import pytest
import typer

from fleet.cli import cli
from fleet.commands import options
from fleet.commands.app import app


def commands(of: typer.Typer) -> dict[str, Any]:
    group: Any = typer.main.get_command(of)  # its class is typer's own and not public
    found: dict[str, Any] = group.commands
    return found


def test_shared_options_have_one_explanation() -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for command in commands(app).values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                told[parameter.opts[0]].add(parameter.help or "")
    for name in ("--cloud", "--ready", "--account", "--password", "--search-s", "--json"):
        assert len(told[name]) == 1, told[name]


def test_the_work_decides_the_exit_code() -> None:
    async def work() -> int:
        return 7

    with pytest.raises(typer.Exit) as caught:
        options.run(work())
    assert caught.value.exit_code == 7


def test_all_commands_of_the_phone_are_side_by_side() -> None:
    phone = commands(cli)["app"].commands
    assert {"unbind", "pair", "search", "status", "set", "activate"} <= phone.keys()
