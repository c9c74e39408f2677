"""The picture of a device's life says what the firmware's table says, and can be read."""

from itertools import combinations

import pytest

from firmware_sim.device.lifecycle import LIFECYCLE
from firmware_sim.device.states import Lifecycle
from fleet.web.demo.chart import ANYWHERE, PLACES, SIZE_PX, WORDS, Edge, chart, texts, word_of

CHART = chart()
CHARACTER_PX, LINE_PX = 6.4, 14  # of a label, about


def test_every_state_has_its_place_and_shares_it_with_none() -> None:
    assert PLACES.keys() == {state.name for state in Lifecycle}
    for one, other in combinations(CHART.nodes, 2):
        apart_x, apart_y = abs(one.x - other.x), abs(one.y - other.y)
        assert apart_x > CHART.node_width or apart_y > CHART.node_height


def test_every_transition_of_the_table_is_drawn_and_no_other() -> None:
    drawn = {(edge.source, edge.target): edge.labels for edge in CHART.edges}
    used: set[tuple[str, str]] = set()
    for row in LIFECYCLE.rows:
        if row.target is None or row.target is row.state:
            continue
        own, any_ = (row.state.name, row.target.name), (ANYWHERE, row.target.name)
        fits = [way for way in (own, any_) if word_of(row) in drawn.get(way, ())]
        assert fits, str(row)
        used.update(fits)
    assert used == drawn.keys()


def test_no_word_is_for_nothing() -> None:
    turning = [row for row in LIFECYCLE.rows if row.target not in (None, row.state)]
    names = {row.event.__name__ for row in turning}
    names |= {row.guard.__name__ for row in turning if row.guard is not None}
    assert WORDS.keys() <= names


def test_everything_is_inside_the_picture() -> None:
    for edge in CHART.edges:
        assert len(edge.points) >= 2
        for x, y in (*edge.points, (edge.x, edge.y)):
            assert 0 <= x <= SIZE_PX[0]
            assert 0 < y < SIZE_PX[1]


def test_who_does_not_see_it_can_read_it() -> None:
    said = list(texts())
    assert len(said) == len(CHART.edges)
    assert "from any state to OFF: power off" in said
    assert "WAITING to JOINING: code read" in said


def test_words_lie_neither_upon_each_other_nor_upon_states() -> None:
    def box(edge: Edge) -> tuple[float, float, float, float]:
        width, height = max(map(len, edge.labels)) * CHARACTER_PX, LINE_PX * len(edge.labels)
        return edge.x - width / 2, edge.y - height / 2, edge.x + width / 2, edge.y + height / 2

    half_x, half_y = CHART.node_width / 2, CHART.node_height / 2
    boxes = {box(edge): edge.labels for edge in CHART.edges}
    boxes |= {
        (node.x - half_x, node.y - half_y, node.x + half_x, node.y + half_y): (node.name,)
        for node in CHART.nodes
    }
    upon = [
        (boxes[one], boxes[other])
        for one, other in combinations(boxes, 2)
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]
    assert upon == []


def test_ways_end_at_the_border_of_their_states() -> None:
    nodes = {node.name: node for node in CHART.nodes}
    half_x, half_y = CHART.node_width / 2, CHART.node_height / 2
    for edge in CHART.edges:
        for name, (x, y) in ((edge.source, edge.points[0]), (edge.target, edge.points[-1])):
            if name == ANYWHERE:
                continue
            away_x, away_y = abs(x - nodes[name].x) - half_x, abs(y - nodes[name].y) - half_y
            assert max(away_x, away_y) == pytest.approx(0, abs=0.01), (edge.source, edge.target)
