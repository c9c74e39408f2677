// Small drawings beside the entries of menus.

import { el, svg } from "../dom.js";

const STROKE = { fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" };
const DRAWINGS = {
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 14h2v6h-4v-2M14 20h0",
  wired: "M5 4h14v9H5zM9 13v3h6v-3M12 16v5M8 7v2M12 7v2M16 7v2",
  unbind: "M10 14l4-4M8.5 11.5L6 14a3.5 3.5 0 0 0 5 5l1.5-1.5M15.500 12.500L18 10a3.500 3.500 0 0 0-5-5l-1.500 1.500M4 8l2 .5M8 4l.5 2M20 16l-2-.5M16 20l-.5-2",
  history: "M12 7v5l3 2M4.500 9.500A8 8 0 1 1 4 13M4 5v4.500h4.500",
};

/** An entry of a menu, as tall as a thumb. */
export function entry(href, sign, title, text) {
  return el("li", {}, el("a", { href },
    el("span", { class: "sign", "aria-hidden": "true" }, svg("svg", { viewBox: "0 0 24 24" }, svg("path", { d: DRAWINGS[sign], ...STROKE }))),
    el("span", {}, el("strong", {}, title), el("small", {}, text)),
    el("span", { class: "go", "aria-hidden": "true" }, "›")));
}
