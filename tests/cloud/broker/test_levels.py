"""The tree of levels finds what a regular expression finds, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.broker.levels import LevelTree
from tests.cloud.broker.naive import filters, matches, topics


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matched"),
    [
        # The examples of section 4.7.
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/monitor/Clients", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor/Clients", True),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
        ("ACCOUNTS", "Accounts", False),
        ("a//b", "a/b", False),
    ],
)
def test_the_standard_s_examples(topic_filter: str, topic: str, *, matched: bool) -> None:
    assert matches(topic_filter, topic) is matched
    wanted: LevelTree[int] = LevelTree()
    wanted.put(topic_filter, 1)
    assert wanted.matching(topic) == ([(topic_filter, 1)] if matched else [])
    kept: LevelTree[int] = LevelTree()
    kept.put(topic, 1)
    assert kept.matched_by(topic_filter)[0] == ([1] if matched else [])


@given(st.lists(filters, unique=True, max_size=20), st.lists(topics, max_size=8))
def test_all_filters_that_match_a_topic_are_found_once(wanted: list[str], said: list[str]) -> None:
    tree: LevelTree[str] = LevelTree()
    for topic_filter in wanted:
        tree.put(topic_filter, topic_filter)
    for topic in said:
        found = [value for path, value in tree.matching(topic) if path == value]
        assert sorted(found) == sorted(one for one in wanted if matches(one, topic))


@given(st.lists(topics, unique=True, max_size=20), st.lists(filters, max_size=8))
def test_all_topics_that_a_filter_matches_are_found_once(kept: list[str], asked: list[str]) -> None:
    tree: LevelTree[str] = LevelTree()
    for topic in kept:
        tree.put(topic, topic)
    for topic_filter in asked:
        found, visited = tree.matched_by(topic_filter)
        assert sorted(found) == sorted(topic for topic in kept if matches(topic_filter, topic))
        assert visited <= 1 + sum(topic.count("/") + 1 for topic in kept)


@given(st.lists(st.tuples(st.booleans(), filters), max_size=40))
def test_what_is_dropped_leaves_nothing(steps: list[tuple[bool, str]]) -> None:
    tree: LevelTree[str] = LevelTree()
    kept: set[str] = set()
    for put, path in steps:
        if put:
            tree.put(path, path)
            kept.add(path)
        elif path in kept:
            tree.drop(path)
            kept.remove(path)
        assert tree.size == len(kept)
        assert tree.get(path) == (path if path in kept else None)
    for path in sorted(kept):
        tree.drop(path)
    assert tree._root.children == {}


def test_a_bomb_of_wildcards_costs_no_more_than_the_nodes_that_there_are() -> None:
    """Each level may be itself or a wildcard: 2 to the 16 ways to match, but 16 x 64 nodes."""
    tree: LevelTree[int] = LevelTree()
    for number in range(64):
        levels = ["a" if number >> (level % 6) & 1 else "+" for level in range(16)]
        tree.put("/".join(levels), number)
    assert len(tree.matching("/".join("a" * 16))) == 64


def test_a_topic_of_many_levels_is_no_recursion() -> None:
    tree: LevelTree[int] = LevelTree()
    deep = "/" * 30_000
    tree.put(deep, 1)
    assert tree.matched_by("#") == ([1], 30_002)
    assert tree.matching(deep) == [(deep, 1)]
    tree.drop(deep)
