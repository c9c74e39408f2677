"""Who hears a topic, and which filter is wider than which."""

from hypothesis import example, given
from hypothesis import strategies as st

from fleet.cloud.broker.limits import BrokerSettings
from fleet.cloud.broker.session import Session
from fleet.cloud.broker.topics import Subscribers, covers
from tests.cloud.broker.naive import filters, matches, topics

NAMES = ["one", "two", "three"]


def session(name: str) -> Session:
    made = Session(1, BrokerSettings(), 0)
    made.client_id = name
    return made


@given(filters, topics)
@example("+/#", "#")
def test_a_filter_covers_a_topic_that_it_matches(wide: str, topic: str) -> None:
    if topic != "#":
        assert covers(wide, topic) is matches(wide, topic)


@given(filters, filters, topics)
@example("+/#", "#", "a")
@example("#", "+/#", "a/b")
@example("#", "$SYS/#", "$SYS/a")
@example("a/+", "a/#", "a")
def test_what_the_narrow_one_hears_the_wide_one_hears(wide: str, narrow: str, topic: str) -> None:
    if covers(wide, narrow) and matches(narrow, topic):
        assert matches(wide, topic)


@given(filters, filters)
def test_what_covers_nothing_lacks_something(wide: str, narrow: str) -> None:
    """The other direction: a filter that is not covered matches a topic that the wide one misses."""
    if not covers(wide, narrow):
        plain = narrow.replace("+", "unheard of")
        tried = [plain.replace("#", rest) for rest in ("un", "un/heard", "un/heard/of/it")]
        tried.append(plain.removesuffix("#").removesuffix("/"))
        missed = [one for one in tried if one and not matches(wide, one)]
        assert missed or narrow.startswith("$")


@st.composite
def wishes(draw: st.DrawFn) -> list[tuple[str, str, int]]:
    every = st.tuples(st.sampled_from(NAMES), filters, st.integers(0, 2))
    return draw(st.lists(every, max_size=30))


@given(wishes(), st.lists(topics, max_size=8))
def test_each_session_is_found_once_with_its_highest_qos(
    wanted: list[tuple[str, str, int]], said: list[str]
) -> None:
    subscribers, sessions = Subscribers(), {name: session(name) for name in NAMES}
    for name, topic_filter, qos in wanted:
        if topic_filter not in sessions[name].subscriptions:
            subscribers.add(topic_filter, sessions[name])
        sessions[name].subscriptions[topic_filter] = qos
    for topic in said:
        best: dict[str, int] = {}
        for name in NAMES:
            for topic_filter, qos in sessions[name].subscriptions.items():
                if matches(topic_filter, topic):
                    best[name] = max(best.get(name, 0), qos)
        found = [(one.client_id, qos) for one, qos in subscribers.of(topic)]
        assert sorted(found) == sorted(best.items())
    for one in sessions.values():
        for topic_filter in one.subscriptions:
            subscribers.remove(topic_filter, one)
    assert subscribers._exact == {}
    assert subscribers._wild.size == 0
