// Device Logs: what the cloud noted about one device, step by step.

import { get } from "../api.js";
import { date, el, fill } from "../dom.js";
import { deviceField } from "./devices.js";
import { pulse, regularly, words } from "../parts.js";

export const TITLE = "Device Logs";
const EVERY_MS = 2000;

const EVENTS = {
  bound: ["Bound to an owner", "good"],
  taken_over: ["Taken over by another owner", ""],
  unbound: ["Unbound by a batch", "good"],
  removed: ["Removed by its owner", ""],
  deleted: ["Deleted by a developer", ""],
  online: ["Online", "good"],
  offline: ["Offline", "quiet"],
  reset_sent: ["Told to reset itself", ""],
  reset_confirmed: ["Has confirmed the reset", "good"],
  reset_fetched: ["Has asked, and heard of the reset", "good"],
  local_reset: ["Reset by its button", ""],
  upgrade_ordered: ["Ordered onto new firmware", ""],
  upgrade_failed: ["New firmware failed", "bad"],
  upgraded: ["Runs new firmware", "good"],
  restarted: ["Started anew", "quiet"],
};

export async function show({ root, body, tools, query }) {
  const uuid = query.get("uuid") || "";
  const field = await deviceField(root, uuid);
  const go = (event) => { event.preventDefault(); location.hash = `#log?${new URLSearchParams({ uuid: field.input.value.trim() })}`; };
  const form = el("form", { class: "card filters", onsubmit: go, "aria-label": "Device" }, field.label, el("button", { class: "main" }, "Show"));
  if (!uuid) {
    fill(body, form, el("p", { class: "empty" }, "Name a device by its uuid; the history links here too."));
    return undefined;
  }
  const rows = el("section", { class: "card", "aria-label": `Log of ${uuid}` });
  const alive = pulse();
  fill(tools, alive.element);
  fill(body, form, rows);
  const first = await get(`${root}/devices/${encodeURIComponent(uuid)}/log`);
  draw(rows, uuid, first);
  let count = first.length;
  return regularly(EVERY_MS, async () => {
    const log = await get(`${root}/devices/${encodeURIComponent(uuid)}/log`);
    if (log.length !== count) draw(rows, uuid, log);
    count = log.length;
  }, alive.show);
}

function draw(place, uuid, log) {
  fill(place, el("h3", {}, "Log of ", el("code", {}, uuid)),
    log.length === 0 ? el("p", { class: "empty" }, "The cloud has noted nothing about it yet.") :
      el("ol", { class: "life", reversed: true }, log.toReversed().map((row) => {
        const [text, kind] = EVENTS[row.event] || [words(row.event), ""];
        return el("li", { class: kind, dataset: { event: row.event } }, el("strong", {}, text),
          row.detail ? el("span", { class: "muted" }, ` ${row.detail}`) : null,
          el("time", { dateTime: new Date(row.time_ms).toISOString() }, date(row.time_ms)));
      })));
}
