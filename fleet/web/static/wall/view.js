// Which devices are shown, and how: grouping, filters, size. Told by the form, read by the wall.

import { el, $ } from "../dom.js";
import { groups } from "./layout.js";

const NONE = "";

/** The words for a state or light that the firmware writes in capitals or with underscores. */
export const human = (name) => name.toLowerCase().replaceAll("_", " ");

/** What the form says. `onchange()` is called when it says something else. */
export class View {
  constructor(fleet, onchange) {
    this.fleet = fleet;
    this.light = NONE; // chosen in the legend
    this.auto = true; // the size follows the view
    this.onchange = onchange;
    for (const id of ["group", "filter-product", "filter-state", "filter-text", "still"]) {
      $(`#${id}`).addEventListener("input", onchange);
    }
    $("#still").checked = matchMedia("(prefers-reduced-motion: reduce)").matches;
    $("#zoom").addEventListener("input", () => this.fit(false));
    $("#fit").addEventListener("click", () => this.fit(true));
    $("#clear").addEventListener("click", () => this.clear());
    $("#more").addEventListener("click", (event) => {
      event.currentTarget.setAttribute("aria-expanded", String($("#tools").classList.toggle("open")));
    });
    $("#tools").addEventListener("submit", (event) => event.preventDefault());
  }

  get group() { return $("#group").value; }
  get still() { return $("#still").checked; }
  get pitch() { return Number($("#zoom").value); }
  set pitch(value) { $("#zoom").value = value; }

  fit(auto) {
    this.auto = auto;
    $("#fit").setAttribute("aria-pressed", String(auto));
    this.onchange();
  }

  clear() {
    for (const id of ["filter-product", "filter-state", "filter-text"]) $(`#${id}`).value = NONE;
    this.light = NONE;
    this.onchange();
  }

  /** Choose a light, or let go of it when it was chosen before. */
  only(light) {
    this.light = this.light === light ? NONE : light;
    this.onchange();
  }

  get filtered() {
    return this.light !== NONE || ["filter-product", "filter-state", "filter-text"].some((id) => $(`#${id}`).value.trim() !== NONE);
  }

  /** Say whether what is shown where depends on what devices do, not only on which there are. */
  get lively() {
    return !["product", "none"].includes(this.group) || this.light !== NONE || $("#filter-state").value !== NONE
      || $("#filter-text").value.trim() !== NONE;
  }

  /** Offer what there is to choose from. */
  offer() {
    const { products, shapes } = this.fleet;
    this.options("#filter-product", products.map((product, n) => [String(n), product.name]));
    const states = [...new Set(shapes.map((shape) => shape.lifecycle))].filter((state) => state !== NONE);
    this.options("#filter-state", states.map((state) => [state, human(state)]));
  }

  options(selector, pairs) {
    const select = $(selector);
    const chosen = select.value;
    select.replaceChildren(el("option", { value: NONE }, "all"), ...pairs.map(([value, text]) => el("option", { value }, text)));
    select.value = pairs.some(([value]) => value === chosen) ? chosen : NONE;
  }

  /** Return the devices that fit, in their order. */
  fitting() {
    const fleet = this.fleet;
    const product = $("#filter-product").value;
    const state = $("#filter-state").value;
    const text = $("#filter-text").value.trim().toLowerCase();
    const kept = [];
    for (let i = 0; i < fleet.count; i++) {
      if (fleet.gone(i)) continue;
      if (product !== NONE && fleet.product[i] !== Number(product)) continue;
      if (state !== NONE && fleet.state(i) !== state) continue;
      if (this.light !== NONE && fleet.light(i) !== this.light) continue;
      if (text !== NONE && !this.has(i, text)) continue;
      kept.push(i);
    }
    return kept;
  }

  has(i, text) {
    const fleet = this.fleet;
    return fleet.uuids[i].toLowerCase().includes(text) || fleet.devIds[i].toLowerCase().includes(text)
      || fleet.batch[i].toLowerCase().includes(text);
  }

  /** Return devices as groups, each with its `title`. */
  grouped(indices) {
    const { keyOf, rank, title } = this.grouping();
    return groups(indices, keyOf, rank).map((group) => ({ ...group, title: title(group.key) }));
  }

  grouping() {
    const fleet = this.fleet;
    const states = [...new Set(fleet.shapes.map((shape) => shape.lifecycle))];
    const lights = Object.keys(fleet.products[0].lights);
    return {
      product: { keyOf: (i) => fleet.product[i], rank: (key) => key, title: (key) => `${fleet.products[key].name} · ${fleet.products[key].model}` },
      batch: { keyOf: (i) => fleet.batch[i], rank: (key) => fleet.batchNumbers.get(key), title: (key) => key || "in no batch yet" },
      state: { keyOf: (i) => fleet.state(i), rank: (key) => states.indexOf(key), title: human },
      light: { keyOf: (i) => fleet.light(i), rank: (key) => lights.indexOf(key), title: human },
      place: { keyOf: (i) => fleet.place(i), rank: () => 0, title: human },
      none: { keyOf: () => "", rank: () => 0, title: () => "" },
    }[this.group];
  }
}
