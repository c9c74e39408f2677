"""Topics and topic filters as a tree of their levels, matched in either direction.

The work of a match is bounded by the nodes of the tree, however the wildcards are placed: the walk
goes level by level, and each node is in it once. Source: OASIS MQTT Version 3.1.1, section 4.7.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")

ONE, REST = "+", "#"
_OWN = "$"


class _Node(Generic[V]):
    """One level; `path` and `value` are of the text that ends here, if one does."""

    __slots__ = ("children", "path", "value")

    def __init__(self) -> None:
        self.children: dict[str, _Node[V]] = {}
        self.path = ""
        self.value: V | None = None


class LevelTree(Generic[V]):
    """Values by topic, or by topic filter; `matching` is for the one, `matched_by` for the other.

    No value is None.
    """

    __slots__ = ("_root", "size")

    def __init__(self) -> None:
        """Start empty."""
        self._root: _Node[V] = _Node()
        self.size = 0  # how many values there are

    def get(self, path: str) -> V | None:
        """Return the value of exactly this text."""
        node: _Node[V] | None = self._root
        for level in path.split("/"):
            node = node.children.get(level) if node is not None else None
        return node.value if node is not None else None

    def put(self, path: str, value: V) -> None:
        """Set the value of a text."""
        node = self._root
        for level in path.split("/"):
            node = node.children.setdefault(level, _Node())
        self.size += node.value is None
        node.path, node.value = path, value

    def drop(self, path: str) -> None:
        """Forget the value of a text, which must have one, and every level that only it needed."""
        node, passed = self._root, []
        for level in path.split("/"):
            passed.append((node, level))
            node = node.children[level]
        node.path, node.value = "", None
        self.size -= 1
        for parent, level in reversed(passed):
            child = parent.children[level]
            if child.children or child.value is not None:
                break
            del parent.children[level]

    def matching(self, topic: str) -> list[tuple[str, V]]:
        """Return the filters that match `topic`, with their values.

        `sport/#` matches `sport` as well [4.7.1.2]; a wildcard in front never matches a topic that
        begins with `$` [MQTT-4.7.2-1].
        """
        found: list[tuple[str, V]] = []
        nodes = [self._root]
        wild = not topic.startswith(_OWN)
        for level in topic.split("/"):
            following: list[_Node[V]] = []
            for node in nodes:
                children = node.children
                if wild:
                    _take(children.get(REST), found)
                    if (one := children.get(ONE)) is not None:
                        following.append(one)
                if (same := children.get(level)) is not None:
                    following.append(same)
            nodes, wild = following, True
        for node in nodes:
            _take(node, found)
            _take(node.children.get(REST), found)
        return found

    def matched_by(self, topic_filter: str) -> tuple[list[V], int]:
        """Return the values of the topics that a filter matches, and how many nodes were visited.

        The order is that in which levels became known, not that of the values.
        """
        nodes, visited = [self._root], 1
        for index, level in enumerate(topic_filter.split("/")):
            if level == REST:
                return self._below(nodes, visited, top=index == 0)
            following: list[_Node[V]] = []
            for node in nodes:
                if level == ONE:
                    following += _children(node, top=index == 0)
                elif (same := node.children.get(level)) is not None:
                    following.append(same)
            nodes = following
            visited += len(nodes)
        return [node.value for node in nodes if node.value is not None], visited

    def _below(self, nodes: list[_Node[V]], visited: int, *, top: bool) -> tuple[list[V], int]:
        found = [node.value for node in nodes if node.value is not None]
        while nodes:
            nodes = [child for node in nodes for child in _children(node, top=top)]
            visited, top = visited + len(nodes), False
            found += [node.value for node in nodes if node.value is not None]
        return found, visited


def _take(node: _Node[V] | None, found: list[tuple[str, V]]) -> None:
    if node is not None and node.value is not None:
        found.append((node.path, node.value))


def _children(node: _Node[V], *, top: bool) -> Iterator[_Node[V]]:
    """Return what a wildcard may stand for: at the top nothing that begins with `$`."""
    if top:
        return (child for level, child in node.children.items() if not level.startswith(_OWN))
    return iter(node.children.values())
