// Parts that pages of people share: refusals, meters, sheets, dialogs, regular looks.

import { Refused, say } from "./api.js";
import { el, fill } from "./dom.js";

/** Say in the page itself why something was refused, and what can be done. */
export function refusal(error) {
  return el("div", { class: "refusal", role: "alert", dataset: { code: error.code || "" } },
    el("p", {}, el("strong", {}, error.message), error.code ? [" ", el("code", {}, error.code)] : null),
    error.advice ? el("p", {}, error.advice) : null);
}

/** Return a handler that runs `work` and shows a refusal in `place`, which is emptied before. */
export function inPlace(place, work) {
  return async (event) => {
    event?.preventDefault?.();
    const button = event?.submitter ?? null;
    if (button) button.disabled = true;
    fill(place);
    try {
      await work(event);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(place, refusal(error));
    } finally {
      if (button) button.disabled = false;
    }
  };
}

/** A bar that says how much of something is used. `level`: good, warn or bad; by the share otherwise. */
export function meter(label, used, limit, { level = "" } = {}) {
  const share = limit > 0 ? Math.min(1, used / limit) : 1;
  const inner = el("span", { class: level || (share >= 1 ? "bad" : share >= .8 ? "warn" : "good") });
  inner.style.width = `${share * 100}%`;
  return el("div", { class: "meter", role: "meter", "aria-label": label, "aria-valuemin": "0",
    "aria-valuenow": String(Math.min(used, limit)), "aria-valuemax": String(limit),
    "aria-valuetext": `${used} of ${limit}` }, inner);
}

/**
 * A table whose rows become cards on a phone. `columns` are [title, function of the row, class?].
 * `key(row)` names a row for tests and for styling.
 */
export function sheet(caption, columns, rows, { empty = "Nothing yet.", key = null } = {}) {
  if (rows.length === 0) return el("p", { class: "empty" }, empty);
  return el("table", { class: "sheet" },
    el("caption", { class: "sr" }, caption),
    el("thead", {}, el("tr", {}, columns.map(([title, , kind]) =>
      el("th", { scope: "col", class: kind || "" }, title || el("span", { class: "sr" }, "What can be done"))))),
    el("tbody", {}, rows.map((row) => el("tr", { dataset: key ? { key: key(row) } : {} },
      columns.map(([title, cell, kind]) => el("td", { class: kind || "", dataset: { label: title } }, cell(row)))))));
}

/** Open a dialog around a form; `submit(form)` may refuse, and the dialog says why and stays. */
export function ask(title, fields, verb, submit, { danger = false } = {}) {
  const place = el("div", {});
  const heading = el("h2", { id: "ask-title" }, title);
  const cancel = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = el("form", { method: "dialog" }, heading, fields, place,
    el("div", { class: "row end" }, cancel, el("button", { class: danger ? "danger" : "main" }, verb)));
  const dialog = el("dialog", { "aria-labelledby": "ask-title" }, form);
  form.addEventListener("submit", inPlace(place, async () => { await submit(form); dialog.close(); }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Do `work` now and again every `everyMs`, but not while the page is hidden. Returns what stops it.
 * `onstate(true)` when the server answers, `onstate(false)` when it does not.
 */
export function regularly(everyMs, work, onstate = () => {}) {
  let timer = 0;
  let stopped = false;
  const turn = async () => {
    if (!document.hidden) {
      try {
        await work();
        if (!stopped) onstate(true);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (!stopped) onstate(false, error);
        if (!stopped && error.code === "no_session") document.dispatchEvent(new Event("loggedout"));
      }
    }
    if (!stopped) timer = setTimeout(turn, everyMs);
  };
  const look = () => { if (!document.hidden && !stopped) { clearTimeout(timer); turn(); } };
  document.addEventListener("visibilitychange", look);
  turn();
  return () => { stopped = true; clearTimeout(timer); document.removeEventListener("visibilitychange", look); };
}

/** What is shown beside data that come by themselves: whether they do. */
export function pulse() {
  const text = el("span", {}, "connecting");
  const element = el("span", { class: "pulse", role: "status" }, text);
  const show = (good, error) => {
    element.classList.toggle("lost", !good);
    const words = good ? "live" : error?.status === 0 ? "server away, trying again" : error?.message || "refused";
    if (text.textContent !== words) text.textContent = words;
  };
  return { element, show };
}

/** Minutes and seconds that are left, as a person reads a clock. */
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** The tag of an outcome: ok, refused and the like. */
export function tag(text, kind = "") {
  return el("span", { class: `tag ${kind}` }, text);
}

/** Name in words what the programs write with underscores. */
export const words = (name) => String(name).replaceAll("_", " ");

/** Tell good news at the bottom of the page. */
export const good = (text) => say(text, true);
