// Push consumers: each project with its topics, what is unread, and who reads it.

import { get } from "../api.js";
import { el, fill, number } from "../dom.js";
import { left, pulse, regularly, sheet, tag } from "../parts.js";

export const TITLE = "Push consumers";
const EVERY_MS = 2000;
const FAMILIES = { legacy: "legacy messages", iot_core: "IoT Core messages", both: "both forms of messages" };

export async function show({ root, body, tools }) {
  const projects = new Map((await get(`${root}/projects`)).map((one) => [one.access_id, one]));
  const alive = pulse();
  fill(tools, alive.element);
  return regularly(EVERY_MS, async () => {
    const push = await get(`${root}/push`);
    fill(body, push.length === 0 ? el("p", { class: "empty" }, "This account has no cloud project, so no program of its hears anything.")
      : push.map((one) => card(one, projects.get(one.access_id))));
  }, alive.show);
}

function card(push, project) {
  return el("article", { class: "card", dataset: { key: push.access_id } },
    el("div", { class: "row" }, el("h3", {}, push.name), tag(FAMILIES[push.families] || push.families), tag(push.encryption)),
    project ? el("dl", { class: "facts" },
      fact("Access ID", el("code", {}, push.access_id)),
      fact("Signs by", project.signing),
      fact("Data centres", several(project.regions)),
      fact("Apps", project.schemas.join(", ") || "none"),
      fact("Calls from", project.allowed_ips.join(", ") || "everywhere"),
      project.plan ? fact("Plan", project.plan.replaceAll("_", " ")) : null) : null,
    sheet(`Topics of ${push.name}`, [
      ["Topic", (one) => el("div", {}, el("span", { class: "name" }, one.topic), el("small", { class: "muted" }, one.centre))],
      ["Unread", (one) => el("div", {}, number(one.unread), el("small", { class: "muted" }, `${number(one.size)} characters`)), "number"],
      ["Behind by", (one) => el("span", {}, one.oldest_ms === null ? "nothing" : left(Date.now() - one.oldest_ms)), "number"],
      ["Under way", (one) => el("span", {}, number(one.under_way)), "number"],
      ["Consumers", (one) => consumers(one.consumers)],
    ], push.topics, { key: (one) => `${one.centre} ${one.topic}`, empty: "No messages and no consumers yet." }));
}

const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
const several = (names) => names.includes("*") ? "all" : names.join(", ");

function consumers(list) {
  if (list.length === 0) return tag("nobody reads", "warn");
  return el("div", { class: "tags" }, list.map((one) => tag(
    `${one.active ? "active" : "waits"}${one.stalled ? ", does not read" : ""}, ${number(one.window)} ahead`,
    one.stalled ? "bad" : one.active ? "good" : "")));
}
