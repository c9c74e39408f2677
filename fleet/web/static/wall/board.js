// The wall itself: a canvas as large as the view over content that scrolls, signs, rings and a tip.

import { el, fill, $, number } from "../dom.js";
import { cardPainter } from "./draw_gl.js";
import { flatPainter } from "./draw_flat.js";
import { LABELS_FROM, at, beside, fitting, hang, same } from "./layout.js";
import { run } from "./frames.js";
import { human } from "./view.js";

const REARRANGE_MS = 1000;
const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/** `onopen(index)` is called for a click or Enter. */
export class Board {
  constructor(fleet, view, pace, onopen) {
    Object.assign(this, { fleet, view, pace, onopen });
    this.wall = $("#wall");
    this.field = $("#field");
    this.focus = -1;
    this.chosen = -1;
    this.ringed = -1;
    this.tipped = -1;
    this.layout = null;
    this.painter = this.choosePainter();
    this.listen();
  }

  choosePainter() {
    const wanted = new URLSearchParams(location.search).get("draw");
    const canvas = $("#lamps");
    if (wanted !== "canvas") {
      const card = cardPainter(canvas, wanted === "webgl");
      if (card) return card;
    }
    return this.plainPainter();
  }

  plainPainter() {
    const fresh = $("#lamps").cloneNode(); // one that was asked for its card has no plain pen any more
    $("#lamps").replaceWith(fresh);
    return flatPainter(fresh);
  }

  listen() {
    const wall = this.wall;
    new ResizeObserver(() => this.arrange()).observe(wall);
    wall.addEventListener("scroll", () => { this.signs(); this.tip(this.ringed); }, { passive: true });
    wall.addEventListener("pointermove", (event) => this.tip(this.under(event)));
    wall.addEventListener("pointerleave", () => this.tip(-1));
    wall.addEventListener("click", (event) => {
      const index = this.under(event);
      if (index < 0) return;
      this.go(index, false);
      this.tip(-1);
      this.onopen(index);
    });
    wall.addEventListener("keydown", (event) => this.key(event));
    wall.addEventListener("focus", () => { if (wall.matches(":focus-visible")) this.go(this.focus >= 0 ? this.focus : this.layout?.order[0] ?? -1); });
    wall.addEventListener("blur", () => this.leave());
    run(this.pace, () => (this.layout ? this.painter.draw(wall.scrollTop, this.fleet.now(), this.view.still) : 0));
  }

  /** Hang all that fits the view's filters anew. */
  arrange() {
    if (!this.fleet.count) return;
    const [width, height] = [this.wall.clientWidth, this.wall.clientHeight];
    this.shown = this.view.fitting();
    this.grouped = this.view.grouped(this.shown);
    const signs = this.view.group !== "none";
    if (this.view.auto) this.view.pitch = fitting(this.grouped, width, height, signs);
    const before = this.layout;
    this.layout = hang(this.grouped, width, this.view.pitch, this.fleet.count, signs);
    this.field.style.height = `${Math.max(this.layout.height, height)}px`;
    if (this.fleet.patterns.length > this.painter.patternsMax) this.painter = this.plainPainter();
    this.resize(width, height);
    if (before === null || this.painter.fleet === undefined || !same(before, this.layout)) this.painter.hang(this.fleet, this.layout);
    else this.painter.touch(this.shown);
    $("#nothing").hidden = this.shown.length > 0;
    this.signs();
    this.ring("#ring", this.ringed);
    this.ring("#chosen", this.chosen);
    if (this.tipped >= 0 && this.tipped === this.ringed) this.tip(this.tipped);
  }

  resize(width, height) {
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (this.painter.width === width && this.painter.height === height && this.painter.ratio === ratio) return;
    this.painter.resize(width, height, ratio);
    this.painter.canvas.style.width = `${width}px`;
    this.painter.canvas.style.height = `${height}px`;
  }

  /** Devices have changed; where they hang only if that depends on what they do. */
  changed(indices) {
    if (this.layout === null) return;
    this.painter.touch(indices);
    const left = indices.some((index) => this.fleet.gone(index) && this.layout.slot[index] >= 0);
    if (!(this.view.lively || left) || this.soon) return;
    // A light that moved each time it changed could not be followed by anybody's eye.
    this.soon = setTimeout(() => { this.soon = 0; this.arrange(); }, REARRANGE_MS);
  }

  // --- signs, rings, tip --------------------------------------------------------------------------

