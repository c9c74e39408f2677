// A run by wire: what became of each device.

import { get } from "../api.js";
import { el, fill } from "../dom.js";
import { meter, pulse, regularly, tag } from "../parts.js";
import { line } from "./rows.js";

const EVERY_MS = 1000;

const OUTCOMES = { // words, colour of the tag, of the dot
  waiting: ["waits for its turn", "", ""],
  sending: ["token is sent", "warn", "busy"],
  taken: ["has the token", "warn", "busy"],
  unbound: ["unbound", "good", "good"],
  refused: ["refused", "bad", "bad"],
  no_answer: ["no answer", "bad", "bad"],
  unreachable: ["not reached", "bad", "bad"],
  bad_answer: ["answered strangely", "bad", "bad"],
};
const ADVICE = "Look whether it has power, a cable and waits, then search again.";

export async function show({ root, place, rest: [name], go }) {
  const alive = pulse();
  const sum = el("p", { role: "status" });
  const bar = el("div", {});
  const list = el("ul", { class: "devices", id: "errands" });
  const again = el("button", { type: "button", class: "wide", onclick: () => go("wired") }, "Search again");
  const seen = el("button", { type: "button", class: "main wide", onclick: () => go("history") }, "History");
  const ends = el("div", { class: "both", hidden: true }, again, seen);
  const head = el("h2", {}, "Unbinding");
  fill(place, el("div", { class: "section" }, head, alive.element), sum, bar, list, ends);
  let drawn = "";
  return regularly(EVERY_MS, async () => {
    const run = await get(`${root}/runs/${encodeURIComponent(name)}`);
    const state = JSON.stringify(run);
    if (state === drawn) return;
    drawn = state;
    const unbound = run.devices.filter((one) => one.outcome === "unbound").length;
    const failed = run.devices.filter((one) => OUTCOMES[one.outcome]?.[1] === "bad").length;
    sum.textContent = `${unbound} of ${run.devices.length} unbound${failed ? `, ${failed} failed` : ""}.`;
    head.textContent = run.over ? "Done" : "Unbinding";
    fill(bar, meter("Devices unbound in this run", unbound, run.devices.length, { level: failed ? "warn" : "good" }));
    fill(list, run.devices.map(row));
    ends.hidden = !run.over;
  }, alive.show);
}

function row(one) {
  const [text, kind, dot] = OUTCOMES[one.outcome] || [one.outcome, "", ""];
  const lost = kind === "bad" && one.outcome !== "refused";
  return line({ uuid: one.uuid, kind: dot, text: `${one.product} · ${one.ip}`, tags: tag(text, kind), outcome: one.outcome,
    why: kind === "bad" ? one.why || text : "", reason: one.reason, advice: lost ? ADVICE : one.advice });
}
