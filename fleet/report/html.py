"""`report.html`: the whole run on one page, the verdict first."""

from collections.abc import Iterator

from fleet.report import charts, sections
from fleet.report.light_strip import strips
from fleet.report.markup import Child, Html, join, table, tag
from fleet.report.model import Report
from fleet.report.page import Chart, folded, page, section, stack
from fleet.report.words import duration, number


def render(report: Report) -> str:
    """Return the page as text."""
    drawn: list[Chart] = []
    parts = [part for part in _parts(report, drawn) if part is not None]
    word = "passed" if report.passed else "FAILED"
    body = stack(
        tag("a", "Skip to the verdict", href="#main", class_="skip"),
        tag("header", sections.verdict(report), _contents(parts), class_="top"),
        tag("main", *(part for _, _, part in parts), _footer(report), id="main"),
    )
    return page(f"{word}: {report.scenario}", body, tuple(drawn))


def _contents(parts: list[tuple[str, str, Html]]) -> Html:
    links = (tag("a", title, href=f"#{id_}") for id_, title, _ in parts)
    return tag("nav", *links, aria_label="Contents")


def _parts(report: Report, drawn: list[Chart]) -> Iterator[tuple[str, str, Html] | None]:
    """Yield id, title and content of all sections; charts are added to `drawn`."""
    yield _named("thresholds", "Verdict", sections.thresholds(report))
    yield _named("outcomes", "Outcomes", sections.outcomes(report))
    yield _named("times", "Durations", sections.times(report))
    yield _named("over-time", "Over time", _over_time(report, drawn))
    yield _named("quotas", "Quotas", sections.quotas(report))
    yield _named("lights", "Lights", _lights(report))
    yield _named("health", "Generator", _health(report, drawn))
    yield _named("recovery", "Trouble", _trouble(report))
    yield _named("scenario", "Configuration", _scenario(report))
    yield _named("environment", "Environment", _environment(report))


def _named(id_: str, title: str, part: Html | None) -> tuple[str, str, Html] | None:
    return None if part is None else (id_, title, part)


def _over_time(report: Report, drawn: list[Chart]) -> Html | None:
    if report.over_time is None:
        return None
    found = charts.charts(report.over_time)
    drawn += found
    places = join(charts.figures(report.over_time, found))
    return section("over-time", "Over time", places if found else None)


def _lights(report: Report) -> Html | None:
    if report.lights is None or not report.lights.devices:
        return None
    return section("lights", "Lights of chosen devices", strips(report.lights))


def _health(report: Report, drawn: list[Chart]) -> Html | None:
    sentence = None if report.health is None else tag("p", tag("strong", report.health.sentence))
    costs: list[list[Child]] = [
        [f"CPU of {name}", f"{cpu_s:,.1f} s"] for name, cpu_s in report.cpu_s_by_process.items()
    ]
    if report.health is not None:
        costs += [
            [f"shard {name}, with its decoders", f"{pct:.0f} % of a core"]
            for name, pct in report.health.cpu_pct_by_shard.items()
        ]
    costs += [
        ["memory of all processes, at most", f"{report.peak_rss_mb:,.0f} MiB"],
        ["frames made / decoded", f"{report.frames:,} / {report.frames_decoded:,}"],
    ]
    chart = charts.health_chart(report.over_time) if report.over_time is not None else None
    if chart is not None and report.over_time is not None:
        drawn.append(chart)
        places = join(charts.figures(report.over_time, [chart]))
    return section(
        "health",
        "Generator",
        sentence,
        table("What the run has cost", ["what", "how much"], costs),
        places if chart is not None else None,
    )


def _trouble(report: Report) -> Html | None:
    return section(
        "recovery",
        "Faults, recovery, retries, attacks",
        _recovery(report),
        _faults(report),
        _retries(report),
        _attacks(report),
        _traffic(report),
    )


