// May this account do this? And why not?

import { get } from "../api.js";
import { el, fill } from "../dom.js";
import { deviceField } from "./devices.js";
import { inPlace, words } from "../parts.js";

export const TITLE = "Who may do what";

export async function show({ root, body, query, account }) {
  const [choices, field] = await Promise.all([
    get(`${root}/choices`), deviceField(root, query.get("device") || "", "Device (uuid or device id)")]);
  const who = el("input", { value: query.get("account") || account.name, maxLength: 64, required: true });
  const wanted = query.get("action") || "unbind";
  const action = el("select", {}, choices.actions.map((one) => el("option", { value: one, selected: one === wanted }, words(one))));
  const answer = el("section", { class: "card", "aria-live": "polite", hidden: true });
  const place = el("div", {});
  const ask = inPlace(place, async () => {
    const fields = { account: who.value.trim(), action: action.value, device: field.input.value.trim() };
    history.replaceState(null, "", `#explain?${new URLSearchParams(fields)}`);
    const { allowed, lines: [verdict, ...lines] } = await get(`${root}/explain?${new URLSearchParams(fields)}`);
    answer.hidden = false;
    answer.dataset.allowed = String(allowed);
    fill(answer, el("p", { class: `verdict ${allowed ? "yes" : "no"}` }, verdict),
      el("ul", {}, lines.map((line) => el("li", {}, line))));
  });
  fill(body, el("form", { class: "card filters", onsubmit: ask, "aria-label": "Question" },
    el("label", {}, "May this account", who), el("label", {}, "do this", action), field.label,
    el("button", { class: "main" }, "Ask")),
  el("p", { class: "muted" }, "You may ask about yourself, and about anybody where the device is of a product of yours."), place, answer);
  if (query.get("device")) await ask();
}
