// Two small charts in SVG: areas upon each other, and lines. Their colours are classes (run.css).

import { svg } from "../dom.js";

const LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 22;

/** Return a round number above `value` and the step between grid lines. */
export function scale(value) {
  const most = Math.max(value, 1);
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.25, 0.5, 1, 2, 2.5].map((part) => part * power).find((one) => most / one <= 4.01) ?? power * 5;
  return { top: Math.ceil(most / step - 1e-9) * step, step };
}

/** Write seconds as a clock, as short as they allow. */
export function span(seconds) {
  const s = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function frame(box, from, to, value) {
  const width = Math.max(box.clientWidth, 200), height = Math.max(box.clientHeight, 100);
  const { top, step } = scale(value);
  const x = (at) => LEFT + ((at - from) / Math.max(to - from, 1)) * (width - LEFT - RIGHT);
  const y = (n) => height - BOTTOM - (n / top) * (height - TOP - BOTTOM);
  const parts = [];
  for (let n = 0; n <= top + step / 2; n += step) {
    parts.push(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(n), y2: y(n) }));
    parts.push(svg("text", { class: "axis", x: LEFT - 6, y: y(n) + 4, "text-anchor": "end" }, Number(n.toFixed(2)).toLocaleString()));
  }
  const ticks = Math.max(2, Math.min(6, Math.floor(width / 90)));
  for (let tick = 0; tick <= ticks; tick += 1) {
    const at = from + ((to - from) * tick) / ticks;
    const anchor = tick === 0 ? "start" : tick === ticks ? "end" : "middle";
    parts.push(svg("text", { class: "axis", x: x(at), y: height - 5, "text-anchor": anchor }, span(at)));
  }
  return { width, height, x, y, parts };
}

function put(box, view, title, marks) {
  const drawn = svg("svg", { viewBox: `0 0 ${view.width} ${view.height}`, role: "img", "aria-label": title },
    ...view.parts, ...marks);
  box.replaceChildren(drawn);
}

const at = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** Draw how many devices showed which of `names`, upon each other. */
export function areas(box, points, names, total, title) {
  if (points.length < 2) return;
  const view = frame(box, points[0].at, points.at(-1).at, total);
  const floor = points.map(() => 0);
  const marks = [];
  for (const name of names) {
    if (!points.some((point) => point.lights[name])) continue;
    const low = points.map((point, n) => at(view.x(point.at), view.y(floor[n])));
    points.forEach((point, n) => { floor[n] += point.lights[name] || 0; });
    const high = points.map((point, n) => at(view.x(point.at), view.y(floor[n])));
    marks.push(svg("path", { class: `area c-${name}`, d: `M${high.join("L")}L${low.reverse().join("L")}Z` }));
  }
  put(box, view, title, marks);
}

/** Draw one line for each of `names`. */
export function lines(box, points, names, title) {
  if (points.length < 2) return;
  const most = Math.max(...points.flatMap((point) => names.map((name) => point[name])));
  const view = frame(box, points[0].at, points.at(-1).at, most);
  const marks = names.map((name) => svg("path", {
    class: `line c-${name}`, d: `M${points.map((point) => at(view.x(point.at), view.y(point[name]))).join("L")}`,
  }));
  put(box, view, title, marks);
}