  signs() {
    if (this.layout === null) return;
    const top = this.wall.scrollTop;
    const seen = (y, height) => y + height > top - 40 && y < top + this.wall.clientHeight + 40;
    const signs = this.layout.blocks.map((block, n) => [block, this.grouped[n]])
      .filter(([block]) => block.sign && seen(block.y, block.sign))
      .map(([block, group]) => move(el("div", { class: "sign" },
        el("span", { class: "name" }, group.title), el("span", { class: "count" }, number(block.indices.length))), block.x, block.y, block.width));
    fill($("#signs"), signs, this.layout.pitch >= LABELS_FROM ? this.labels(seen) : []);
  }

  labels(seen) {
    const { order, x, y, pitch } = this.layout;
    return [...order].filter((index) => seen(y[index] - pitch / 2, pitch)).map((index) =>
      move(el("div", { class: "label" }, `#${index}`), x[index] - pitch / 2, y[index] + pitch * 0.385, pitch));
  }

  ring(selector, index) {
    const ring = $(selector);
    ring.hidden = index < 0 || !this.layout || this.layout.slot[index] < 0;
    if (ring.hidden) return;
    const size = Math.max(14, this.layout.pitch + 2);
    move(ring, this.layout.x[index] - size / 2, this.layout.y[index] - size / 2, size);
    ring.style.height = `${size}px`;
    ring.dataset.device = index;
  }

  /** Describe a device beside its light; -1: nothing. */
  tip(index) {
    const tip = $("#tip");
    this.tipped = index;
    if (index < 0 || !this.layout || this.layout.slot[index] < 0) { tip.hidden = true; return; }
    if (Number(tip.dataset.device) !== index || tip.hidden) fill(tip, ...this.describe(index).map((text, n) => el(n ? "span" : "strong", {}, text)));
    tip.dataset.device = index;
    tip.hidden = false;
    const box = this.lamp(index);
    const left = Math.min(box.x + box.radius + 10, innerWidth - tip.offsetWidth - 8);
    const above = box.y - tip.offsetHeight - 10;
    move(tip, Math.max(8, left), above > 4 ? above : box.y + box.radius + 10);
  }

  describe(index) {
    const fleet = this.fleet;
    const batch = fleet.batch[index] ? ` · batch ${fleet.batch[index]}` : "";
    return [`#${index} ${fleet.uuids[index]}`, `${fleet.products[fleet.product[index]].name} · ${human(fleet.state(index))} · ${fleet.place(index)}${batch}`,
      `${human(fleet.light(index))}: ${fleet.words(index)}`];
  }

  /** Return where the light of a device is on the screen, or null if it is not shown. */
  lamp(index) {
    if (!this.layout || this.layout.slot[index] < 0) return null;
    const box = this.field.getBoundingClientRect();
    return { x: box.left + this.layout.x[index], y: box.top + this.layout.y[index], radius: this.layout.pitch * 0.31 };
  }

  under(event) {
    if (!this.layout) return -1;
    const box = this.field.getBoundingClientRect();
    return at(this.layout, event.clientX - box.left, event.clientY - box.top);
  }

  // --- keys ---------------------------------------------------------------------------------------

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS.has(event.key)) this.go(beside(this.layout, this.focus, event.key));
    else if ((event.key === "Enter" || event.key === " ") && this.focus >= 0) this.onopen(this.focus);
    else return;
    event.preventDefault();
  }

  /** Point at a device, bring it into view, and say which it is. */
  go(index, shown = true) {
    if (index < 0 || !this.layout) return;
    this.focus = index;
    const half = this.layout.pitch / 2 + 30;
    const y = this.layout.y[index];
    const top = this.wall.scrollTop;
    if (y - half < top) this.wall.scrollTop = y - half;
    if (y + half > top + this.wall.clientHeight) this.wall.scrollTop = y + half - this.wall.clientHeight;
    this.ringed = shown ? index : -1;
    this.ring("#ring", this.ringed);
    if (!shown) return;
    this.tip(index);
    $("#spoken").textContent = this.describe(index).join(", ");
  }

  leave() {
    this.ringed = -1;
    this.ring("#ring", -1);
    this.tip(-1);
  }

  /** Mark the device whose life line is open; -1: none is. */
  choose(index) {
    this.chosen = index;
    this.ring("#chosen", index);
  }
}

function move(element, x, y, width) {
  element.style.transform = `translate(${x}px, ${y}px)`;
  if (width !== undefined) element.style.width = `${width}px`;
  return element;
}
