"""The story of one device: whose it is, what belongs to it, where it turns, and where it ends."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run.population import populate
from fleet.run.scenario import load_scenario
from fleet.run.virtual import explain
from fleet.run.virtual.explain import Story, choose_population, choose_unit, tell_story
from fleet.run.virtual.telling.line import Line, Turn

SCENARIO = "batch-unbind"


@pytest.fixture(scope="module")
def story() -> Story:
    return tell_story(SCENARIO)


def told(story: Story, turn: Turn | None = None) -> list[Line]:
    chapters = [each for each in story.chapters if turn in (None, each.turn)]
    return [line for chapter in chapters for _, line in chapter.lines]


def texts(story: Story, turn: Turn | None = None) -> str:
    return "\n".join(line.text for line in told(story, turn))


# --- whose story --------------------------------------------------------------------------------


def test_the_smallest_run_is_chosen_in_which_a_camera_goes_all_the_way() -> None:
    scenario = load_scenario(SCENARIO)
    population = choose_population(scenario, None, 1)
    size = len(population.units)
    unit = choose_unit(population)
    assert unit.new_owner is not None
    assert (unit.trouble, unit.product.wired) == ("", False)
    smaller = choose_unit(populate(scenario, size - 1, 1))
    assert smaller.new_owner is None or smaller.trouble or smaller.product.wired


def test_a_run_without_such_a_camera_is_as_large_as_small_runs_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain, "SIZES_MAX", 6)
    assert len(choose_population(load_scenario(SCENARIO), None, 1).units) == 6
    assert len(choose_population(load_scenario(SCENARIO), 9, 1).units) == 9


def test_a_device_that_is_not_there_has_no_story() -> None:
    with pytest.raises(UsageError, match="--device 5: this run has devices 0 to 4"):
        tell_story(SCENARIO, devices=5, device=5)


# --- the story ----------------------------------------------------------------------------------


def test_it_goes_from_the_button_to_the_next_owner(story: Story) -> None:
    assert [chapter.turn for chapter in story.chapters] == [
        *(Turn.BUTTON, Turn.UNBIND, Turn.RELEASED, Turn.REBIND)
    ]
    assert (story.aborted, story.failures) == ("", ())
    assert told(story)[0].text == "the reset button goes down [button UP -> DOWN]"


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (Turn.BUTTON, "the reset gesture"),
        (Turn.BUTTON, "lifecycle BOOTING -> WAITING"),
        (Turn.UNBIND, "order unbind token: POST /console/v1/unbind-tokens"),
        (Turn.UNBIND, "the code is a pairing code, for Wi-Fi 'Rückläufer Café'"),
        (Turn.UNBIND, "history: unbind ok"),
        (Turn.UNBIND, "protocol 11, reset yourself"),
        (Turn.RELEASED, "the cloud orders a reset"),
        (Turn.RELEASED, "light unbound"),
        (Turn.RELEASED, "see history: GET /console/v1/history"),
        (Turn.REBIND, "make pair token: POST /app/v1/pair-tokens"),
        (Turn.REBIND, "history: bind ok"),
        (Turn.REBIND, "light online"),
    ],
)
def test_every_chapter_tells_its_part(story: Story, turn: Turn, words: str) -> None:
    assert words in texts(story, turn)


def test_only_those_who_deal_with_the_device_are_in_it(story: Story) -> None:
    assert story.unit is not None
    assert story.unit.new_owner is not None
    operators = {person.name for person in story.population.operators}
    people = {line.who for line in told(story)} - {"cloud", "bench", f"device {story.unit.index}"}
    assert len(people & operators) == 1
    assert people - operators == {story.unit.new_owner.name}


def test_asides_are_left_out(story: Story) -> None:
    assert not any(line.aside for line in told(story))
    assert "ignores it" not in texts(story)


def test_it_ends_soon_after_the_last_change_of_the_light(story: Story) -> None:
    lines = story.chapters[-1].lines
    last_ms = max(at_ms for at_ms, line in lines if line.pattern is not None)
    assert lines[-1][0] <= last_ms + explain.EPILOGUE_MS


def test_who_is_carried_home_is_switched_off_first(story: Story) -> None:
    assert story.chapters[-1].lines[0][1].text == "power goes away [lifecycle WAITING -> OFF]"


def test_wired_devices_have_a_story_too() -> None:
    population = populate(load_scenario(SCENARIO), 9, 1)
    wired = next(unit for unit in population.units if unit.product.wired and unit.new_owner)
    story = tell_story(SCENARIO, devices=9, device=wired.index)
    assert "frame 0x0C (token bind)" in texts(story, Turn.UNBIND)
    assert "takes a token" in texts(story)
    assert "light online" in texts(story, Turn.REBIND)


def test_who_gets_into_trouble_is_told_of_the_refusal() -> None:
    population = populate(load_scenario(SCENARIO), 9, 1)
    unit = next(unit for unit in population.units if unit.trouble == "token_dead")
    story = tell_story(SCENARIO, devices=9, device=unit.index)
    assert "activation is answered TOKEN_DEAD" in texts(story)
    assert "-> refused, TOKEN_DEAD" in texts(story)


def test_all_of_one_device_begins_before_the_button_and_has_asides() -> None:
    story = tell_story(SCENARIO, devices=5, device=1, everything=True)
    assert story.chapters[0].turn is None
    assert any(line.aside for line in told(story))
    others = {line.who for line in told(story) if line.who.startswith("device")}
    assert others == {"device 1"}


def test_all_is_the_story_of_everybody_in_one_chapter() -> None:
    story = tell_story(SCENARIO, devices=5, everything=True)
    assert (story.unit, len(story.chapters)) == (None, 1)
    assert {f"device {n}" for n in range(5)} <= {line.who for line in told(story)}


def test_a_scenario_without_unbinding_has_one_chapter() -> None:
    story = tell_story("reconnect-storm", devices=4)
    assert [chapter.turn for chapter in story.chapters] == [None]
    assert "crash" in texts(story)