def _recovery(report: Report) -> Html | None:
    rows: list[list[Child]] = [
        [
            f"after {duration(one.at_s)}",
            duration(one.down_s),
            str(one.devices),
            *(
                duration(back_s) if back_s is not None else "never"
                for back_s in (one.back_50_s, one.back_95_s, one.back_100_s)
            ),
            str(one.lost_again),
            f"{one.connects_while_down:.1f} + {one.connects_after:.1f}",
            str(one.connects_after_max),
            f"{one.cloud_cpu_s:.1f} s",
        ]
        for one in report.recovery
        if one.devices
    ]
    head = ["outage", "cloud away", "devices", "back 50 %", "95 %", "100 %", "lost again"]
    head += ["connects before + after", "at most", "cloud CPU"]
    return table("How the fleet came back", head, rows) if rows else None


def _faults(report: Report) -> Html | None:
    rows: list[list[Child]] = [
        [
            fault.kind,
            fault.during,
            f"{fault.struck:,}",
            ", ".join(f"{state} {count}" for state, count in fault.states.items()) or "-",
        ]
        for fault in report.faults
    ]
    return table("Faults", ["fault", "during", "struck", "in state"], rows) if rows else None


def _retries(report: Report) -> Html | None:
    rows: list[list[Child]] = [
        [
            one.reason,
            f"{one.attempts:,}",
            f"{one.devices:,}",
            str(one.per_device_min_max),
            f"{one.cloud_cpu_pct:.1f} %",
        ]
        for one in report.retries
    ]
    head = [
        "tried again because of",
        "times",
        "devices",
        "at most per minute",
        "of the cloud's CPU",
    ]
    return table("Attempts that failed", head, rows) if rows else None


def _attacks(report: Report) -> Html | None:
    rows: list[list[Child]] = [[name, f"{count:,}"] for name, count in report.attacks.items()]
    return (
        table("Attacks of tampered firmware, in vain", ["attack", "times"], rows) if rows else None
    )


def _traffic(report: Report) -> Html | None:
    traffic = report.traffic
    if traffic is None or not (traffic.calls_max or traffic.connects_max):
        return None
    rows: list[list[Child]] = [
        ["calls over HTTP", number(traffic.calls_per_device), f"{traffic.calls_max:,}"],
        [
            "connections to the broker",
            number(traffic.connects_per_device),
            f"{traffic.connects_max:,}",
        ],
    ]
    return table("What devices have begun", ["what", "per device", "at most"], rows)


def _scenario(report: Report) -> Html | None:
    facts = [
        ("scenario", report.scenario),
        ("seed", str(report.seed)),
        ("devices", f"{report.devices:,}"),
        ("mode", report.mode),
        ("decoder", report.decoder),
        ("shards", str(report.shards)),
        ("trace digest", report.trace_digest or ""),
    ]
    text = report.scenario_text
    return section(
        "scenario",
        "Configuration and seed",
        _facts(facts),
        folded("Scenario", tag("pre", text, tabindex=0), open_=True) if text else None,
    )


def _environment(report: Report) -> Html | None:
    found = report.environment
    if found is None:
        return None
    facts = [
        ("written", found.written_at),
        ("program", found.program),
        ("Python", found.python),
        ("system", found.system),
        ("processor", f"{found.processor}, {found.cores} cores"),
        ("memory", f"{found.memory_mb:,} MiB"),
        ("libraries", ", ".join(f"{name} {number}" for name, number in found.libraries.items())),
    ]
    return section("environment", "Environment", _facts(facts))


def _facts(facts: list[tuple[str, str]]) -> Html:
    pairs = (stack(tag("dt", name), tag("dd", value)) for name, value in facts if value)
    return tag("dl", *pairs, class_="facts")


def _footer(report: Report) -> Html:
    program = report.environment.program if report.environment is not None else ""
    words = f"fleet {program}. Charts by uPlot (MIT licence). This file needs no network."
    return tag("footer", tag("p", words))
