import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.report.markup import Html, join, json_in_html, raw, table, tag
from tests.report.support import NASTY, Page


@given(st.text(), st.text())
def test_whatever_is_said_stays_text(text: str, value: str) -> None:
    page = Page(tag("p", text, title=value))
    assert [name for name, _ in page.elements] == ["p"]
    assert page.wrong == []


def test_texts_and_values_come_back_as_they_were() -> None:
    page = Page(tag("p", NASTY, title=NASTY))
    assert page.elements == [("p", {"title": NASTY})]
    assert "".join(page.texts) == NASTY


def test_names_of_attributes() -> None:
    text = tag("a", "x", class_="c", aria_label="l", open=True, hidden=False, title=None)
    assert text == '<a class="c" aria-label="l" open>x</a>'
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert tag("rect", width=3) == '<rect width="3"/>'


def test_html_is_not_escaped_twice() -> None:
    assert tag("p", tag("b", "&"), None, 7) == "<p><b>&amp;</b>7</p>"
    assert join([Html("<i>"), "<i>"]) == "<i>&lt;i&gt;"


def test_code_cannot_end_its_element() -> None:
    assert raw("script", "1 < 2", type="module") == '<script type="module">1 < 2</script>'
    with pytest.raises(ValueError, match="would end it"):
        raw("script", "x = '</SCRIPT>'")


@given(st.text())
def test_json_means_nothing_to_html(text: str) -> None:
    shown = json_in_html(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))
    assert not set("<>&\u2028\u2029") & set(shown)


def test_json_is_the_same_json() -> None:
    assert json.loads(json_in_html(json.dumps(NASTY).encode())) == NASTY


def test_a_table_names_its_rows_and_columns() -> None:
    page = Page(table("A caption", ["name", "n"], [["a", "1"], ["b", tag("td", "2", class_="x")]]))
    assert page.wrong == []
    scopes = [a.get("scope") for name, a in page.elements if name == "th"]
    assert scopes == ["col", "col", "row", "row"]
    assert page.count("td") == 2
