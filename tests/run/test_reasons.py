from typing import get_args

from fleet.cloud.reasons import Reason
from fleet.run.reasons import Attack, Failure, Refusal


def test_a_word_means_one_thing() -> None:
    words = [*get_args(Refusal), *get_args(Failure), *get_args(Attack)]
    assert len(words) == len(set(words))


def test_refusals_are_those_of_the_cloud() -> None:
    assert set(get_args(Refusal)) <= {reason.value for reason in Reason}
