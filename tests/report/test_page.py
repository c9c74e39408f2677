import base64
import hashlib
import re

from fleet.report.markup import tag
from fleet.report.page import Chart, Choice, Series, badge, figure, page, section, static

CHART = Chart("rate", "Rate <b>", "per s", (0.0, 1.0), (Choice("all", (Series("x", (1, None)),)),))


def test_the_policy_names_exactly_what_is_there() -> None:
    text = page("title", tag("p", "hello"), (CHART,))
    blocks = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"sha256-{digest}" in text.replace("&#x27;", "'")


def test_without_charts_there_is_no_code() -> None:
    text = page("a <b> title", tag("p", "hello"))
    assert "<script" not in text
    assert "script-src &#x27;none&#x27;" in text
    assert "<title>a &lt;b&gt; title</title>" in text


def test_vendored_code_says_whose_it_is() -> None:
    assert static("vendor/uPlot.iife.min.js").startswith("/*! https://github.com/leeoniya/uPlot")
    assert "MIT License" in static("vendor/LICENSE-uPlot")
    assert "1.6.32" in static("vendor/README.md")


def test_an_empty_section_is_none() -> None:
    assert section("a", "A", None) is None
    assert section("a", "A", None, tag("p", "x")) is not None


def test_a_verdict_is_a_word_as_well() -> None:
    assert "passed" in badge(passed=True)
    assert "failed" in badge(passed=False)
    assert "not judged" in badge(passed=None)
    assert "held" in badge(passed=True, word="held")


def test_a_chart_has_its_table() -> None:
    text = figure(CHART, tag("table"), "a note")
    assert 'data-chart="rate"' in text
    assert "<summary>Table: Rate &lt;b&gt;</summary><table></table>" in text
    assert "<p>a note</p>" in text
