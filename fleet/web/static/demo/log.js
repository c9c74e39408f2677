// What happened, in words; the newest first.

import { $, el } from "../dom.js";
import { timeOfDay } from "./clock.js";

const ENTRIES_MAX = 300;

export class Log {
  constructor() {
    const list = $("#log");
    $("#details").addEventListener("change", () => list.classList.toggle("detailed", $("#details").checked));
  }

  show(world, happened, again) {
    const list = $("#log");
    if (again) list.replaceChildren();
    const told = happened.filter((one) => one.type === "told").slice(-ENTRIES_MAX);
    list.prepend(...told.reverse().map(entry));
    while (list.childElementCount > ENTRIES_MAX) list.lastElementChild.remove();
  }
}

function entry(one) {
  const at = `${timeOfDay(one.at_ms)}.${String(one.at_ms % 1000).padStart(3, "0")}`;
  return el("li", { class: one.detail ? "detail" : "", dataset: { who: one.who } },
    el("time", { class: "mono" }, at), el("b", {}, one.who), el("span", {}, one.text));
}
