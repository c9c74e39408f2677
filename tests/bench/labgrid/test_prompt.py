"""People with phones: what they are asked, and what is made of what they paste."""

from typing import Any

import pytest

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid.bench import make_bench
from firmware_sim.errors import UsageError
from tests.bench.labgrid.targets import make_target

CODE = '{"s":"Bench","p":"right","t":"EU12345678abcd"}'


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return f" {CODE}\n"

    monkeypatch.setattr("builtins.input", answer)
    return questions


@pytest.fixture
def phone() -> Any:
    return make_bench(make_target([{"FleetPromptPhoneDriver": {}}])).phone


def test_a_code_is_pasted(asked: list[str], phone: Any) -> None:
    assert phone.unbinding_code().text == CODE
    assert asked == ["main: text of a QR code to unbind the device, from the app of after-sales: "]


def test_another_password_takes_the_place_of_the_right_one(asked: list[str], phone: Any) -> None:
    assert phone.pairing_code(wifi_password="wrong").text == CODE.replace("right", "wrong")
    assert "the next owner's app" in asked[0]


def test_people_send_tokens_themselves(asked: list[str], phone: Any) -> None:
    phone.unbind_by_wire()
    phone.pair_by_wire()
    assert [question.split()[1] for question in asked] == ["unbind", "pair"]


def test_a_code_that_is_none(monkeypatch: pytest.MonkeyPatch, phone: Any) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "WIFI:S:Bench;;")
    assert phone.pairing_code().text == "WIFI:S:Bench;;"
    with pytest.raises(UsageError, match="no Wi-Fi password"):
        phone.pairing_code(wifi_password="wrong")


@pytest.mark.parametrize("error", [OSError, EOFError])
def test_nobody_there(monkeypatch: pytest.MonkeyPatch, phone: Any, error: type[Exception]) -> None:
    def refuse(_: str) -> str:
        raise error

    monkeypatch.setattr("builtins.input", refuse)
    with pytest.raises(Missing, match="run pytest with -s"):
        phone.unbinding_code()
