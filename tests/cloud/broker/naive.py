"""Topic matching as a reader of the standard would write it down, to compare ours with."""

import re

from hypothesis import strategies as st

LEVELS = ["a", "a", "b", "", "$SYS", "$x", "long ü"]

topics = st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4).map("/".join).filter(bool)


@st.composite
def _filters(draw: st.DrawFn) -> str:
    levels = draw(st.lists(st.sampled_from([*LEVELS, "+", "+", "+"]), min_size=1, max_size=4))
    tail = draw(st.sampled_from(["", "", "#"]))
    if tail and draw(st.booleans()):
        levels.pop()
    return "/".join([*levels, tail] if tail else levels)


filters = _filters().filter(bool)


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a filter matches a topic (MQTT 3.1.1, section 4.7), by a regular expression."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*").replace(r"\#", "#")
    pattern = ".*" if pattern == "#" else re.sub("/#$", "(/.*)?", pattern)
    return re.fullmatch(pattern, topic, re.DOTALL) is not None
