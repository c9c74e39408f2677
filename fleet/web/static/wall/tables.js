// The wall in words: counts of every group, and a list of what the filter leaves. Made only while
// they are open.

import { el, fill, $, number, table } from "../dom.js";
import { human } from "./view.js";

const LIST_MAX = 200;
const LIST_BEATS = 4;

/** `onopen(index)` is called for a device of the list. */
export class Tables {
  constructor(fleet, board, onopen) {
    Object.assign(this, { fleet, board, onopen });
    for (const id of ["counts", "list"]) $(`#${id}`).addEventListener("toggle", () => this.show());
    this.beats = 0;
  }

  /** Time goes by: make anew what is open, the list less often. */
  beat() {
    this.show(++this.beats % LIST_BEATS === 0);
  }

  /** Make anew what is open; a list that somebody is in stays as it is. */
  show(list = true) {
    if (!this.board.layout) return;
    if ($("#counts").open) fill($("#counts > div"), this.counts());
    if (list && $("#list").open && !$("#list > div").contains(document.activeElement)) fill($("#list > div"), this.list());
  }

  counts() {
    const lights = Object.keys(this.fleet.products[0].lights);
    const rows = this.board.grouped.map((group) => {
      const row = { title: group.title || "all", all: group.indices.length };
      for (const index of group.indices) row[this.fleet.light(index)] = (row[this.fleet.light(index)] ?? 0) + 1;
      return row;
    });
    const shown = lights.filter((light) => rows.some((row) => row[light]));
    return table([["Group", "title"], ["Devices", (row) => number(row.all), "number"],
      ...shown.map((light) => [human(light), (row) => number(row[light] ?? 0), "number"])],
    rows, { caption: "Devices of each group by their light", empty: "No device fits the filter." });
  }

  list() {
    const fleet = this.fleet;
    const shown = [...this.board.layout.order].slice(0, LIST_MAX);
    const all = this.board.layout.order.length;
    return table([
      ["Device", (index) => el("button", { type: "button", class: "link", onclick: () => this.onopen(index) }, `#${index}`)],
      ["Uuid", (index) => el("code", {}, fleet.uuids[index])],
      ["Product", (index) => fleet.products[fleet.product[index]].name],
      ["State", (index) => human(fleet.state(index))],
      ["Light", (index) => `${human(fleet.light(index))}: ${fleet.words(index)}`],
      ["Operator reads", (index) => fleet.operator(index)],
      ["Batch", (index) => fleet.batch[index]],
      ["Place", (index) => fleet.place(index)],
    ], shown, { caption: all > LIST_MAX ? `The first ${LIST_MAX} of ${number(all)} devices` : `${number(all)} devices`, empty: "No device fits the filter." });
  }
}
