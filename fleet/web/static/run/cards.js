// What a moment says in words and numbers: stages, figures, tables, quotas, generator, faults.

import { $, el, fill, number, table } from "../dom.js";
import { span } from "./charts.js";

const one = (value) => (value >= 100 ? number(Math.round(value)) : Number(value.toFixed(1)).toLocaleString());
export const words = (name) => name.replaceAll("_", " ");

/** A part of the page that is made anew only when what it shows has changed. */
function keep(draw) {
  let shown = "";
  return (value, ...more) => {
    const now = JSON.stringify(value);
    if (now === shown) return;
    shown = now;
    draw(value, ...more);
  };
}

export const stages = keep((list) => {
  const places = $("#stages");
  places.hidden = list.length === 0;
  const said = { done: "done", now: "now", later: "to come" };
  fill(places, list.map((stage) => el("li", { dataset: { stage: stage.name, state: stage.state }, "aria-current": stage.state === "now" ? "step" : null },
    el("b", {}, stage.title),
    el("span", { class: "muted" }, stage.of ? `${number(stage.done)} of ${number(stage.of)}` : said[stage.state]),
    stage.of ? el("progress", { max: stage.of, value: stage.done, "aria-label": stage.title }) : null)));
});

/** The large numbers on top. */
export const figures = keep((list) => {
  fill($("#figures"), list.map(([title, value, id]) => el("li", {}, el("b", { id }, value), el("span", {}, title))));
});

export function figuresOf(moment) {
  const attempts = Object.values(moment.attempts).reduce((sum, n) => sum + n, 0);
  const common = [
    ["devices", number(moment.devices), "n-devices"],
    ["online", number(moment.lights.online || 0), "n-online"],
    ["states entered per second", one(moment.states_per_s), "n-states"],
    ["attempts that failed", number(attempts), "n-attempts"],
  ];
  if (!moment.scenario) return common;
  const refused = Object.values(moment.refused).reduce((sum, n) => sum + n, 0);
  return [["unbound", number(moment.unbound), "n-unbound"], ["bound again", number(moment.rebound), "n-rebound"],
    ["unbound per second", one(moment.unbound_per_s), "n-rate"], ["refused", number(refused), "n-refused"], ...common];
}

const ms = (value) => (value >= 10000 ? `${(value / 1000).toFixed(1)} s` : `${number(Math.round(value))} ms`);

export const phases = keep((list) => {
  const at = (key) => [key.replace("_ms", ""), (row) => ms(row[key]), "number"];
  fill($("#phases"), table([["phase", "name"], ["devices", (row) => number(row.count), "number"],
    at("p50_ms"), at("p90_ms"), at("p95_ms"), at("p99_ms"), at("max_ms")],
  list, { empty: "No device has completed a phase yet." }));
});

export const reasons = keep(({ refused, failed, attempts }) => {
  const rows = (kind, counts) => Object.entries(counts).map(([reason, count]) => ({ kind, reason: words(reason), count }));
  fill($("#reasons"), table([["what", "kind"], ["reason", "reason"], ["how often", (row) => number(row.count), "number"]],
    [...rows("cloud refused", refused), ...rows("before the cloud", failed), ...rows("devices tried in vain", attempts)],
    { empty: "Nothing so far." }));
});

export const quotas = keep((list) => {
  if (list === null) return fill($("#quotas"), el("p", { class: "empty" }, "The cloud has not said: it is asked every few seconds, and may be away."));
  if (list.length === 0) return fill($("#quotas"), el("p", { class: "empty" }, "Nothing was used today."));
  return fill($("#quotas"), list.map((quota) => el("div", { class: "quota" },
    el("span", {}, `${quota.scope} ${quota.name}`), el("span", {}, `${number(quota.used)} of ${number(quota.limit)}`),
    el("meter", { min: 0, max: quota.limit, value: quota.used, high: quota.limit * 0.9, "aria-label": `${quota.scope} ${quota.name}` }))));
});

export const generator = keep((it) => {
  const facts = [["loops are late by (p99, last seconds)", ms(it.lag_p99_ms)], ["at most so far", ms(it.lag_max_ms)],
    ...it.loads.map((load) => [`CPU of ${load.name.replace("shards/", "shard ")}`, `${Math.round(load.cpu_pct)} %`]),
    ["memory", `${number(Math.round(it.rss_bytes / 1048576))} MiB`],
    ["frames read", `${number(it.decoded)} of ${number(it.frames)}`]];
  const verdict = it.held_back ? "It does not keep up: what is measured contains its own delay." : "It keeps up.";
  fill($("#generator"),
    el("p", { class: "verdict", dataset: { heldBack: it.held_back } }, verdict),
    el("dl", { class: "facts" }, facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
});

export const faults = keep(({ planned, injected, at }) => {
  const tag = (text, kind = "") => el("span", { class: `tag ${kind}` }, text);
  const plan = planned.map((fault) => el("li", {}, el("b", {}, words(fault.kind)), `during ${fault.during}`,
    !fault.played ? tag("in virtual time only") : fault.now ? tag("now", "warn") : null, tag(`struck ${number(fault.struck)}`)));
  const hand = injected.slice(0, 12).map((fault) => el("li", { dataset: { injected: fault.number } }, el("b", {}, words(fault.kind)),
    `${fault.words ? `${words(fault.words)}, ` : ""}by hand`, fault.until_ms > at ? tag("now", "warn") : null,
    tag(`struck ${number(fault.struck)} of ${number(fault.devices)}`)));
  fill($("#faults"), plan.length + hand.length
    ? el("ul", { class: "faults" }, hand, plan)
    : el("p", { class: "empty" }, "None is planned, and none was injected."));
});

/** The line under the title. */
export function clock(moment) {
  $("#title").textContent = moment.scenario ? `Run: ${moment.scenario}` : "Fleet";
  const phase = moment.phase ? `, phase ${moment.phase}` : "";
  fill($("#clock"), `${span(moment.elapsed_s)}${phase}`, moment.people?.paused ? " – operators are paused" : "");
  $("#clock").dataset.phase = moment.phase;
}
