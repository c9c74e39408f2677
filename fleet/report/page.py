"""One HTML file that needs nothing else: style, code and data are in it, and nothing is asked for.

The Content-Security-Policy allows exactly the style and the code that are in the file, by their
hashes; what a name of a device would smuggle in could not run. uPlot (MIT) draws the charts.
"""

import base64
import hashlib
from functools import cache
from importlib import resources

import msgspec

from fleet.report.markup import Html, join, json_in_html, raw, tag

CHARTS_ID = "charts"
UPLOT_JS, UPLOT_CSS = "vendor/uPlot.iife.min.js", "vendor/uPlot.min.css"


class Series(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a chart; `bars` draws it as such.

    `colour` is a name of the style sheet, else the next one of the palette.
    """

    label: str
    values: tuple[float | int | None, ...]
    bars: bool = False
    colour: str = ""


class Choice(msgspec.Struct, frozen=True):
    """One view of a chart, by name."""

    name: str
    series: tuple[Series, ...]


class Chart(msgspec.Struct, frozen=True):
    """A chart: `x_s` are seconds, `unit` is of all its lines. More than one choice can be chosen."""

    id: str
    title: str
    unit: str
    x_s: tuple[float, ...]
    choices: tuple[Choice, ...]


@cache
def static(name: str) -> str:
    """Return a file of this package."""
    return (resources.files("fleet.report") / name).read_text(encoding="utf-8")


def page(title: str, body: Html, charts: tuple[Chart, ...] = ()) -> str:
    """Return a whole document."""
    styles = [static("static/report.css")]
    scripts = []
    data = None
    if charts:
        styles.append(static(UPLOT_CSS))
        scripts = [static(UPLOT_JS), static("static/report.js")]
        encoded = json_in_html(msgspec.json.encode(charts))
        data = raw("script", encoded, type="application/json", id=CHARTS_ID)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(styles, scripts)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        *(raw("style", text) for text in styles),
    )
    document = tag(
        "html",
        head,
        tag("body", body, data, *(raw("script", text) for text in scripts)),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{document}\n"


def _policy(styles: list[str], scripts: list[str]) -> str:
    def hashes(texts: list[str]) -> str:
        return " ".join(f"'sha256-{_hash(text)}'" for text in texts) or "'none'"

    return (
        f"default-src 'none'; style-src {hashes(styles)}; script-src {hashes(scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def section(id_: str, title: str, *children: Html | None) -> Html | None:
    """Return a section with its heading; None when there is nothing in it."""
    if not any(children):
        return None
    return tag(
        "section", tag("h2", title, id=f"{id_}-h"), *children, id=id_, aria_labelledby=f"{id_}-h"
    )


def folded(summary: str, *children: Html, open_: bool = False) -> Html:
    """Return what is shown when somebody asks for it."""
    return tag("details", tag("summary", summary), *children, open=open_)


def badge(passed: bool | None, word: str = "") -> Html:  # noqa: FBT001 - a verdict
    """Return a verdict as a mark, a colour and a word: no one of them alone says it."""
    kind, mark, usual = {
        True: ("good", "✓", "passed"),
        False: ("bad", "✗", "failed"),
        None: ("open", "–", "not judged"),
    }[passed]
    return tag(
        "span", tag("span", mark, aria_hidden="true"), f" {word or usual}", class_=f"badge {kind}"
    )


def figure(chart: Chart, table: Html, note: str = "") -> Html:
    """Return the place of a chart, and the table behind it for who cannot see it."""
    return tag(
        "figure",
        tag("figcaption", tag("h3", chart.title), tag("p", note) if note else None),
        tag("div", class_="plot", data_chart=chart.id, role="img", aria_label=chart.title),
        folded(f"Table: {chart.title}", table),
    )


def stack(*parts: Html | None) -> Html:
    """Return parts one below the other, without those that are not there."""
    return join(part for part in parts if part is not None)
