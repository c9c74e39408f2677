// The live run view: told twice a second, drawn as told.

import { $, clock as timeOf, el, fill, number } from "./dom.js";
import { attempt, get } from "./api.js";
import { listen } from "./feed.js";
import { begin } from "./shell.js";
import { areas, lines } from "./run/charts.js";
import * as cards from "./run/cards.js";
import * as hands from "./run/hands.js";
import { Series } from "./run/series.js";

const LINES_MAX = 300;
const RATES = ["states", "unbound", "rebound"];
const RATE_WORDS = { states: "states entered", unbound: "unbound", rebound: "bound again" };

const series = new Series();
let lights = [];
let last = null;
let lastLine = 0;

function legend(place, entries) {
  fill($(place), entries.map(([name, text]) => el("li", { dataset: { name } }, el("span", { class: `swatch c-${name}`, "aria-hidden": "true" }), text)));
}

function charts() {
  if (last === null) return;
  const lit = lights.filter((light) => last.lights[light] || series.points.some((point) => point.lights[light]));
  const now = lit.map((light) => `${cards.words(light)} ${last.lights[light] || 0}`).join(", ");
  areas($("#lights-chart"), series.points, lit, last.devices, `Devices by light over time. Now: ${now}`);
  legend("#lights-legend", lit.map((light) => [light, `${cards.words(light)} ${number(last.lights[light] || 0)}`]));
  const rates = last.scenario ? RATES : ["states"];
  lines($("#rates-chart"), series.points, rates, "What happens per second, over time");
  legend("#rates-legend", rates.map((name) => [name, `${RATE_WORDS[name]} ${last[`${name}_per_s`].toFixed(1)}/s`]));
}

function show(moment) {
  last = moment;
  series.add(moment);
  cards.clock(moment);
  cards.stages(moment.stages);
  cards.figures(cards.figuresOf(moment));
  cards.phases(moment.phases);
  cards.reasons({ refused: moment.refused, failed: moment.failed, attempts: moment.attempts });
  cards.quotas(moment.quotas);
  cards.generator(moment.generator);
  const under = moment.injected.filter((fault) => fault.until_ms > moment.at_ms).length;
  cards.faults({ planned: moment.faults, injected: moment.injected, at: under ? moment.at_ms : 0 });
  hands.show(moment);
  charts();
}

function tell(line) {
  if (line.number <= lastLine) return;
  lastLine = line.number;
  const list = $("#lines");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(el("p", {}, el("time", { dateTime: new Date(line.at_ms).toISOString() }, timeOf(line.at_ms)), line.text));
  while (list.children.length > LINES_MAX) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

async function read() {
  const past = await get("/api/run/past");
  if (last !== null && past.now.elapsed_s < last.elapsed_s) { // another fleet, under the same address
    lastLine = 0;
    $("#lines").replaceChildren();
    await hands.refresh();
  }
  lights = past.lights;
  series.begin(past.slots);
  past.lines.forEach(tell);
  show(past.now);
}

/** What to do when it is over; hands that would reach nobody rest. */
function over(is) {
  const place = $("#over");
  place.hidden = !is;
  place.textContent = !is ? "" : last?.scenario
    ? "This run is over: below is its last moment. The terminal says how it went; report.html, in the folder it names there, has it all. This page goes on by itself when another fleet is started at this address."
    : "This fleet was stopped: below is its last moment. `fleet up` starts another; this page goes on by itself when that is at this address.";
  for (const one of document.querySelectorAll("#pause, #stop, #ramp button, #power button, #add button, #places button, #inject button")) one.disabled = is;
}

function state(name) {
  const tag = $("#feed-state");
  tag.textContent = name === "connecting" && last ? "connecting again" : name;
  tag.className = name === "live" ? "tag good" : "tag warn";
  tag.dataset.state = name;
}

await begin();
await hands.begin();
listen("/api/run/feed", {
  opened: attempt(read),
  lost: attempt(read),
  moment: show,
  line: tell,
  ended: () => { state("ended"); over(true); },
}, { onstate: (now) => { if (now === "connected") { state("live"); over(false); } else if ($("#feed-state").dataset.state !== "ended") state("connecting"); } });
new ResizeObserver(charts).observe($("#lights-chart"));
